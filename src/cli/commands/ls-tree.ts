/**
 * `dv ls-tree [REV]`: what a revision holds.
 *
 *   table  1,000,000 rows  3f2a91c7d1e0  data/cities.csv
 *   file           1.2 kB  90b1c5de0aa3  README.md
 *
 * JSON: a line an entry, `{"table","kind":"table","hash","rows","columns","key"}` or
 * `{"table","kind":"file","hash","bytes"}`.
 */
import { DvError } from '../../errors.ts';
import { type ListedEntry, listTree } from '../../porcelain/inspect.ts';
import { type AsOfFlag, declareAsOf, openAsOf } from '../as-of.ts';
import type { CommandModule } from '../command.ts';
import type { Context } from '../context.ts';
import { formatCount } from '../render/count.ts';
import { pad } from '../render/width.ts';

interface Options extends AsOfFlag {
  readonly abbrev: boolean;
  readonly nameOnly?: boolean;
}

const SHORT_DIGITS = 12;

export const command: CommandModule<Options> = {
  declare(command) {
    command
      .argument('[revision]', 'default: what is staged')
      .option('--name-only', 'only the names')
      .option('--no-abbrev', 'whole hashes');
    declareAsOf(command);
  },
  examples: [
    ['dv ls-tree HEAD', 'what the last commit holds'],
    ['dv ls-tree v1 --json', 'one object a line: names, hashes, rows, columns, keys'],
  ],
  async run(context, { operands: [revision, ...more], options }) {
    if (more.length > 0) throw new DvError('bad-option', 'dv ls-tree takes one revision');
    const entries = await listTree(await openAsOf(context, options), revision);
    if (context.json) for (const entry of entries) context.out.json(entry);
    else if (options.nameOnly) {
      for (const { table } of entries) context.out.line(context.shownLine(table));
    } else context.out.write(renderEntries(entries, context, options));
    return 0;
  },
};

function renderEntries(
  entries: readonly ListedEntry[],
  { paint, shownLine }: Context,
  { abbrev }: Options,
): string {
  const sizes = entries.map((entry) =>
    entry.kind === 'table' ? formatCount(entry.rows, 'rows') : formatCount(entry.bytes, 'bytes'),
  );
  const width = Math.max(0, ...sizes.map((size) => size.length));
  return entries
    .map(({ kind, hash, table }, i) => {
      const shownHash = paint.hash(abbrev ? hash.slice(0, SHORT_DIGITS) : hash);
      return `${kind.padEnd(5)}  ${pad(sizes[i], width, 'right')}  ${shownHash}  ${shownLine(table)}\n`;
    })
    .join('');
}
