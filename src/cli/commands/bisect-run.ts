/**
 * `dv bisect run COMMAND...`: a program judges each candidate, as in git: 0 good, 125 skip, 1 to
 * 127 bad, above an error.
 */
import { spawnSync } from 'node:child_process';
import { DvError } from '../../errors.ts';
import { type BisectStep, bisectMark, readBisect } from '../../porcelain/bisect.ts';
import { showStep } from '../bisect-result.ts';
import type { CommandModule } from '../command.ts';
import type { Context } from '../context.ts';
import { openRepositoryOf } from '../open-repository.ts';

const SKIP = 125;
const MOST_BAD = 127;

export const command: CommandModule = {
  declare(command) {
    command
      .description(
        'Let a program judge each commit: it ends with 0 where all is well, with 125 where it ' +
          'cannot tell, with another status up to 127 where it is broken.',
      )
      .argument('<command...>', 'the program and its arguments, perhaps behind --')
      .passThroughOptions();
  },
  examples: [['dv bisect run sh -c "! grep -q oops cities.csv"', 'broken where a file says oops']],
  async run(context, { operands }) {
    const repo = await openRepositoryOf(context);
    await readBisect(repo);
    for (;;) {
      const verdict = judge(context, operands);
      const step: BisectStep = await bisectMark(repo, verdict, []);
      await showStep(context, repo, step);
      if (step.next === null) return step.found === null ? 1 : 0;
    }
  },
};

function judge(context: Context, [program, ...args]: readonly string[]): 'good' | 'bad' | 'skip' {
  const { status, error } = spawnSync(program, args, { cwd: context.cwd, stdio: 'inherit' });
  if (error !== undefined || status === null || status > MOST_BAD) {
    const why = error?.message ?? `it ended with ${status ?? 'a signal'}`;
    throw new DvError('bad-bisect', `the program '${program}' cannot judge: ${why}`, {
      hint: 'dv bisect good, bad or skip by hand; dv bisect reset ends it',
    });
  }
  return status === 0 ? 'good' : status === SKIP ? 'skip' : 'bad';
}
