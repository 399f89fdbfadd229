/** `dv rm PATH...`: takes tables out of what is staged. JSON: `{"removed":[table,...]}`. */
import { remove } from '../../porcelain/remove.ts';
import type { CommandModule } from '../command.ts';
import { openRepositoryOf } from '../open-repository.ts';

interface Options {
  readonly cached?: boolean;
  readonly force?: boolean;
  readonly recursive?: boolean;
}

export const command: CommandModule<Options> = {
  declare(command) {
    command
      .argument('<path...>', 'tables and files; with -r, directories')
      .option('--cached', 'keep the working file')
      .option('-r, --recursive', 'all that is in a directory')
      .option('-f, --force', 'also when the file has changes that are not staged');
  },
  examples: [['dv rm --cached cities.csv', 'stop keeping versions of a file, and keep the file']],
  async run(context, { operands, options }) {
    const repo = await openRepositoryOf(context);
    const { tables } = await remove(repo, operands, options);
    if (context.json) context.out.json({ removed: tables });
    else if (!context.quiet) {
      for (const table of tables) context.out.line(context.shownLine(`rm '${table}'`));
    }
    return 0;
  },
};
