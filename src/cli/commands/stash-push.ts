/**
 * `dv stash push [TABLE...]`: puts what is not committed aside.
 * JSON: `{"stash","message","tables":[...]}`; `stash` null: there was nothing.
 */
import { type StashPushOptions, stashPush } from '../../porcelain/stash.ts';
import type { CommandModule } from '../command.ts';
import { openRepositoryOf } from '../open-repository.ts';
import { renderSummary } from '../render/row-counts.ts';

interface Options extends Pick<StashPushOptions, 'message' | 'where'> {}

export const command: CommandModule<Options> = {
  declare(command) {
    command
      .description('Put what is staged and what is not committed aside, and go back to HEAD.')
      .argument('[table...]', 'only these, or what is in these directories')
      .option('-m, --message <text>', 'what it is about')
      .option('--where <condition>', 'only changed rows that match an SQL condition');
  },
  examples: [
    ['dv stash push', 'everything'],
    ['dv stash push --where "country = \'CH\'" cities.csv', 'some of the changed rows'],
  ],
  async run(context, { operands, options }) {
    const repo = await openRepositoryOf(context);
    const { entry, ...summary } = await stashPush(repo, { ...options, paths: operands });
    const { tables } = summary;
    if (context.json) {
      context.out.json({ stash: entry?.commit ?? null, message: entry?.message ?? null, tables });
    } else if (!context.quiet) {
      const what = entry === null ? 'Nothing to put aside' : `Put aside: ${entry.message}`;
      context.out.line(context.shownLine(what));
      context.out.write(renderSummary(summary, context));
    }
    return 0;
  },
};
