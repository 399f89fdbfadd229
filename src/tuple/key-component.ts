/**
 * One cell of a key as bytes that compare like the type, and back.
 *
 *   integer           see key-integer.ts
 *   boolean           one byte: 0 false, 1 true
 *   date              its ten bytes, YYYY-MM-DD
 *   decimal, float    the value (key-number.ts), then the text
 *   timestamp         6 bytes seconds since the day before 0000-01-01 (big-endian, UTC), 4 bytes
 *                     nanoseconds, then the text
 *   text, json, bytes the text
 *
 * Text is UTF-8, so byte order is code point order. Where another component follows, 0x00 in
 * it becomes 0x00 0xFF and 0x00 0x02 ends it (0x00 0x00 and 0x00 0x01 are taken by keyless.ts);
 * at the end of a key it stands as it is. Everything before a text is self-delimiting, so no
 * key is a prefix of another except where their last texts are.
 *
 * Who uses it: key-codec.ts; keyless.ts for the order of content.
 */
import type { ByteReader, ByteWriter } from '../bytes.ts';
import { DvError } from '../errors.ts';
import {
  dayNumber,
  instantNanos,
  instantSeconds,
  isDate,
  NO_DAY,
  parseInstant,
} from './calendar.ts';
import { isBoolean } from './cell-type.ts';
import { appendIntegerText, readIntegerText } from './key-integer.ts';
import { appendDecimalValue, appendFloatValue, skipNumberValue } from './key-number.ts';
import type { ColumnType } from './schema.ts';

/** Makes every instant of the years 0000 to 9999, in any zone, positive. */
const SECONDS_BIAS = 62_167_305_600;
const INSTANT_BYTES = 10;

const TEXT_END = 0x02;
const ESCAPED_ZERO = 0xff;

/** Appends the cell b[start..end) as a key component; false when the cell is not of the type. */
export function appendComponent(
  out: ByteWriter,
  type: ColumnType,
  b: Uint8Array,
  start: number,
  end: number,
  last: boolean,
): boolean {
  switch (type) {
    case 'integer':
      return appendIntegerText(out, b, start, end);
    case 'boolean':
      if (!isBoolean(b, start, end)) return false;
      out.u8(end - start === 4 ? 1 : 0);
      return true;
    case 'date':
      if (!isDate(b, start, end)) return false;
      out.raw(b, start, end);
      return true;
    case 'decimal':
      if (!appendDecimalValue(out, b, start, end)) return false;
      break;
    case 'float':
      if (!appendFloatValue(out, b, start, end)) return false;
      break;
    case 'timestamp':
      if (!parseInstant(b, start, end)) return false;
      appendInstant(out);
      break;
  }
  appendText(out, b, start, end, last);
  return true;
}

/** Appends what `parseInstant` left. */
function appendInstant(out: ByteWriter): void {
  out.reserve(INSTANT_BYTES);
  const seconds = instantSeconds + SECONDS_BIAS;
  out.bytes.writeUIntBE(seconds, out.length, 6);
  out.bytes.writeUInt32BE(instantNanos, out.length + 6);
  out.length += INSTANT_BYTES;
}

function appendText(
  out: ByteWriter,
  b: Uint8Array,
  start: number,
  end: number,
  last: boolean,
): void {
  if (last) out.raw(b, start, end);
  else appendEscapedText(out, b, start, end);
}

/** Appends b[start..end) with its zero bytes escaped, and its end. */
export function appendEscapedText(
  out: ByteWriter,
  b: Uint8Array,
  start: number,
  end: number,
): void {
  out.reserve((end - start) * 2 + 2);
  const bytes = out.bytes;
  let at = out.length;
  for (let i = start; i < end; i++) {
    const byte = b[i];
    bytes[at++] = byte;
    if (byte === 0) bytes[at++] = ESCAPED_ZERO;
  }
  bytes[at++] = 0;
  bytes[at++] = TEXT_END;
  out.length = at;
}

/** Appends the text of the component at the reader. @throws DvError `corrupt` */
export function readComponent(
  reader: ByteReader,
  type: ColumnType,
  last: boolean,
  out: ByteWriter,
): void {
  switch (type) {
    case 'integer':
      readIntegerText(reader, out);
      return;
    case 'boolean':
      readBoolean(reader, out);
      return;
    case 'date':
      readDate(reader, out);
      return;
    case 'decimal':
    case 'float':
      skipNumberValue(reader);
      break;
    case 'timestamp':
      reader.view(INSTANT_BYTES);
      break;
  }
  if (last) out.raw(reader.view(reader.remaining));
  else readEscapedText(reader, out);
}

const FALSE = Buffer.from('false');
const TRUE = Buffer.from('true');

function readBoolean(reader: ByteReader, out: ByteWriter): void {
  const byte = reader.u8();
  if (byte > 1) throw new DvError('corrupt', `a boolean key is the byte ${byte}`);
  out.raw(byte === 1 ? TRUE : FALSE);
}

function readDate(reader: ByteReader, out: ByteWriter): void {
  const date = reader.view(10);
  if (dayNumber(date, 0) === NO_DAY) throw new DvError('corrupt', 'a date key is not a date');
  out.raw(date);
}

function readEscapedText(reader: ByteReader, out: ByteWriter): void {
  reader.offset = appendUnescaped(out, reader.bytes, reader.offset, reader.bytes.length);
}

/**
 * Appends the text whose escaped form starts at b[start], and ends before `limit`; where that
 * ends. @throws DvError `corrupt`
 */
export function appendUnescaped(
  out: ByteWriter,
  b: Uint8Array,
  start: number,
  limit: number,
): number {
  for (let at = start; at < limit; at++) {
    const byte = b[at];
    if (byte === 0) {
      at += 1;
      const mark = at < limit ? b[at] : -1;
      if (mark === TEXT_END) return at + 1;
      if (mark !== ESCAPED_ZERO) throw new DvError('corrupt', 'a text key has a bad escape');
    }
    out.u8(byte);
  }
  throw new DvError('corrupt', 'a text key has no end');
}
