/**
 * The reader of both JSON formats: fills batches as long as there are whole records in the
 * window, hands them on, fetches more. A record that the window cuts off is read again from its
 * start once enough has come: a line when its newline is there, an array's element when twice as
 * much is, so that the work stays linear in the size of the file.
 */
import type { RowBatch } from '../tuple/row-batch.ts';
import type { ColumnType } from '../tuple/schema.ts';
import type { ByteSource, Dialect, FormatName, ReadOptions, TableReader } from './contract.ts';
import {
  badJson,
  EXCERPT,
  fileEmpty,
  invalidUtf8,
  RECORD_LIMIT,
  TOO_LARGE,
} from './json-errors.ts';
import { ArrayFrames, Cursor, type Frames, LineFrames, type Outcome } from './json-frames.ts';
import { BOOLEAN, NUMBER, RecordScanner, STRING, UNHOLDABLE } from './json-record.ts';
import { HAS_SLASH_ESCAPE, HAS_UNICODE_ESCAPE, LF, TokenScanner } from './json-tokens.ts';
import { ByteWindow } from './json-window.ts';

type JsonName = Extract<FormatName, 'ndjson' | 'json'>;

export class JsonReader implements TableReader {
  readonly #source: ByteSource;
  readonly #raw: ReadonlySet<string>;
  readonly #format: JsonName;
  #window!: ByteWindow;
  #records!: RecordScanner;
  #cursor!: Cursor;
  #frames!: Frames;
  #columns: readonly string[] = [];
  #rows = 0;

  constructor(format: JsonName, source: ByteSource, options: ReadOptions) {
    this.#format = format;
    this.#source = source;
    this.#raw = options.rawJson ?? new Set();
    this.#restart();
  }

  #restart(): void {
    const lines = this.#format === 'ndjson';
    const tokens = new TokenScanner(!lines);
    this.#window = new ByteWindow(() => this.#source.stream());
    this.#records = new RecordScanner(tokens, this.#raw);
    this.#cursor = new Cursor(this.#window, tokens, this.#records);
    this.#frames = lines ? new LineFrames(this.#cursor) : new ArrayFrames(this.#cursor);
    this.#columns = [];
    this.#rows = 0;
  }

  /**
   * While a batch is at hand, those of the batch: a name that the next one brings is not shown
   * before it, although it has been seen.
   */
  get columns(): readonly string[] {
    return this.#columns;
  }

  async *batches(): AsyncIterable<RowBatch> {
    this.#restart();
    const records = this.#records;
    try {
      for (;;) {
        const outcome = this.#fill();
        if (records.rows > 0) {
          this.#rows += records.rows;
          this.#showColumns(records.columns);
          yield records;
        }
        records.restart();
        if (outcome === 'done') break;
        if (outcome === 'starved') await this.#fetch();
      }
    } finally {
      await this.#window.close();
    }
    this.#showColumns(records.names.count);
    if (this.columns.length === 0) throw fileEmpty(this.#source.name, this.#emptiness());
  }

  #showColumns(count: number): void {
    if (this.#columns.length === count) return;
    this.#columns = this.#records.names.list.slice(0, count);
  }

  /** Reads records until the batch is full or the window or the file is at its end. */
  #fill(): Outcome {
    this.#cursor.rewind();
    const { tokens } = this.#cursor;
    const window = this.#window;
    while (!this.#records.full) {
      const outcome = this.#frames.next();
      if (outcome === 'record') continue;
      const cutOff = outcome !== 'failed' || tokens.failedAt >= window.end;
      const unclear = cutOff || tokens.failedAt + EXCERPT > window.end;
      if (unclear && !window.ended) return 'starved';
      if (cutOff && window.flaw !== undefined) {
        throw invalidUtf8(this.#source.name, window, tokens.line);
      }
      if (outcome === 'failed') throw badJson(this.#source.name, window, tokens);
      return outcome;
    }
    return 'record';
  }

  /** More bytes, enough to make another try worth its cost. */
  async #fetch(): Promise<void> {
    const window = this.#window;
    const { tokens } = this.#cursor;
    if (window.pending > RECORD_LIMIT) {
      tokens.fail(window.start, TOO_LARGE);
      throw badJson(this.#source.name, window, tokens);
    }
    const enough = Math.min(window.pending * 2, RECORD_LIMIT + 1);
    while (await window.more()) {
      if (window.pending > RECORD_LIMIT) return;
      if (this.#format === 'json') {
        if (window.pending >= enough) return;
      } else if (window.bytes.subarray(window.fresh, window.end).includes(LF)) return;
    }
  }

  #emptiness(): string {
    if (this.#rows > 0) return 'has only objects without members';
    return this.#window.base + this.#window.end === 0 ? 'is empty' : 'holds no objects';
  }

  /**
   * Text for strings, so that no string becomes a number; undecided for numbers and booleans,
   * whose cells tell; JSON where only JSON text keeps the kinds of value apart.
   */
  get declaredTypes(): readonly (ColumnType | undefined)[] {
    return this.columns.map((name, column) => {
      const kinds = this.#records.kinds[column] & ~UNHOLDABLE;
      if (this.#raw.has(name)) return 'json';
      if (kinds === 0 || kinds === NUMBER || kinds === BOOLEAN) return undefined;
      return (kinds & STRING) !== 0 ? 'text' : 'json';
    });
  }

  mixedColumns(): readonly string[] {
    const { kinds } = this.#records;
    return this.columns.filter((name, column) => {
      const strings = (kinds[column] & STRING) !== 0 && (kinds[column] & ~STRING) !== 0;
      return (strings || (kinds[column] & UNHOLDABLE) !== 0) && !this.#raw.has(name);
    });
  }

  dialect(): Dialect {
    const { traits, order } = this.#records;
    const nulls = this.#nullStyle();
    const members = order.resolve(this.columns.length)?.map((column) => this.columns[column]);
    return {
      format: this.#format,
      ...(this.#window.bom ? { bom: true } : {}),
      ...(nulls === undefined ? {} : { nulls }),
      ...(members === undefined ? {} : { members }),
      ...this.#frames.layout.dialect(),
      ...(this.#window.ascii && (traits & HAS_UNICODE_ESCAPE) !== 0 ? { ascii: true } : {}),
      ...((traits & HAS_SLASH_ESCAPE) !== 0 ? { slashes: true } : {}),
    };
  }

  /** What the file does more often; undefined where no cell is null. */
  #nullStyle(): Dialect['nulls'] {
    const { members, nulls } = this.#records;
    const absent = this.#rows * this.columns.length - members;
    if (absent === 0 && nulls === 0) return undefined;
    return nulls >= absent ? 'null' : 'absent';
  }
}
