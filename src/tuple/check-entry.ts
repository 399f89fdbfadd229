/**
 * Whether an entry is exactly what the encoder would have made of its row: for fsck, and for
 * chunks from outside. What lies in blobs is not read.
 */
import { isUtf8Range } from '../bytes.ts';
import { DvError } from '../errors.ts';
import { KeyChecker } from './key-codec.ts';
import { checkContentKey } from './keyless.ts';
import {
  checkKeyless,
  MAX_INLINE_CELL,
  MAX_TUPLE,
  REFERS_FLAG,
  SPILLED_FLAG,
  spilledRef,
  TupleCursor,
  tooManyCells,
  tupleOffset,
} from './row-codec.ts';
import type { Schema } from './schema.ts';

/** Checks entries of one schema. */
export class EntryChecker {
  readonly #schema: Schema;
  readonly #keys: KeyChecker;

  constructor(schema: Schema) {
    this.#schema = schema;
    this.#keys = new KeyChecker(schema.key.map((column) => schema.columns[column].type));
  }

  /** @throws DvError `corrupt`, or `newer-format` on unknown flags, with what is wrong */
  check(key: Uint8Array, value: Uint8Array): void {
    const schema = this.#schema;
    const flags = checkKeyless(schema, value);
    if ((flags & SPILLED_FLAG) !== 0) {
      if (spilledRef(value).size <= MAX_TUPLE) throw wrong('a tuple is out of line for no reason');
    } else {
      checkTuple(schema, value, (flags & REFERS_FLAG) !== 0);
    }
    if (schema.key.length === 0) checkContentKey(key, value);
    else this.#keys.check(key);
  }
}

/** As `EntryChecker`, for one entry. @throws DvError `corrupt`, `newer-format` */
export function checkEntry(schema: Schema, key: Uint8Array, value: Uint8Array): void {
  new EntryChecker(schema).check(key, value);
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
  if (!isUtf8Range(reader.bytes, start, end)) throw wrong('a cell is not UTF-8');
}

function wrong(message: string): DvError {
  return new DvError('corrupt', message);
}
