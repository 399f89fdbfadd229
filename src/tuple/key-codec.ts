/**
 * Primary-key cells to bytes and back, so that comparing bytes gives the order of the types.
 * A key is its components one after the other:
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
 * Decoding gives the exact cells back. Who uses it: the row codec, and whoever seeks a key.
 */
import { isUtf8 } from 'node:buffer';
import { ByteReader, ByteWriter } from '../bytes.ts';
import { bug, DvError } from '../errors.ts';
import {
  dayNumber,
  instantNanos,
  instantSeconds,
  isDate,
  NO_DAY,
  parseInstant,
} from './calendar.ts';
import { isBoolean, misfitReason } from './cell-type.ts';
import { appendIntegerText, readIntegerText } from './key-integer.ts';
import { appendDecimalValue, appendFloatValue, skipNumberValue } from './key-number.ts';
import type { RowBatch } from './row-batch.ts';
import type { ColumnType } from './schema.ts';

/** Longest encoded key, in bytes. */
export const MAX_KEY_BYTES = 8192;

/** Makes every instant of the years 0000 to 9999, in any zone, positive. */
const SECONDS_BIAS = 62_167_305_600;
const INSTANT_BYTES = 10;

export const TEXT_END = 0x02;
const ESCAPED_ZERO = 0xff;

/** Appends one cell as a key component; false when the cell is not of the type. */
function appendComponent(
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

export type KeyProblemKind = 'null-key' | 'misfit' | 'key-too-long';

/** What kept a row's key from being encoded. */
export interface KeyProblem {
  readonly kind: KeyProblemKind;
  /** Place in the key, from 0: the first component that does not do. */
  readonly component: number;
}

/** Encodes the key of batch rows. Allocates nothing. */
export class KeyEncoder {
  readonly #types: readonly ColumnType[];
  readonly #sources: readonly number[];
  #kind: KeyProblemKind = 'misfit';
  #component = 0;

  /** `sources[i]` is the batch column (-1: null) that holds the key's component i. */
  constructor(types: readonly ColumnType[], sources: readonly number[]) {
    this.#types = types;
    this.#sources = sources;
  }

  /** Appends the key of a row; false, with nothing appended and `problem` set, if it has none. */
  append(batch: RowBatch, row: number, out: ByteWriter): boolean {
    const { bytes, cells } = batch;
    const sources = this.#sources;
    const from = out.length;
    const end = sources.length - 1;
    for (let i = 0; i <= end; i++) {
      const source = sources[i];
      const at = 2 * (row * batch.columns + source);
      if (source < 0 || cells[at] < 0) return this.#refuse('null-key', i, out, from);
      const start = cells[at];
      const stop = cells[at + 1];
      if (stop - start > MAX_KEY_BYTES) return this.#refuse('key-too-long', i, out, from);
      if (!appendComponent(out, this.#types[i], bytes, start, stop, i === end)) {
        return this.#refuse('misfit', i, out, from);
      }
    }
    if (out.length - from > MAX_KEY_BYTES) return this.#refuse('key-too-long', end, out, from);
    return true;
  }

  #refuse(kind: KeyProblemKind, component: number, out: ByteWriter, from: number): false {
    this.#kind = kind;
    this.#component = component;
    out.length = from;
    return false;
  }

  /** Why the last `append` said no. */
  get problem(): KeyProblem {
    return { kind: this.#kind, component: this.#component };
  }
}

/**
 * The key of `cells`, which are in key order.
 * @throws DvError `type-mismatch` (a cell that is not of its type), `key-too-long`
 */
export function encodeKey(cells: readonly string[], types: readonly ColumnType[]): Buffer {
  if (cells.length !== types.length) {
    throw bug(`a key of ${types.length} columns was given ${cells.length} cells`);
  }
  const out = new ByteWriter(64);
  cells.forEach((cell, i) => {
    const bytes = Buffer.from(cell);
    if (!appendComponent(out, types[i], bytes, 0, bytes.length, i === cells.length - 1)) {
      throw new DvError('type-mismatch', `the key "${cell}" ${misfitReason(types[i], cell)}`, {
        data: { value: cell, type: types[i] },
      });
    }
  });
  if (out.length > MAX_KEY_BYTES) {
    throw new DvError('key-too-long', `a key takes ${out.length} bytes, over ${MAX_KEY_BYTES}`, {
      data: { bytes: out.length },
    });
  }
  return out.take();
}

/** Appends the text of the component at the reader. @throws DvError `corrupt` */
function readComponent(reader: ByteReader, type: ColumnType, last: boolean, out: ByteWriter): void {
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
  for (;;) {
    const byte = reader.u8();
    if (byte === 0) {
      const mark = reader.u8();
      if (mark === TEXT_END) return;
      if (mark !== ESCAPED_ZERO) throw new DvError('corrupt', 'a text key has a bad escape');
    }
    out.u8(byte);
  }
}

/**
 * Decodes keys into the UTF-8 of their cells: after `read`, component i of the key is
 * `out.bytes[ends[i-1] ?? start .. ends[i])`, `start` being where `out` stood.
 */
export class KeyDecoder {
  readonly #types: readonly ColumnType[];
  readonly ends: Int32Array;

  constructor(types: readonly ColumnType[]) {
    this.#types = types;
    this.ends = new Int32Array(types.length);
  }

  /** @throws DvError `corrupt` */
  read(key: Uint8Array, out: ByteWriter): void {
    const types = this.#types;
    const reader = new ByteReader(key);
    for (let i = 0; i < types.length; i++) {
      readComponent(reader, types[i], i === types.length - 1, out);
      this.ends[i] = out.length;
    }
    if (reader.remaining > 0) throw new DvError('corrupt', 'a key has bytes behind its end');
  }
}

/** The cells of a key. @throws DvError `corrupt` */
export function decodeKey(key: Uint8Array, types: readonly ColumnType[]): string[] {
  const out = new ByteWriter(key.length + 24);
  const decoder = new KeyDecoder(types);
  decoder.read(key, out);
  return types.map((_, i) => out.bytes.toString('utf8', decoder.ends[i - 1] ?? 0, decoder.ends[i]));
}

/** Decoding and encoding again gives the same bytes. @throws DvError `corrupt` when not */
export function checkKey(key: Uint8Array, types: readonly ColumnType[]): void {
  const out = new ByteWriter(key.length + 24);
  const decoder = new KeyDecoder(types);
  decoder.read(key, out);
  const again = new ByteWriter(key.length);
  for (let i = 0; i < types.length; i++) {
    const start = decoder.ends[i - 1] ?? 0;
    const last = i === types.length - 1;
    if (!isUtf8(out.bytes.subarray(start, decoder.ends[i]))) {
      throw new DvError('corrupt', 'a key is not UTF-8');
    }
    if (!appendComponent(again, types[i], out.bytes, start, decoder.ends[i], last)) {
      throw new DvError('corrupt', `a key column of type ${types[i]} holds something else`);
    }
  }
  if (key.length > MAX_KEY_BYTES || !again.take().equals(key)) {
    throw new DvError('corrupt', 'a key is not in its one canonical form');
  }
}
