/**
 * `dv undo`: JSON: `{"operation","time","refs":[{name,from,to}],"files":[...],"pushed":[...]}`.
 */
import { undo } from '../../porcelain/undo.ts';
import type { CommandModule } from '../command.ts';
import { openRepositoryOf } from '../open-repository.ts';
import { showUndone } from '../undo-result.ts';

interface Options {
  readonly dryRun?: boolean;
}

export const command: CommandModule<Options> = {
  declare(command) {
    command
      .description(
        'Take back the last command that moved a branch, a tag or HEAD: a commit, a merge, a ' +
          'reset, a switch... What a commit held is staged again. Again: the one before.',
      )
      .option('-n, --dry-run', 'say what would happen, and change nothing');
  },
  examples: [
    ['dv undo', 'the last command'],
    ['dv undo --dry-run', 'see which one that is'],
  ],
  async run(context, { options }) {
    const repo = await openRepositoryOf(context);
    showUndone(context, 'undo', await undo(repo, options.dryRun), options.dryRun ?? false);
    return 0;
  },
};
