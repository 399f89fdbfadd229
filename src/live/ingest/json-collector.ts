/**
 * JSON objects into rows: NDJSON lines, or values of a topic. Every number keeps its exact
 * text, a nested value becomes a cell of JSON. Cells are ranges of the copy that is parsed.
 *
 * debezium-collector.ts builds on it: `readObject` is what both do with an object.
 */
import { isUtf8 } from 'node:buffer';
import { BOOLEAN, NUMBER, RecordScanner, STRING, UNHOLDABLE } from '../../formats/json-record.ts';
import { OPEN_OBJECT, QUOTE, TokenScanner } from '../../formats/json-tokens.ts';
import type { ColumnType } from '../../tuple/schema.ts';
import type { WriteBatch } from '../contract.ts';
import type { CollectorOptions, RowCollector, Verdict } from './collector.ts';
import type { Flaw, RecordBlock } from './record.ts';
import { RecordLog } from './record-log.ts';

const EXCERPT = 24;

export class JsonCollector implements RowCollector {
  readonly log = new RecordLog();
  protected readonly tokens = new TokenScanner(true);
  protected readonly records: RecordScanner;
  protected readonly options: CollectorOptions;
  key: readonly string[] | undefined;
  #deletes = new Uint8Array(1024);
  #anyDelete = false;
  #end = 0;
  #bytes: Buffer;
  /** Block whose bytes are known to be UTF-8 as a whole, or not. */
  #checked: RecordBlock | undefined;
  #isUtf8 = false;

  constructor(options: CollectorOptions) {
    this.options = options;
    this.records = new RecordScanner(this.tokens, options.rawJson);
    this.#bytes = Buffer.allocUnsafe(64 * 1024);
    this.tokens.bytes = this.#bytes;
  }

  get rows(): number {
    return this.records.rows;
  }

  add(block: RecordBlock, i: number): Verdict {
    if (this.records.full) return 'full';
    if (block.starts[i] < 0) return this.addTombstone(block, i);
    if (!this.#wellEncoded(block, i)) return NOT_UTF8;
    const start = this.copy(block.bytes, block.starts[i], block.ends[i]);
    const at = this.tokens.space(start);
    if (at === this.#end) return 'nothing';
    return this.addCopied(block, i, at);
  }

  /** The record has been copied; its first token is at `at`. */
  protected addCopied(block: RecordBlock, i: number, at: number): Verdict {
    const end = this.readObject(at, block.lines[i]);
    if (end < 0) return this.flawAt(at);
    if (this.tokens.space(end) !== this.#end) {
      this.records.takeBack();
      this.tokens.fail(end, 'expected nothing behind the object');
      return this.flawAt(at);
    }
    if (this.#carriesOver()) return 'full';
    return this.finishRow(block, i, this.#saysDelete());
  }

  /** The row is in the scanner; takes note of what it is. */
  protected finishRow(
    block: RecordBlock,
    i: number,
    isDelete: boolean,
    unfinished = false,
  ): Verdict {
    const missing = this.#missingKey();
    if (missing !== undefined) {
      this.records.takeBack();
      return missing;
    }
    const row = this.records.rows - 1;
    if (row >= this.#deletes.length) {
      const grown = new Uint8Array(this.#deletes.length * 2);
      grown.set(this.#deletes);
      this.#deletes = grown;
    }
    this.#deletes[row] = isDelete ? 1 : 0;
    if (isDelete) this.#anyDelete = true;
    this.log.add(block, i, unfinished);
    return 'added';
  }

  /** A row with new columns does not fit in the batch that has begun. */
  #carriesOver(): boolean {
    if (!this.records.carries) return false;
    this.records.takeBack();
    return true;
  }

  /** Reads the object at `at` as the next row: the offset behind it, or -1 and `tokens` says why. */
  protected readObject(at: number, line: number): number {
    if (this.tokens.bytes[at] !== OPEN_OBJECT) return this.tokens.fail(at, 'expected an object');
    return this.records.read(at, line);
  }

  /** As `readObject` and `finishRow`, for an object inside the record. */
  protected addObject(
    block: RecordBlock,
    i: number,
    at: number,
    isDelete: boolean,
    unfinished = false,
  ): Verdict {
    if (this.records.full) return 'full';
    if (this.readObject(at, block.lines[i]) < 0) return this.flawAt(at);
    return this.#carriesOver() ? 'full' : this.finishRow(block, i, isDelete, unfinished);
  }

  /** A null value: the row of the record's key goes. */
  protected addTombstone(block: RecordBlock, i: number): Verdict {
    const key = block.keys?.[i] ?? null;
    if (key === null) return { code: 'null-key', reason: 'a tombstone without a key' };
    if (!isUtf8(key)) return NOT_UTF8;
    const object = this.keyObject(Buffer.from(key).toString());
    if (typeof object !== 'string') return object;
    const bytes = Buffer.from(object);
    const at = this.copy(bytes, 0, bytes.length);
    return this.addObject(block, i, at, true);
  }

  /** The key of a message as the JSON object of its key columns. */
  protected keyObject(text: string): string | Flaw {
    const trimmed = text.trim();
    if (trimmed.startsWith('{')) return trimmed;
    const columns = this.options.key ?? this.key;
    if (columns?.length !== 1) {
      return {
        code: 'null-key',
        reason: 'a key that is no JSON object, of a table whose key is not one column',
      };
    }
    return `{${JSON.stringify(columns[0])}:${JSON.stringify(unquoted(trimmed))}}`;
  }

  #missingKey(): Flaw | undefined {
    const names = this.options.key ?? this.key;
    if (names === undefined) return undefined;
    for (const name of names) {
      if (this.#slotOf(name) < 0) {
        return { code: 'null-key', reason: `the key column "${name}" has no value` };
      }
    }
    return undefined;
  }

  #columnsByName = new Map<string, number>();

  #columnOf(name: string): number {
    const known = this.#columnsByName.get(name);
    if (known !== undefined) return known;
    const column = this.records.names.list.indexOf(name);
    if (column >= 0) this.#columnsByName.set(name, column);
    return column;
  }

  /** Index into `cells` of a cell of the last row; -1 when there is none or it is null. */
  #slotOf(name: string): number {
    const column = this.#columnOf(name);
    const { rows, columns, cells } = this.records;
    if (column < 0 || column >= columns) return -1;
    const slot = ((rows - 1) * columns + column) * 2;
    return cells[slot] < 0 ? -1 : slot;
  }

  lastCell(name: string): string | null {
    const slot = this.#slotOf(name);
    if (slot < 0) return null;
    const { cells } = this.records;
    return this.#bytes.toString('utf8', cells[slot], cells[slot + 1]);
  }

  #saysDelete(): boolean {
    const { deletes } = this.options;
    if (deletes === undefined) return false;
    const cell = this.lastCell(deletes.field);
    return cell !== null && deletes.values.has(cell);
  }

  /** Appends bytes to what is parsed, with the zero that ends every scan; where they start. */
  protected copy(bytes: Uint8Array, start: number, end: number): number {
    const at = this.#end === 0 ? 0 : this.#end + 1;
    const needed = at + (end - start) + 1;
    if (needed > this.#bytes.length) {
      const grown = Buffer.allocUnsafe(Math.max(needed, this.#bytes.length * 2));
      this.#bytes.copy(grown, 0, 0, this.#end + 1);
      this.#bytes = grown;
      this.tokens.bytes = grown;
    }
    this.#bytes.set(bytes.subarray(start, end), at);
    this.#end = needed - 1;
    this.#bytes[this.#end] = 0;
    return at;
  }

  protected get end(): number {
    return this.#end;
  }

  #wellEncoded(block: RecordBlock, i: number): boolean {
    if (this.#checked !== block) {
      this.#checked = block;
      this.#isUtf8 = isUtf8(block.bytes);
    }
    return this.#isUtf8 || isUtf8(block.bytes.subarray(block.starts[i], block.ends[i]));
  }

  /** What `tokens` failed of, in the record that starts at `start`. */
  protected flawAt(start: number): Flaw {
    const { failedAt, reason, bytes } = this.tokens;
    const near = Buffer.from(
      bytes.buffer,
      bytes.byteOffset + Math.max(start, failedAt - EXCERPT),
      Math.min(this.#end, failedAt + EXCERPT) - Math.max(start, failedAt - EXCERPT),
    );
    const what = failedAt >= this.#end ? `${reason}, at its end` : reason;
    const excerpt = near.toString().replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ');
    return { code: 'bad-json', reason: `${what}, near "${excerpt}"` };
  }

  takeBack(): void {
    this.records.takeBack();
    this.log.takeBack();
  }

  batch(): WriteBatch {
    const { deletes } = this.options;
    const names = this.records.names.list.slice(0, this.records.columns);
    return {
      columns: names.map((name) => (name === deletes?.field ? undefined : name)),
      rows: this.records,
      ...(this.#anyDelete ? { deletes: this.#deletes } : {}),
    };
  }

  /** Text for strings, so that no string becomes a number; undecided for numbers. */
  types(): Readonly<Record<string, ColumnType>> {
    const types: Record<string, ColumnType> = {};
    for (const [column, name] of this.records.names.list.entries()) {
      const kinds = this.records.kinds[column] & ~UNHOLDABLE;
      if (kinds === 0 || kinds === NUMBER || kinds === BOOLEAN) continue;
      types[name] = (kinds & STRING) !== 0 && !this.options.rawJson.has(name) ? 'text' : 'json';
    }
    return types;
  }

  clear(): void {
    this.records.restart();
    this.log.clear();
    this.#end = 0;
    this.#anyDelete = false;
    this.#checked = undefined;
  }
}

export const NOT_UTF8: Flaw = { code: 'invalid-utf8', reason: 'it is not UTF-8' };

/** `"a\"b"` without its quotes; anything else as it is. */
function unquoted(text: string): string {
  if (text.charCodeAt(0) !== QUOTE) return text;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'string' ? value : text;
  } catch (error) {
    if (error instanceof SyntaxError) return text;
    throw error;
  }
}
