/**
 * What every file format offers: a streaming reader into row batches and a writer back.
 * Formats see bytes, never paths; memory is bounded by a batch and the largest record.
 */
import type { RowBatch } from '../tuple/row-batch.ts';
import type { ColumnType, Schema } from '../tuple/schema.ts';

export const FORMAT_NAMES = ['csv', 'tsv', 'ndjson', 'json', 'parquet'] as const;
export type FormatName = (typeof FORMAT_NAMES)[number];

/**
 * How a file was written, so that it can be written the same way again. Plain data, kept
 * beside the table in the root. Absent fields mean the format's default.
 */
export interface Dialect {
  readonly format: FormatName;
  /** CSV: one byte as text. */
  readonly delimiter?: string;
  /** CSV: which non-null cells are quoted although they need not be. Default `minimal`. */
  readonly quoting?: 'minimal' | 'all' | readonly string[];
  /** CSV: whether the header's names are all quoted. */
  readonly quotedHeader?: boolean;
  /** CSV: whether cells with white space at either end are quoted. */
  readonly quotedEdges?: boolean;
  readonly newline?: '\n' | '\r\n' | '\r';
  readonly finalNewline?: boolean;
  readonly bom?: boolean;
  /** CSV: false when the file has no header line; columns are then named c1, c2, ... */
  readonly header?: boolean;
  readonly encoding?: 'utf-8' | 'latin1';
  /** JSON: whether an absent cell is written as `null` or left out. */
  readonly nulls?: 'absent' | 'null';
  /** JSON: names in the order of a record's members, where it is not that of the columns. */
  readonly members?: readonly string[];
  /** JSON array: spaces of indentation; 0 is one line. */
  readonly indent?: number;
  /** JSON array: the indentation is of tabs. */
  readonly tabs?: boolean;
  /** JSON array of objects on one line each: what stands before, between and behind them. */
  readonly gaps?: readonly [open: string, between: string, close: string];
  /** JSON: a space behind every colon, and comma within a line. Default: only when indented. */
  readonly spaced?: boolean;
  /** JSON: characters beyond ASCII are written as escapes. */
  readonly ascii?: boolean;
  /** JSON: `/` in strings is written `\/`. */
  readonly slashes?: boolean;
  /** Parquet: how columns are stored (see parquet-kinds.ts) and compressed. */
  readonly parquet?: ParquetLayout;
}

export interface ParquetLayout {
  readonly codec?: string;
  readonly columns: readonly ParquetColumn[];
}

export interface ParquetColumn {
  readonly name: string;
  readonly kind: string;
  readonly [field: string]: string | number | boolean;
}

/** Bytes to read, from the start, as often as asked. Already decompressed. */
export interface ByteSource {
  /** Name for error messages. */
  readonly name: string;
  /** Size in bytes where known (for progress and random access). */
  readonly size: number | undefined;
  stream(): AsyncIterable<Uint8Array>;
  /** Random access, where the source is a plain file. */
  readRange?(start: number, end: number): Promise<Uint8Array>;
}

export interface ReadOptions {
  /** What is known of the dialect: from the command line or remembered. Rest is detected. */
  readonly dialect?: Partial<Dialect>;
  /** JSON: columns whose cells are to be given as JSON text, strings quoted. */
  readonly rawJson?: ReadonlySet<string>;
}

export interface TableReader {
  /**
   * Column names in file order. JSON readers append while batches are read; while a batch is at
   * hand there are `batch.columns` of them.
   */
  readonly columns: readonly string[];
  /** Types the source declares, by column; undefined where it does not say. */
  readonly declaredTypes: readonly (ColumnType | undefined)[];
  /**
   * Streams the rows; a batch is valid until the next is asked for.
   * @throws DvError with `file`, `line` and, where there is one, `column` in `data`.
   */
  batches(): AsyncIterable<RowBatch>;
  /** Complete once `batches` has ended. */
  dialect(): Dialect;
  /** JSON: columns that hold strings beside other kinds, so need `rawJson` to be lossless. */
  mixedColumns(): readonly string[];
}

export interface TableWriter {
  /**
   * Where a writer has it: takes note of rows before any is written. Given all of them first,
   * the writer chooses types that hold every cell; else it must judge by the first ones.
   */
  survey?(batch: RowBatch): void;
  /** Bytes for the rows, header included with the first call. Cells in schema order. */
  write(batch: RowBatch): Promise<Uint8Array | undefined>;
  /** What remains to be written. */
  end(): Promise<Uint8Array | undefined>;
}

export interface Format {
  openReader(source: ByteSource, options: ReadOptions): Promise<TableReader>;
  createWriter(schema: Schema, dialect: Dialect): TableWriter;
}
