/**
 * One canonical text per Parquet value:
 *
 *   integer    digits; unsigned ones as such
 *   float      the shortest text that reads back as the same 64, 32 or 16 bits, as JavaScript
 *              spells it: 0.1, 1e+21, -0, NaN, Infinity
 *   decimal    exactly `scale` digits behind the point, from the unscaled integer: 1.50
 *   date       YYYY-MM-DD
 *   timestamp  YYYY-MM-DDThh:mm:ss, then .mmm, .uuuuuu or .nnnnnnnnn where not zero, then Z
 *              where the instant is in UTC; time likewise, without Z
 *   uuid       8-4-4-4-12, lower case;  bytes  base64;  interval  P1M2DT3.5S
 *
 * Years beyond 0000 to 9999 have a sign and six digits.
 */
import type { TimeUnit } from 'hyparquet';

const PER_SECOND: Readonly<Record<TimeUnit, bigint>> = {
  MILLIS: 1_000n,
  MICROS: 1_000_000n,
  NANOS: 1_000_000_000n,
};
const FRACTION_DIGITS: Readonly<Record<TimeUnit, number>> = { MILLIS: 3, MICROS: 6, NANOS: 9 };
const SECONDS_PER_DAY = 86_400;
const LEAST_NORMAL_FLOAT = 2 ** -126;

export function formatDouble(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value);
}

/** Of a value that 32 bits hold. */
export function formatFloat(value: number): string {
  if (value === 0) return formatDouble(value);
  // A normal value that needs fewer than six digits has zeros behind them.
  const least = Math.abs(value) < LEAST_NORMAL_FLOAT ? 1 : 6;
  for (let digits = least; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return formatDouble(short);
  }
  return formatDouble(Number.isFinite(value) ? Number(value.toPrecision(9)) : value);
}

/** IEEE 754 binary16, little-endian, at `at`. */
export function halfAt(bytes: Uint8Array, at: number): number {
  const bits = bytes[at] | (bytes[at + 1] << 8);
  const sign = bits >> 15 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}

export function formatDecimal(unscaled: bigint | number, scale: number): string {
  if (scale <= 0) return unscaled === 0 ? '0' : `${unscaled}${'0'.repeat(unscaled ? -scale : 0)}`;
  const negative = unscaled < 0;
  const digits = String(negative ? -unscaled : unscaled).padStart(scale + 1, '0');
  const point = digits.length - scale;
  return `${negative ? '-' : ''}${digits.slice(0, point)}.${digits.slice(point)}`;
}

/** Big-endian two's complement, of any length. */
export function unscaledAt(bytes: Uint8Array, start: number, end: number): bigint {
  if (start === end) return 0n;
  const hex = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('hex');
  return BigInt.asIntN((end - start) * 8, BigInt(`0x${hex}`));
}

/** After https://howardhinnant.github.io/date_algorithms.html#civil_from_days */
export function formatDate(days: number): string {
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1_460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  );
  const dayOfYear =
    dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1;
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  return `${formatYear(year)}-${pad(month, 2)}-${pad(day, 2)}`;
}

function formatYear(year: number): string {
  if (isPlainYear(year)) return pad(year, 4);
  return `${year < 0 ? '-' : '+'}${pad(Math.abs(year), 6)}`;
}

function isPlainYear(year: number): boolean {
  return year >= 0 && year <= 9999;
}

function pad(value: number, width: number): string {
  return String(value).padStart(width, '0');
}

export function formatTimestamp(value: bigint, unit: TimeUnit, utc: boolean): string {
  const perSecond = PER_SECOND[unit];
  const fraction = ((value % perSecond) + perSecond) % perSecond;
  const seconds = Number((value - fraction) / perSecond);
  const day = Math.floor(seconds / SECONDS_PER_DAY);
  const time = formatSeconds(seconds - day * SECONDS_PER_DAY, Number(fraction), unit);
  return `${formatDate(day)}T${time}${utc ? 'Z' : ''}`;
}

export function formatTime(value: bigint, unit: TimeUnit): string {
  const perSecond = PER_SECOND[unit];
  return formatSeconds(Number(value / perSecond), Number(value % perSecond), unit);
}

function formatSeconds(seconds: number, fraction: number, unit: TimeUnit): string {
  const hour = Math.floor(seconds / 3600);
  const clock = `${pad(hour, 2)}:${pad(Math.floor(seconds / 60) % 60, 2)}:${pad(seconds % 60, 2)}`;
  if (fraction === 0) return clock;
  let digits = pad(fraction, FRACTION_DIGITS[unit]);
  while (digits.endsWith('000')) digits = digits.slice(0, -3);
  return `${clock}.${digits}`;
}

/** Julian day and nanoseconds of the day, as hyparquet gives them, to nanoseconds since 1970. */
export function int96Nanos(value: bigint): bigint {
  return ((value >> 64n) - 2_440_588n) * 86_400_000_000_000n + (value & 0xffffffffffffffffn);
}

export function formatUuid(bytes: Uint8Array, start: number): string {
  const hex = Buffer.from(bytes.buffer, bytes.byteOffset + start, 16).toString('hex');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

/** Months, days and milliseconds, little-endian. */
export function formatInterval(bytes: Uint8Array, start: number): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset + start, 12);
  const millis = view.getUint32(8, true);
  return `P${view.getUint32(0, true)}M${view.getUint32(4, true)}DT${millis / 1000}S`;
}

export function formatBase64(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('base64');
}
