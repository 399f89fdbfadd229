/**
 * A diff for a spreadsheet: one line a changed row, both values of a cell side by side.
 *
 *   table,change,id,from_name,to_name,from_population,to_population
 *   cities.csv,modified,1,Zürich,Zurich,415367,421878
 *   cities.csv,added,12,,Bern,,134794
 *
 * The key's columns stand once, every other column twice, as in `--where`: `from_` and `to_`.
 * A null cell, and a side that is not there, is empty; the empty string is `""`. A table with
 * other columns than the one before begins with a blank line and a header of its own.
 */
import type { RowChange } from '../../model/change.ts';
import { type ColumnPair, cellAt, pairColumns } from '../../model/diff-columns.ts';
import type { Cell } from '../../tuple/schema.ts';
import { narrowDiffs } from './diff/narrow.ts';
import type { DiffRenderOptions, TableDiffs } from './diff/options.ts';
import { sanitize } from './sanitize.ts';

export async function* renderDiffCsv(
  diffs: TableDiffs,
  options: DiffRenderOptions = {},
): AsyncGenerator<string> {
  // A file gets the exact text; a terminal nothing that it might obey.
  const safe = options.width === undefined ? (text: string) => text : sanitize;
  let header: string | undefined;
  for await (const diff of narrowDiffs(diffs, options)) {
    const pairs = keyFirst(pairColumns(diff.from, diff.to));
    const ownHeader = headerLine(pairs);
    for await (const batch of diff.changes()) {
      if (ownHeader !== header) {
        yield safe(header === undefined ? ownHeader : `\n${ownHeader}`);
        header = ownHeader;
      }
      yield safe(batch.map((change) => rowLine(diff.table, pairs, change)).join(''));
    }
  }
}

function keyFirst(pairs: readonly ColumnPair[]): ColumnPair[] {
  return [...pairs.filter(({ key }) => key), ...pairs.filter(({ key }) => !key)];
}

function headerLine(pairs: readonly ColumnPair[]): string {
  const names = pairs.flatMap(({ name, key }) => (key ? [name] : [`from_${name}`, `to_${name}`]));
  // A column of the table keeps its name; dv's own give way.
  const own = ['table', 'change'].map((name) => (names.includes(name) ? `dv_${name}` : name));
  return csvLine([...own, ...names]);
}

function rowLine(table: string, pairs: readonly ColumnPair[], change: RowChange): string {
  const cells: Cell[] = [table, change.change];
  for (const { from, to, key } of pairs) {
    const before = cellAt(change.from, from);
    const after = cellAt(change.to, to);
    if (key) cells.push(after ?? before);
    else cells.push(before, after);
  }
  return csvLine(cells);
}

function csvLine(cells: readonly Cell[]): string {
  return `${cells.map(csvCell).join(',')}\n`;
}

/** RFC 4180, with nulls. */
function csvCell(cell: Cell): string {
  if (cell === null) return '';
  return cell === '' || /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}
