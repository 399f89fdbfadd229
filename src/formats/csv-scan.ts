/**
 * The hot loop of CSV reading: finds the cells of the records in a block, as offsets. No
 * string, no object and no promise per row. A record that the block holds only in part is
 * left alone for the next call, so nothing in the block changes before its record is whole.
 *
 * The byte behind the block is set to a line end, so that loops need no bounds check; a
 * "line end" found there means the bytes ran out. Numbers: docs/decisions/0003-csv-scanner.md
 */
import { flawError, raggedLine } from './csv-errors.ts';
import { isBlank, type Marks, QUOTE, splitRecord } from './csv-record.ts';
import type { TextBlock } from './text-block.ts';
import { CR, LF } from './text-encoding.ts';

export interface ScannerOptions {
  /** Name for error messages. */
  readonly file: string;
  readonly columns: number;
  readonly marks: Marks;
  /** Cells of a batch, about. */
  readonly batchCells: number;
}

export class CsvScanner {
  /** As in RowBatch; valid for `rows` rows. */
  readonly cells: Int32Array;
  readonly lines: Float64Array;
  rows = 0;
  /** Indices into `cells` of `quotedCount` quoted cells, plus 1 where quotes are doubled. */
  readonly quoted: Int32Array;
  quotedCount = 0;

  readonly #options: ScannerOptions;

  constructor(options: ScannerOptions) {
    const maxRows = Math.max(1, Math.floor(options.batchCells / options.columns));
    this.cells = new Int32Array(maxRows * options.columns * 2);
    this.lines = new Float64Array(maxRows);
    this.quoted = new Int32Array(maxRows * options.columns);
    this.#options = options;
  }

  /**
   * Consumes records from `block` until it has no whole one left or the batch is full;
   * true in the latter case.
   * @throws DvError `ragged-line`, `bad-quote`, `unterminated-quote`
   */
  scan(block: TextBlock): boolean {
    const { cells, lines, quoted } = this;
    const { delimiter, lineEnd } = this.#options.marks;
    const { bytes, end, atEnd } = block;
    const width = this.#options.columns * 2;
    // A CR before the line end belongs to it where lines end in LF.
    const strip = lineEnd === LF ? CR : -1;
    let { start: at, line } = block;
    let row = 0;
    let next = 0;
    let count = 0;
    bytes[end] = lineEnd;

    while (at < end && row < lines.length) {
      const rowEnd = next + width;
      lines[row] = line;
      block.start = at;
      block.line = line;
      let byte: number;
      for (;;) {
        const from = at;
        byte = bytes[at];
        if (byte !== QUOTE) {
          // 1. An unquoted cell; an empty one is null.
          while (byte !== delimiter && byte !== lineEnd) byte = bytes[++at];
          cells[next] = at === from ? -1 : from;
          cells[next + 1] = at;
        } else {
          // 2. A quoted cell, which may span lines; what ends it must follow its quote.
          let doubled = 0;
          for (;;) {
            byte = bytes[++at];
            while (byte !== QUOTE && byte !== lineEnd) byte = bytes[++at];
            if (byte === lineEnd) {
              if (at >= end) break;
              line += 1;
            } else {
              if (bytes[at + 1] !== QUOTE) break;
              doubled = 1;
              at += 1;
            }
          }
          if (at >= end) break;
          quoted[count++] = next + doubled;
          cells[next] = from + 1;
          cells[next + 1] = at;
          byte = bytes[++at];
          if (byte === strip && bytes[at + 1] === LF) byte = bytes[++at];
          if (byte !== delimiter && byte !== lineEnd) break;
        }
        next += 2;
        if (byte === lineEnd || next === rowEnd) break;
        at += 1;
      }
      if (next !== rowEnd || byte !== lineEnd || (at >= end && !atEnd)) {
        // 3. The record is blank, wrong, or goes on behind the block: all rare.
        next = rowEnd - width;
        while (count > 0 && quoted[count - 1] >= next) count -= 1;
        if (!this.#skipBlank(block)) break;
        at = block.start;
        line = block.line;
        continue;
      }
      if (bytes[at - 1] === strip && cells[next - 1] === at) {
        cells[next - 1] = at - 1;
        if (cells[next - 2] === at - 1) cells[next - 2] = -1;
      }
      at += 1;
      line += 1;
      row += 1;
      block.start = at;
      block.line = line;
    }
    block.start = Math.min(block.start, end);
    this.rows = row;
    this.quotedCount = count;
    return row === lines.length;
  }

  /** Consumes the blank line at the block's start; false when the record is not whole. */
  #skipBlank(block: TextBlock): boolean {
    const { file, marks, columns } = this.#options;
    const { bytes, start, end } = block;
    const record = splitRecord({ bytes, end, final: block.atEnd }, start, marks);
    if (record === undefined) return false;
    const { line } = block;
    if (record.flaw) throw flawError(record, { file, line, bytes, start, marks });
    if (!isBlank(record)) throw raggedLine({ file, line }, columns, record.cells.length);
    block.start = record.next;
    block.line += 1;
    return true;
  }
}

/** Turns doubled quotes into single ones, in place, and shortens the cells. */
export function unescapeCells(bytes: Uint8Array, cells: Int32Array, quoted: Int32Array): void {
  for (const mark of quoted) {
    if ((mark & 1) === 0) continue;
    const index = mark - 1;
    const end = cells[index + 1];
    let to = cells[index];
    for (let from = to; from < end; from++) {
      const byte = bytes[from];
      bytes[to++] = byte;
      if (byte === QUOTE) from += 1;
    }
    cells[index + 1] = to;
  }
}
