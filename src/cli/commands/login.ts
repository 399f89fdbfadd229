/**
 * `dv login URL`: keeps a token for a server. It is read from standard input, so that it is in
 * no command line and no history of a shell. JSON: `{"origin"}`.
 */
import { DvError } from '../../errors.ts';
import { saveToken } from '../../porcelain/credentials.ts';
import type { CommandModule } from '../command.ts';
import { readText } from '../read-text.ts';
import { remoteUrl } from '../remote-url.ts';

export const command: CommandModule = {
  declare(command) {
    command
      .description(
        'Keep a token for a server, in a file that nobody else may read. The token is read ' +
          'from standard input. DV_TOKEN in the environment goes before what is kept.',
      )
      .argument('[remote]', 'the URL of a repository there, or a remote (default: origin)');
  },
  examples: [['dv login https://data.example.org/cities < token', 'keep the token of a file']],
  async run(context, { operands: [remote] }) {
    const url = await remoteUrl(context, remote);
    if (context.stdinIsTTY) context.note('paste the token, then Enter and Ctrl-D:');
    const token = (await readText(context, '-')).trim();
    if (token === '') {
      throw new DvError('bad-option', 'there is no token on standard input', {
        hint: 'dv token create at the server prints one',
      });
    }
    const { origin } = saveToken(context.environment, url, token);
    if (context.json) context.out.json({ origin });
    else context.note(`kept a token for ${origin}`);
    return 0;
  },
};
