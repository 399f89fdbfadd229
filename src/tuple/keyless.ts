/**
 * Rows of a table without a primary key: a row's identity is its content and a count.
 *
 * The key of such a row is the first 64 bytes of its cells, encoded so that rows come in the
 * order of their content, then the first 16 bytes of the BLAKE3 hash of its tuple. In the
 * cells' encoding each cell is text with its zero bytes escaped and its end marked
 * (0x00 0x02, see key-component.ts), 0x00 0x01 for null, and 0x00 0x00 behind the last cell that
 * is not null, so that a column added at the end changes no key.
 *
 * The value carries the count (see row-codec.ts); equal rows are one entry, counts added.
 */
import { ByteReader, ByteWriter, equalBytes } from '../bytes.ts';
import { DvError } from '../errors.ts';
import { digestOf } from '../hash.ts';
import { appendEscapedText } from './key-component.ts';
import {
  KEYLESS_FLAG,
  REFERS_FLAG,
  readFlags,
  SPILLED_FLAG,
  TupleCursor,
  tupleOffset,
} from './row-codec.ts';

export const CONTENT_PREFIX = 64;
export const CONTENT_DIGEST = 16;

/** Appends a null cell's place in the content order. */
export function appendContentNull(out: ByteWriter): void {
  out.u8(0).u8(1);
}

/** Appends a cell's place in the content order; only what can count is copied. */
export function appendContentCell(
  out: ByteWriter,
  b: Uint8Array,
  start: number,
  end: number,
): void {
  appendEscapedText(out, b, start, Math.min(end, start + CONTENT_PREFIX));
}

/** Appends the mark behind the last cell and cuts what started at `from` to its length. */
export function endContentPrefix(out: ByteWriter, from: number): void {
  out.u8(0).u8(0);
  out.length = Math.min(out.length, from + CONTENT_PREFIX);
}

/** The part of a keyless key that says which content it is. */
export function contentDigest(tuple: Uint8Array): Uint8Array {
  return digestOf(tuple).subarray(0, CONTENT_DIGEST);
}

/** How many equal rows a keyless entry stands for. @throws DvError `corrupt` */
export function keylessCount(value: Uint8Array): number {
  if ((readFlags(value) & KEYLESS_FLAG) === 0) {
    throw new DvError('corrupt', 'a row of a keyless table has no count');
  }
  const count = new ByteReader(value, 1).varint();
  if (count === 0) throw new DvError('corrupt', 'a keyless row has the count 0');
  return count;
}

/** The value that stands for the rows of both. @throws DvError `corrupt` if they differ */
export function combineKeyless(a: Uint8Array, b: Uint8Array): Buffer {
  const rest = a.subarray(tupleOffset(a));
  if (a[0] !== b[0] || !equalBytes(rest, b.subarray(tupleOffset(b)))) {
    throw new DvError('corrupt', 'two different rows have the same key');
  }
  return withKeylessCount(a, keylessCount(a) + keylessCount(b));
}

/** The same row, `count` (from 1) times. */
export function withKeylessCount(value: Uint8Array, count: number): Buffer {
  const out = new ByteWriter(value.length + 8);
  return out.u8(value[0]).varint(count).raw(value, tupleOffset(value)).take();
}

/**
 * Whether `key` is the key that the content of `value` gives it; where cells are out of line,
 * as far as they show. @throws DvError `corrupt`
 */
export function checkContentKey(key: Uint8Array, value: Uint8Array): void {
  const split = key.length - CONTENT_DIGEST;
  if (split < 2 || split > CONTENT_PREFIX) throw wrongKey();
  if ((value[0] & SPILLED_FLAG) !== 0) return;
  const start = tupleOffset(value);
  if (!equalBytes(key.subarray(split), contentDigest(value.subarray(start)))) throw wrongKey();
  if ((value[0] & REFERS_FLAG) !== 0) return;
  const prefix = new ByteWriter(256);
  const cursor = new TupleCursor(value, start);
  while (cursor.next()) {
    if (cursor.start < 0) appendContentNull(prefix);
    else appendContentCell(prefix, value, cursor.start, cursor.end);
  }
  endContentPrefix(prefix, 0);
  if (!equalBytes(key.subarray(0, split), prefix.take())) throw wrongKey();
}

function wrongKey(): DvError {
  return new DvError('corrupt', 'a keyless row has a key that is not that of its content');
}
