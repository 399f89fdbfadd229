/**
 * One CSV record, read plainly: for the header, for guessing the dialect and for saying
 * what is wrong with a record. The rows themselves go through csv-scan.ts.
 */
import { CR, LF } from './text-encoding.ts';

export const QUOTE = 0x22;

/** UTF-8 of U+1680, U+2028, U+2029, U+202F, U+205F and U+3000. */
const WIDE_SPACES = [0xe19a80, 0xe280a8, 0xe280a9, 0xe280af, 0xe2819f, 0xe38080];

/** The two bytes that structure a file besides the quote. */
export interface Marks {
  readonly delimiter: number;
  /** LF (CR LF ends a line too), or CR in files that have no LF. */
  readonly lineEnd: number;
}

/** A stretch of bytes that records are read from. */
export interface Stretch {
  readonly bytes: Uint8Array;
  readonly end: number;
  /** The file ends at `end`. */
  readonly final: boolean;
}

/** bytes[start .. end), quotes around it excluded, doubled quotes still doubled. */
export interface PlainCell {
  readonly start: number;
  readonly end: number;
  readonly quoted: boolean;
}

export interface PlainRecord {
  readonly cells: readonly PlainCell[];
  /** Offset behind the record. */
  readonly next: number;
  /** Why reading stopped in the last of `cells`. */
  readonly flaw?: 'bad-quote' | 'unterminated-quote';
}

/** The record at `start`, or undefined when the stretch has only its beginning. */
export function splitRecord(
  stretch: Stretch,
  start: number,
  marks: Marks,
): PlainRecord | undefined {
  const { bytes, end, final } = stretch;
  const cells: PlainCell[] = [];
  for (let at = start; ; at += 1) {
    const quoted = at < end && bytes[at] === QUOTE;
    const cell = quoted
      ? { start: at + 1, end: closingQuote(stretch, at + 1), quoted }
      : { start: at, end: cellEnd(stretch, at, marks), quoted };
    cells.push(cell);
    if (quoted && cell.end === end) {
      return final ? { cells, next: end, flaw: 'unterminated-quote' } : undefined;
    }
    at = quoted ? cell.end + 1 : cell.end;
    if (endsInReturn(stretch, at, marks)) at += 1;
    if (at >= end) return final ? { cells, next: end } : undefined;
    if (bytes[at] === marks.lineEnd) return { cells, next: at + 1 };
    if (bytes[at] !== marks.delimiter) return { cells, next: at, flaw: 'bad-quote' };
  }
}

/** True for a line with nothing on it. */
export function isBlank(record: PlainRecord): boolean {
  const [first] = record.cells;
  return record.cells.length === 1 && !first.quoted && first.start === first.end;
}

/** The text of a cell. */
export function cellText(bytes: Buffer, cell: PlainCell): string {
  const text = bytes.toString('utf8', cell.start, cell.end);
  return cell.quoted ? text.replaceAll('""', '"') : text;
}

/** True when a non-null cell with these bytes has to be quoted. */
export function needsQuotes(
  bytes: Uint8Array,
  start: number,
  end: number,
  delimiter: number,
): boolean {
  for (let at = start; at < end; at++) {
    const byte = bytes[at];
    if (byte === delimiter || byte === QUOTE || byte === LF || byte === CR) return true;
  }
  return start === end;
}

/** True when the text bytes[start .. end) begins or ends with white space. Not empty. */
export function hasSpaceAtEdge(bytes: Uint8Array, start: number, end: number): boolean {
  if (isSpace(bytes, start)) return true;
  let last = end - 1;
  while ((bytes[last] & 0xc0) === 0x80 && last > start) last -= 1;
  return isSpace(bytes, last);
}

/** White space as Unicode has it: what JavaScript's `trim` takes away, but for U+FEFF. */
function isSpace(bytes: Uint8Array, at: number): boolean {
  const lead = bytes[at];
  if (lead < 0x80) return lead === 0x20 || (lead >= 0x09 && lead <= 0x0d);
  if (lead === 0xc2) return bytes[at + 1] === 0xa0;
  if (lead < 0xe1 || lead > 0xe3) return false;
  const character = (lead << 16) | (bytes[at + 1] << 8) | bytes[at + 2];
  return (character >= 0xe28080 && character <= 0xe2808a) || WIDE_SPACES.includes(character);
}

/** How often `byte` occurs in bytes[start .. end). */
export function countByte(bytes: Uint8Array, byte: number, start: number, end: number): number {
  let count = 0;
  for (let at = start; at < end; at++) if (bytes[at] === byte) count += 1;
  return count;
}

/** Offset of the quote that ends the cell at `from`, or `end`. */
function closingQuote({ bytes, end }: Stretch, from: number): number {
  let at = from;
  while (at < end) {
    if (bytes[at] !== QUOTE) at += 1;
    else if (at + 1 < end && bytes[at + 1] === QUOTE) at += 2;
    else return at;
  }
  return end;
}

/** Offset of what ends the unquoted cell at `from`: delimiter, line end or end of file. */
function cellEnd(stretch: Stretch, from: number, marks: Marks): number {
  const { bytes, end } = stretch;
  for (let at = from; at < end; at++) {
    const byte = bytes[at];
    if (byte === marks.delimiter || byte === marks.lineEnd) return at;
    if (byte === CR && endsInReturn(stretch, at, marks)) return at;
  }
  return end;
}

/** True when the CR at `at` is the first half of a line end. */
function endsInReturn({ bytes, end }: Stretch, at: number, marks: Marks): boolean {
  if (marks.lineEnd !== LF || at >= end || bytes[at] !== CR) return false;
  return at + 1 === end || bytes[at + 1] === LF;
}
