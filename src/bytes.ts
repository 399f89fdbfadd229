/**
 * Byte cursors and order: the arithmetic under every codec. Integers are unsigned
 * LEB128 varints (7 bits a byte, least significant first, always the shortest form),
 * at most 2^53 - 1. Byte strings compare as unsigned bytes, shorter first when equal.
 */
import { isUtf8 } from 'node:buffer';
import { DvError } from './errors.ts';

/** Negative, zero or positive as `a` sorts before, with or after `b`. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  return Buffer.compare(a, b);
}

/** `compareBytes` of a[aStart..aEnd) and b[bStart..bEnd): no views, quick on short keys. */
export function compareRanges(
  a: Uint8Array,
  aStart: number,
  aEnd: number,
  b: Uint8Array,
  bStart: number,
  bEnd: number,
): number {
  const limit = Math.min(aEnd - aStart, bEnd - bStart);
  for (let i = 0; i < limit; i++) {
    const order = a[aStart + i] - b[bStart + i];
    if (order !== 0) return order;
  }
  return aEnd - aStart - (bEnd - bStart);
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && Buffer.compare(a, b) === 0;
}

/** Is bytes[start..end) valid UTF-8? Of ASCII no view is made. */
export function isUtf8Range(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) {
    if (bytes[i] >= 0x80) return isUtf8(bytes.subarray(i, end));
  }
  return true;
}

/** How many bytes `value` takes as a varint. */
export function varintSize(value: number): number {
  let size = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) size += 1;
  return size;
}

/** Writes `value` at `offset`; returns the offset behind it. The caller has made room. */
export function writeVarint(out: Uint8Array, offset: number, value: number): number {
  let at = offset;
  let rest = value;
  while (rest >= 0x80) {
    out[at++] = (rest & 0x7f) | 0x80;
    rest = rest > 0x7fffffff ? Math.floor(rest / 0x80) : rest >>> 7;
  }
  out[at++] = rest;
  return at;
}

/** Appends to a buffer that grows; `take()` hands over a copy of what was written. */
export class ByteWriter {
  bytes: Buffer;
  length = 0;

  constructor(capacity = 256) {
    this.bytes = Buffer.allocUnsafe(capacity);
  }

  /** Makes room for `extra` more bytes. */
  reserve(extra: number): void {
    const needed = this.length + extra;
    if (needed <= this.bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.max(needed, this.bytes.length * 2));
    this.bytes.copy(grown, 0, 0, this.length);
    this.bytes = grown;
  }

  u8(value: number): this {
    this.reserve(1);
    this.bytes[this.length++] = value;
    return this;
  }

  varint(value: number): this {
    this.reserve(8);
    this.length = writeVarint(this.bytes, this.length, value);
    return this;
  }

  raw(source: Uint8Array, start = 0, end = source.length): this {
    const size = end - start;
    this.reserve(size);
    const { bytes, length } = this;
    // A short loop beats the view that `set` would need.
    if (size <= 48) for (let i = 0; i < size; i++) bytes[length + i] = source[start + i];
    else bytes.set(size === source.length ? source : source.subarray(start, end), length);
    this.length = length + size;
    return this;
  }

  clear(): this {
    this.length = 0;
    return this;
  }

  /** A copy of the bytes written so far. */
  take(): Buffer {
    return Buffer.from(this.bytes.subarray(0, this.length));
  }
}

/** Reads forward through bytes that may be hostile: every step is bounds-checked. */
export class ByteReader {
  readonly bytes: Uint8Array;
  offset: number;

  constructor(bytes: Uint8Array, offset = 0) {
    this.bytes = bytes;
    this.offset = offset;
  }

  get remaining(): number {
    return this.bytes.length - this.offset;
  }

  u8(): number {
    if (this.offset >= this.bytes.length) throw truncated();
    return this.bytes[this.offset++];
  }

  /** @throws DvError `corrupt` on a truncated, overlong or too large varint. */
  varint(): number {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 8; i++) {
      const byte = this.u8();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (byte === 0 && i > 0) throw new DvError('corrupt', 'varint is not in its shortest form');
        if (value > Number.MAX_SAFE_INTEGER) break;
        return value;
      }
      scale *= 0x80;
    }
    throw new DvError('corrupt', 'varint is too large');
  }

  /** A view (no copy) of the next `length` bytes. */
  view(length: number): Uint8Array {
    if (length > this.remaining) throw truncated();
    const start = this.offset;
    this.offset += length;
    return this.bytes.subarray(start, this.offset);
  }
}

function truncated(): DvError {
  return new DvError('corrupt', 'bytes end too early');
}
