/**
 * Entries of a tree back into row batches, for the writers of file formats: no string is made.
 * Each value is copied whole and its cells point into the copy; keys are decoded beside it.
 *
 *     for each entry: while (!builder.append(key, value)) await write(builder.take());
 *     at the end:     if (builder.rows > 0) await write(builder.take());
 */
import { ByteWriter } from '../bytes.ts';
import { bug } from '../errors.ts';
import { KeyDecoder } from './key-codec.ts';
import { keylessCount } from './keyless.ts';
import type { RowBatch } from './row-batch.ts';
import {
  checkKeyless,
  needsBlobs,
  strayReference,
  TupleCursor,
  tooManyCells,
  tupleColumns,
} from './row-codec.ts';
import type { Cell, Row, Schema } from './schema.ts';

/** A batch is full at this many bytes or cells. */
const FULL_BYTES = 1 << 20;
const FULL_CELLS = 1 << 17;

export class RowBatchBuilder {
  readonly #columns: number;
  readonly #keyColumns: readonly number[];
  readonly #tupleColumns: readonly number[];
  readonly #key: KeyDecoder;
  readonly #schema: Schema;
  readonly #maxRows: number;
  readonly #out = new ByteWriter(FULL_BYTES + 65536);
  #cells: Int32Array;
  #lines: Float64Array;
  #firstRow = 1;
  /** Copies of the entry at hand that are already in taken batches. */
  #given = 0;
  /** Rows in the batch so far. */
  rows = 0;

  constructor(schema: Schema) {
    this.#schema = schema;
    this.#columns = schema.columns.length;
    this.#keyColumns = schema.key;
    this.#tupleColumns = tupleColumns(schema);
    this.#key = new KeyDecoder(schema.key.map((column) => schema.columns[column].type));
    this.#maxRows = Math.max(1, Math.floor(FULL_CELLS / Math.max(1, this.#columns)));
    this.#cells = new Int32Array(2 * this.#columns * this.#maxRows);
    this.#lines = new Float64Array(this.#maxRows);
  }

  /**
   * Adds the row, or the equal rows, of an entry. False: the batch is full; take it and give
   * the same entry again. The value must be whole (see `readWholeValue`).
   * @throws DvError `corrupt`
   */
  append(key: Uint8Array, value: Uint8Array): boolean {
    if (this.rows === this.#maxRows || this.#out.length >= FULL_BYTES) return false;
    if (needsBlobs(value)) throw bug('a row with cells out of line was not read first');
    const row = this.rows;
    this.#decode(key, value);
    this.rows += 1;
    return this.#keyColumns.length > 0 || this.#repeat(row, keylessCount(value));
  }

  #decode(key: Uint8Array, value: Uint8Array): void {
    checkKeyless(this.#schema, value);
    const out = this.#out;
    const cells = this.#cells;
    const base = 2 * this.rows * this.#columns;
    cells.fill(-1, base, base + 2 * this.#columns);
    if (this.#keyColumns.length > 0) this.#decodeKey(key, base);
    const at = out.length;
    out.raw(value);
    const cursor = new TupleCursor(value, 1);
    if (this.#keyColumns.length === 0) cursor.reader.varint();
    for (const column of this.#tupleColumns) {
      if (!cursor.next()) return;
      if (cursor.start < 0) continue;
      if (cursor.blobSize >= 0) throw strayReference();
      cells[base + 2 * column] = at + cursor.start;
      cells[base + 2 * column + 1] = at + cursor.end;
    }
    if (cursor.reader.remaining > 0) throw tooManyCells();
  }

  #decodeKey(key: Uint8Array, base: number): void {
    let start = this.#out.length;
    this.#key.read(key, this.#out);
    for (let i = 0; i < this.#keyColumns.length; i++) {
      const at = base + 2 * this.#keyColumns[i];
      this.#cells[at] = start;
      start = this.#key.ends[i];
      this.#cells[at + 1] = start;
    }
  }

  /** Repeats the row just added; false when more copies remain than the batch has room for. */
  #repeat(row: number, count: number): boolean {
    const room = this.#maxRows - this.rows;
    const extra = Math.min(room, count - this.#given - 1);
    const width = 2 * this.#columns;
    for (let i = 0; i < extra; i++) {
      this.#cells.copyWithin(this.rows * width, row * width, (row + 1) * width);
      this.rows += 1;
    }
    this.#given += extra + 1;
    if (this.#given < count) return false;
    this.#given = 0;
    return true;
  }

  /** The batch so far; valid until the next `append`, which starts a new one. */
  take(): RowBatch {
    const { rows } = this;
    for (let i = 0; i < rows; i++) this.#lines[i] = this.#firstRow + i;
    const batch: RowBatch = {
      rows,
      columns: this.#columns,
      bytes: this.#out.bytes.subarray(0, this.#out.length),
      cells: this.#cells,
      lines: this.#lines,
    };
    this.#firstRow += rows;
    this.rows = 0;
    this.#out.clear();
    return batch;
  }
}

/** The rows of a batch as text. */
export function rowsOf(batch: RowBatch): Row[] {
  const bytes = Buffer.from(batch.bytes.buffer, batch.bytes.byteOffset, batch.bytes.length);
  return Array.from({ length: batch.rows }, (_, row) =>
    Array.from({ length: batch.columns }, (_, column): Cell => {
      const at = 2 * (row * batch.columns + column);
      const start = batch.cells[at];
      return start < 0 ? null : bytes.toString('utf8', start, batch.cells[at + 1]);
    }),
  );
}
