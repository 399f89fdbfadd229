/**
 * The writer of Parquet files, through hyparquet-writer: rows are gathered into groups of
 * bounded size, and each group's bytes handed on. The columns' storage is chosen once, from all
 * rows where they were surveyed, else from the first group.
 */
import { brotliCompressSync, gzipSync, zstdCompressSync } from 'node:zlib';
import type { CompressionCodec } from 'hyparquet';
import type { ByteWriter, ParquetWriter } from 'hyparquet-writer';
import type { RowBatch } from '../tuple/row-batch.ts';
import type { Schema } from '../tuple/schema.ts';
import type { Dialect, TableWriter } from './contract.ts';
import { ColumnChooser } from './parquet-columns.ts';
import { CREATED_BY, TYPES_KEY } from './parquet-reader.ts';

/** A row group ends at either. Bytes are those of memory, a cell's own included. */
const GROUP_ROWS = 100_000;
const GROUP_BYTES = 32 << 20;
const CELL_BYTES = 24;

const COMPRESSORS = {
  BROTLI: (input: Uint8Array) => brotliCompressSync(input),
  GZIP: (input: Uint8Array) => gzipSync(input),
  ZSTD: (input: Uint8Array) => zstdCompressSync(input),
};

/** Codecs that can be written; a file with another one is written with zstd. */
const CODECS: readonly (string | undefined)[] = [
  'UNCOMPRESSED',
  'SNAPPY',
  'GZIP',
  'BROTLI',
  'ZSTD',
];

type Texts = (string | null)[];

export class ParquetTableWriter implements TableWriter {
  readonly #choosers: readonly ColumnChooser[];
  readonly #codec: CompressionCodec;
  #surveyed = false;
  /** The rows of the group so far, by column. */
  #texts: Texts[];
  #rows = 0;
  #bytes = 0;
  #sink: ByteWriter | undefined;
  #writer: ParquetWriter | undefined;

  constructor(schema: Schema, dialect: Dialect) {
    const { parquet } = dialect;
    this.#choosers = schema.columns.map((column) => new ColumnChooser(column, parquet));
    this.#texts = schema.columns.map(() => []);
    const isKnown = CODECS.includes(parquet?.codec);
    this.#codec = isKnown ? (parquet!.codec as CompressionCodec) : 'ZSTD';
  }

  survey(batch: RowBatch): void {
    this.#surveyed = true;
    forEachCell(batch, (text, column) => {
      if (text !== null) this.#choosers[column].note(text);
    });
  }

  async write(batch: RowBatch): Promise<Uint8Array | undefined> {
    const judging = !this.#surveyed && this.#writer === undefined;
    forEachCell(batch, (text, column) => {
      this.#texts[column].push(text);
      this.#bytes += CELL_BYTES;
      if (text === null) return;
      this.#bytes += text.length;
      if (judging) this.#choosers[column].note(text);
    });
    this.#rows += batch.rows;
    if (this.#rows < GROUP_ROWS && this.#bytes < GROUP_BYTES) return undefined;
    await this.#flush();
    return this.#take();
  }

  async end(): Promise<Uint8Array | undefined> {
    await this.#flush();
    // Not before: the library would take the texts for values and make JSON of them.
    for (const element of this.#writer!.schema) {
      if (element.logical_type?.type === 'JSON') element.converted_type = 'JSON';
    }
    await this.#writer!.finish();
    return this.#take();
  }

  /** What has been written since the last time. */
  #take(): Uint8Array {
    const bytes = Uint8Array.from(this.#sink!.getBytes());
    this.#sink!.index = 0;
    return bytes;
  }

  async #flush(): Promise<void> {
    await this.#open();
    if (this.#rows === 0) return;
    const columnData = this.#choosers.map((chooser, i) => {
      const { plain, statistics } = chooser.choose(this.#surveyed);
      return {
        name: chooser.column.name,
        data: valuesInPlace(this.#texts[i], chooser),
        statistics,
        ...(plain ? { encoding: 'PLAIN' as const } : {}),
      };
    });
    this.#texts = this.#texts.map(() => []);
    await this.#writer!.write({ columnData, rowGroupSize: this.#rows });
    this.#rows = 0;
    this.#bytes = 0;
  }

  async #open(): Promise<void> {
    if (this.#writer !== undefined) return;
    const library = await import('hyparquet-writer');
    const elements = this.#choosers.flatMap((chooser) =>
      chooser.choose(this.#surveyed).elements(chooser.column.name),
    );
    this.#sink = new library.ByteWriter(1 << 20);
    this.#writer = new library.ParquetWriter({
      writer: this.#sink,
      schema: [{ name: 'root', num_children: this.#choosers.length }, ...elements],
      codec: this.#codec,
      compressors: COMPRESSORS,
      createdBy: CREATED_BY,
      ...this.#hiddenTypes(),
    });
  }

  #hiddenTypes() {
    const hidden = this.#choosers.filter((chooser) => chooser.isTypeHidden);
    const pairs = hidden.map(({ column }) => [column.name, column.type]);
    if (pairs.length === 0) return {};
    return { kvMetadata: [{ key: TYPES_KEY, value: JSON.stringify(pairs) }] };
  }
}

/** Texts and values of a group need not be in memory both. */
function valuesInPlace(texts: unknown[], chooser: ColumnChooser): unknown[] {
  for (const [row, text] of texts.entries()) {
    if (text !== null) texts[row] = chooser.value(text as string);
  }
  return texts;
}

function forEachCell(batch: RowBatch, visit: (text: string | null, column: number) => void): void {
  const bytes = Buffer.from(batch.bytes.buffer, batch.bytes.byteOffset, batch.bytes.length);
  let slot = 0;
  for (let row = 0; row < batch.rows; row++) {
    for (let column = 0; column < batch.columns; column++, slot += 2) {
      const start = batch.cells[slot];
      visit(start < 0 ? null : bytes.toString('utf8', start, batch.cells[slot + 1]), column);
    }
  }
}
