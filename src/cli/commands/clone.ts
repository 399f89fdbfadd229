/**
 * `dv clone URL [DIRECTORY]`. JSON: `{"path","url","branch","commit","branches","tags","chunks",
 * "bytes","resumed","absent"}`.
 */
import { type CloneOptions, clone } from '../../porcelain/clone.ts';
import type { CommandModule } from '../command.ts';
import { parseDepth } from '../depth.ts';
import { collect } from '../message.ts';
import { formatBytes, formatCount } from '../render/count.ts';

interface Options {
  readonly depth?: number;
  readonly branch?: string;
  readonly bare?: boolean;
  readonly table?: readonly string[];
  readonly origin?: string;
  /** false: `--no-checkout`. */
  readonly checkout?: boolean;
}

export const command: CommandModule<Options> = {
  declare(command) {
    command
      .description(
        'Copy another repository, with its history, and follow it as origin. A clone that is ' +
          'cut keeps what came: the same command goes on with it. With --depth old commits stay ' +
          'there, with --table other tables; what is needed of them later is fetched then.',
      )
      .argument('<url>', 'of a server, a path, or the file of a bundle')
      .argument('[directory]', 'where to; default: the last part of the URL')
      .option('--depth <commits>', 'only so many commits', parseDepth)
      .option('-b, --branch <name>', 'check out this branch or tag')
      .option('--bare', 'without working files, for others to push to')
      .option('--table <name>', 'only this table; may be repeated', collect)
      .option('-o, --origin <name>', 'the name of the remote (default: origin)')
      .option('-n, --no-checkout', 'write no files');
  },
  examples: [
    ['dv clone https://data.example.org/cities', 'copy it into cities/'],
    ['dv clone --depth 1 https://data.example.org/cities', 'only how it is now'],
    ['dv clone --table cities.csv https://data.example.org/world', 'one table of many'],
    ['dv clone backup.bundle restored', 'from a bundle'],
  ],
  async run(context, { operands: [url, directory], options }) {
    const { table, ...rest } = options;
    const request: CloneOptions = { ...rest, directory, ...(table && { tables: table }) };
    const result = await clone(context.cwd, url, context.environment, request);
    if (context.json) {
      context.out.json(result);
      return 0;
    }
    const { path, branches, tags, bytes, commit, resumed } = result;
    if (commit === null) context.note('the repository is empty');
    for (const name of commit === null ? [] : result.absent) {
      const where = result.branch ?? options.branch ?? 'HEAD';
      context.note(context.shownLine(`warning: there is no table '${name}' in ${where}`));
    }
    if (resumed) context.note('went on with a clone that was cut');
    if (!context.quiet) {
      const count = `${formatCount(branches, 'branches')}, ${formatCount(tags, 'tags')}`;
      context.out.line(context.shownLine(`Cloned into ${path}: ${count}, ${formatBytes(bytes)}`));
    }
    return 0;
  },
};
