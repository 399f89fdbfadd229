/** `dv remote remove NAME`. JSON: `{"name","refs":[...]}`: the remote-tracking refs that went. */
import { remoteRemove } from '../../porcelain/remote.ts';
import type { CommandModule } from '../command.ts';
import { openRepositoryOf } from '../open-repository.ts';

export const command: CommandModule = {
  declare(command) {
    command
      .description('Forget a remote, and what is known of its branches.')
      .argument('<name>', 'the remote');
  },
  async run(context, { operands: [name] }) {
    const repo = await openRepositoryOf(context);
    const gone = await remoteRemove(repo, name);
    if (context.json) context.out.json(gone);
    return 0;
  },
};
