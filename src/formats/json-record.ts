/**
 * One JSON object after another into a row batch. Cells are byte ranges of the window itself:
 * strings are unescaped and nested values stripped of white space in place, once the whole
 * object is known to be good, so an object that is cut off by the window's end can be read
 * again from its start.
 *
 * Member names usually come in the order of the object before: each name is first compared with
 * the one that followed its predecessor last time.
 *
 * Used by json-reader.ts.
 */
import type { RowBatch } from '../tuple/row-batch.ts';
import { NameTable } from './json-names.ts';
import { MemberOrder } from './json-order.ts';
import { compactInPlace, unescapeInPlace } from './json-text.ts';
import {
  CLOSE_OBJECT,
  COLON,
  COMMA,
  HAS_ESCAPE,
  HAS_LONE_SURROGATE,
  OPEN_ARRAY,
  OPEN_OBJECT,
  QUOTE,
  SPACE,
  type TokenScanner,
} from './json-tokens.ts';

/** Kinds of values seen in a column, as bits. */
export const STRING = 1;
export const NUMBER = 2;
export const BOOLEAN = 4;
export const NESTED = 8;
/** A value that plain text cannot hold: a lone surrogate, an endless exponent. */
export const UNHOLDABLE = 16;

const MAX_COLUMNS = 16_384;
const MAX_CELLS = 1 << 18;
const MAX_ROWS = 1 << 16;

const UNSET = -2;
const NULL = -1;

/** Entries of the list of cells to be rewritten in place: slot * 2 + one of these. */
const UNESCAPE = 0;
const COMPACT = 1;

export class RecordScanner implements RowBatch {
  readonly names = new NameTable();
  readonly order = new MemberOrder();
  /** Kind bits by column. */
  kinds = new Uint8Array(64);
  cells = new Int32Array(1024);
  lines = new Float64Array(1024);
  rows = 0;
  /** Cells in each complete row of the batch. */
  columns = 0;
  /** Over all records: members, and those of them that are null. */
  members = 0;
  nulls = 0;
  /** Traits of all strings in plain cells (HAS_... bits). */
  traits = 0;

  readonly #tokens: TokenScanner;
  readonly #raw: ReadonlySet<string>;
  #isRaw: boolean[] = [];
  /** Column that followed each column last time; #first: the one that came first. */
  #follower: number[] = [];
  #first = 0;
  #rewrites: number[] = [];
  /** A complete row that did not fit in the batch because it has more columns. */
  #carried = false;
  #nulls = 0;

  constructor(tokens: TokenScanner, raw: ReadonlySet<string>) {
    this.#tokens = tokens;
    this.#raw = raw;
  }

  get bytes(): Uint8Array {
    return this.#tokens.bytes;
  }

  /** The batch must be handed on before the next record is read. */
  get full(): boolean {
    if (this.#carried || this.rows >= MAX_ROWS) return true;
    return this.rows > 0 && (this.rows + 1) * this.names.count > MAX_CELLS;
  }

  /** The row read last has more columns than the batch: it is for the next one. */
  get carries(): boolean {
    return this.#carried;
  }

  /** Takes the row read last out again, whether it is in the batch or carried over. */
  takeBack(): void {
    if (!this.#carried) this.rows -= 1;
    this.#carried = false;
  }

  /** Starts the next batch, with the row that was left over from this one. */
  restart(): void {
    if (this.#carried) {
      const from = this.rows * this.columns * 2;
      this.columns = this.names.count;
      this.cells.copyWithin(0, from, from + this.columns * 2);
      this.lines[0] = this.lines[this.rows];
    }
    this.rows = this.#carried ? 1 : 0;
    this.#carried = false;
    this.columns = this.names.count;
  }

  /**
   * Reads the object that starts at `start` into the batch; the offset behind it, or -1, and
   * then nothing is changed but the names known.
   */
  read(start: number, line: number): number {
    const base = this.rows * this.columns * 2;
    this.#prepareRow(base);
    const members = this.#readMembers(start, base);
    if (members < 0) return -1;
    const behind = this.#behind;
    if (members < this.names.count) this.#fillGaps(base);
    if (this.#rewrites.length > 0) this.#rewrite();
    this.members += members;
    this.nulls += this.#nulls;
    this.lines[this.rows] = line;
    if (this.rows === 0) this.columns = this.names.count;
    if (this.names.count > this.columns) this.#carried = true;
    else this.rows += 1;
    return behind;
  }

  /** Set by #readMembers: the offset behind the object. */
  #behind = 0;

  #prepareRow(base: number): void {
    const end = base + this.names.count * 2;
    if (end > this.cells.length) this.#growCells(end);
    if (this.rows >= this.lines.length) {
      const grown = new Float64Array(this.lines.length * 2);
      grown.set(this.lines);
      this.lines = grown;
    }
    for (let slot = base; slot < end; slot += 2) this.cells[slot] = UNSET;
    this.#nulls = 0;
    this.#rewrites.length = 0;
  }

  #growCells(needed: number): void {
    const grown = new Int32Array(needed * 2);
    grown.set(this.cells);
    this.cells = grown;
  }

  /** How many members the object has, or -1. */
  #readMembers(start: number, base: number): number {
    const tokens = this.#tokens;
    const b = tokens.bytes;
    let at = b[start + 1] <= SPACE ? tokens.space(start + 1) : start + 1;
    if (b[at] === CLOSE_OBJECT) {
      this.#behind = at + 1;
      return 0;
    }
    let expected = this.#first;
    let previous = -1;
    for (let count = 1; ; count++) {
      // 1. The name: the expected one, or any.
      if (b[at] !== QUOTE) return tokens.fail(at, 'expected a name in quotes');
      let column = expected;
      let close = column < this.names.count ? this.names.matches(column, b, at + 1) : -1;
      if (close < 0) {
        close = tokens.string(at + 1);
        if (close < 0) return -1;
        column = this.#lookUp(at + 1, close);
        if (column < 0) return -1;
        if (previous < 0) {
          this.#first = column;
        } else {
          this.#follower[previous] = column;
          this.order.note(previous, column);
        }
      }
      const slot = base + column * 2;
      if (this.cells[slot] !== UNSET) return this.#repeated(at, column);
      // 2. The value.
      at = close + 1;
      if (b[at] <= SPACE) at = tokens.space(at);
      if (b[at] !== COLON) return tokens.fail(at, 'expected a colon behind a name');
      at += 1;
      if (b[at] <= SPACE) at = tokens.space(at);
      at = this.#readValue(at, slot, column);
      if (at < 0) return -1;
      // 3. The end, or another member.
      if (b[at] <= SPACE) at = tokens.space(at);
      if (b[at] === CLOSE_OBJECT) {
        this.#behind = at + 1;
        return count;
      }
      if (b[at] !== COMMA) return tokens.fail(at, 'expected a comma or "}"');
      at += 1;
      if (b[at] <= SPACE) at = tokens.space(at);
      previous = column;
      expected = this.#follower[column];
    }
  }

  /** Column of the name b[start..end), which may be new and may have escapes; -1 on failure. */
  #lookUp(start: number, end: number): number {
    const tokens = this.#tokens;
    let b = tokens.bytes;
    let from = start;
    let to = end;
    if ((tokens.traits & HAS_LONE_SURROGATE) !== 0) {
      return tokens.fail(start, 'a name with half of a surrogate pair');
    }
    if ((tokens.traits & HAS_ESCAPE) !== 0) {
      b = Uint8Array.from(b.subarray(start, end));
      from = 0;
      to = unescapeInPlace(b, 0, b.length);
    }
    const known = this.names.find(b, from, to);
    if (known >= 0) return known;
    if (to === from) return tokens.fail(start, EMPTY_NAME);
    if (this.names.count === MAX_COLUMNS) return tokens.fail(start, TOO_MANY_COLUMNS);
    return this.#addColumn(b, from, to);
  }

  #addColumn(b: Uint8Array, start: number, end: number): number {
    const column = this.names.add(b, start, end);
    this.#follower.push(column + 1);
    this.#isRaw.push(this.#raw.has(this.names.list[column]));
    if (column >= this.kinds.length) {
      const grown = new Uint8Array(column * 2);
      grown.set(this.kinds);
      this.kinds = grown;
    }
    const slot = (this.rows * this.columns + column) * 2;
    if (slot + 2 > this.cells.length) this.#growCells(slot + 2);
    this.cells[slot] = UNSET;
    return column;
  }

  #repeated(at: number, column: number): -1 {
    return this.#tokens.fail(at, `the name "${this.names.list[column]}" a second time`);
  }

  #readValue(at: number, slot: number, column: number): number {
    const tokens = this.#tokens;
    const byte = tokens.bytes[at];
    if (byte === QUOTE) return this.#readString(at, slot, column);
    if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) {
      const end = tokens.nested(at);
      if (end < 0) return -1;
      if (tokens.loose) this.#rewrites.push(slot * 2 + COMPACT);
      return this.#put(slot, column, NESTED, at, end);
    }
    const end = tokens.scalar(at);
    if (end < 0) return -1;
    if (byte === 0x6e) {
      this.cells[slot] = NULL;
      this.#nulls += 1;
      return end;
    }
    if (byte === 0x74 || byte === 0x66) return this.#put(slot, column, BOOLEAN, at, end);
    const kind = tokens.hugeExponent ? NUMBER | UNHOLDABLE : NUMBER;
    return this.#put(slot, column, kind, at, end);
  }

  #put(slot: number, column: number, kind: number, start: number, end: number): number {
    this.cells[slot] = start;
    this.cells[slot + 1] = end;
    this.kinds[column] |= kind;
    return end;
  }

  #readString(at: number, slot: number, column: number): number {
    const tokens = this.#tokens;
    const close = tokens.string(at + 1);
    if (close < 0) return -1;
    const traits = tokens.traits;
    const kind = (traits & HAS_LONE_SURROGATE) !== 0 ? STRING | UNHOLDABLE : STRING;
    if (this.#isRaw[column]) return this.#put(slot, column, kind, at, close + 1);
    if (traits !== 0) {
      this.traits |= traits;
      this.#rewrites.push(slot * 2 + UNESCAPE);
    }
    this.#put(slot, column, kind, at + 1, close);
    return close + 1;
  }

  #fillGaps(base: number): void {
    const end = base + this.names.count * 2;
    for (let slot = base; slot < end; slot += 2) {
      if (this.cells[slot] === UNSET) this.cells[slot] = NULL;
    }
  }

  #rewrite(): void {
    const b = this.#tokens.bytes;
    for (const entry of this.#rewrites) {
      const slot = entry >> 1;
      const start = this.cells[slot];
      const end = this.cells[slot + 1];
      const rewrite = (entry & 1) === UNESCAPE ? unescapeInPlace : compactInPlace;
      this.cells[slot + 1] = rewrite(b, start, end);
    }
  }
}

/** Reasons that have an error code of their own. */
export const EMPTY_NAME = 'an empty name';
export const TOO_MANY_COLUMNS = `more than ${MAX_COLUMNS} different names`;
