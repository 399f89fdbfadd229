/**
 * The reader of Parquet files: row group by row group, page by page, a few thousand rows at a
 * time, so that a row group of a million rows needs no more memory than a small one.
 */
import { isUtf8 } from 'node:buffer';
import type { ColumnChunk, FileMetaData, RowGroup } from 'hyparquet';
import { ByteWriter } from '../bytes.ts';
import { DvError } from '../errors.ts';
import type { RowBatch } from '../tuple/row-batch.ts';
import { COLUMN_TYPES, type ColumnType } from '../tuple/schema.ts';
import type { ByteSource, Dialect, TableReader } from './contract.ts';
import {
  encrypted,
  type FileAccess,
  loadLibrary,
  openAccess,
  type ParquetLibrary,
  readMetadata,
} from './parquet-access.ts';
import { badParquet, decoding } from './parquet-errors.ts';
import { columnTypeOf } from './parquet-kinds.ts';
import { layoutOf } from './parquet-layout.ts';
import { LeafCursor } from './parquet-leaf.ts';
import { NestedColumn } from './parquet-nested.ts';
import { ColumnChunkReader } from './parquet-pages.ts';
import { columnFields, type Field, type Leaf } from './parquet-schema.ts';

/** A batch ends at any of these. */
const BATCH_ROWS = 4096;
const BATCH_BYTES = 4 << 20;
const BATCH_CELLS = 1 << 18;
/** Largest row, as text. */
const ROW_LIMIT = 64 << 20;
/** What all columns together read of the file at once. */
const READ_AHEAD = 32 << 20;

export async function openParquet(source: ByteSource): Promise<ParquetReader> {
  const [access, library] = await Promise.all([openAccess(source), loadLibrary()]);
  const metadata = await readMetadata(access, library);
  const tree = decoding({ file: access.file }, () => library.parquetSchema(metadata));
  const fields = columnFields(access.file, tree);
  checkRows(access.file, metadata);
  if (fields.length === 0) {
    throw new DvError('file-empty', `"${access.file}" has no columns`, {
      data: { file: access.file },
    });
  }
  return new ParquetReader(access, library, metadata, fields);
}

/** A group whose number of rows is damaged must not pass for an empty one. */
function checkRows(file: string, { num_rows: all, row_groups: groups }: FileMetaData): void {
  const counts = groups.map((group) => group.num_rows as unknown);
  const rows = counts.reduce((sum: number, count) => sum + Number(count), 0);
  const areCounts = counts.every((count) => typeof count === 'bigint' && count >= 0n);
  if (areCounts && rows === Number(all)) return;
  throw badParquet({ file }, 'damaged (the row groups do not add up to the number of rows)');
}

export class ParquetReader implements TableReader {
  readonly columns: readonly string[];
  readonly #access: FileAccess;
  readonly #library: ParquetLibrary;
  readonly #metadata: FileMetaData;
  readonly #fields: readonly Field[];
  readonly #leaves: readonly Leaf[];
  readonly #out = new ByteWriter(BATCH_BYTES / 4);
  #cells = new Int32Array(0);
  #lines = new Float64Array(0);
  /** Rows handed on so far. */
  #row = 0;

  constructor(
    access: FileAccess,
    library: ParquetLibrary,
    metadata: FileMetaData,
    fields: readonly Field[],
  ) {
    this.#access = access;
    this.#library = library;
    this.#metadata = metadata;
    this.#fields = fields;
    this.#leaves = fields.flatMap((field) => field.leaves);
    this.columns = fields.map((field) => field.name);
  }

  get declaredTypes(): readonly (ColumnType | undefined)[] {
    const written = typesWritten(this.#metadata);
    return this.#fields.map((field) => {
      if (field.shape !== 'leaf' || field.repetition === 'REPEATED') return 'json';
      const [leaf] = field.leaves;
      const type = columnTypeOf(leaf.kind);
      if (leaf.unfit) return type === 'integer' ? 'decimal' : 'text';
      return leaf.kind.kind === 'text' ? (written.get(field.name) ?? type) : type;
    });
  }

  mixedColumns(): readonly string[] {
    return [];
  }

  dialect(): Dialect {
    return { format: 'parquet', parquet: layoutOf(this.#metadata, this.#fields) };
  }

  async *batches(): AsyncIterable<RowBatch> {
    this.#row = 0;
    for (const group of this.#metadata.row_groups) {
      if (group.num_rows > 0) yield* this.#readGroup(group);
    }
  }

  async *#readGroup(group: RowGroup): AsyncIterable<RowBatch> {
    const cursors = decoding({ file: this.#access.file }, () => this.#openGroup(group));
    const columns = this.#fields.map((field) => cellWriter(field, cursors));
    let left = Number(group.num_rows);
    const step = this.#rowsAtOnce(group);
    while (left > 0) {
      const wanted = Math.min(left, step);
      for (const cursor of cursors) await cursor.prepare(wanted);
      const rows = this.#fill(columns, wanted);
      this.#check(cursors, rows);
      yield this.#batch(rows);
      this.#row += rows;
      left -= rows;
    }
    if (cursors.some((cursor) => cursor.rep >= 0)) throw this.#damaged('a row group is too long');
  }

  #damaged(why: string): DvError {
    return badParquet({ file: this.#access.file }, `damaged (${why})`);
  }

  #openGroup(group: RowGroup): LeafCursor[] {
    if (group.columns.length !== this.#leaves.length) {
      throw this.#damaged('a row group without some column');
    }
    const blockSize = Math.max(1 << 16, Math.min(1 << 20, READ_AHEAD / this.#leaves.length));
    return this.#leaves.map((leaf, i) => {
      const meta = this.#columnMetadata(group.columns[i], leaf);
      const source = new ColumnChunkReader(this.#access, this.#library, leaf, meta, blockSize);
      return new LeafCursor(leaf, source);
    });
  }

  #columnMetadata(chunk: ColumnChunk, leaf: Leaf) {
    const { meta_data: meta, crypto_metadata: crypto, file_path: path } = chunk;
    if (crypto !== undefined) throw encrypted(this.#access.file);
    if (path !== undefined) {
      throw badParquet({ file: this.#access.file }, `its data is in another file, "${path}"`);
    }
    if (meta?.path_in_schema.join('\0') !== leaf.path.join('\0')) {
      throw this.#damaged('columns in another order than the schema');
    }
    return meta;
  }

  /** Rows whose pages are asked for together: fewer where they are large. */
  #rowsAtOnce(group: RowGroup): number {
    const rowBytes = Number(group.total_byte_size) / Number(group.num_rows);
    const byBytes = Math.floor(BATCH_BYTES / Math.max(1, rowBytes));
    const byCells = Math.floor(BATCH_CELLS / this.#fields.length);
    return Math.max(1, Math.min(BATCH_ROWS, byBytes, byCells));
  }

  /** Writes up to `wanted` rows into the batch; how many. */
  #fill(columns: readonly CellWriter[], wanted: number): number {
    const out = this.#out.clear();
    this.#makeRoom(wanted);
    let slot = 0;
    for (let row = 0; row < wanted; row++) {
      const before = out.length;
      for (const write of columns) {
        const start = out.length;
        const isThere = write(out);
        this.#cells[slot++] = isThere ? start : -1;
        this.#cells[slot++] = out.length;
      }
      if (out.length - before > ROW_LIMIT) throw this.#tooLarge(row);
      if (out.length >= BATCH_BYTES) return row + 1;
    }
    return wanted;
  }

  #makeRoom(rows: number): void {
    const slots = rows * this.#fields.length * 2;
    if (this.#cells.length < slots) this.#cells = new Int32Array(slots);
    if (this.#lines.length < rows) this.#lines = new Float64Array(rows);
    for (let row = 0; row < rows; row++) this.#lines[row] = this.#row + row + 1;
  }

  #tooLarge(row: number): DvError {
    const record = this.#row + row + 1;
    const file = this.#access.file;
    return new DvError('record-too-large', `"${file}": row ${record} is over 64 MiB`, {
      data: { file, line: record, limit: ROW_LIMIT },
    });
  }

  #check(cursors: readonly LeafCursor[], rows: number): void {
    if (cursors.some((cursor) => cursor.rep > 0)) {
      throw this.#damaged('lists of one row with different lengths');
    }
    // Whole texts one behind the other are valid where each starts with a whole character.
    const { bytes, length } = this.#out;
    let valid = isUtf8(bytes.subarray(0, length));
    const slots = rows * this.#fields.length * 2;
    for (let slot = 0; slot < slots && valid; slot += 2) {
      const start = this.#cells[slot];
      if (start >= 0 && (bytes[start] & 0xc0) === 0x80) valid = start === this.#cells[slot + 1];
    }
    if (!valid) throw this.#invalidUtf8(rows);
  }

  #invalidUtf8(rows: number): DvError {
    const file = this.#access.file;
    const width = this.#fields.length;
    const cell = Array.from({ length: rows * width }, (_, i) => i).find((i) => {
      const [start, end] = this.#cells.subarray(2 * i, 2 * i + 2);
      return start >= 0 && !isUtf8(this.#out.bytes.subarray(start, end));
    })!;
    const column = this.columns[cell % width];
    const line = this.#row + Math.floor(cell / width) + 1;
    return new DvError('invalid-utf8', `"${file}", row ${line}, column "${column}": not UTF-8`, {
      data: { file, line, column },
    });
  }

  #batch(rows: number): RowBatch {
    return {
      rows,
      columns: this.#fields.length,
      bytes: this.#out.bytes,
      cells: this.#cells,
      lines: this.#lines,
    };
  }
}

/** Appends the text of the row at hand and moves on; false, and nothing, where it is null. */
type CellWriter = (out: ByteWriter) => boolean;

function cellWriter(field: Field, cursors: readonly LeafCursor[]): CellWriter {
  if (field.shape !== 'leaf' || field.repetition === 'REPEATED') {
    const nested = new NestedColumn(field, cursors);
    return (out) => nested.write(out);
  }
  const cursor = cursors[field.leaves[0].index];
  const { maxDef } = field.leaves[0];
  return (out) => {
    const isThere = cursor.def === maxDef;
    if (isThere) out.raw(cursor.bytes, cursor.start, cursor.end);
    cursor.next();
    return isThere;
  };
}

/** Key of the column types that dv's own writer leaves in the file, for columns kept as text. */
export const TYPES_KEY = 'dv.types';
export const CREATED_BY = 'dv';

/** Trusted only in files that no other program has written since. */
function typesWritten(metadata: FileMetaData): ReadonlyMap<string, ColumnType> {
  const none = new Map<string, ColumnType>();
  if (metadata.created_by !== CREATED_BY) return none;
  const entry = metadata.key_value_metadata?.find(({ key }) => key === TYPES_KEY)?.value;
  try {
    const pairs = JSON.parse(entry ?? '[]') as [string, ColumnType][];
    return new Map(pairs.filter(([, type]) => COLUMN_TYPES.includes(type)));
  } catch {
    return none;
  }
}
