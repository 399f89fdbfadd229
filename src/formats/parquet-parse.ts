/**
 * Cell texts back into Parquet values: the other direction of parquet-text.ts. Each function
 * answers undefined where the text is not the one spelling of a value, so that a value that is
 * written always reads back as the same text.
 */
import type { TimeUnit } from 'hyparquet';
import {
  dayNumber,
  instantNanos,
  instantSeconds,
  isDate,
  parseInstant,
} from '../tuple/calendar.ts';
import {
  formatDate,
  formatDecimal,
  formatDouble,
  formatFloat,
  formatInterval,
  formatTime,
  formatTimestamp,
} from './parquet-text.ts';

const INT64_MAX = 2n ** 63n - 1n;
const PER_SECOND: Readonly<Record<TimeUnit, number>> = { MILLIS: 1e3, MICROS: 1e6, NANOS: 1e9 };

/** A bigint for 64 bits, otherwise a number. */
export function parseInteger(
  text: string,
  bits: number,
  signed: boolean,
): number | bigint | undefined {
  if (!/^(0|-?[1-9]\d{0,19})$/.test(text)) return undefined;
  const value = BigInt(text);
  const wrapped = signed ? BigInt.asIntN(bits, value) : BigInt.asUintN(bits, value);
  if (wrapped !== value) return undefined;
  return bits === 64 ? value : Number(value);
}

export function parseFloat64(text: string): number | undefined {
  const value = Number(text);
  return formatDouble(value) === text ? value : undefined;
}

export function parseFloat32(text: string): number | undefined {
  const value = Math.fround(Number(text));
  return formatFloat(value) === text ? value : undefined;
}

/** Of a value that 16 bits hold. */
export function parseFloat16(text: string): number | undefined {
  const value = parseFloat32(text);
  if (value === undefined || value === 0 || !Number.isFinite(value)) return value;
  const exponent = Math.max(Math.floor(Math.log2(Math.abs(value))), -14);
  return exponent < 16 && Number.isInteger(value / 2 ** (exponent - 10)) ? value : undefined;
}

/** The unscaled integer of a number with exactly `scale` digits behind the point. */
export function parseDecimal(text: string, precision: number, scale: number): bigint | undefined {
  const parts = /^-?(\d+)(?:\.(\d+))?$/.exec(text);
  if (parts === null) return undefined;
  const [, whole, fraction = ''] = parts;
  const digits = (whole === '0' ? 0 : whole.length) + fraction.length;
  if (fraction.length !== scale || digits > precision) return undefined;
  const unscaled = BigInt(text.replace('.', ''));
  return formatDecimal(unscaled, scale) === text ? unscaled : undefined;
}

/** Days since 1970-01-01. */
export function parseDate(text: string): number | undefined {
  const bytes = Buffer.from(text);
  if (!isDate(bytes, 0, bytes.length)) return undefined;
  const days = dayNumber(bytes, 0);
  return formatDate(days) === text ? days : undefined;
}

export function parseTimestamp(text: string, unit: TimeUnit, utc: boolean): bigint | undefined {
  const bytes = Buffer.from(text);
  if (!parseInstant(bytes, 0, bytes.length)) return undefined;
  const perSecond = PER_SECOND[unit];
  const fraction = Math.floor(instantNanos / (1e9 / perSecond));
  const value = BigInt(instantSeconds) * BigInt(perSecond) + BigInt(fraction);
  if (value > INT64_MAX || value < -INT64_MAX) return undefined;
  return formatTimestamp(value, unit, utc) === text ? value : undefined;
}

/** A number for milliseconds, otherwise a bigint. */
export function parseTime(text: string, unit: TimeUnit): number | bigint | undefined {
  const parts = /^(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?$/.exec(text);
  if (parts === null) return undefined;
  const [, hour, minute, second, fraction = ''] = parts;
  const seconds = Number(hour) * 3600 + Number(minute) * 60 + Number(second);
  const nanos = Number(fraction.padEnd(9, '0'));
  const perSecond = PER_SECOND[unit];
  const value = seconds * perSecond + Math.floor(nanos / (1e9 / perSecond));
  if (seconds >= 86_400 || formatTime(BigInt(value), unit) !== text) return undefined;
  return unit === 'MILLIS' ? value : BigInt(value);
}

export function parseBase64(text: string): Uint8Array | undefined {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : undefined;
}

/** Months, days and milliseconds, little-endian. */
export function parseInterval(text: string): Uint8Array | undefined {
  const parts = /^P(\d+)M(\d+)DT(\d+(?:\.\d+)?)S$/.exec(text);
  if (parts === null) return undefined;
  const bytes = Buffer.alloc(12);
  const numbers = [Number(parts[1]), Number(parts[2]), Math.round(Number(parts[3]) * 1000)];
  if (numbers.some((number) => number > 0xffffffff)) return undefined;
  for (const [i, number] of numbers.entries()) bytes.writeUInt32LE(number, i * 4);
  return formatInterval(bytes, 0) === text ? bytes : undefined;
}

export function parseUuid(text: string): string | undefined {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text) ? text : undefined;
}
