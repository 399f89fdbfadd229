/**
 * Reads CSV and TSV into row batches.
 *
 * - An unquoted empty field is null, `""` is an empty string; spaces are data. A quote counts
 *   only as the first byte of a field; elsewhere in an unquoted field it is data, and so is a
 *   CR that no LF follows.
 * - A line with nothing on it is skipped in a file of two columns or more (a row of nulls has
 *   delimiters). In a file of one column it is a row: null. Blank lines before the header
 *   are always skipped.
 * - Lines count as an editor counts them: also inside quotes, and blank ones.
 *
 * The file is opened twice: once for its beginning (dialect, header), then for the rows.
 */
import type { RowBatch } from '../tuple/row-batch.ts';
import type { ByteSource, Dialect, FormatName, ReadOptions, TableReader } from './contract.ts';
import { SAMPLE_BYTES } from './csv-dialect.ts';
import { type Head, readHead } from './csv-head.ts';
import type { QuotingMemory } from './csv-quoting.ts';
import { CsvScanner, unescapeCells } from './csv-scan.ts';
import { TextBlock } from './text-block.ts';
import type { Encoding } from './text-encoding.ts';

/** Sizes that bound memory; tests make them small to see the seams. */
export interface ReaderLimits {
  readonly blockBytes: number;
  readonly recordBytes: number;
  readonly batchCells: number;
}

const LIMITS: ReaderLimits = {
  blockBytes: 256 * 1024,
  recordBytes: 64 * 1024 * 1024,
  batchCells: 64 * 1024,
};

/**
 * @throws DvError `file-empty`, `bad-header`, `too-many-columns`, `bad-option`, and what
 * `batches` may throw when it is in the file's beginning
 */
export async function openCsvReader(
  format: FormatName,
  source: ByteSource,
  options: ReadOptions,
  limits: ReaderLimits = LIMITS,
): Promise<TableReader> {
  const given = options.dialect ?? {};
  const encoding = given.encoding ?? 'utf-8';
  const block = new TextBlock(source, { encoding, size: SAMPLE_BYTES, limit: limits.recordBytes });
  try {
    const head = await readHead(format, source.name, block, given);
    return new CsvReader({ source, format, given, encoding, limits, head });
  } finally {
    await block.close();
  }
}

interface OpenFile {
  readonly source: ByteSource;
  readonly format: FormatName;
  readonly given: Partial<Dialect>;
  readonly encoding: Encoding;
  readonly limits: ReaderLimits;
  readonly head: Head;
}

class CsvReader implements TableReader {
  readonly columns: readonly string[];
  readonly declaredTypes: readonly undefined[];
  readonly #file: OpenFile;
  #quoting: QuotingMemory;
  #finalNewline = true;

  constructor(file: OpenFile) {
    this.columns = file.head.names;
    this.declaredTypes = file.head.names.map(() => undefined);
    this.#file = file;
    this.#quoting = file.head.startQuoting();
  }

  async *batches(): AsyncGenerator<RowBatch> {
    const { source, encoding, limits, head } = this.#file;
    const columns = this.columns.length;
    const { batchCells, blockBytes: size, recordBytes: limit } = limits;
    const block = new TextBlock(source, { encoding, size, limit });
    const scanner = new CsvScanner({ file: source.name, columns, marks: head.marks, batchCells });
    this.#quoting = head.startQuoting();
    try {
      await block.fill();
      await block.skip(head.bytes);
      block.line = 1 + head.lines;
      for (;;) {
        const full = scanner.scan(block);
        const { rows, cells, lines } = scanner;
        const quoted = scanner.quoted.subarray(0, scanner.quotedCount);
        if (rows > 0) {
          this.#quoting.observe(block.bytes, cells, rows, quoted);
          unescapeCells(block.bytes, cells, quoted);
          yield { rows, columns, bytes: block.bytes, cells, lines };
        }
        if (full) continue;
        if (block.atEnd) break;
        await block.fill();
      }
      this.#finalNewline = block.lastByte === head.marks.lineEnd;
    } finally {
      await block.close();
    }
  }

  dialect(): Dialect {
    const { format, given, encoding, head } = this.#file;
    const { delimiter, header, newline, bom, quotedHeader } = head;
    const learnt = this.#quoting.result(this.columns);
    const { quoting = given.quoting ?? 'minimal', quotedEdges } = learnt;
    return {
      format,
      delimiter,
      header,
      ...(quoting === 'minimal' ? {} : { quoting }),
      ...(quotedHeader ? { quotedHeader } : {}),
      ...(quotedEdges ? { quotedEdges } : {}),
      ...(newline === '\n' ? {} : { newline }),
      ...(this.#finalNewline ? {} : { finalNewline: false }),
      ...(bom ? { bom } : {}),
      ...(encoding === 'utf-8' ? {} : { encoding }),
    };
  }

  mixedColumns(): readonly string[] {
    return [];
  }
}
