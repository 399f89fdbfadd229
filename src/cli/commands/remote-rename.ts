/** `dv remote rename OLD NEW`. JSON: `{"from","name","url","pushUrl"}`. */
import { remoteRename } from '../../porcelain/remote.ts';
import type { CommandModule } from '../command.ts';
import { openRepositoryOf } from '../open-repository.ts';

export const command: CommandModule = {
  declare(command) {
    command
      .description('Give a remote another name, and its remote-tracking branches with it.')
      .argument('<old>', 'the remote')
      .argument('<new>', 'its new name');
  },
  async run(context, { operands: [from, to] }) {
    const repo = await openRepositoryOf(context);
    const renamed = await remoteRename(repo, from, to);
    if (context.json) context.out.json({ from, ...renamed });
    return 0;
  },
};
