/** `dv remote prune NAME`. JSON: `{"name","refs":[...]}`: the remote-tracking refs that went. */
import { shortRefName } from '../../model/names.ts';
import { remotePrune } from '../../porcelain/remote.ts';
import type { CommandModule } from '../command.ts';
import { openRepositoryOf } from '../open-repository.ts';

interface Options {
  readonly dryRun?: boolean;
}

export const command: CommandModule<Options> = {
  declare(command) {
    command
      .description('Forget remote-tracking branches that the remote does not have any more.')
      .argument('<name>', 'the remote')
      .option('-n, --dry-run', 'say which, and change nothing');
  },
  async run(context, { operands: [name], options: { dryRun } }) {
    const repo = await openRepositoryOf(context);
    const pruned = await remotePrune(repo, name, dryRun);
    if (context.json) context.out.json(pruned);
    else if (!context.quiet) {
      for (const ref of pruned.refs) {
        const done = dryRun ? 'would prune' : 'pruned';
        context.out.line(context.shownLine(` * [${done}] ${shortRefName(ref)}`));
      }
    }
    return 0;
  },
};
