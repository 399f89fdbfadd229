/**
 * What `dv add` says of one table:
 *
 *   cities.csv: 12 rows added, 3 modified
 *     key id: "id" is unique and looks like a key; --key names another
 *     population is decimal now, not integer: line 7 has '1.5'
 */
import type { AddedTable } from '../../porcelain/add.ts';
import type { ImportedTable } from '../../porcelain/import/table-import.ts';
import type { Context } from '../context.ts';
import { countPhrase } from './row-counts.ts';
import { keyPhrase } from './schema-table.ts';
import { truncate } from './width.ts';

const LONGEST_VALUE = 40;
/** Reasons that name no choice of dv's. */
const NOT_CHOSEN = ['given', 'remembered'];

/** '' for a table in which nothing changed. */
export function renderAdded(
  added: AddedTable,
  context: Pick<Context, 'paint' | 'shownLine'>,
): string {
  const { table, change, imported } = added;
  if (change === 'unchanged') return '';
  const { paint, shownLine } = context;
  let text = `${shownLine(table)}: ${changePhrase(added, context)}\n`;
  if (imported === undefined) return text;
  if (change === 'added' && !NOT_CHOSEN.includes(imported.keyReason)) {
    const reason = shownLine(imported.keyReason);
    text += `  ${shownLine(keyPhrase(imported))}: ${reason} ${paint.dim('(--key names another)')}\n`;
  }
  for (const widening of imported.widenings) {
    text += `  ${wideningPhrase(widening, imported, context)}\n`;
  }
  return text;
}

function changePhrase(
  { kind, change, rows }: AddedTable,
  { paint }: Pick<Context, 'paint'>,
): string {
  if (kind === 'file') return `file ${change}`;
  const counts = countPhrase(rows, paint);
  if (change === 'removed') return `table removed${counts === '' ? '' : `, ${counts}`}`;
  if (counts !== '') return counts;
  return change === 'added' ? 'empty table added' : 'the same rows, written another way';
}

function wideningPhrase(
  { column, from, to, line, value }: ImportedTable['widenings'][number],
  { schema }: ImportedTable,
  { paint, shownLine }: Pick<Context, 'paint' | 'shownLine'>,
): string {
  const name = shownLine(schema.columns[column].name);
  const cell = truncate(shownLine(value), LONGEST_VALUE);
  return `${paint.changed(`${name} is ${to} now, not ${from}`)}: line ${line} has '${cell}'`;
}
