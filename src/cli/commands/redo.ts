/**
 * `dv redo`: JSON: `{"operation","time","refs":[{name,from,to}],"files":[...],"pushed":[...]}`.
 */
import { redo } from '../../porcelain/undo.ts';
import type { CommandModule } from '../command.ts';
import { openRepositoryOf } from '../open-repository.ts';
import { showUndone } from '../undo-result.ts';

interface Options {
  readonly dryRun?: boolean;
}

export const command: CommandModule<Options> = {
  declare(command) {
    command
      .description('Do again what dv undo took back, as long as nothing else was done since.')
      .option('-n, --dry-run', 'say what would happen, and change nothing');
  },
  examples: [['dv redo', 'the last command that was undone']],
  async run(context, { options }) {
    const repo = await openRepositoryOf(context);
    showUndone(context, 'redo', await redo(repo, options.dryRun), options.dryRun ?? false);
    return 0;
  },
};
