/**
 * What an import found in a file: its dialect and key in words, and its columns.
 *
 *     column      type     why
 *     id          integer  12 values, all whole numbers
 *     name        text     line 2: 'Zürich' is plain text
 */
import type { Dialect } from '../../formats/contract.ts';
import type { ImportedTable } from '../../porcelain/import/table-import.ts';
import type { Context } from '../context.ts';
import { displayWidth, pad, truncate } from './width.ts';

const MOST_NAME_COLUMNS = 32;
const INDENT = '  ';
const GAP = '  ';

/** `width`: columns of the terminal; undefined: nothing is cut. */
export function renderColumns(
  { schema, columns }: ImportedTable,
  { paint, shownLine }: Pick<Context, 'paint' | 'shownLine'>,
  width: number | undefined,
): string {
  const names = schema.columns.map(({ name }) => truncate(shownLine(name), MOST_NAME_COLUMNS));
  const nameWidth = Math.max('column'.length, ...names.map(displayWidth));
  const typeWidth = Math.max('type'.length, ...schema.columns.map(({ type }) => type.length));
  const used = INDENT.length + nameWidth + typeWidth + 2 * GAP.length;
  const room = width === undefined ? Number.POSITIVE_INFINITY : Math.max(0, width - used);
  const line = (name: string, type: string, why: string): string =>
    `${INDENT}${pad(name, nameWidth)}${GAP}${pad(type, typeWidth)}${GAP}${truncate(why, room)}`;
  const head = paint.dim(line('column', 'type', 'why'));
  const lines = columns.map(({ type, reason }, i) => line(names[i], type, shownLine(reason)));
  return `${[head, ...lines].join('\n')}\n`;
}

/** `key id`, `key country, year`, `no key`. */
export function keyPhrase({ schema }: Pick<ImportedTable, 'schema'>): string {
  const names = schema.key.map((i) => schema.columns[i].name);
  return names.length === 0 ? 'no key' : `key ${names.join(', ')}`;
}

const NEWLINES: Readonly<Record<string, string>> = { '\r\n': 'CR LF', '\r': 'CR' };

/** The format, and what is not as usual in it. */
export function describeDialect(dialect: Dialect): string {
  const { format, delimiter, newline = '\n', quoting = 'minimal' } = dialect;
  const usual = format === 'tsv' ? '\t' : ',';
  const parts: string[] = [format];
  if (delimiter !== undefined && delimiter !== usual) {
    parts.push(`delimiter ${delimiter === '\t' ? 'tab' : `'${delimiter}'`}`);
  }
  if (dialect.header === false) parts.push('no header');
  if (dialect.encoding === 'latin1') parts.push('latin1');
  if (newline in NEWLINES) parts.push(`lines end in ${NEWLINES[newline]}`);
  if (dialect.bom) parts.push('byte order mark');
  if (quoting === 'all') parts.push('all cells quoted');
  else if (typeof quoting !== 'string') parts.push(`${quoting.length} columns quoted`);
  if (dialect.finalNewline === false) parts.push('no line end behind the last row');
  return parts.join(', ');
}
