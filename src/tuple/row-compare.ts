/**
 * Which cells of two rows differ: by column name for people, on bytes where that is enough.
 */
import { equalBytes } from '../bytes.ts';
import { SPILLED_FLAG, TupleCursor, tupleColumns, tupleOffset } from './row-codec.ts';
import type { Row, Schema } from './schema.ts';

/** Names of the columns that both schemas have and whose cells differ, in `to`'s order. */
export function changedColumns(from: Schema, to: Schema, fromRow: Row, toRow: Row): string[] {
  if (from === to) {
    return to.columns.filter((_, i) => fromRow[i] !== toRow[i]).map((column) => column.name);
  }
  const places = new Map(from.columns.map((column, i) => [column.name, i]));
  return to.columns
    .filter(({ name }, i) => places.has(name) && fromRow[places.get(name)!] !== toRow[i])
    .map((column) => column.name);
}

/**
 * Compares two values of one schema (types may differ) in chosen non-key columns, on bytes.
 * Blobs compare by reference, so where a whole tuple is out of line on one side the answer is
 * `true` although the chosen cells may be equal: read both rows to be sure.
 */
export class ValueComparer {
  /** By place in the tuple. */
  readonly #chosen: readonly boolean[];

  /** `columns` are schema columns; those of the key are passed over. */
  constructor(schema: Schema, columns: readonly number[]) {
    this.#chosen = tupleColumns(schema).map((column) => columns.includes(column));
  }

  /** Whether the values differ in a chosen column. @throws DvError `corrupt` */
  differ(a: Uint8Array, b: Uint8Array): boolean {
    if (equalBytes(a, b)) return false;
    if (((a[0] | b[0]) & SPILLED_FLAG) !== 0) return a[0] !== b[0] || spilledDiffer(a, b);
    const left = new TupleCursor(a, tupleOffset(a));
    const right = new TupleCursor(b, tupleOffset(b));
    for (const chosen of this.#chosen) {
      const more = left.next();
      if (!right.next() && !more) return false;
      if (chosen && !sameCell(left, right)) return true;
    }
    return false;
  }
}

function spilledDiffer(a: Uint8Array, b: Uint8Array): boolean {
  return !equalBytes(a.subarray(tupleOffset(a)), b.subarray(tupleOffset(b)));
}

/** Behind the end of a tuple a cell is null. */
function sameCell(a: TupleCursor, b: TupleCursor): boolean {
  if (a.start < 0 || b.start < 0) return a.start < 0 && b.start < 0;
  if (a.blobSize >= 0 !== b.blobSize >= 0) return false;
  return equalBytes(
    a.reader.bytes.subarray(a.start, a.end),
    b.reader.bytes.subarray(b.start, b.end),
  );
}
