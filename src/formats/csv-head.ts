/**
 * The beginning of a CSV file: how it is written, its columns, and where the rows start.
 */
import type { Dialect, FormatName } from './contract.ts';
import { delimiterByte, guessDelimiter, guessNewline, type Newline } from './csv-dialect.ts';
import { checkHeader, emptyFile, flawError, tooManyColumns } from './csv-errors.ts';
import { QuotingMemory } from './csv-quoting.ts';
import {
  cellText,
  countByte,
  isBlank,
  type Marks,
  needsQuotes,
  type PlainRecord,
  type Stretch,
  splitRecord,
} from './csv-record.ts';
import type { TextBlock } from './text-block.ts';
import { CR, LF } from './text-encoding.ts';

export const MAX_COLUMNS = 16_384;

/** What the beginning of a file tells. */
export interface Head {
  readonly delimiter: string;
  readonly marks: Marks;
  readonly newline: Newline;
  readonly bom: boolean;
  readonly header: boolean;
  readonly quotedHeader: boolean;
  readonly names: readonly string[];
  /** What the header tells of the quoting; fresh for each reading of the rows. */
  startQuoting(): QuotingMemory;
  /** Bytes (behind the byte order mark) and lines before the first row. */
  readonly bytes: number;
  readonly lines: number;
}

/**
 * Reads the beginning of the file from `block`, which is fresh.
 * @throws DvError `file-empty`, `bad-header`, `too-many-columns`, `bad-option`
 */
export async function readHead(
  format: FormatName,
  file: string,
  block: TextBlock,
  given: Partial<Dialect>,
): Promise<Head> {
  await block.fill();
  const { bom, start } = block;
  if (block.end === start) throw emptyFile(file);
  const sample: Stretch = { bytes: block.bytes, end: block.end, final: block.atEnd };
  const newline = guessNewline(sample, start) ?? given.newline ?? '\n';
  const lineEnd = newline === '\r' ? CR : LF;
  const delimiter =
    given.delimiter ?? (format === 'tsv' ? '\t' : guessDelimiter(sample, start, lineEnd));
  const marks = { delimiter: delimiterByte(delimiter), lineEnd };

  const header = given.header ?? true;
  const first = await firstRecord(file, block, marks);
  if (first === undefined && header) throw emptyFile(file);
  const count = first?.cells.length ?? 1;
  const place = { file, line: block.line };
  if (count > MAX_COLUMNS) throw tooManyColumns(place, count, MAX_COLUMNS);
  const shared = { delimiter, marks, newline, bom, header };
  if (first === undefined || !header) {
    const names = Array.from({ length: count }, (_, i) => `c${i + 1}`);
    const startQuoting = () => new QuotingMemory(count, marks.delimiter, !bom);
    return { ...shared, quotedHeader: false, names, startQuoting, bytes: 0, lines: 0 };
  }
  const { bytes } = block;
  const names = first.cells.map((cell) => cellText(bytes, cell));
  checkHeader(place, names);
  return {
    ...shared,
    quotedHeader: isNeedlesslyQuoted(bytes, first, marks),
    names,
    startQuoting: () => {
      const memory = new QuotingMemory(count, marks.delimiter, false);
      memory.observeHeader(bytes, first.cells);
      return memory;
    },
    bytes: block.consumed + first.next - block.start,
    lines: block.line - 1 + countByte(bytes, lineEnd, block.start, first.next),
  };
}

/** The first record that is not blank, at the block's start; undefined when there is none. */
async function firstRecord(
  file: string,
  block: TextBlock,
  marks: Marks,
): Promise<PlainRecord | undefined> {
  for (;;) {
    const { bytes, end, atEnd: final, start } = block;
    const record =
      start === end && final ? undefined : splitRecord({ bytes, end, final }, start, marks);
    if (record === undefined && final) return undefined;
    if (record === undefined) await block.fill();
    else if (isBlank(record)) {
      block.start = record.next;
      block.line += 1;
    } else if (record.flaw === undefined) return record;
    else throw flawError(record, { file, line: block.line, bytes, start, marks });
  }
}

/** True when all cells are quoted and one need not be. */
function isNeedlesslyQuoted(bytes: Uint8Array, record: PlainRecord, marks: Marks): boolean {
  return (
    record.cells.every((cell) => cell.quoted) &&
    record.cells.some((cell) => !needsQuotes(bytes, cell.start, cell.end, marks.delimiter))
  );
}
