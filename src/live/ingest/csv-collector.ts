/**
 * CSV records into rows, one record at a time (import's reader takes whole files). The header
 * is the source's: it is known before the first record. An empty field without quotes is
 * null, `""` an empty text. A record with more or fewer fields than the header is no row.
 */
import { isUtf8 } from 'node:buffer';
import { ByteWriter } from '../../bytes.ts';
import { DvError } from '../../errors.ts';
import { cellText, isBlank, type PlainRecord, splitRecord } from '../../formats/csv-record.ts';
import type { RowBatch } from '../../tuple/row-batch.ts';
import type { ColumnType } from '../../tuple/schema.ts';
import type { WriteBatch } from '../contract.ts';
import type { CollectorOptions, RowCollector, Verdict } from './collector.ts';
import { NOT_UTF8 } from './json-collector.ts';
import type { Flaw, RecordBlock } from './record.ts';
import { RecordLog } from './record-log.ts';

const LF = 0x0a;
const QUOTE = 0x22;

export class CsvCollector implements RowCollector, RowBatch {
  readonly log = new RecordLog();
  readonly key = undefined;
  readonly #names: readonly string[];
  readonly #delimiter: number;
  readonly #options: CollectorOptions;
  readonly #out = new ByteWriter(64 * 1024);
  readonly #deletes: number[] = [];
  rows = 0;
  cells = new Int32Array(4096);

  constructor(names: readonly string[], delimiter: number, options: CollectorOptions) {
    this.#names = names;
    this.#delimiter = delimiter;
    this.#options = options;
  }

  get columns(): number {
    return this.#names.length;
  }

  get bytes(): Uint8Array {
    return this.#out.bytes;
  }

  get lines(): Float64Array {
    return this.log.lines;
  }

  add(block: RecordBlock, i: number): Verdict {
    if (block.starts[i] < 0) return { code: 'bad-header', reason: 'a record without a value' };
    const bytes = block.bytes.subarray(block.starts[i], block.ends[i]);
    if (!isUtf8(bytes)) return NOT_UTF8;
    const record = splitCsv(bytes, this.#delimiter);
    if (isBlank(record) && this.#names.length > 1) return 'nothing';
    const flaw = this.#flawOf(record, bytes.length);
    if (flaw !== undefined) return flaw;
    this.#append(bytes, record);
    this.rows += 1;
    const missing = this.#options.key?.find((name) => this.lastCell(name) === null);
    if (missing !== undefined) {
      this.rows -= 1;
      return { code: 'null-key', reason: `the key column "${missing}" has no value` };
    }
    const { deletes } = this.#options;
    const says = deletes === undefined ? null : this.lastCell(deletes.field);
    this.#deletes[this.rows - 1] = says !== null && deletes?.values.has(says) ? 1 : 0;
    this.log.add(block, i);
    return 'added';
  }

  #flawOf(record: PlainRecord, size: number): Flaw | undefined {
    if (record.flaw === 'unterminated-quote') {
      return { code: 'unterminated-quote', reason: 'a quote that is not closed' };
    }
    if (record.flaw !== undefined || record.next < size) {
      return { code: 'bad-quote', reason: 'text behind a closing quote' };
    }
    const { length } = record.cells;
    if (length === this.#names.length) return undefined;
    return {
      code: 'ragged-line',
      reason: `${length} fields, where the header has ${this.#names.length}`,
    };
  }

  #append(bytes: Uint8Array, record: PlainRecord): void {
    const base = this.rows * this.#names.length * 2;
    const end = base + this.#names.length * 2;
    if (end > this.cells.length) {
      const grown = new Int32Array(end * 2);
      grown.set(this.cells);
      this.cells = grown;
    }
    for (const [column, cell] of record.cells.entries()) {
      const slot = base + column * 2;
      if (!cell.quoted && cell.start === cell.end) {
        this.cells[slot] = -1;
        continue;
      }
      this.cells[slot] = this.#out.length;
      appendCell(this.#out, bytes, cell.start, cell.end, cell.quoted);
      this.cells[slot + 1] = this.#out.length;
    }
  }

  lastCell(name: string): string | null {
    const column = this.#names.indexOf(name);
    if (column < 0) return null;
    const slot = ((this.rows - 1) * this.#names.length + column) * 2;
    const start = this.cells[slot];
    return start < 0 ? null : this.#out.bytes.toString('utf8', start, this.cells[slot + 1]);
  }

  takeBack(): void {
    this.rows -= 1;
    this.log.takeBack();
  }

  batch(): WriteBatch {
    const field = this.#options.deletes?.field;
    return {
      columns: this.#names.map((name) => (name === field ? undefined : name)),
      rows: this,
      ...(field === undefined ? {} : { deletes: Uint8Array.from(this.#deletes) }),
    };
  }

  /** CSV says nothing of types. */
  types(): Readonly<Record<string, ColumnType>> {
    return {};
  }

  clear(): void {
    this.rows = 0;
    this.#out.clear();
    this.log.clear();
    this.#deletes.length = 0;
  }
}

/** The fields of one record without its line end. */
export function splitCsv(bytes: Uint8Array, delimiter: number): PlainRecord {
  const stretch = { bytes, end: bytes.length, final: true };
  const record = splitRecord(stretch, 0, { delimiter, lineEnd: LF });
  return record ?? { cells: [], next: 0 };
}

/**
 * Column names of the header line of `place`.
 * @throws DvError `bad-header` for one that would lose cells: a name twice or none, a stray quote
 */
export function csvHeader(bytes: Uint8Array, delimiter: number, place: string): string[] {
  const text = Buffer.from(bytes);
  const record = splitCsv(bytes, delimiter);
  const names = record.cells.map((cell) => cellText(text, cell));
  const wrong = names.find((name, i) => name === '' || names.indexOf(name) < i);
  const isBroken = record.flaw !== undefined || record.next < bytes.length || !isUtf8(bytes);
  if (!isBroken && wrong === undefined) return names;
  const why = isBroken
    ? 'is no line of CSV in UTF-8'
    : wrong === ''
      ? 'has a column without a name'
      : `has the column "${wrong}" twice`;
  throw new DvError('bad-header', `the header of ${place} ${why}`, {
    hint: 'the first line names every column once',
    data: { file: place },
  });
}

function appendCell(
  out: ByteWriter,
  bytes: Uint8Array,
  start: number,
  end: number,
  quoted: boolean,
): void {
  if (!quoted || bytes.subarray(start, end).indexOf(QUOTE) < 0) {
    out.raw(bytes, start, end);
    return;
  }
  for (let at = start; at < end; at++) {
    out.u8(bytes[at]);
    if (bytes[at] === QUOTE) at += 1; // doubled
  }
}
