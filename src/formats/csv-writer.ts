/**
 * Writes row batches as CSV or TSV, in the dialect that the file was read in.
 *
 * A cell is quoted when it contains the delimiter, a quote, CR or LF, when it is an empty
 * string (an empty field is null), and when the dialect says so for its column or for white
 * space at its ends; nulls never are. What is written reads back as the same cells, with two consequences: a first cell
 * that begins with a byte order mark is quoted where the file has none, and a file of one
 * column that ends with a null has a final line end, whatever the dialect says.
 */
import { bug, DvError } from '../errors.ts';
import type { RowBatch } from '../tuple/row-batch.ts';
import type { Schema } from '../tuple/schema.ts';
import type { Dialect, TableWriter } from './contract.ts';
import { delimiterByte } from './csv-dialect.ts';
import { checkHeader } from './csv-errors.ts';
import { hasSpaceAtEdge, QUOTE } from './csv-record.ts';
import { CR, LF, startsWithMark, toLatin1 } from './text-encoding.ts';

const MARK = Buffer.from('\ufeff');
const NOTHING = Buffer.alloc(0);
const NUL = 0;
/** More than a cell takes besides its bytes: line end, delimiter, two quotes. */
const CELL_SLACK = 8;

/** @throws DvError `bad-option` for a delimiter, `bad-header` for names a reader would refuse */
export function createCsvWriter(schema: Schema, dialect: Dialect): TableWriter {
  return new CsvWriter(schema, dialect);
}

class CsvWriter implements TableWriter {
  readonly #dialect: Dialect;
  readonly #names: readonly string[];
  readonly #delimiter: number;
  readonly #newline: Buffer;
  /** By byte: not 0 where a cell that has it needs quotes (or may not be written: NUL). */
  readonly #special: Uint8Array;
  /** By column: not 0 where every non-null cell is quoted. */
  readonly #always: Uint8Array;
  readonly #mark: boolean;
  /** The header or a row was written: a line end is due before the next row. */
  #started = false;
  /** The row written last is a line with nothing on it. */
  #endsBlank = false;

  constructor(schema: Schema, dialect: Dialect) {
    const { quoting = 'minimal', delimiter, format } = dialect;
    this.#dialect = dialect;
    this.#names = schema.columns.map((column) => column.name);
    if (dialect.header !== false) checkHeader({ file: 'header', line: 1 }, this.#names);
    this.#delimiter = delimiterByte(delimiter ?? (format === 'tsv' ? '\t' : ','));
    this.#newline = Buffer.from(dialect.newline ?? '\n');
    this.#special = new Uint8Array(256);
    for (const byte of [this.#delimiter, QUOTE, CR, LF, NUL]) this.#special[byte] = 1;
    this.#always = Uint8Array.from(this.#names, (name) =>
      quoting === 'all' || (quoting !== 'minimal' && quoting.includes(name)) ? 1 : 0,
    );
    this.#mark = dialect.bom === true && dialect.encoding !== 'latin1';
  }

  /** @throws DvError `nul-byte`, `unmappable-character` */
  async write(batch: RowBatch): Promise<Uint8Array | undefined> {
    if (batch.columns !== this.#names.length) throw bug('batch and schema differ in columns');
    const head = this.#takeHead();
    if (batch.rows === 0) return head;
    const rows = this.#encode(this.#formatRows(batch, this.#always));
    this.#endsBlank = batch.columns === 1 && batch.cells[(batch.rows - 1) * 2] === -1;
    return head === undefined ? rows : Buffer.concat([head, rows]);
  }

  async end(): Promise<Uint8Array | undefined> {
    const head = this.#takeHead() ?? NOTHING;
    const due = this.#started && (this.#dialect.finalNewline !== false || this.#endsBlank);
    const bytes = Buffer.concat(due ? [head, this.#newline] : [head]);
    return bytes.length === 0 ? undefined : bytes;
  }

  /** Byte order mark and header, the first time. */
  #takeHead(): Buffer | undefined {
    if (this.#started || this.#dialect.header === false) return undefined;
    const always = new Uint8Array(this.#names.length).fill(this.#dialect.quotedHeader ? 1 : 0);
    return this.#encode(this.#formatRows(batchOfOne(this.#names), always));
  }

  #encode(bytes: Buffer): Buffer {
    return this.#dialect.encoding === 'latin1' ? toLatin1(bytes) : bytes;
  }

  /** The rows, each but the file's first behind a line end. */
  #formatRows(batch: RowBatch, always: Uint8Array): Buffer {
    const { rows, columns, bytes, cells } = batch;
    const special = this.#special;
    const newline = this.#newline;
    const edges = this.#dialect.quotedEdges === true;
    const first = this.#started ? -1 : 0;
    let out = Buffer.allocUnsafe(estimateSize(batch));
    let at = first === 0 ? this.#startFile(out) : 0;
    let index = 0;
    for (let row = 0; row < rows; row++) {
      if (row !== first) for (const byte of newline) out[at++] = byte;
      for (let column = 0; column < columns; column++, index += 2) {
        const start = cells[index];
        const end = cells[index + 1];
        const room = at + CELL_SLACK + 2 * (start === -1 ? 0 : end - start);
        if (room > out.length) out = grow(out, at, room);
        if (column > 0) out[at++] = this.#delimiter;
        if (start === -1) continue;
        const forced =
          always[column] !== 0 ||
          start === end ||
          (edges && hasSpaceAtEdge(bytes, start, end)) ||
          (index === first && this.#hidesMark(bytes, start));
        if (!forced) {
          let to = at;
          let from = start;
          while (from < end && special[bytes[from]] === 0) out[to++] = bytes[from++];
          if (from === end) {
            at = to;
            continue;
          }
        }
        at = quoteCell(out, at, bytes, start, end);
      }
    }
    this.#started = true;
    return out.subarray(0, at);
  }

  #startFile(out: Buffer): number {
    return this.#mark ? MARK.copy(out) : 0;
  }

  /** True when an unquoted cell at the start of the file would pass for its byte order mark. */
  #hidesMark(bytes: Uint8Array, start: number): boolean {
    return !this.#mark && startsWithMark(bytes, start);
  }
}

/** Writes bytes[start .. end) in quotes at `at`; the offset behind. The caller made room. */
function quoteCell(
  out: Uint8Array,
  at: number,
  bytes: Uint8Array,
  start: number,
  end: number,
): number {
  let to = at;
  out[to++] = QUOTE;
  for (let from = start; from < end; from++) {
    const byte = bytes[from];
    if (byte === NUL) throw nulByte(bytes, start, end);
    if (byte === QUOTE) out[to++] = QUOTE;
    out[to++] = byte;
  }
  out[to++] = QUOTE;
  return to;
}

function nulByte(bytes: Uint8Array, start: number, end: number): DvError {
  const value = Buffer.from(bytes.subarray(start, end)).toString();
  return new DvError(
    'nul-byte',
    `CSV cannot hold the NUL byte of ${JSON.stringify(value.slice(0, 80))}`,
    {
      hint: 'write another format, such as ndjson',
      data: { value },
    },
  );
}

/** Enough for nearly every batch, so that its bytes are written without a copy. */
function estimateSize({ rows, columns, cells }: RowBatch): number {
  let size = CELL_SLACK + rows * (columns + 2);
  for (let index = 0, end = rows * columns * 2; index < end; index += 2) {
    if (cells[index] !== -1) size += cells[index + 1] - cells[index];
  }
  return Math.ceil(size * 1.05) + 4096;
}

function grow(out: Buffer, used: number, room: number): Buffer<ArrayBuffer> {
  const grown = Buffer.allocUnsafe(Math.max(room, out.length * 2));
  out.copy(grown, 0, 0, used);
  return grown;
}

function batchOfOne(names: readonly string[]): RowBatch {
  const encoded = names.map((name) => Buffer.from(name));
  const cells = new Int32Array(names.length * 2);
  let at = 0;
  encoded.forEach((name, i) => {
    cells[i * 2] = at;
    at += name.length;
    cells[i * 2 + 1] = at;
  });
  const lines = Float64Array.of(1);
  return { rows: 1, columns: names.length, bytes: Buffer.concat(encoded), cells, lines };
}
