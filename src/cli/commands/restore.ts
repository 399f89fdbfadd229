/**
 * `dv restore PATH...`: tables back to what is staged, or to what a commit has.
 * JSON: `{"restored":[table,...]}`.
 */
import { restore } from '../../porcelain/restore.ts';
import { type AsOfFlag, declareAsOf, openAsOf } from '../as-of.ts';
import type { CommandModule } from '../command.ts';

interface Options extends AsOfFlag {
  readonly staged?: boolean;
  readonly worktree?: boolean;
  readonly source?: string;
}

export const command: CommandModule<Options> = {
  declare(command) {
    command
      .description(
        'Put tables and files back as they are staged; with --staged, unstage what was added. ' +
          'Changes in the working files named are thrown away.',
      )
      .argument('<path...>', 'tables and files, or directories of them; . is all')
      .option('-S, --staged', 'put back what is staged instead of the working file')
      .option('-W, --worktree', 'the working file; with --staged, both')
      .option('-s, --source <revision>', 'from this commit (default: HEAD with --staged)');
    declareAsOf(command);
  },
  examples: [
    ['dv restore cities.csv', 'throw away changes that are not staged'],
    ['dv restore --staged cities.csv', 'unstage'],
    ['dv restore --source HEAD~3 cities.csv', 'the table of three commits ago'],
  ],
  async run(context, { operands, options }) {
    const repo = await openAsOf(context, options);
    // A time without a source is that of HEAD.
    const source = options.source ?? (options.asOf === undefined ? undefined : 'HEAD');
    const { tables } = await restore(repo, operands, { ...options, source });
    if (context.json) context.out.json({ restored: tables });
    return 0;
  },
};
