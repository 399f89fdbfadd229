/**
 * A small CSV text as records with their lines: files that people fill in (conflicts), where
 * records need not be of one length. Tables go through csv-reader.ts.
 */
import { DvError } from '../errors.ts';
import type { Cell } from '../tuple/schema.ts';
import { guessDelimiter, guessNewline } from './csv-dialect.ts';
import { cellText, splitRecord } from './csv-record.ts';
import { CR, LF } from './text-encoding.ts';

export interface TextRecord {
  /** From 1. */
  readonly line: number;
  /** An empty cell without quotes is null. */
  readonly cells: readonly Cell[];
}

/** @throws DvError `bad-quote`, `unterminated-quote` with file and line */
export function* parseRecords(text: string, file: string): Generator<TextRecord> {
  const bytes = Buffer.from(text.replace(/^\uFEFF/, ''));
  const stretch = { bytes, end: bytes.length, final: true };
  const lineEnd = guessNewline(stretch, 0) === '\r' ? CR : LF;
  const delimiter = guessDelimiter(stretch, 0, lineEnd).charCodeAt(0);
  let line = 1;
  for (let at = 0; at < bytes.length; ) {
    const record = splitRecord(stretch, at, { delimiter, lineEnd });
    if (record === undefined || record.flaw !== undefined) {
      const flaw = record?.flaw ?? 'unterminated-quote';
      throw new DvError(flaw, `line ${line} of '${file}' has a quote in the wrong place`, {
        data: { file, line },
      });
    }
    const cells = record.cells.map((cell): Cell => {
      return cell.start === cell.end && !cell.quoted ? null : cellText(bytes, cell);
    });
    yield { line, cells };
    for (let i = at; i < record.next; i++) if (bytes[i] === lineEnd) line += 1;
    at = record.next;
  }
}
