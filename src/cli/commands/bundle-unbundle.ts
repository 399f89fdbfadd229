/** `dv bundle unbundle FILE`. JSON as `bundle create`. */
import { unbundle } from '../../porcelain/bundle.ts';
import type { CommandModule } from '../command.ts';
import { openRepositoryOf } from '../open-repository.ts';

export const command: CommandModule = {
  declare(command) {
    command
      .description(
        'Take what a bundle holds into this repository and print its refs, without moving any. ' +
          'dv fetch FILE and dv clone FILE do the rest, too.',
      )
      .argument('<file>', 'the bundle');
  },
  async run(context, { operands: [file] }) {
    const repo = await openRepositoryOf(context);
    const info = await unbundle(repo, file);
    if (context.json) context.out.json(info);
    else {
      for (const { name, hash } of info.refs)
        context.out.line(context.shownLine(`${hash}\t${name}`));
    }
    return 0;
  },
};
