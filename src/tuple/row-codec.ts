/**
 * A row as one entry of a tree. Its key is the primary key (key-codec.ts), or for a table
 * without one comes from its content (keyless.ts). Its value:
 *
 *   offset  size  meaning
 *   0       1     flags: 1 refers to blobs, 2 keyless, 4 the tuple is itself a blob; the other
 *                 bits are zero (reserved for a stamp)
 *   1       v     with flag 2: how many equal rows this entry stands for, a varint from 1
 *   ...     ...   the tuple, or with flag 4: 32 bytes hash of the blob, varint its size
 *
 * The tuple is the non-key cells (keyless: all cells) in schema order, trailing nulls left out,
 * so that a column added at the end rewrites nothing. Each cell starts with a varint:
 *
 *   0       null
 *   1       out of line: 32 bytes hash of the blob, varint its size; cells over 16 KiB
 *   n + 2   n bytes of UTF-8 follow
 *
 * A tuple that would still be over 64 KiB is a blob, in which every cell is inline, so that a
 * value alone names every blob it needs. Flag 4 comes with flag 1. One row has one encoding.
 *
 * Who uses it: model (diff, merge, gc, fsck), porcelain (add, export). Encoding: row-encoder.ts.
 */
import { ByteReader, ByteWriter } from '../bytes.ts';
import { bug, DvError } from '../errors.ts';
import { HASH_BYTES, type Hash, hashFromBytes } from '../hash.ts';
import { decodeKey } from './key-codec.ts';
import type { Cell, Row, Schema } from './schema.ts';

/** Largest cell kept inline, and largest tuple, in bytes. */
export const MAX_INLINE_CELL = 16 * 1024;
export const MAX_TUPLE = 64 * 1024;

export const REFERS_FLAG = 1;
export const KEYLESS_FLAG = 2;
export const SPILLED_FLAG = 4;
const KNOWN_FLAGS = REFERS_FLAG | KEYLESS_FLAG | SPILLED_FLAG;

export const NULL_MARK = 0;
export const BLOB_MARK = 1;
export const INLINE_BIAS = 2;

/** A cell that lies out of line: the root of its blob and its size in bytes. */
export interface BlobRef {
  readonly blob: Hash;
  readonly size: number;
}

/** Reads a whole blob. */
export type ReadBlob = (hash: Hash) => Promise<Uint8Array>;

/** Indices of the columns whose cells are in the tuple, in its order. */
export function tupleColumns(schema: Schema): number[] {
  return schema.columns.map((_, i) => i).filter((i) => !schema.key.includes(i));
}

/** Flags of a value. @throws DvError `corrupt` on an empty value or unknown flags */
export function readFlags(value: Uint8Array): number {
  if (value.length === 0) throw new DvError('corrupt', 'a row value is empty');
  const flags = value[0];
  if ((flags & ~KNOWN_FLAGS) !== 0) {
    throw new DvError('newer-format', `a row value has the unknown flags ${flags}`);
  }
  if ((flags & SPILLED_FLAG) !== 0 && (flags & REFERS_FLAG) === 0) {
    throw new DvError('corrupt', `a row value has the contradicting flags ${flags}`);
  }
  return flags;
}

/** Walks the cells of a tuple. Every step is bounds-checked; nothing is copied. */
export class TupleCursor {
  readonly reader: ByteReader;
  /** Where the current cell's bytes (of an inline cell) or its reference start; -1: null. */
  start = -1;
  end = -1;
  /** Size of the blob when the current cell is out of line, else -1. */
  blobSize = -1;

  /** `offset` is where the tuple starts. */
  constructor(bytes: Uint8Array, offset: number) {
    this.reader = new ByteReader(bytes, offset);
  }

  /** Steps to the next cell; false behind the last. @throws DvError `corrupt` */
  next(): boolean {
    const { reader } = this;
    const { bytes, offset } = reader;
    this.blobSize = -1;
    this.start = -1;
    if (offset >= bytes.length) return false;
    const first = bytes[offset];
    if (first < 0x80) reader.offset += 1;
    const mark = first < 0x80 ? first : reader.varint();
    if (mark !== NULL_MARK) {
      this.start = reader.offset;
      const size = mark === BLOB_MARK ? HASH_BYTES : mark - INLINE_BIAS;
      if (size > reader.remaining) throw new DvError('corrupt', 'a row value ends too early');
      reader.offset += size;
      if (mark === BLOB_MARK) this.blobSize = reader.varint();
    }
    this.end = reader.offset;
    return true;
  }

  /** The reference of the current cell, which is out of line. */
  ref(): BlobRef {
    return { blob: hashFromBytes(this.reader.bytes, this.start), size: this.blobSize };
  }
}

/** Where the tuple of a value, or its reference, starts. @throws DvError `corrupt` */
export function tupleOffset(value: Uint8Array): number {
  if ((readFlags(value) & KEYLESS_FLAG) === 0) return 1;
  const reader = new ByteReader(value, 1);
  if (reader.varint() === 0) throw new DvError('corrupt', 'a keyless row has the count 0');
  return reader.offset;
}

/** The reference of a spilled tuple. @throws DvError `corrupt` */
export function spilledRef(value: Uint8Array): BlobRef {
  const reader = new ByteReader(value, tupleOffset(value));
  reader.view(HASH_BYTES);
  const blob = hashFromBytes(value, reader.offset - HASH_BYTES);
  const size = reader.varint();
  if (reader.remaining > 0) throw new DvError('corrupt', 'a row value has bytes behind its end');
  return { blob, size };
}

/** Whether reading all cells of a value takes more than the value. Never throws. */
export function needsBlobs(value: Uint8Array): boolean {
  return (value[0] & REFERS_FLAG) !== 0;
}

/** The blobs a value refers to, for gc, fsck and sync; no schema needed. @throws `corrupt` */
export function outgoingBlobs(value: Uint8Array): BlobRef[] {
  const flags = readFlags(value);
  if ((flags & REFERS_FLAG) === 0) return [];
  if ((flags & SPILLED_FLAG) !== 0) return [spilledRef(value)];
  const refs: BlobRef[] = [];
  const cursor = new TupleCursor(value, tupleOffset(value));
  while (cursor.next()) if (cursor.blobSize >= 0) refs.push(cursor.ref());
  return refs;
}

/**
 * The cells of an entry in schema order, those out of line as references.
 * A value whose whole tuple is out of line must go through `readWholeValue` first.
 * @throws DvError `corrupt`
 */
export function decodeRow(schema: Schema, key: Uint8Array, value: Uint8Array): (Cell | BlobRef)[] {
  const row: (Cell | BlobRef)[] = new Array(schema.columns.length).fill(null);
  if (schema.key.length > 0) {
    const types = schema.key.map((column) => schema.columns[column].type);
    decodeKey(key, types).forEach((cell, i) => {
      row[schema.key[i]] = cell;
    });
  }
  decodeTuple(schema, value, row);
  return row;
}

function decodeTuple(schema: Schema, value: Uint8Array, row: (Cell | BlobRef)[]): void {
  const flags = checkKeyless(schema, value);
  if ((flags & SPILLED_FLAG) !== 0) throw bug('a row whose tuple is a blob was not read first');
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.length);
  const cursor = new TupleCursor(value, tupleOffset(value));
  for (const column of tupleColumns(schema)) {
    if (!cursor.next()) return;
    if (cursor.blobSize >= 0 && (flags & REFERS_FLAG) === 0) throw strayReference();
    if (cursor.blobSize >= 0) row[column] = cursor.ref();
    else if (cursor.start >= 0) row[column] = bytes.toString('utf8', cursor.start, cursor.end);
  }
  if (cursor.reader.remaining > 0) throw tooManyCells();
}

/** Flags of a value that must fit the schema. @throws DvError `corrupt` */
export function checkKeyless(schema: Schema, value: Uint8Array): number {
  const flags = readFlags(value);
  if (((flags & KEYLESS_FLAG) !== 0) !== (schema.key.length === 0)) {
    throw new DvError('corrupt', 'a row value and its schema differ on whether there is a key');
  }
  return flags;
}

export function strayReference(): DvError {
  return new DvError('corrupt', 'a row refers to a blob where none may be');
}

export function tooManyCells(): DvError {
  return new DvError('corrupt', 'a row has more cells than its schema has columns');
}

/**
 * The value with everything inline: for `decodeRow` and `RowBatchBuilder`, never for storing.
 * @throws DvError `corrupt`, and what `readBlob` throws
 */
export async function readWholeValue(value: Uint8Array, readBlob: ReadBlob): Promise<Uint8Array> {
  const flags = readFlags(value);
  if ((flags & REFERS_FLAG) === 0) return value;
  const start = tupleOffset(value);
  const out = new ByteWriter(value.length * 2);
  out.u8(flags & KEYLESS_FLAG).raw(value, 1, start);
  if ((flags & SPILLED_FLAG) !== 0) {
    out.raw(await readBlobOf(spilledRef(value), readBlob));
    return out.take();
  }
  const cursor = new TupleCursor(value, start);
  for (let from = start; cursor.next(); from = cursor.end) {
    if (cursor.blobSize < 0) {
      out.raw(value, from, cursor.end);
      continue;
    }
    const blob = await readBlobOf(cursor.ref(), readBlob);
    out.varint(blob.length + INLINE_BIAS).raw(blob);
  }
  return out.take();
}

async function readBlobOf(ref: BlobRef, readBlob: ReadBlob): Promise<Uint8Array> {
  const blob = await readBlob(ref.blob);
  if (blob.length === ref.size) return blob;
  const sizes = `${blob.length} bytes, where its row says ${ref.size}`;
  throw new DvError('corrupt', `the blob ${ref.blob} has ${sizes}`, { data: { hash: ref.blob } });
}

/** The full cells of an entry in schema order. @throws DvError `corrupt` */
export async function readRow(
  schema: Schema,
  key: Uint8Array,
  value: Uint8Array,
  readBlob: ReadBlob,
): Promise<Row> {
  const whole = needsBlobs(value) ? await readWholeValue(value, readBlob) : value;
  return decodeRow(schema, key, whole) as Cell[];
}
