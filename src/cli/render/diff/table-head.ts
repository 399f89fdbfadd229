/**
 * What stands above and below the rows of a table: its name, its key and what happened to
 * its columns; and the counts.
 */
import type { SchemaChange, TableDiff } from '../../../model/change.ts';
import type { DiffTally } from '../../../porcelain/diff-stat.ts';
import type { Schema } from '../../../tuple/schema.ts';
import { formatCount, formatNumber } from '../count.ts';
import type { Paint } from '../paint.ts';
import { sanitizeLine } from '../sanitize.ts';
import type { NarrowedDiff } from './narrow.ts';
import { cutText } from './shorten.ts';
import { visibleText } from './visible-text.ts';

const ARROW = ' → ';
/** Columns named with their count of changed cells on the last line. */
const MOST_COLUMNS_NAMED = 4;

export function renderTableHead(diff: TableDiff, paint: Paint, width?: number): string {
  const state =
    diff.from === null
      ? `  ${paint.added('new table')}`
      : diff.to === null
        ? `  ${paint.removed('table removed')}`
        : '';
  const schema = diff.to ?? diff.from;
  const name = paint.heading(sanitizeLine(diff.table));
  let text = `${name}${state}${schema ? `  ${paint.dim(keyPhrase(schema))}` : ''}\n`;
  if (diff.from === null && diff.to !== null) text += columnList(diff.to, paint, width);
  for (const change of diff.schema) text += `  ${schemaLine(change, paint)}\n`;
  return text;
}

function keyPhrase({ columns, key }: Schema): string {
  if (key.length === 0) return 'no key';
  return `key ${key.map((index) => visibleText(columns[index].name)).join(', ')}`;
}

function columnList({ columns }: Schema, paint: Paint, width?: number): string {
  const text = columns.map(({ name, type }) => `${visibleText(name)} ${type}`).join(', ');
  return `  ${paint.dim(width === undefined ? text : cutText(text, width - 2))}\n`;
}

export function schemaLine(change: SchemaChange, paint: Paint): string {
  switch (change.kind) {
    case 'column-added':
      return `${paint.added('+')} column ${visibleText(change.column)} ${paint.dim(change.type)}`;
    case 'column-removed':
      return `${paint.removed('-')} column ${visibleText(change.column)} ${paint.dim(change.type)}`;
    case 'column-retyped':
      return `${paint.changed('~')} column ${visibleText(change.column)}: ${arrow(change.from, change.to, paint)}`;
    case 'columns-reordered':
      return `${paint.changed('~')} columns in another order`;
    case 'key-changed':
      return `${paint.changed('~')} key: ${arrow(nameList(change.from), nameList(change.to), paint)}`;
    case 'rules-changed':
      return `${paint.changed('~')} merge rules: ${arrow(nameList(change.from), nameList(change.to), paint)}`;
  }
}

function nameList(names: readonly string[]): string {
  return names.length === 0 ? 'none' : names.map(visibleText).join(', ');
}

function arrow(from: string, to: string, paint: Paint): string {
  return paint.removed(from) + paint.dim(ARROW) + paint.added(to);
}

/** `2 added, 1 removed, 14 modified (15 cells: name 14, population 1)` */
export function renderCounts(
  tally: DiffTally,
  { cut, from, to }: Pick<NarrowedDiff, 'cut' | 'from' | 'to'>,
  paint: Paint,
): string {
  const parts = [
    tally.added > 0 ? paint.added(`${formatNumber(tally.added)} added`) : '',
    tally.removed > 0 ? paint.removed(`${formatNumber(tally.removed)} removed`) : '',
    tally.modified > 0 ? paint.changed(`${formatNumber(tally.modified)} modified`) : '',
  ].filter((part) => part !== '');
  const cells = tally.modified > 0 ? ` ${paint.dim(`(${cellPhrase(tally)})`)}` : '';
  const elsewhere =
    tally.elsewhere > 0
      ? [`${formatCount(tally.elsewhere, 'rows')} changed only in added or removed columns`]
      : [];
  const counts = [...parts.slice(0, -1), `${parts.at(-1) ?? ''}${cells}`, ...elsewhere]
    .filter((part) => part !== '')
    .join(', ');
  if (cut) return `  ${paint.dim('… more rows follow; shown:')} ${counts}\n`;
  const none = from && to ? 'no rows changed' : 'no rows';
  return `  ${counts === '' ? paint.dim(none) : counts}\n`;
}

function cellPhrase(tally: DiffTally): string {
  const columns = tally.columns();
  const phrase = formatCount(tally.cells, 'cells');
  if (columns.length > MOST_COLUMNS_NAMED) return `${phrase} in ${columns.length} columns`;
  const each = columns.map(([name, cells]) => `${visibleText(name)} ${formatNumber(cells)}`);
  return `${phrase}: ${each.join(', ')}`;
}
