/** `dv remote`: the remotes. JSON: `{"remotes":[{name,url,pushUrl}]}`. */
import { remotes } from '../../porcelain/remote.ts';
import type { CommandModule } from '../command.ts';
import { openRepositoryOf } from '../open-repository.ts';
import { displayWidth, pad } from '../render/width.ts';

interface Options {
  readonly verbose?: boolean;
}

export const command: CommandModule<Options> = {
  declare(command) {
    command
      .description(
        'List the other repositories that this one knows. They are named by a URL of a server, ' +
          'such as https://data.example.org/cities, by a path, or by the file of a bundle.',
      )
      .option('-v, --verbose', 'with their URLs');
  },
  examples: [
    ['dv remote add origin https://data.example.org/cities', 'know a server as origin'],
    ['dv remote -v', 'list remotes with their URLs'],
  ],
  async run(context, { options: { verbose } }) {
    const repo = await openRepositoryOf(context);
    const all = remotes(repo);
    if (context.json) {
      context.out.json({ remotes: all });
      return 0;
    }
    const width = Math.max(0, ...all.map(({ name }) => displayWidth(name)));
    for (const { name, url, pushUrl } of all) {
      if (!verbose) context.out.line(context.shownLine(name));
      else {
        context.out.line(context.shownLine(`${pad(name, width)}  ${url} (fetch)`));
        context.out.line(context.shownLine(`${pad(name, width)}  ${pushUrl} (push)`));
      }
    }
    return 0;
  },
};
