/**
 * `dv bundle create FILE [REV...]`. JSON: `{"path","bytes","refs":[{name,hash}],"head",
 * "prerequisites":[...]}`.
 */
import { createBundle } from '../../porcelain/bundle.ts';
import type { CommandModule } from '../command.ts';
import { openRepositoryOf } from '../open-repository.ts';
import { formatBytes, formatCount } from '../render/count.ts';

interface Options {
  readonly force?: boolean;
}

export const command: CommandModule<Options> = {
  declare(command) {
    command
      .description('Write branches and tags with all they reach into one file.')
      .argument('<file>', 'the bundle to write')
      .argument('[revision...]', 'branches, tags, A..B, ^REV; default: every branch and tag')
      .option('-f, --force', 'replace a file that exists');
  },
  examples: [
    ['dv bundle create backup.bundle', 'everything in one file'],
    ['dv bundle create week.bundle v1..main', 'what came to main since v1'],
  ],
  async run(context, { operands: [file, ...revisions], options: { force } }) {
    const repo = await openRepositoryOf(context);
    const info = await createBundle(repo, file, { revisions, force });
    if (context.json) context.out.json(info);
    else if (!context.quiet) {
      const text = `${formatCount(info.refs.length, 'refs')}, ${formatBytes(info.bytes)}`;
      context.out.line(context.shownLine(`Wrote ${file}: ${text}`));
    }
    return 0;
  },
};
