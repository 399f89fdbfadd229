/**
 * The columns of a table's two sides, matched by name: what every reader of a `TableDiff`
 * walks instead of assuming that `from` and `to` have the same shape. A column that is
 * missing on one side counts as null there, as it does in the tree.
 */

import type { Cell, ColumnType, Row, Schema } from '../tuple/schema.ts';
import type { RowChange } from './change.ts';

export interface ColumnPair {
  readonly name: string;
  /** The type on the to-side where the column is there, else on the from-side. */
  readonly type: ColumnType;
  /** Index in the row of each side; -1: the column is not on that side. */
  readonly from: number;
  readonly to: number;
  /** Part of the primary key of either side. */
  readonly key: boolean;
}

/**
 * All columns of both sides: the to-side's order, and a removed column behind the one it
 * followed on the from-side.
 */
export function pairColumns(from: Schema | null, to: Schema | null): ColumnPair[] {
  const fromIndex = columnIndex(from);
  const pairs: ColumnPair[] = (to?.columns ?? []).map(({ name, type }, index) => {
    const other = fromIndex.get(name) ?? -1;
    return { name, type, from: other, to: index, key: isKey(from, other) || isKey(to, index) };
  });
  const toIndex = columnIndex(to);
  let place = 0;
  for (const [index, { name, type }] of (from?.columns ?? []).entries()) {
    if (toIndex.has(name)) {
      place = pairs.findIndex((pair) => pair.name === name) + 1;
    } else {
      pairs.splice(place++, 0, { name, type, from: index, to: -1, key: isKey(from, index) });
    }
  }
  return pairs;
}

function columnIndex(schema: Schema | null): Map<string, number> {
  return new Map(schema?.columns.map(({ name }, index) => [name, index]));
}

function isKey(schema: Schema | null, index: number): boolean {
  return schema?.key.includes(index) ?? false;
}

/** The cell of a column on one side: null where the row or the column is not there. */
export function cellAt(row: Row | null, index: number): Cell {
  return row === null || index < 0 ? null : row[index];
}

/** The columns in which a modified row differs, in the order of `pairs`. */
export function changedColumns(pairs: readonly ColumnPair[], change: RowChange): ColumnPair[] {
  return pairs.filter((p) => cellAt(change.from, p.from) !== cellAt(change.to, p.to));
}
