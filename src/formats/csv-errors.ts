/**
 * What can be wrong with the records of a CSV file, with file, line (1-based, as an editor
 * counts them) and column (1-based, in cells).
 */
import { DvError } from '../errors.ts';
import { countByte, type Marks, type PlainRecord } from './csv-record.ts';

export interface Place {
  readonly file: string;
  readonly line: number;
}

export function raggedLine(place: Place, expected: number, found: number): DvError {
  return new DvError(
    'ragged-line',
    `"${place.file}" has ${cells(found)} on line ${place.line}, expected ${expected}`,
    {
      hint:
        found === 1
          ? 'is it the right delimiter? --delimiter sets another'
          : 'quote cells that contain the delimiter, or set another with --delimiter',
      data: { ...place, expected, found },
    },
  );
}

/** Where a flawed record is: `start` in `bytes`, on `line`. */
export interface RecordPlace extends Place {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly marks: Marks;
}

/** The error of a record that has a flaw: where text follows a quote, or one was opened. */
export function flawError(record: PlainRecord, place: RecordPlace): DvError {
  const { file, bytes, start, marks } = place;
  const column = record.cells.length;
  const open = record.flaw === 'unterminated-quote';
  const at = open ? record.cells[column - 1].start : record.next;
  const line = place.line + countByte(bytes, marks.lineEnd, start, at);
  const what = open ? 'a quote that is never closed' : 'text behind a closing quote';
  return new DvError(
    open ? 'unterminated-quote' : 'bad-quote',
    `"${file}" has ${what} on line ${line}, column ${column}`,
    { hint: 'inside quotes, write a quote as two: ""', data: { file, line, column } },
  );
}

export function emptyFile(file: string): DvError {
  return new DvError('file-empty', `"${file}" is empty`, {
    hint: 'a table without rows still has a header line',
    data: { file },
  });
}

export function tooManyColumns(place: Place, found: number, limit: number): DvError {
  return new DvError(
    'too-many-columns',
    `"${place.file}" has ${found} columns, more than ${limit}`,
    {
      hint: 'is it the right delimiter? --delimiter sets another',
      data: { ...place, found, limit },
    },
  );
}

/**
 * Checks the names of a header.
 * @throws DvError `bad-header` when one is empty or occurs twice
 */
export function checkHeader(place: Place, names: readonly string[]): void {
  const positions = new Map<string, number[]>();
  names.forEach((name, i) => {
    positions.set(name, [...(positions.get(name) ?? []), i + 1]);
  });
  for (const [name, columns] of positions) {
    if (name !== '' && columns.length === 1) continue;
    const where = `${columns.length === 1 ? 'column' : 'columns'} ${columns.join(', ')}`;
    throw new DvError(
      'bad-header',
      name === ''
        ? `"${place.file}" has no name in its header for ${where}`
        : `"${place.file}" has the name "${name}" in its header for ${where}`,
      {
        hint: 'name every column once; for a file without a header line, add --no-header',
        data: { ...place, name, columns },
      },
    );
  }
}

function cells(count: number): string {
  return count === 1 ? '1 cell' : `${count} cells`;
}
