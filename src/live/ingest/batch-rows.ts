/** Some rows of a batch as a batch of their own: cells point into the same bytes. */
import type { WriteBatch } from '../contract.ts';

/** `rows` ascend. All of them: the batch itself. */
export function pickRows(batch: WriteBatch, rows: readonly number[]): WriteBatch {
  const { rows: from, deletes } = batch;
  if (rows.length === from.rows) return batch;
  const width = from.columns * 2;
  const cells = new Int32Array(rows.length * width);
  const lines = new Float64Array(rows.length);
  for (let i = 0; i < rows.length; i++) {
    const at = rows[i] * width;
    cells.set(from.cells.subarray(at, at + width), i * width);
    lines[i] = from.lines[rows[i]];
  }
  return {
    columns: batch.columns,
    rows: { rows: rows.length, columns: from.columns, bytes: from.bytes, cells, lines },
    ...(deletes === undefined ? {} : { deletes: Uint8Array.from(rows, (row) => deletes[row]) }),
  };
}
