/**
 * How much of each table differs: counts of rows and cells, for `--stat` and for the last
 * line of every rendering. Modified rows and cells are counted on the columns that both
 * sides have: filling a new column modifies no row.
 */
import type { RowChange, SchemaChange, TableDiff } from '../model/change.ts';
import { type ColumnPair, cellAt, pairColumns } from '../model/diff-columns.ts';

/** The figures of one table. `{"tables": [...]}` of these is the JSON form of `--stat`. */
export interface TableStat {
  readonly table: string;
  readonly added: number;
  readonly removed: number;
  readonly modified: number;
  /** Cells that differ in modified rows, and how many of them in each column. */
  readonly cells: number;
  readonly columns: Readonly<Record<string, number>>;
  readonly schema: readonly SchemaChange[];
}

/** Counts row changes one by one. */
export class DiffTally {
  added = 0;
  removed = 0;
  modified = 0;
  cells = 0;
  /** Rows that differ only in columns that one side lacks; not among `modified`. */
  elsewhere = 0;
  readonly #common: readonly ColumnPair[];
  readonly #perColumn: number[];

  constructor(pairs: readonly ColumnPair[]) {
    this.#common = pairs.filter((pair) => pair.from >= 0 && pair.to >= 0);
    this.#perColumn = this.#common.map(() => 0);
  }

  add(change: RowChange): void {
    if (change.change === 'added') this.added += 1;
    else if (change.change === 'removed') this.removed += 1;
    else this.#addModified(change);
  }

  #addModified(change: RowChange): void {
    const before = this.cells;
    for (let i = 0; i < this.#common.length; i++) {
      const { from, to } = this.#common[i];
      if (cellAt(change.from, from) === cellAt(change.to, to)) continue;
      this.cells += 1;
      this.#perColumn[i] += 1;
    }
    if (this.cells > before) this.modified += 1;
    else this.elsewhere += 1;
  }

  /** Row changes of any kind. */
  get rows(): number {
    return this.added + this.removed + this.modified + this.elsewhere;
  }

  /** Changed cells by column, in schema order, without the columns that did not change. */
  columns(): [name: string, cells: number][] {
    return this.#common
      .map(({ name }, i): [string, number] => [name, this.#perColumn[i]])
      .filter(([, cells]) => cells > 0);
  }
}

/** Reads the whole diff of one table and counts. Cost: the rows that differ. */
export async function statTable(diff: TableDiff): Promise<TableStat> {
  const tally = new DiffTally(pairColumns(diff.from, diff.to));
  for await (const batch of diff.changes()) {
    for (const change of batch) tally.add(change);
  }
  const { added, removed, modified, cells } = tally;
  const columns = Object.fromEntries(tally.columns());
  return { table: diff.table, added, removed, modified, cells, columns, schema: diff.schema };
}
