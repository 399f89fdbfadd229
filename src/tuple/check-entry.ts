/**
 * Whether entries are exactly what the encoder would have made of their rows: for fsck, and for
 * chunks from outside. What lies in blobs is not read.
 *
 * The entries of a leaf are checked together, where they lie. A row of plain cells is a zero
 * and cells behind marks; as long as those are below 0x80, cells are UTF-8 exactly when the
 * bytes from the first to the last of them are: no sequence goes over such a byte. Such a run
 * ends before a cell with a longer mark, and before a row of another sort, which is looked at
 * by itself.
 */
import { ByteReader, isUtf8Range } from '../bytes.ts';
import { DvError } from '../errors.ts';
import { KeyChecker } from './check-key.ts';
import { checkContentKey } from './keyless.ts';
import {
  BLOB_MARK,
  checkKeyless,
  INLINE_BIAS,
  MAX_INLINE_CELL,
  MAX_TUPLE,
  NULL_MARK,
  REFERS_FLAG,
  SPILLED_FLAG,
  spilledRef,
  TupleCursor,
  tooManyCells,
  tupleOffset,
} from './row-codec.ts';
import type { Schema } from './schema.ts';

/** Entries as a leaf has them: entry i is between the offsets i and i + 1. */
export interface Entries {
  readonly count: number;
  readonly bytes: Uint8Array;
  /** Of the values in `bytes`, which lie one behind the other. */
  readonly values: Uint32Array;
  readonly keyRanges: { readonly bytes: Uint8Array; readonly offsets: Uint32Array };
}

export class EntryChecker {
  readonly #schema: Schema;
  readonly #hasKey: boolean;
  readonly #cells: number;
  readonly #keys: KeyChecker;

  constructor(schema: Schema) {
    this.#schema = schema;
    this.#hasKey = schema.key.length > 0;
    this.#cells = schema.columns.length - schema.key.length;
    this.#keys = new KeyChecker(schema.key.map((column) => schema.columns[column].type));
  }

  /** @throws DvError `corrupt`, or `newer-format` on unknown flags, with what is wrong */
  check(entries: Entries): void {
    this.#checkValues(entries);
    if (this.#hasKey) this.#checkKeys(entries);
    else this.#checkContentKeys(entries);
  }

  #checkValues({ count, bytes, values }: Entries): void {
    let run = values[0];
    for (let i = 0; i < count; i++) {
      const start = values[i];
      const end = values[i + 1];
      if (this.#hasKey && start < end && bytes[start] === 0) {
        run = this.#plainCells(bytes, start + 1, end, run);
        continue;
      }
      checkText(bytes, run, start);
      checkValue(this.#schema, bytes.subarray(start, end));
      run = end;
    }
    checkText(bytes, run, values[count]);
  }

  /** Cells that are all inline. `run`: where text begins that is to be looked at; it anew. */
  #plainCells(bytes: Uint8Array, start: number, end: number, run: number): number {
    if (end - start > MAX_TUPLE) throw wrong('a tuple is too large to be inline');
    let from = run;
    let cells = 0;
    let mark = -1;
    for (let at = start; at < end; cells++) {
      mark = bytes[at];
      if (mark < 0x80) at += 1;
      else {
        checkText(bytes, from, at);
        const reader = new ByteReader(bytes, at);
        mark = reader.varint();
        if (mark - INLINE_BIAS > MAX_INLINE_CELL) throw wrong('a long cell is inline');
        at = reader.offset;
        from = at;
      }
      if (mark === BLOB_MARK) throw wrong('a row value hides whether it refers to blobs');
      if (mark !== NULL_MARK) at += mark - INLINE_BIAS;
      if (at > end) throw wrong('a row value ends too early');
    }
    if (cells > this.#cells) throw tooManyCells();
    if (mark === NULL_MARK) throw wrong('a tuple ends with a null');
    return from;
  }

  #checkKeys({ count, keyRanges: { bytes, offsets } }: Entries): void {
    const keys = this.#keys;
    keys.reset();
    for (let i = 0; i < count; i++) keys.check(bytes, offsets[i], offsets[i + 1]);
    keys.checkTexts();
  }

  #checkContentKeys({ count, bytes, values, keyRanges }: Entries): void {
    const { bytes: keys, offsets } = keyRanges;
    for (let i = 0; i < count; i++) {
      const value = bytes.subarray(values[i], values[i + 1]);
      checkContentKey(keys.subarray(offsets[i], offsets[i + 1]), value);
    }
  }
}

/** @throws DvError `corrupt`, or `newer-format` on unknown flags, with what is wrong */
export function checkEntry(schema: Schema, key: Uint8Array, value: Uint8Array): void {
  new EntryChecker(schema).check({
    count: 1,
    bytes: value,
    values: Uint32Array.of(0, value.length),
    keyRanges: { bytes: key, offsets: Uint32Array.of(0, key.length) },
  });
}

/** A value of any sort. */
function checkValue(schema: Schema, value: Uint8Array): void {
  const flags = checkKeyless(schema, value);
  if ((flags & SPILLED_FLAG) === 0) checkTuple(schema, value, (flags & REFERS_FLAG) !== 0);
  else if (spilledRef(value).size <= MAX_TUPLE) throw wrong('a tuple is out of line for no reason');
}

function checkTuple(schema: Schema, value: Uint8Array, refers: boolean): void {
  const start = tupleOffset(value);
  if (value.length - start > MAX_TUPLE) throw wrong('a tuple is too large to be inline');
  const cursor = new TupleCursor(value, start);
  let cells = 0;
  let blobs = 0;
  let lastIsNull = false;
  while (cursor.next()) {
    cells += 1;
    lastIsNull = cursor.start < 0;
    if (cursor.blobSize >= 0) blobs += 1;
    checkCell(cursor);
  }
  if (cells > schema.columns.length - schema.key.length) throw tooManyCells();
  if (lastIsNull) throw wrong('a tuple ends with a null');
  if (refers !== blobs > 0) throw wrong('a row value hides whether it refers to blobs');
}

function checkCell({ start, end, blobSize, reader }: TupleCursor): void {
  if (start < 0) return;
  if (blobSize >= 0) {
    if (blobSize <= MAX_INLINE_CELL) throw wrong('a short cell is out of line');
    return;
  }
  if (end - start > MAX_INLINE_CELL) throw wrong('a long cell is inline');
  checkText(reader.bytes, start, end);
}

function checkText(bytes: Uint8Array, start: number, end: number): void {
  if (!isUtf8Range(bytes, start, end)) throw wrong('a cell is not UTF-8');
}

function wrong(message: string): DvError {
  return new DvError('corrupt', message);
}
