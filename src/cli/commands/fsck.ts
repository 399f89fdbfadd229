/**
 * `dv fsck`: checks all that is stored. A problem a line, and what it affects; then a
 * summary. The exit status is 5 when there is a problem.
 *
 * JSON: `{"object","problem","affects"}` a problem, last `{"checked","problems","sound"}`.
 */
import { EXIT_STATUS } from '../../errors.ts';
import { fsck } from '../../porcelain/maintain.ts';
import type { CommandModule } from '../command.ts';
import type { Context } from '../context.ts';
import { openRepositoryOf } from '../open-repository.ts';
import { formatCount } from '../render/count.ts';

export const command: CommandModule = {
  declare(command) {
    command.description(
      'Check every stored object against its hash, and everything that branches, tags and the ' +
        'stage reach: that it is there, in order, counted right and cut where it must be. ' +
        'Says of every problem which commit and table it affects; exits with 5 if there is one.',
    );
  },
  examples: [['dv fsck', 'is everything as it was stored?']],
  async run(context) {
    const found = fsck(await openRepositoryOf(context));
    let problems = 0;
    for (;;) {
      const next = await found.next();
      if (next.done) {
        report(context, next.value.checked, problems);
        return problems === 0 ? 0 : EXIT_STATUS.corrupt;
      }
      const { object, problem, affects } = next.value;
      problems += 1;
      if (context.json) context.out.json({ object, problem, affects });
      else context.out.line(context.shownLine(`${object}: ${problem} (affects ${affects})`));
      await context.out.flush();
    }
  },
};

function report({ json, quiet, out }: Context, checked: number, problems: number): void {
  if (json) out.json({ checked, problems, sound: problems === 0 });
  else if (problems > 0 || !quiet) {
    const verdict = problems === 0 ? 'sound' : formatCount(problems, 'problems');
    out.line(`checked ${formatCount(checked, 'objects')}: ${verdict}`);
  }
}
