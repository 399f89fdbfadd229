/**
 * `dv rerere [--forget [TABLE]]`: what is remembered of resolved conflicts.
 * JSON: `{"enabled","count"}`; with `--forget` `{"forgotten"}`.
 */
import { DvError } from '../../errors.ts';
import { forgetResolutions, remembered } from '../../porcelain/rerere.ts';
import type { CommandModule } from '../command.ts';
import { openRepositoryOf } from '../open-repository.ts';
import { formatCount } from '../render/count.ts';

interface Options {
  readonly forget?: boolean;
}

export const command: CommandModule<Options> = {
  declare(command) {
    command
      .description(
        'Resolutions of conflicts that are remembered and reused: whoever meets the same ' +
          'cells, or rows, on both sides again need not decide again. dv config rerere.enabled ' +
          'true turns it on. Without an option: whether it is on, and how much is remembered.',
      )
      .argument('[table]', 'with --forget: only of this table')
      .option('--forget', 'forget what is remembered');
  },
  examples: [
    ['dv config rerere.enabled true', 'remember resolutions from now on'],
    ['dv rerere', 'how many are remembered'],
    ['dv rerere --forget cities.csv', 'decide anew in this table'],
  ],
  async run(context, { operands: [table], options }) {
    if (table !== undefined && !options.forget) {
      throw new DvError('bad-option', 'a table goes with --forget', {
        hint: `dv rerere --forget ${table}`,
      });
    }
    const repo = await openRepositoryOf(context);
    if (options.forget) {
      const forgotten = await forgetResolutions(repo, table);
      if (context.json) context.out.json({ forgotten });
      else context.note(`${formatCount(forgotten, 'resolutions')} forgotten`);
      return 0;
    }
    const summary = await remembered(repo);
    if (context.json) context.out.json(summary);
    else {
      const { enabled, count } = summary;
      const on = enabled ? 'on' : 'off (dv config rerere.enabled true)';
      context.out.line(`${formatCount(count, 'resolutions')} remembered; remembering is ${on}`);
    }
    return 0;
  },
};
