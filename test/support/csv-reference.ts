/**
 * CSV as csv-reader.ts promises it, written a second time: on strings, with a regular
 * expression a cell, slow and plain.
 */
import type { Row } from '../../src/tuple/schema.ts';

export type Reference =
  | {
      readonly columns: readonly string[];
      readonly rows: readonly Row[];
      readonly lines: readonly number[];
    }
  | { readonly error: string };

interface Found {
  readonly cells: Row;
  readonly line: number;
}

export function readReference(text: string, delimiter: string, header: boolean): Reference {
  const unquoted = text.replaceAll(/"[^"]*("|$)/g, '');
  const lineEnd = unquoted.includes('\r') && !unquoted.includes('\n') ? '\r' : '\n';
  if (text === '') return { error: 'file-empty' };
  const found: Found[] = [];
  let columns: string[] | undefined;
  let flaw: string | undefined;
  let at = 0;
  while (at < text.length) {
    const line = text.slice(0, at).split(lineEnd).length;
    const record = recordAt(text, at, delimiter, lineEnd);
    if (typeof record === 'string') {
      flaw = record;
      break;
    }
    at = record.next;
    const { cells } = record;
    if (header && columns === undefined) {
      if (cells.length === 1 && cells[0] === null) continue;
      columns = cells.map((cell) => cell ?? '');
      if (columns.includes('') || new Set(columns).size < columns.length) {
        return { error: 'bad-header' };
      }
    } else found.push({ cells, line });
  }
  if (columns === undefined && (header || found.length === 0)) {
    return { error: flaw ?? 'file-empty' };
  }
  const isBlank = ({ cells }: Found) => cells.length === 1 && cells[0] === null;
  const first = found.find((row) => !isBlank(row)) ?? found[0];
  columns ??= first.cells.map((_, i) => `c${i + 1}`);
  const width = columns.length;
  const kept = width === 1 ? found : found.filter((row) => !isBlank(row));
  if (kept.some(({ cells }) => cells.length !== width)) return { error: 'ragged-line' };
  if (flaw !== undefined) return { error: flaw };
  return { columns, rows: kept.map((row) => row.cells), lines: kept.map((row) => row.line) };
}

/** The cells of the record at `start` and where the next starts; or what is wrong with it. */
function recordAt(
  text: string,
  start: number,
  delimiter: string,
  lineEnd: string,
): { readonly cells: Row; readonly next: number } | 'bad-quote' | 'unterminated-quote' {
  const end = lineEnd === '\n' ? /\r?\n|\r?$/y : /\r|$/y;
  const cells: (string | null)[] = [];
  for (let at = start; ; at += 1) {
    if (text[at] === '"') {
      const quoted = /"((?:[^"]|"")*)"(?!")/y;
      quoted.lastIndex = at;
      const match = quoted.exec(text);
      if (match === null) return 'unterminated-quote';
      cells.push(match[1].replaceAll('""', '"'));
      at = quoted.lastIndex;
    } else {
      let cell = '';
      for (; text[at] !== delimiter && !matches(end, text, at); at++) cell += text[at];
      cells.push(cell === '' ? null : cell);
    }
    if (matches(end, text, at)) return { cells, next: end.lastIndex };
    if (text[at] !== delimiter) return 'bad-quote';
  }
}

function matches(pattern: RegExp, text: string, at: number): boolean {
  pattern.lastIndex = at;
  return pattern.test(text);
}
