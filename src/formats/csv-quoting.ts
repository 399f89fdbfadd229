/**
 * Learns, while rows are read, which cells a file quotes although they need not be, so that
 * it can be written the same way again. A column is quoted throughout when none of its
 * non-null cells stands without quotes; it is worth remembering when one of them did not
 * need any. A column mixed in this respect is written with the quotes it needs.
 *
 * Costs nothing once every column has shown an unquoted cell, as nearly all do in the first
 * rows. Looks at cells before they are unescaped or after: their bounds tell.
 */
import type { Dialect } from './contract.ts';
import { needsQuotes, QUOTE } from './csv-record.ts';

export class QuotingMemory {
  readonly #delimiter: number;
  /** Columns in which every non-null cell so far was quoted. */
  #open: number[];
  /** By column: a cell was quoted, and one was without need. */
  readonly #seen: Uint8Array;
  readonly #needless: Uint8Array;

  constructor(columns: number, delimiter: number) {
    this.#delimiter = delimiter;
    this.#open = Array.from({ length: columns }, (_, column) => column);
    this.#seen = new Uint8Array(columns);
    this.#needless = new Uint8Array(columns);
  }

  observe(bytes: Uint8Array, cells: Int32Array, rows: number): void {
    if (this.#open.length === 0) return;
    this.#open = this.#open.filter((column) => this.#staysOpen(column, bytes, cells, rows));
  }

  /** `names`: of all columns. undefined: no cell was seen that would tell. */
  quoting(names: readonly string[]): Dialect['quoting'] {
    const quoted = this.#open.filter((column) => this.#seen[column] === 1);
    if (quoted.length === 0 && this.#open.length === names.length) return undefined;
    if (!quoted.some((column) => this.#needless[column] === 1)) return 'minimal';
    if (this.#open.length === names.length) return 'all';
    return quoted.map((column) => names[column]);
  }

  #staysOpen(column: number, bytes: Uint8Array, cells: Int32Array, rows: number): boolean {
    const width = this.#seen.length * 2;
    let needless = this.#needless[column] === 1;
    let seen = this.#seen[column] === 1;
    for (let at = column * 2, end = rows * width; at < end; at += width) {
      const start = cells[at];
      if (start === -1) continue;
      if (bytes[start - 1] !== QUOTE) return false;
      seen = true;
      needless ||= !needsQuotes(bytes, start, cells[at + 1], this.#delimiter);
    }
    this.#seen[column] = seen ? 1 : 0;
    this.#needless[column] = needless ? 1 : 0;
    return true;
  }
}
