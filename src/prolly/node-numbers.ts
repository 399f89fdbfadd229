/** Rows of numbers in a node: varints (bytes.ts), most of one byte. Hostile bytes are refused. */
import type { ByteReader } from '../bytes.ts';
import { DvError } from '../errors.ts';

/** Keys of a node, put together: bounds what a hostile chunk can make us allocate. */
export const MAX_KEY_BYTES_TOTAL = 64 * 1024 * 1024;

/** The number at the reader: one byte nearly always. */
export function readNumber(reader: ByteReader): number {
  const byte = reader.bytes[reader.offset];
  if (byte < 0x80) {
    reader.offset += 1;
    return byte;
  }
  const number = reader.varint();
  if (number > MAX_KEY_BYTES_TOTAL) throw new DvError('corrupt', 'tree node ends too early');
  return number;
}

/** Passes over numbers of one byte; where it stops, or at `end`. */
function shortNumbersEnd(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && bytes[at] < 0x80) at += 1;
  return at;
}

export function skipNumbers(reader: ByteReader, count: number): void {
  const start = reader.offset;
  reader.offset = shortNumbersEnd(reader.bytes, start, start + count);
  for (let i = reader.offset - start; i < count; i++) readNumber(reader);
}

export function sumNumbers(reader: ByteReader, count: number): number {
  const { bytes, offset } = reader;
  const end = shortNumbersEnd(bytes, offset, offset + count);
  let sum = 0;
  for (let at = offset; at < end; at++) sum += bytes[at];
  reader.offset = end;
  for (let i = end - offset; i < count; i++) sum += readNumber(reader);
  return sum;
}

export function readOffsets(reader: ByteReader, count: number): Uint32Array {
  const offsets = new Uint32Array(count + 1);
  let sum = 0;
  for (let i = 0; i < count; i++) {
    sum += readNumber(reader);
    if (sum > reader.bytes.length) throw new DvError('corrupt', 'tree node ends too early');
    offsets[i + 1] = sum;
  }
  return offsets;
}

/** Varints of any size, most of up to three bytes. @throws DvError `corrupt` */
export function readVarints(reader: ByteReader, count: number): Float64Array {
  const { bytes } = reader;
  const numbers = new Float64Array(count);
  let at = reader.offset;
  for (let i = 0; i < count; i++) {
    const first = bytes[at];
    const second = bytes[at + 1];
    const third = bytes[at + 2];
    if (first < 0x80) {
      numbers[i] = first;
      at += 1;
    } else if (second > 0 && second < 0x80) {
      numbers[i] = (first & 0x7f) | (second << 7);
      at += 2;
    } else if (second >= 0x80 && third > 0 && third < 0x80) {
      numbers[i] = (first & 0x7f) | ((second & 0x7f) << 7) | (third << 14);
      at += 3;
    } else {
      reader.offset = at;
      numbers[i] = reader.varint();
      at = reader.offset;
    }
  }
  reader.offset = at;
  return numbers;
}
