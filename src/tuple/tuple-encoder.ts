/**
 * The tuple of a row out of a batch (the format is in row-codec.ts), without a string or an
 * allocation per row: the part of an import that sees every byte.
 */
import { ByteWriter, varintSize } from '../bytes.ts';
import { type Hash, hashToBytes } from '../hash.ts';
import type { RowBatch } from './row-batch.ts';
import { BLOB_MARK, INLINE_BIAS, MAX_INLINE_CELL, MAX_TUPLE, NULL_MARK } from './row-codec.ts';

/** Takes the bytes of a blob (only valid during the call) and answers with its hash. */
export type StoreBlob = (bytes: Uint8Array) => Hash;

/** A cell's mark and size when it is out of line, at most. */
const REF_ROOM = 1 + 32 + 8;
/** A mark of an inline cell, at most. */
const MARK_ROOM = 8;
/** Up to here a byte loop beats a call. */
const SHORT_CELL = 32;

/** A cell up to this size has a mark of one byte. */
const ONE_BYTE_SIZE = 0x7f - INLINE_BIAS;

export class TupleEncoder {
  readonly #sources: Int32Array;
  readonly #storeBlob: StoreBlob;
  readonly #scratch = new ByteWriter(0);
  /** Whether the tuple appended last refers to blobs. */
  refers = false;

  /** `sources` are the batch columns of the tuple's cells, in order; -1: always null. */
  constructor(sources: Int32Array, storeBlob: StoreBlob) {
    this.#sources = sources;
    this.#storeBlob = storeBlob;
  }

  /** The bytes of a tuple that is too large to be inline, after `append` said so. */
  get spilled(): Uint8Array {
    return this.#scratch.bytes.subarray(0, this.#scratch.length);
  }

  /** Appends the tuple; or, when it is too large, leaves it in `spilled` and says true. */
  append(batch: RowBatch, row: number, out: ByteWriter): boolean {
    const cells = batch.cells;
    const sources = this.#sources;
    const base = row * batch.columns;
    let used = 0;
    let room = 0;
    let refs = false;
    let adjacent = true;
    let expected = -1;
    for (let i = 0; i < sources.length; i++) {
      const source = sources[i];
      const at = 2 * (base + source);
      const start = source < 0 ? -1 : cells[at];
      room += 1;
      if (start < 0) {
        adjacent = false;
        continue;
      }
      const end = cells[at + 1];
      const size = end - start;
      used = i + 1;
      if ((start !== expected && i > 0) || size > ONE_BYTE_SIZE) adjacent = false;
      expected = end + 1;
      if (size > MAX_INLINE_CELL) refs = true;
      room += size > MAX_INLINE_CELL ? REF_ROOM : size + MARK_ROOM;
    }
    this.refers = refs;
    if (room > MAX_TUPLE && this.#tupleSize(batch, base, used) > MAX_TUPLE) {
      this.#scratch.clear();
      this.#appendCells(batch, base, used, this.#scratch, Infinity);
      return true;
    }
    out.reserve(room);
    if (adjacent) appendAdjacent(out, batch, base, sources);
    else this.#appendCells(batch, base, used, out, refs ? MAX_INLINE_CELL : Infinity);
    return false;
  }

  /** Exact bytes of a tuple whose large cells are out of line. */
  #tupleSize(batch: RowBatch, base: number, used: number): number {
    let total = 0;
    for (let i = 0; i < used; i++) {
      const at = 2 * (base + this.#sources[i]);
      const start = this.#sources[i] < 0 ? -1 : batch.cells[at];
      const size = start < 0 ? 0 : batch.cells[at + 1] - start;
      if (start < 0) total += 1;
      else if (size > MAX_INLINE_CELL) total += 33 + varintSize(size);
      else total += varintSize(size + INLINE_BIAS) + size;
    }
    return total;
  }

  #appendCells(
    batch: RowBatch,
    base: number,
    used: number,
    out: ByteWriter,
    maxInline: number,
  ): void {
    const { bytes, cells } = batch;
    const sources = this.#sources;
    for (let i = 0; i < used; i++) {
      const source = sources[i];
      const at = 2 * (base + source);
      const start = source < 0 ? -1 : cells[at];
      if (start < 0) {
        out.u8(NULL_MARK);
        continue;
      }
      const end = cells[at + 1];
      const size = end - start;
      if (size <= SHORT_CELL) appendShort(out, bytes, start, size);
      else if (size <= maxInline) out.varint(size + INLINE_BIAS).raw(bytes, start, end);
      else {
        const hash = this.#storeBlob(bytes.subarray(start, end));
        out.u8(BLOB_MARK).raw(hashToBytes(hash)).varint(size);
      }
    }
  }
}

/**
 * Cells that lie in the batch as in an unquoted CSV line, one byte between each and the next:
 * the whole span is copied at once, and each separator becomes the mark of the cell behind it.
 */
function appendAdjacent(
  out: ByteWriter,
  { bytes, cells }: RowBatch,
  base: number,
  sources: Int32Array,
): void {
  if (sources.length === 0) return;
  const first = cells[2 * (base + sources[0])];
  const shift = out.length + 1 - first;
  const last = cells[2 * (base + sources[sources.length - 1]) + 1];
  const target = out.bytes;
  target.set(bytes.subarray(first, last), out.length + 1);
  out.length += 1 + last - first;
  for (let i = 0; i < sources.length; i++) {
    const at = 2 * (base + sources[i]);
    const start = cells[at];
    target[start + shift - 1] = cells[at + 1] - start + INLINE_BIAS;
  }
}

function appendShort(out: ByteWriter, b: Uint8Array, start: number, size: number): void {
  out.reserve(SHORT_CELL + 1);
  const target = out.bytes;
  let at = out.length;
  target[at++] = size + INLINE_BIAS;
  for (let i = 0; i < size; i++) target[at + i] = b[start + i];
  out.length = at + size;
}
