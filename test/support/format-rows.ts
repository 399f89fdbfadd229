/** Whole tables in and out of a format, for tests of `src/formats`. */
import type {
  ByteSource,
  Dialect,
  Format,
  ReadOptions,
  TableReader,
} from '../../src/formats/contract.ts';
import { TypeInference } from '../../src/tuple/infer.ts';
import type { RowBatch } from '../../src/tuple/row-batch.ts';
import { rowsOf } from '../../src/tuple/row-batch-builder.ts';
import type { Cell, ColumnType, Row, Schema } from '../../src/tuple/schema.ts';

/** `bytes` in chunks of `chunk`; with `ranges`, also at random. */
export function sourceOf(bytes: Uint8Array | string, chunk = 65_536, ranges = false): ByteSource {
  const all = typeof bytes === 'string' ? Buffer.from(bytes) : bytes;
  async function* stream(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < all.length; at += chunk) yield all.subarray(at, at + chunk);
  }
  const random = { readRange: async (start: number, end: number) => all.subarray(start, end) };
  return { name: 'rows', size: all.length, stream, ...(ranges ? random : {}) };
}

export interface TableText {
  readonly columns: readonly string[];
  /** Every row as wide as `columns`. */
  readonly rows: readonly Row[];
  readonly lines: readonly number[];
  /** Declared by the file, else inferred. */
  readonly types: readonly ColumnType[];
  readonly declared: readonly (ColumnType | undefined)[];
  readonly mixed: readonly string[];
  readonly dialect: Dialect;
}

export async function readTable(
  format: Format,
  source: ByteSource | Uint8Array | string,
  options: ReadOptions = {},
): Promise<TableText> {
  const bytes = typeof source === 'string' || source instanceof Uint8Array;
  const reader = await format.openReader(bytes ? sourceOf(source) : source, options);
  const inference = new TypeInference();
  const rows: Row[] = [];
  const lines: number[] = [];
  for await (const batch of reader.batches()) {
    inference.observe(batch);
    rows.push(...rowsOf(batch));
    lines.push(...batch.lines.subarray(0, batch.rows));
  }
  return describe(reader, rows, lines, inference);
}

function describe(
  reader: TableReader,
  rows: readonly Row[],
  lines: readonly number[],
  inference: TypeInference,
): TableText {
  const columns = [...reader.columns];
  const declared = [...reader.declaredTypes];
  const inferred = inference.result(columns.length);
  return {
    columns,
    rows: rows.map((row) => columns.map((_, i) => row[i] ?? null)),
    lines,
    types: columns.map((_, i) => declared[i] ?? inferred[i].type),
    declared,
    mixed: reader.mixedColumns(),
    dialect: reader.dialect(),
  };
}

/** As a program does that wants everything kept: a second time where columns are mixed. */
export async function readLossless(
  format: Format,
  source: ByteSource | Uint8Array | string,
): Promise<TableText> {
  const table = await readTable(format, source);
  if (table.mixed.length === 0) return table;
  return readTable(format, source, { rawJson: new Set(table.mixed) });
}

export function schemaOf(columns: readonly string[], types: readonly ColumnType[]): Schema {
  return { columns: columns.map((name, i) => ({ name, type: types[i] })), key: [] };
}

export function batchOf(rows: readonly Row[], columns: number, firstLine = 1): RowBatch {
  const cells = new Int32Array(rows.length * columns * 2).fill(-1);
  const texts: Buffer[] = [];
  let length = 0;
  rows.forEach((row, r) => {
    row.forEach((cell: Cell, c) => {
      if (cell === null) return;
      const text = Buffer.from(cell);
      cells.set([length, length + text.length], (r * columns + c) * 2);
      texts.push(text);
      length += text.length;
    });
  });
  const lines = Float64Array.from(rows, (_, i) => firstLine + i);
  return { rows: rows.length, columns, bytes: Buffer.concat(texts), cells, lines };
}

export async function writeTable(
  format: Format,
  schema: Schema,
  rows: readonly Row[],
  dialect: Dialect,
  rowsInBatch = 100,
): Promise<Buffer> {
  const writer = format.createWriter(schema, dialect);
  const parts: (Uint8Array | undefined)[] = [];
  for (let at = 0; at < rows.length; at += rowsInBatch) {
    const some = rows.slice(at, at + rowsInBatch);
    parts.push(await writer.write(batchOf(some, schema.columns.length, at + 1)));
  }
  parts.push(await writer.end());
  return Buffer.concat(parts.filter((part) => part !== undefined));
}
