/**
 * Which texts belong to which type. Every test is on the exact text, so that a type never
 * stands for two spellings: `007`, `+5` and `.5` are text.
 *
 *   integer    0 | -?[1-9][0-9]*  within int64
 *   decimal    -?(0|[1-9][0-9]*)(\.[0-9]+)?  of any size
 *   float      decimal, with ([eE][+-]?[0-9]{1,9})?; also NaN, Infinity, -Infinity
 *   boolean    true | false
 *   date       YYYY-MM-DD, a day that exists
 *   timestamp  a date, or a date-time (see calendar.ts)
 *   json       any JSON text; inference takes only objects and arrays for it
 *   bytes      base64 (RFC 4648, padded, unused bits zero); by declaration only
 *   text       everything
 *
 * integer < decimal < float < text and date < timestamp < text: each accepts all that the
 * one before it accepts, so `joinTypes` is the narrowest type for two columns put together.
 */
import { DvError } from '../errors.ts';
import { isDate, isTimestamp } from './calendar.ts';
import { isJson, isJsonContainer } from './json-scan.ts';
import type { ColumnType } from './schema.ts';

const MINUS = 0x2d;
const ZERO = 0x30;
const INT64_MAX = Buffer.from('9223372036854775807');
/** Largest number of exponent digits: keeps every key's exponent exact in a double. */
const MAX_EXPONENT_DIGITS = 9;

function isDigit(byte: number): boolean {
  return (byte - ZERO) >>> 0 <= 9;
}

export function isInteger(b: Uint8Array, start: number, end: number): boolean {
  const first = b[start] === MINUS ? start + 1 : start;
  const digits = end - first;
  if (digits < 1 || digits > 19) return false;
  if (b[first] === ZERO) return digits === 1 && first === start;
  for (let i = first; i < end; i++) if ((b[i] - ZERO) >>> 0 > 9) return false;
  return digits < 19 || fitsInt64(b, first, first !== start);
}

/** Nineteen digits at `at` against the ends of int64. */
function fitsInt64(b: Uint8Array, at: number, negative: boolean): boolean {
  for (let i = 0; i < 19; i++) {
    const difference = b[at + i] - INT64_MAX[i];
    if (difference !== 0) return difference < 0 || (negative && i === 18 && difference === 1);
  }
  return true;
}

/** 0: not a number; 1: only digits; 2: with a fraction; 3: with an exponent. */
function scanNumber(b: Uint8Array, start: number, end: number): 0 | 1 | 2 | 3 {
  let at = b[start] === MINUS ? start + 1 : start;
  if (at >= end || !isDigit(b[at])) return 0;
  const leadingZero = b[at] === ZERO;
  const first = at;
  while (at < end && isDigit(b[at])) at += 1;
  if (leadingZero && at - first > 1) return 0;
  if (at === end) return 1;
  let form: 2 | 3 = 2;
  if (b[at] === 0x2e) {
    const fraction = at + 1;
    at = fraction;
    while (at < end && isDigit(b[at])) at += 1;
    if (at === fraction) return 0;
    if (at === end) return form;
  }
  if (b[at] !== 0x65 && b[at] !== 0x45) return 0;
  form = 3;
  at += 1;
  if (at < end && (b[at] === 0x2b || b[at] === MINUS)) at += 1;
  const exponent = at;
  while (at < end && isDigit(b[at])) at += 1;
  return at === end && at > exponent && at - exponent <= MAX_EXPONENT_DIGITS ? form : 0;
}

export function isDecimal(b: Uint8Array, start: number, end: number): boolean {
  const form = scanNumber(b, start, end);
  return form === 1 || form === 2;
}

export function isFloat(b: Uint8Array, start: number, end: number): boolean {
  return scanNumber(b, start, end) !== 0 || isNonFinite(b, start, end);
}

export const NAN = Buffer.from('NaN');
export const INFINITY = Buffer.from('Infinity');
export const NEGATIVE_INFINITY = Buffer.from('-Infinity');

export function isNonFinite(b: Uint8Array, start: number, end: number): boolean {
  return (
    isWord(b, start, end, NAN) ||
    isWord(b, start, end, INFINITY) ||
    isWord(b, start, end, NEGATIVE_INFINITY)
  );
}

export function isWord(b: Uint8Array, start: number, end: number, word: Uint8Array): boolean {
  if (end - start !== word.length) return false;
  for (let i = 0; i < word.length; i++) if (b[start + i] !== word[i]) return false;
  return true;
}

const TRUE = Buffer.from('true');
const FALSE = Buffer.from('false');

export function isBoolean(b: Uint8Array, start: number, end: number): boolean {
  return isWord(b, start, end, TRUE) || isWord(b, start, end, FALSE);
}

/** True when decoding and encoding again gives the same text. */
function isBase64(b: Uint8Array, start: number, end: number): boolean {
  if ((end - start) % 4 !== 0) return false;
  const text = latin1(b, start, end);
  return Buffer.from(text, 'base64').toString('base64') === text;
}

function latin1(b: Uint8Array, start: number, end: number): string {
  return Buffer.from(b.buffer, b.byteOffset + start, end - start).toString('latin1');
}

/** Whether the cell b[start..end) belongs to a type. */
export type CellTest = (b: Uint8Array, start: number, end: number) => boolean;

/** The test of each type. All but that of `bytes` allocate nothing. */
export const CELL_TESTS: Readonly<Record<ColumnType, CellTest>> = {
  text: () => true,
  integer: isInteger,
  decimal: isDecimal,
  float: isFloat,
  boolean: isBoolean,
  date: isDate,
  timestamp: isTimestamp,
  json: isJson,
  bytes: isBase64,
};

/** Whether a cell belongs to `type`. */
export function fits(type: ColumnType, text: string): boolean {
  if (type === 'text') return true;
  const bytes = Buffer.from(text);
  return CELL_TESTS[type](bytes, 0, bytes.length);
}

/** The narrowest type of one cell. */
export function narrowestType(b: Uint8Array, start: number, end: number): ColumnType {
  if (start >= end) return 'text';
  const first = b[start];
  if (first === MINUS || isDigit(first)) return numberOrDate(b, start, end);
  switch (first) {
    case 0x7b: // {
    case 0x5b: // [
      return isJsonContainer(b, start, end) ? 'json' : 'text';
    case 0x74: // t
    case 0x66: // f
      return isBoolean(b, start, end) ? 'boolean' : 'text';
    case 0x4e: // N
    case 0x49: // I
      return isNonFinite(b, start, end) ? 'float' : 'text';
    default:
      return 'text';
  }
}

function numberOrDate(b: Uint8Array, start: number, end: number): ColumnType {
  if (isInteger(b, start, end)) return 'integer';
  if (end - start >= 10 && b[start + 4] === MINUS && b[start + 7] === MINUS) {
    if (isDate(b, start, end)) return 'date';
    return isTimestamp(b, start, end) ? 'timestamp' : 'text';
  }
  switch (scanNumber(b, start, end)) {
    case 1:
    case 2:
      return 'decimal';
    case 3:
      return 'float';
    default:
      return isNonFinite(b, start, end) ? 'float' : 'text';
  }
}

const NUMBERS: readonly ColumnType[] = ['integer', 'decimal', 'float'];
const TIMES: readonly ColumnType[] = ['date', 'timestamp'];

/** The narrowest type that accepts every cell of both. */
export function joinTypes(a: ColumnType, b: ColumnType): ColumnType {
  if (a === b) return a;
  for (const chain of [NUMBERS, TIMES]) {
    const wider = Math.max(chain.indexOf(a), chain.indexOf(b));
    if (chain.includes(a) && chain.includes(b)) return chain[wider];
  }
  return 'text';
}

/** Plural, for "all ..." and "not ...". */
export const TYPE_NOUNS: Readonly<Record<ColumnType, readonly [one: string, many: string]>> = {
  text: ['text', 'texts'],
  integer: ['a whole number', 'whole numbers'],
  decimal: ['a decimal number', 'decimal numbers'],
  float: ['a number', 'numbers'],
  boolean: ['true or false', 'true or false'],
  date: ['a date', 'dates'],
  timestamp: ['a date-time', 'date-times'],
  json: ['JSON', 'JSON'],
  bytes: ['base64', 'base64'],
};

/** Why `text` is not of `type`, as the end of a sentence about it. */
export function misfitReason(type: ColumnType, text: string): string {
  const numeric = NUMBERS.includes(type);
  if (text === '') return 'is empty';
  if (text.trim() !== text) return 'has white space around it';
  if (numeric && /^-?0\d+(\.\d+)?$/.test(text)) return 'has a leading zero';
  if (numeric && /^\+\d/.test(text)) return 'has a plus sign';
  if (type === 'integer' && /^-?[1-9]\d*$/.test(text)) return 'is beyond 64 bits';
  if (TIMES.includes(type) && /^\d{4}-\d\d-\d\d/.test(text) && !fits('date', text.slice(0, 10))) {
    return 'is a day that does not exist';
  }
  return `is not ${TYPE_NOUNS[type][0]}`;
}

/** @throws DvError `type-mismatch` when `text` is not of `type`. */
export function checkType(type: ColumnType, text: string): void {
  if (fits(type, text)) return;
  throw new DvError('type-mismatch', `"${text}" ${misfitReason(type, text)}`, {
    data: { type, value: text },
  });
}
