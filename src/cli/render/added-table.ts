/**
 * What `dv add` says of one table:
 *
 *   cities.csv: 12 rows added, 3 modified
 *     key id: "id" is unique and looks like a key (--key names another)
 *     + column country text
 *     ~ column population: integer → decimal, because line 7 has '1.5'
 *
 * and, where it is to say all, also its rows and its dialect, and each column with its type
 * and the reason (schema-table.ts).
 */
import type { AddedTable } from '../../porcelain/add.ts';
import type { ImportedTable } from '../../porcelain/import/table-import.ts';
import type { Context } from '../context.ts';
import { formatCount } from './count.ts';
import { schemaLine } from './diff/table-head.ts';
import { countPhrase } from './row-counts.ts';
import { describeDialect, keyPhrase, renderColumns } from './schema-table.ts';
import { truncate } from './width.ts';

type Style = Pick<Context, 'paint' | 'shownLine'>;

export interface AddedTableOptions {
  readonly full?: boolean;
  /** Columns of the terminal; undefined: nothing is cut. */
  readonly width?: number;
}

const LONGEST_VALUE = 40;
/** Reasons for a key that dv did not choose. */
const NOT_CHOSEN = ['given', 'remembered'];

/** '' for a table in which nothing changed, unless all is to be said. */
export function renderAdded(
  added: AddedTable,
  style: Style,
  { full = false, width }: AddedTableOptions = {},
): string {
  const { table, change, imported } = added;
  if (change === 'unchanged' && (imported === undefined || !full)) return '';
  const { paint, shownLine } = style;
  const lines = [`${paint.heading(shownLine(table))}: ${changePhrase(added, style)}`];
  if (full && imported !== undefined) {
    lines.push(`  ${formatCount(imported.rows, 'rows')}, ${describeDialect(imported.dialect)}`);
  }
  lines.push(...renderFindings(added, style));
  if (imported === undefined) return `${lines.join('\n')}\n`;
  const chosen = !NOT_CHOSEN.includes(imported.keyReason);
  if (full || (change === 'added' && chosen)) {
    const key = shownLine(`${keyPhrase(imported)}: ${imported.keyReason}`);
    const other = imported.schema.key.length === 0 ? '--key a,b names one' : '--key names another';
    lines.push(`  ${key}${chosen ? paint.dim(` (${other})`) : ''}`);
  }
  const columns = full ? `\n${renderColumns(imported, style, width)}\n` : '';
  return `${lines.join('\n')}\n${columns}`;
}

/** The lines about columns and types: what is not as it was staged before. */
export function renderFindings({ schema, imported }: AddedTable, style: Style): string[] {
  const widened = imported?.widenings.map(({ column }) => imported.schema.columns[column].name);
  const others = schema.filter(
    (change) => change.kind !== 'column-retyped' || !widened?.includes(change.column),
  );
  const lines = others.map((change) => schemaLine(change, style.paint));
  for (const widening of imported?.widenings ?? []) {
    if (imported !== undefined) lines.push(wideningLine(widening, imported, style));
  }
  return lines.map((line) => `  ${line}`);
}

function changePhrase({ kind, change, rows, schema }: AddedTable, { paint }: Style): string {
  if (change === 'unchanged') return 'nothing changed';
  if (kind === 'file') return `file ${change}`;
  const counts = countPhrase(rows, paint);
  if (change === 'removed') return `table removed${counts === '' ? '' : `, ${counts}`}`;
  if (counts !== '') return counts;
  if (schema.some((one) => one.kind === 'rules-changed')) return 'the same rows';
  return change === 'added' ? 'empty table added' : 'the same rows, written another way';
}

function wideningLine(
  { column, from, to, line, value }: ImportedTable['widenings'][number],
  { schema }: ImportedTable,
  { paint, shownLine }: Style,
): string {
  const change = { kind: 'column-retyped', column: schema.columns[column].name, from, to } as const;
  const cell = truncate(shownLine(value), LONGEST_VALUE);
  return `${schemaLine(change, paint)}, because line ${line} has '${cell}'`;
}
