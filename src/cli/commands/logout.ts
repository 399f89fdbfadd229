/** `dv logout URL`: forgets the token of a server. JSON: `{"origin","found"}`. */
import { forgetToken } from '../../porcelain/credentials.ts';
import type { CommandModule } from '../command.ts';
import { remoteUrl } from '../remote-url.ts';

export const command: CommandModule = {
  declare(command) {
    command
      .description('Forget the token that dv login keeps for a server.')
      .argument('[remote]', 'the URL of a repository there, or a remote (default: origin)');
  },
  async run(context, { operands: [remote] }) {
    const result = forgetToken(context.environment, await remoteUrl(context, remote));
    if (context.json) context.out.json(result);
    else {
      const { origin, found } = result;
      context.note(found ? `forgot the token for ${origin}` : `there was no token for ${origin}`);
    }
    return 0;
  },
};
