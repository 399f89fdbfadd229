/**
 * Decoded Parquet values as texts: byte ranges, so that a string column costs no object a cell
 * and a dictionary is turned into text once.
 *
 * Used by parquet-pages.ts.
 */
import type { DecodedArray } from 'hyparquet';
import { ByteWriter } from '../bytes.ts';
import type { LeafKind } from './parquet-kinds.ts';
import {
  formatBase64,
  formatDate,
  formatDecimal,
  formatDouble,
  formatFloat,
  formatInterval,
  formatTime,
  formatTimestamp,
  formatUuid,
  halfAt,
  int96Nanos,
  unscaledAt,
} from './parquet-text.ts';

/** Value i is bytes[ranges[2 * i] .. ranges[2 * i + 1]). */
export interface ByteRanges {
  readonly bytes: Uint8Array;
  readonly ranges: Int32Array;
}

export interface TextValues extends ByteRanges {
  /** Some text does not fit the column type of its kind: a year of five digits, a huge uint64. */
  readonly unfit: boolean;
}

/** Plain byte arrays, each behind its length, as ranges of the page itself. */
export function plainByteArrays(page: Uint8Array, start: number, count: number): ByteRanges {
  const view = new DataView(page.buffer, page.byteOffset, page.byteLength);
  const ranges = new Int32Array(count * 2);
  let at = start;
  for (let i = 0; i < count * 2; i += 2) {
    const from = at + 4;
    at = from + view.getUint32(at, true);
    ranges[i] = from;
    ranges[i + 1] = at;
  }
  if (at > page.length) throw new RangeError('a value ends behind its page');
  return { bytes: page, ranges };
}

export function fixedByteArrays(
  page: Uint8Array,
  start: number,
  count: number,
  size: number,
): ByteRanges {
  if (start + count * size > page.length) throw new RangeError('a value ends behind its page');
  const ranges = Int32Array.from({ length: count * 2 }, (_, i) => start + ((i + 1) >> 1) * size);
  return { bytes: page, ranges };
}

export function joinByteArrays(values: readonly Uint8Array[]): ByteRanges {
  const ranges = new Int32Array(values.length * 2);
  let at = 0;
  values.forEach((value, i) => {
    ranges[2 * i] = at;
    at += value.length;
    ranges[2 * i + 1] = at;
  });
  return { bytes: Buffer.concat(values), ranges };
}

/** The text of byte arrays; those that are text already stay where they are. */
export function textOfBytes(kind: LeafKind, values: ByteRanges): TextValues {
  if (kind.kind === 'text' || kind.kind === 'json') return { ...values, unfit: false };
  const { bytes, ranges } = values;
  const format = byteFormat(kind, bytes);
  return collect(ranges.length / 2, (i, out) => {
    putAscii(out, format(ranges[2 * i], ranges[2 * i + 1]));
  });
}

function byteFormat(kind: LeafKind, bytes: Uint8Array): (start: number, end: number) => string {
  switch (kind.kind) {
    case 'decimal':
      return (start, end) => formatDecimal(unscaledAt(bytes, start, end), kind.scale);
    case 'uuid':
      return (start) => formatUuid(bytes, start);
    case 'interval':
      return (start) => formatInterval(bytes, start);
    case 'float':
      return (start) => formatFloat(halfAt(bytes, start));
    default:
      return (start, end) => formatBase64(bytes, start, end);
  }
}

/** The text of the first `count` values of every other physical type. */
export function textOfNumbers(kind: LeafKind, values: DecodedArray, count: number): TextValues {
  if (kind.kind === 'integer') return textOfIntegers(kind, values, count);
  const format = numberFormat(kind);
  let unfit = false;
  const texts = collect(count, (i, out) => {
    const text = format(values[i]);
    // A year with a sign: -000001-01-01, +010000-01-01.
    if (kind.kind !== 'decimal' && kind.kind !== 'float' && !isDigit(text)) unfit = true;
    putAscii(out, text);
  });
  return { ...texts, unfit: unfit && kind.kind !== 'boolean' };
}

function isDigit(text: string): boolean {
  const first = text.charCodeAt(0) - 0x30;
  return first >= 0 && first <= 9;
}

/** Arrays of 64-bit values hold bigints, the others numbers or booleans. */
function numberFormat(kind: LeafKind): (value: number | bigint | boolean) => string {
  switch (kind.kind) {
    case 'float':
      return kind.bits === 64
        ? (value) => formatDouble(value as number)
        : (value) => formatFloat(value as number);
    case 'decimal':
      return (value) => formatDecimal(value as number | bigint, kind.scale);
    case 'date':
      return (value) => formatDate(value as number);
    case 'time':
      return (value) => formatTime(BigInt(value), kind.unit);
    case 'timestamp':
      return (value) => formatTimestamp(value as bigint, kind.unit, kind.utc);
    case 'int96':
      return (value) => formatTimestamp(int96Nanos(value as bigint), 'NANOS', false);
    default:
      return String;
  }
}

function textOfIntegers(
  { bits, signed }: { readonly bits: number; readonly signed: boolean },
  values: DecodedArray,
  count: number,
): TextValues {
  let unfit = false;
  const texts = collect(count, (i, out) => {
    const value: number | bigint = values[i];
    if (typeof value === 'number') {
      putInteger(out, signed ? value : bits === 32 ? value >>> 0 : value);
      return;
    }
    const small = Number(value);
    if (Number.isSafeInteger(small) && (signed || small >= 0)) {
      putInteger(out, small);
      return;
    }
    if (!signed && value < 0n) unfit = true;
    putAscii(out, String(signed ? value : BigInt.asUintN(64, value)));
  });
  return { ...texts, unfit };
}

function collect(count: number, put: (i: number, out: ByteWriter) => void): TextValues {
  const out = new ByteWriter(Math.max(64, count * 8));
  const ranges = new Int32Array(count * 2);
  for (let i = 0; i < count; i++) {
    ranges[2 * i] = out.length;
    put(i, out);
    ranges[2 * i + 1] = out.length;
  }
  return { bytes: out.bytes, ranges, unfit: false };
}

function putAscii(out: ByteWriter, text: string): void {
  out.reserve(text.length);
  for (let i = 0; i < text.length; i++) out.bytes[out.length + i] = text.charCodeAt(i);
  out.length += text.length;
}

/** A safe integer in decimal digits. */
function putInteger(out: ByteWriter, value: number): void {
  out.reserve(17);
  let rest = Math.abs(value);
  let digits = 1;
  for (let limit = 10; rest >= limit; limit *= 10) digits += 1;
  if (value < 0) out.bytes[out.length++] = 0x2d;
  for (let at = out.length + digits - 1; at >= out.length; at--) {
    const tens = Math.floor(rest / 10);
    out.bytes[at] = 0x30 + (rest - tens * 10);
    rest = tens;
  }
  out.length += digits;
}
