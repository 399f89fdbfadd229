/** `dv token revoke ID...`. JSON: `{"revoked":[id]}`. */
import { revokeToken, tokenFile } from '../../porcelain/token-file.ts';
import type { CommandModule } from '../command.ts';

export const command: CommandModule = {
  declare(command) {
    command
      .description(
        'End tokens of what dv serve serves from this directory. A server that runs takes them ' +
          'from no request any more.',
      )
      .argument('<id...>', 'as dv token list shows it');
  },
  examples: [['dv token revoke 3k9x0m2p', 'nobody gets in with it any more']],
  async run(context, { operands }) {
    const file = tokenFile(context.cwd);
    for (const id of operands) revokeToken(file, id);
    if (context.json) context.out.json({ revoked: operands });
    else if (!context.quiet) context.out.line(`Revoked ${operands.join(', ')}`);
    return 0;
  },
};
