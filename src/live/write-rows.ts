/**
 * The writes of one request to one table, as byte ranges: what type inference and the row
 * encoder read. Rows are put in the order of the request; `lines` are their numbers, from 1.
 */
import { ByteWriter } from '../bytes.ts';
import { DvError } from '../errors.ts';
import type { RowBatch } from '../tuple/row-batch.ts';
import type { Cell } from '../tuple/schema.ts';
import type { RowWrite } from './contract.ts';

/** Largest number of bytes that the cells of one table's writes may have together. */
const MAX_BATCH_BYTES = 512 * 1024 * 1024;

/** Where a write is refused, for an error. */
export interface WritePlace {
  readonly table: string;
  /** Number of the write in its table's list, from 1. */
  readonly row: number;
}

/** The cells of `columns` of each write; those it does not name are null. */
export function batchOfWrites(
  table: string,
  writes: readonly RowWrite[],
  numbers: readonly number[],
  columns: readonly string[],
): RowBatch {
  const out = new ByteWriter(1024);
  const cells = new Int32Array(2 * numbers.length * columns.length).fill(-1);
  const lines = new Float64Array(numbers.length);
  let at = 0;
  for (let i = 0; i < numbers.length; i++) {
    const values = writes[numbers[i]].cells;
    lines[i] = numbers[i] + 1;
    for (let column = 0; column < columns.length; column++, at += 2) {
      const cell = ownCell(values, columns[column]);
      if (cell === null) continue;
      cells[at] = out.length;
      appendText(out, cell, { table, row: numbers[i] + 1 }, columns[column]);
      cells[at + 1] = out.length;
    }
  }
  const bytes = out.bytes.subarray(0, out.length);
  return { rows: numbers.length, columns: columns.length, bytes, cells, lines };
}

/** A cell of a write; null where it is not named. Members of Object.prototype are no cells. */
export function ownCell(cells: Readonly<Record<string, Cell>>, column: string): Cell {
  const cell = cells[column] as unknown;
  return typeof cell === 'string' ? cell : null;
}

/** @throws DvError `invalid-utf8`, `record-too-large` */
function appendText(out: ByteWriter, text: string, place: WritePlace, column: string): void {
  if (!text.isWellFormed()) {
    throw new DvError('invalid-utf8', `"${column}" of row ${place.row} is no valid Unicode text`, {
      hint: 'a surrogate stands alone in it',
      data: { ...place, column },
    });
  }
  const room = text.length * 3;
  if (out.length + room > MAX_BATCH_BYTES) {
    throw new DvError('record-too-large', `the rows for '${place.table}' are too large together`, {
      hint: 'send them in several requests',
      data: { ...place, column, limit: MAX_BATCH_BYTES },
    });
  }
  out.reserve(room);
  out.length += out.bytes.write(text, out.length, 'utf8');
}
