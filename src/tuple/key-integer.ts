/**
 * An int64 as key bytes that compare like the number.
 *
 *   offset  size  meaning
 *   0       1     0x80 + n above zero, 0x80 - n below, n = significant bytes of the magnitude
 *   1       n     the magnitude, big-endian, no leading zero byte; all bits flipped below zero
 *
 * Zero is 0x80 alone. The form is self-delimiting and has one spelling per number.
 * Source: the tuple layer of FoundationDB.
 * A number travels as a magnitude of two 32-bit halves, so int64 is exact without BigInt.
 */
import type { ByteReader, ByteWriter } from '../bytes.ts';
import { DvError } from '../errors.ts';

const ZERO = 0x30;
const TWO32 = 0x1_0000_0000;
/** Digits that surely stay below 2^53. */
const SAFE_DIGITS = 15;

/** Appends the integer spelled b[start..end); false when that is not a canonical int64. */
export function appendIntegerText(
  out: ByteWriter,
  b: Uint8Array,
  start: number,
  end: number,
): boolean {
  const negative = b[start] === 0x2d;
  const first = negative ? start + 1 : start;
  const digits = end - first;
  if (digits < 1 || digits > 19) return false;
  if (b[first] === ZERO && (digits > 1 || negative)) return false;
  if (digits > SAFE_DIGITS) return appendLongText(out, b, first, end, negative);
  let value = 0;
  for (let i = first; i < end; i++) {
    const digit = b[i] - ZERO;
    if (digit >>> 0 > 9) return false;
    value = value * 10 + digit;
  }
  appendMagnitude(out, Math.floor(value / TWO32), value >>> 0, negative);
  return true;
}

/** 16 to 19 digits: long multiplication in two halves. */
function appendLongText(
  out: ByteWriter,
  b: Uint8Array,
  first: number,
  end: number,
  negative: boolean,
): boolean {
  let high = 0;
  let low = 0;
  for (let i = first; i < end; i++) {
    const digit = b[i] - ZERO;
    if (digit >>> 0 > 9) return false;
    low = low * 10 + digit;
    const carry = Math.floor(low / TWO32);
    low -= carry * TWO32;
    high = high * 10 + carry;
  }
  if (!isInt64(high, low, negative)) return false;
  appendMagnitude(out, high, low, negative);
  return true;
}

function isInt64(high: number, low: number, negative: boolean): boolean {
  return high < 0x8000_0000 || (negative && high === 0x8000_0000 && low === 0);
}

/** Appends a number a double holds exactly. */
export function appendSafeInteger(out: ByteWriter, value: number): void {
  const magnitude = Math.abs(value);
  appendMagnitude(out, Math.floor(magnitude / TWO32), magnitude >>> 0, value < 0);
}

function appendMagnitude(out: ByteWriter, high: number, low: number, negative: boolean): void {
  out.reserve(9);
  const bytes = out.bytes;
  const size = high === 0 ? significantBytes(low) : 4 + significantBytes(high);
  const flip = negative ? 0xff : 0;
  let at = out.length;
  bytes[at++] = negative ? 0x80 - size : 0x80 + size;
  for (let i = size - 1; i >= 4; i--) bytes[at++] = (high >>> ((i - 4) * 8)) ^ flip;
  for (let i = Math.min(size, 4) - 1; i >= 0; i--) bytes[at++] = (low >>> (i * 8)) ^ flip;
  out.length = at;
}

function significantBytes(half: number): number {
  if (half < 0x1_0000) return half === 0 ? 0 : half < 0x100 ? 1 : 2;
  return half < 0x100_0000 ? 3 : 4;
}

let readHigh = 0;
let readLow = 0;

/** Reads one integer's sign and size, its magnitude into `readHigh` and `readLow`. */
function readMagnitude(reader: ByteReader, flip: number): boolean {
  const lead = reader.u8() ^ flip;
  const negative = lead < 0x80;
  const size = negative ? 0x80 - lead : lead - 0x80;
  if (size > 8) throw new DvError('corrupt', 'an integer key is longer than 8 bytes');
  const mask = (negative ? 0xff : 0) ^ flip;
  readHigh = 0;
  readLow = 0;
  for (let i = size - 1; i >= 0; i--) {
    const byte = reader.u8() ^ mask;
    if (i === size - 1 && byte === 0) {
      throw new DvError('corrupt', 'an integer key has a leading zero byte');
    }
    if (i >= 4) readHigh = readHigh * 0x100 + byte;
    else readLow = readLow * 0x100 + byte;
  }
  return negative;
}

/** Reads one integer and appends its text. @throws DvError `corrupt` */
export function readIntegerText(reader: ByteReader, out: ByteWriter): void {
  const negative = readMagnitude(reader, 0);
  if (!isInt64(readHigh, readLow, negative)) {
    throw new DvError('corrupt', 'an integer key is beyond 64 bits');
  }
  out.reserve(20);
  if (negative) out.bytes[out.length++] = 0x2d;
  if (readHigh < 0x20_0000) appendDigits(out, readHigh * TWO32 + readLow);
  else out.raw(Buffer.from(String(BigInt(readHigh) * BigInt(TWO32) + BigInt(readLow))));
}

/** The decimal digits of a whole number below 2^53. */
function appendDigits(out: ByteWriter, value: number): void {
  let size = 1;
  for (let limit = 10; value >= limit; limit *= 10) size += 1;
  const bytes = out.bytes;
  const start = out.length;
  let rest = value;
  let at = start + size - 1;
  for (; rest > 0x7fffffff; at--) {
    const tenth = Math.floor(rest / 10);
    bytes[at] = ZERO + (rest - tenth * 10);
    rest = tenth;
  }
  for (let small = rest | 0; at >= start; at--) {
    const tenth = (small / 10) | 0;
    bytes[at] = ZERO + (small - tenth * 10);
    small = tenth;
  }
  out.length = start + size;
}

/** Where the integer that starts at b[start] ends. @throws DvError `corrupt` when it is none */
export function integerEnd(b: Uint8Array, start: number, limit: number): number {
  const lead = start < limit ? b[start] : 0;
  const size = lead < 0x80 ? 0x80 - lead : lead - 0x80;
  const end = start + 1 + size;
  if (size > 8 || end > limit) throw new DvError('corrupt', 'an integer key has a wrong length');
  if (size === 0) return end;
  const flip = lead < 0x80 ? 0xff : 0;
  const first = b[start + 1] ^ flip;
  if (first === 0) throw new DvError('corrupt', 'an integer key has a leading zero byte');
  if (size === 8 && first >= 0x80 && !(flip !== 0 && isLeast(b, start + 1))) {
    throw new DvError('corrupt', 'an integer key is beyond 64 bits');
  }
  return end;
}

/** The eight bytes at `at`, flipped, are 2^63. */
function isLeast(b: Uint8Array, at: number): boolean {
  if (b[at] !== 0x7f) return false;
  for (let i = at + 1; i < at + 8; i++) if (b[i] !== 0xff) return false;
  return true;
}

/** Passes over one integer, every byte of it XORed with `flip`. @throws DvError `corrupt` */
export function skipInteger(reader: ByteReader, flip: number): void {
  readMagnitude(reader, flip);
}
