/**
 * The value of a decimal or float cell as key bytes that compare like the number, exactly:
 * nothing goes through a double. The cell's text follows (see key-codec.ts) to keep `1.5`
 * and `1.50` apart.
 *
 *   offset  size  meaning
 *   0       1     class: 1 -Infinity, 2 below zero, 3 zero, 4 above zero, 5 Infinity, 6 NaN
 *   1       2..9  classes 2 and 4: E as in key-integer.ts, where value = 0.ddd... x 10^E
 *   ...     n     two significant digits a byte, plus 1 (1 to 100); trailing zeros dropped
 *   ...     1     0x00
 *
 * Below zero every byte behind the class is flipped. The form is self-delimiting.
 */
import type { ByteReader, ByteWriter } from '../bytes.ts';
import { DvError } from '../errors.ts';
import { INFINITY, isDecimal, isFloat, isWord, NAN, NEGATIVE_INFINITY } from './cell-type.ts';
import { appendSafeInteger, skipInteger } from './key-integer.ts';

const NEGATIVE_INFINITY_CLASS = 1;
const NEGATIVE_CLASS = 2;
const ZERO_CLASS = 3;
const POSITIVE_CLASS = 4;
const INFINITY_CLASS = 5;
const NAN_CLASS = 6;

const ZERO = 0x30;
const POINT = 0x2e;

/** Appends the value of the decimal b[start..end); false when it is none. */
export function appendDecimalValue(
  out: ByteWriter,
  b: Uint8Array,
  start: number,
  end: number,
): boolean {
  if (!isDecimal(b, start, end)) return false;
  appendNumber(out, b, start, end);
  return true;
}

/** Appends the value of the float b[start..end); false when it is none. */
export function appendFloatValue(
  out: ByteWriter,
  b: Uint8Array,
  start: number,
  end: number,
): boolean {
  if (!isFloat(b, start, end)) return false;
  if (isWord(b, start, end, NAN)) out.u8(NAN_CLASS);
  else if (isWord(b, start, end, INFINITY)) out.u8(INFINITY_CLASS);
  else if (isWord(b, start, end, NEGATIVE_INFINITY)) out.u8(NEGATIVE_INFINITY_CLASS);
  else appendNumber(out, b, start, end);
  return true;
}

/** b[start..end) is a number in decimal or exponent form. */
function appendNumber(out: ByteWriter, b: Uint8Array, start: number, end: number): void {
  const negative = b[start] === 0x2d;
  const first = negative ? start + 1 : start;
  const mantissaEnd = findExponent(b, first, end);
  const point = findPoint(b, first, mantissaEnd);
  const lead = skipZeros(b, first, mantissaEnd);
  if (lead === mantissaEnd) {
    out.u8(ZERO_CLASS);
    return;
  }
  const scale = lead < point ? point - lead : point + 1 - lead;
  const exponent = scale + (mantissaEnd < end ? parseExponent(b, mantissaEnd + 1, end) : 0);
  out.u8(negative ? NEGATIVE_CLASS : POSITIVE_CLASS);
  const from = out.length;
  appendSafeInteger(out, exponent);
  appendDigitPairs(out, b, lead, lastSignificant(b, mantissaEnd) + 1);
  if (negative) for (let i = from; i < out.length; i++) out.bytes[i] ^= 0xff;
}

/** Where the mantissa ends: at `e`, `E` or the end. */
function findExponent(b: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && (b[at] | 0x20) !== 0x65) at += 1;
  return at;
}

function findPoint(b: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && b[at] !== POINT) at += 1;
  return at;
}

function skipZeros(b: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && (b[at] === ZERO || b[at] === POINT)) at += 1;
  return at;
}

/** The last digit of the mantissa that is not a zero; there is one. */
function lastSignificant(b: Uint8Array, end: number): number {
  let at = end - 1;
  while (b[at] === ZERO || b[at] === POINT) at -= 1;
  return at;
}

function parseExponent(b: Uint8Array, start: number, end: number): number {
  const signed = b[start] === 0x2b || b[start] === 0x2d;
  let value = 0;
  for (let i = signed ? start + 1 : start; i < end; i++) value = value * 10 + b[i] - ZERO;
  return b[start] === 0x2d ? -value : value;
}

function appendDigitPairs(out: ByteWriter, b: Uint8Array, start: number, end: number): void {
  out.reserve((end - start) / 2 + 2);
  const bytes = out.bytes;
  let tens = -1;
  for (let i = start; i < end; i++) {
    if (b[i] === POINT) continue;
    const digit = b[i] - ZERO;
    if (tens < 0) {
      tens = digit;
      continue;
    }
    bytes[out.length++] = tens * 10 + digit + 1;
    tens = -1;
  }
  if (tens >= 0) bytes[out.length++] = tens * 10 + 1;
  bytes[out.length++] = 0;
}

/** Passes over one value. @throws DvError `corrupt` */
export function skipNumberValue(reader: ByteReader): void {
  const kind = reader.u8();
  if (kind < NEGATIVE_INFINITY_CLASS || kind > NAN_CLASS) {
    throw new DvError('corrupt', `a number key starts with the byte ${kind}`);
  }
  if (kind !== NEGATIVE_CLASS && kind !== POSITIVE_CLASS) return;
  const flip = kind === NEGATIVE_CLASS ? 0xff : 0;
  skipInteger(reader, flip);
  while (reader.u8() !== flip);
}
