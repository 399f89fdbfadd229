/**
 * Guesses how a CSV file is written from its first 64 KiB: delimiter and line ends. What
 * quoting a file uses is only known once its rows were read: csv-quoting.ts.
 *
 * The delimiter is the candidate that splits every record of the sample into as many cells
 * as the first, more than one; failing that, the one that does so for most records, so that
 * a ragged file is reported as ragged and not read as one column; failing that, the comma.
 */
import { DvError } from '../errors.ts';
import type { Dialect } from './contract.ts';
import { isBlank, type Marks, QUOTE, type Stretch, splitRecord } from './csv-record.ts';
import { CR, LF } from './text-encoding.ts';

export const SAMPLE_BYTES = 64 * 1024;

const CANDIDATES = [',', ';', '\t', '|'];

export type Newline = NonNullable<Dialect['newline']>;

/** The byte of a delimiter given as text. @throws DvError `bad-option` */
export function delimiterByte(delimiter: string): number {
  const byte = delimiter.charCodeAt(0);
  if (delimiter.length !== 1 || byte > 0x7f || [0, QUOTE, LF, CR].includes(byte)) {
    throw new DvError('bad-option', `"${delimiter}" cannot be a delimiter`, {
      hint: 'give one ASCII character that is not a quote and not a line end',
      data: { value: delimiter },
    });
  }
  return byte;
}

/** The likeliest delimiter of the records from `start` on. */
export function guessDelimiter(sample: Stretch, start: number, lineEnd: number): string {
  let best = { delimiter: ',', agreement: 0.5, cells: 1 };
  for (const delimiter of CANDIDATES) {
    const marks = { delimiter: delimiter.charCodeAt(0), lineEnd };
    const { agreement, cells } = tryMarks(sample, start, marks);
    if (cells < 2 || agreement < best.agreement) continue;
    if (agreement > best.agreement || cells > best.cells) best = { delimiter, agreement, cells };
  }
  return best.delimiter;
}

/** How many cells the first record has, and the share of records that have as many. */
function tryMarks(
  sample: Stretch,
  start: number,
  marks: Marks,
): { readonly cells: number; readonly agreement: number } {
  let cells = 0;
  let records = 0;
  let agreeing = 0;
  for (let at = start; at < sample.end; ) {
    const partial = records === 0 ? { ...sample, final: true } : sample;
    const record = splitRecord(sample, at, marks) ?? splitRecord(partial, at, marks);
    if (record === undefined) break;
    if (record.flaw !== undefined) return { cells, agreement: agreeing / (records + 1) };
    at = record.next;
    if (isBlank(record)) continue;
    records += 1;
    if (records === 1) cells = record.cells.length;
    if (record.cells.length === cells) agreeing += 1;
  }
  return { cells, agreement: records === 0 ? 0 : agreeing / records };
}

/**
 * The first line end outside quotes; undefined when the sample has none. CR alone counts
 * only where the whole sample has no LF outside quotes.
 */
export function guessNewline(sample: Stretch, start: number): Newline | undefined {
  let quoted = false;
  let returned = false;
  for (let at = start; at < sample.end; at++) {
    const byte = sample.bytes[at];
    if (byte === QUOTE) quoted = !quoted;
    else if (quoted) continue;
    else if (byte === LF) return sample.bytes[at - 1] === CR ? '\r\n' : '\n';
    else if (byte === CR) returned = true;
  }
  return returned ? '\r' : undefined;
}
