/**
 * Dates and instants out of text, byte by byte: `YYYY-MM-DD`, and the same followed by `T` or a
 * space and `hh:mm[:ss[.f{1,9}]]` with an optional `Z`, `+hh`, `+hhmm` or `+hh:mm`.
 * Proleptic Gregorian, years 0000 to 9999; no leap second, no hour 24. No zone means UTC.
 * Nothing is allocated: an instant comes back in two module variables, read at once.
 * Source: ISO 8601-1; day numbers after https://howardhinnant.github.io/date_algorithms.html
 */

/** What `dayNumber` answers where there is no valid date. */
export const NO_DAY = -0x40000000;

const ZERO = 0x30;
const MONTH_DAYS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** Two digits at `at`, or -1. */
function pair(b: Uint8Array, at: number): number {
  const tens = b[at] - ZERO;
  const ones = b[at + 1] - ZERO;
  return tens >>> 0 > 9 || ones >>> 0 > 9 ? -1 : tens * 10 + ones;
}

let year = 0;
let month = 0;
let day = 0;

/** Reads the ten bytes at `at` (the caller has ten) into `year`, `month`, `day`. */
function readDay(b: Uint8Array, at: number): boolean {
  const century = pair(b, at);
  const yearOfCentury = pair(b, at + 2);
  month = pair(b, at + 5);
  day = pair(b, at + 8);
  if (century < 0 || yearOfCentury < 0 || b[at + 4] !== 0x2d || b[at + 7] !== 0x2d) return false;
  if (month < 1 || month > 12 || day < 1 || day > MONTH_DAYS[month - 1]) return false;
  year = century * 100 + yearOfCentury;
  return month !== 2 || day !== 29 || isLeap(year);
}

function isLeap(y: number): boolean {
  return y % 4 === 0 && (y % 100 !== 0 || y % 400 === 0);
}

/** Days since 1970-01-01 of the ten bytes at `at` (the caller has ten), or `NO_DAY`. */
export function dayNumber(b: Uint8Array, at: number): number {
  return readDay(b, at) ? civilToDays(year, month, day) : NO_DAY;
}

function civilToDays(fullYear: number, month: number, day: number): number {
  const y = month <= 2 ? fullYear - 1 : fullYear;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  const dayOfEra =
    yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146097 + dayOfEra - 719468;
}

export function isDate(b: Uint8Array, start: number, end: number): boolean {
  return end - start === 10 && readDay(b, start);
}

/** Seconds since the epoch and nanoseconds of the last text `parseInstant` accepted. */
export let instantSeconds = 0;
export let instantNanos = 0;

/** Reads a date or date-time into `instantSeconds`, `instantNanos`; false when it is neither. */
export function parseInstant(b: Uint8Array, start: number, end: number): boolean {
  if (end - start < 10) return false;
  const days = dayNumber(b, start);
  if (days === NO_DAY) return false;
  instantSeconds = days * 86400;
  instantNanos = 0;
  return end - start === 10 || parseTime(b, start + 10, end);
}

/** `[T ]hh:mm[:ss[.f]][zone]`, added to the instant so far. */
function parseTime(b: Uint8Array, start: number, end: number): boolean {
  if (end - start < 6 || (b[start] !== 0x54 && b[start] !== 0x20)) return false;
  const hour = pair(b, start + 1);
  const minute = pair(b, start + 4);
  if (hour < 0 || hour > 23 || b[start + 3] !== 0x3a || minute < 0 || minute > 59) return false;
  instantSeconds += hour * 3600 + minute * 60;
  let at = start + 6;
  if (at < end && b[at] === 0x3a) {
    if (end - at < 3) return false;
    const second = pair(b, at + 1);
    if (second < 0 || second > 59) return false;
    instantSeconds += second;
    at += 3;
    if (at < end && b[at] === 0x2e) {
      at = parseFraction(b, at + 1, end);
      if (at < 0) return false;
    }
  }
  return parseZone(b, at, end);
}

/** One to nine digits; the offset behind them, or -1. */
function parseFraction(b: Uint8Array, start: number, end: number): number {
  let at = start;
  let nanos = 0;
  let unit = 100_000_000;
  while (at < end && (b[at] - ZERO) >>> 0 <= 9) {
    if (at - start === 9) return -1;
    nanos += (b[at] - ZERO) * unit;
    unit /= 10;
    at += 1;
  }
  instantNanos = nanos;
  return at === start ? -1 : at;
}

/** Nothing, `Z`, or an offset, up to `end`. */
function parseZone(b: Uint8Array, at: number, end: number): boolean {
  const size = end - at;
  if (size === 0) return true;
  if (size === 1) return b[at] === 0x5a;
  if (b[at] !== 0x2b && b[at] !== 0x2d) return false;
  const colon = size === 6;
  if (size !== 3 && size !== 5 && !colon) return false;
  if (colon && b[at + 3] !== 0x3a) return false;
  const hours = pair(b, at + 1);
  const minutes = size === 3 ? 0 : pair(b, colon ? at + 4 : at + 3);
  if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59) return false;
  const offset = hours * 3600 + minutes * 60;
  instantSeconds += b[at] === 0x2b ? -offset : offset;
  return true;
}

export function isTimestamp(b: Uint8Array, start: number, end: number): boolean {
  if (end - start < 10 || !readDay(b, start)) return false;
  return end - start === 10 || parseTime(b, start + 10, end);
}
