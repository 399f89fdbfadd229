/**
 * Learns, while rows are read, which cells a file quotes although they need not be, so that
 * it can be written the same way again. Two systems are told apart:
 *
 * 1. Columns in which every non-null cell is quoted (in all of them: `all`).
 * 2. Cells with white space at either end are quoted, wherever they are.
 *
 * Quotes without a system are not kept: such cells are written with the quotes they need.
 * Costs next to nothing in a file of few quotes: a column that has shown an unquoted cell is
 * not looked at again, and unquoted cells are searched for white space only in the first
 * rows and in files of the second kind.
 */
import type { Dialect } from './contract.ts';
import { hasSpaceAtEdge, needsQuotes, type PlainCell, QUOTE } from './csv-record.ts';
import { startsWithMark } from './text-encoding.ts';

/** Unquoted cells that are looked at even if no quotes around white space were seen. */
const SAMPLE_CELLS = 64 * 1024;

export class QuotingMemory {
  readonly #columns: number;
  readonly #delimiter: number;
  /** Columns in which every non-null cell so far was quoted. */
  #open: number[];
  /** By column: a cell was quoted, without need, and without need but for white space. */
  readonly #seen: Uint8Array;
  readonly #needless: Uint8Array;
  readonly #edged: Uint8Array;
  #headerEdged = false;
  /** A cell with white space at an end was not quoted. */
  #bareEdge = false;
  #cells = 0;
  /** The file's first cell comes next, and may be quoted lest it pass for a byte order mark. */
  #mayHideMark: boolean;

  constructor(columns: number, delimiter: number, mayHideMark: boolean) {
    this.#mayHideMark = mayHideMark;
    this.#columns = columns;
    this.#delimiter = delimiter;
    this.#open = Array.from({ length: columns }, (_, column) => column);
    this.#seen = new Uint8Array(columns);
    this.#needless = new Uint8Array(columns);
    this.#edged = new Uint8Array(columns);
  }

  /** The names of the header. Where all are quoted, they say nothing about the rows. */
  observeHeader(bytes: Uint8Array, names: readonly PlainCell[]): void {
    if (names.every((name) => name.quoted)) return;
    for (const { start, end, quoted } of names) {
      if (quoted && needsQuotes(bytes, start, end, this.#delimiter)) continue;
      if (!hasSpaceAtEdge(bytes, start, end)) continue;
      if (quoted) this.#headerEdged = true;
      else this.#bareEdge = true;
    }
  }

  /** Rows as scanned, before doubled quotes are undone. `quoted` as in CsvScanner. */
  observe(bytes: Uint8Array, cells: Int32Array, rows: number, quoted: Int32Array): void {
    if (this.#needless.includes(0)) {
      for (const mark of quoted) this.#observeQuoted(bytes, cells, mark & ~1);
    }
    this.#open = this.#open.filter((column) => this.#staysOpen(column, bytes, cells, rows));
    const sampled = this.#cells < SAMPLE_CELLS || this.#edged.includes(1);
    if (sampled && !this.#bareEdge) this.#observeEdges(bytes, cells, rows);
    this.#mayHideMark = false;
    this.#cells += rows * this.#columns;
  }

  /** `names`: of all columns. `quoting` is undefined when no cell was seen that would tell. */
  result(names: readonly string[]): Pick<Dialect, 'quoting' | 'quotedEdges'> {
    const whole = this.#open.filter((column) => this.#seen[column] === 1);
    if (whole.length === 0 && this.#open.length === names.length) {
      return this.#headerEdged && !this.#bareEdge ? { quotedEdges: true } : {};
    }
    const some = whole.some((column) => this.#isNeedless(column));
    const every = some && this.#open.length === names.length;
    const listed = some ? whole : [];
    const edged = this.#edged.some((seen, column) => seen === 1 && !listed.includes(column));
    return {
      quoting: every ? 'all' : some ? whole.map((column) => names[column]) : 'minimal',
      ...((edged || this.#headerEdged) && !this.#bareEdge ? { quotedEdges: true } : {}),
    };
  }

  #isNeedless(column: number): boolean {
    return this.#needless[column] === 1 || (this.#bareEdge && this.#edged[column] === 1);
  }

  #observeQuoted(bytes: Uint8Array, cells: Int32Array, index: number): void {
    const column = (index >> 1) % this.#columns;
    if (this.#needless[column] === 1) return;
    const start = cells[index];
    const end = cells[index + 1];
    if (needsQuotes(bytes, start, end, this.#delimiter)) return;
    if (this.#mayHideMark && index === 0 && startsWithMark(bytes, start)) return;
    if (hasSpaceAtEdge(bytes, start, end)) this.#edged[column] = 1;
    else this.#needless[column] = 1;
  }

  #staysOpen(column: number, bytes: Uint8Array, cells: Int32Array, rows: number): boolean {
    const width = this.#columns * 2;
    for (let at = column * 2, end = rows * width; at < end; at += width) {
      const start = cells[at];
      if (start === -1) continue;
      if (bytes[start - 1] !== QUOTE) return false;
      this.#seen[column] = 1;
    }
    return true;
  }

  #observeEdges(bytes: Uint8Array, cells: Int32Array, rows: number): void {
    for (let at = 0, end = rows * this.#columns * 2; at < end; at += 2) {
      const start = cells[at];
      if (start === -1 || bytes[start - 1] === QUOTE) continue;
      if (!hasSpaceAtEdge(bytes, start, cells[at + 1])) continue;
      this.#bareEdge = true;
      return;
    }
  }
}
