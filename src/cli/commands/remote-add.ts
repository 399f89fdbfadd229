/** `dv remote add NAME URL`. JSON: `{"name","url","pushUrl"}`, with -f as `dv fetch` has it. */
import { fetch } from '../../porcelain/fetch.ts';
import { remoteAdd } from '../../porcelain/remote.ts';
import type { CommandModule } from '../command.ts';
import { collect } from '../message.ts';
import { openRepositoryOf } from '../open-repository.ts';
import { renderFetched } from '../render/moved-refs.ts';

interface Options {
  readonly fetch?: boolean;
  readonly track?: readonly string[];
}

export const command: CommandModule<Options> = {
  declare(command) {
    command
      .description('Know another repository by a name.')
      .argument('<name>', 'such as origin')
      .argument('<url>', 'of a server, a path, or the file of a bundle')
      .option('-t, --track <branch>', 'follow only this branch; may be repeated', collect)
      .option('-f, --fetch', 'fetch from it at once');
  },
  examples: [['dv remote add -f origin https://data.example.org/cities', 'add and fetch']],
  async run(context, { operands: [name, url], options }) {
    const repo = await openRepositoryOf(context);
    const added = remoteAdd(repo, name, url, { branches: options.track });
    if (!options.fetch) {
      if (context.json) context.out.json(added);
      return 0;
    }
    const [fetched] = await fetch(repo, { remote: name });
    if (context.json) context.out.json({ ...added, ...fetched });
    else context.note(renderFetched(fetched, context));
    return 0;
  },
};
