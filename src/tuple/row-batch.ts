/**
 * Rows on their way from a file into the tree, or out again: cells as byte ranges, never
 * strings. Readers in `formats/` fill batches; the row encoder reads them. A batch is only
 * valid until the next one is asked for: readers reuse the buffers.
 */

export interface RowBatch {
  /** Number of rows and of cells in each row. */
  readonly rows: number;
  readonly columns: number;
  /** UTF-8 of all cells, unescaped, anywhere inside. */
  readonly bytes: Uint8Array;
  /**
   * Cell c of row r is bytes[cells[2*i] .. cells[2*i+1]) with i = r*columns + c;
   * a start of -1 is null.
   */
  readonly cells: Int32Array;
  /** 1-based line (or record number where there are no lines) each row starts on. */
  readonly lines: Float64Array;
}
