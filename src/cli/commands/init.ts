/** `dv init [DIR]`: makes a repository. JSON: `{"path","created","branch"}`. */
import { join, resolve } from 'node:path';
import { currentBranch } from '../../porcelain/branch.ts';
import { initRepository } from '../../porcelain/open-repository.ts';
import { DOT_DIR } from '../../porcelain/worktree.ts';
import type { CommandModule } from '../command.ts';

interface Options {
  readonly initialBranch?: string;
  readonly bare?: boolean;
}

export const command: CommandModule<Options> = {
  declare(command) {
    command
      .argument('[directory]', 'made if there is none; default the one you are in')
      .option('--bare', 'without working files, for others to push to')
      .option('-b, --initial-branch <name>', 'name of the first branch (default: main)');
  },
  examples: [['dv init', 'begin to keep versions of the tables in this directory']],
  async run(context, { operands: [directory = '.'], options: { initialBranch, bare } }) {
    const path = resolve(context.cwd, directory);
    const { repository, created } = await initRepository(path, context.environment, {
      branch: initialBranch,
      bare,
    });
    context.atEnd(() => repository.close());
    const branch = await currentBranch(repository);
    if (context.json) context.out.json({ path, created, branch });
    else if (!context.quiet) {
      const done = created ? 'Initialized empty' : 'Reinitialized existing';
      context.out.line(context.shownLine(`${done} dv repository in ${join(path, DOT_DIR)}`));
    }
    if (!created && initialBranch !== undefined && initialBranch !== branch) {
      context.note(`note: the repository exists, so --initial-branch=${initialBranch} is ignored`);
    }
    return 0;
  },
};
