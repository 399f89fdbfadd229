/**
 * The schema that a batch of rows needs: what write-schema.ts does for rows as objects, by the
 * same rules. Rows that are deletes say nothing of columns and types.
 */
import { TypeInference } from '../tuple/infer.ts';
import { withRules } from '../tuple/merge-rules.ts';
import type { RowBatch } from '../tuple/row-batch.ts';
import type { Column, ColumnType, Schema } from '../tuple/schema.ts';
import type { TableWrites, WriteBatch } from './contract.ts';
import { checkColumnName, newTable, typeMismatch, unknownColumn } from './write-schema.ts';

export interface FittedBatch {
  readonly schema: Schema;
  /** Batch column of each schema column; -1: the batch has none. */
  readonly sources: readonly number[];
}

/** @throws DvError `unknown-column`, `type-mismatch`, `too-many-columns`, `bad-name`, ... */
export function fitBatch(
  request: TableWrites,
  batch: WriteBatch,
  known: Schema | undefined,
  isOpen: boolean,
): FittedBatch {
  const upserts = upsertsOf(batch);
  const names = known?.columns.map(({ name }) => name) ?? [];
  const places = new Map(names.map((name, i) => [name, i]));
  if (upserts.rows > 0) {
    for (const name of batch.columns) {
      if (name === undefined || places.has(name)) continue;
      if (known !== undefined && !isOpen) {
        throw unknownColumn(request.table, { name, row: upserts.lines[0] });
      }
      places.set(checkColumnName(request.table, name), names.length);
      names.push(name);
    }
  }
  const types = fitTypes(request, batch, upserts, known, isOpen, places);
  const sources = new Array<number>(names.length).fill(-1);
  for (const [column, name] of batch.columns.entries()) {
    const place = name === undefined ? undefined : places.get(name);
    if (place !== undefined) sources[place] = column;
  }
  const columns = names.map((name, i): Column => ({ name, type: types[i] }));
  if (known === undefined) {
    return { schema: newTable(request, columns, inOrder(upserts, sources)), sources };
  }
  const isSame = columns.every(({ type }, i) => type === known.columns[i]?.type);
  if (isSame) return { schema: known, sources };
  return { schema: withRules({ columns, key: known.key }, known.rules), sources };
}

/** Types by schema column. */
function fitTypes(
  request: TableWrites,
  batch: WriteBatch,
  upserts: RowBatch,
  known: Schema | undefined,
  isOpen: boolean,
  places: ReadonlyMap<string, number>,
): ColumnType[] {
  const types = known?.columns.map(({ type }) => type) ?? [];
  const inference = new TypeInference((column) => {
    const name = batch.columns[column];
    const place = name === undefined ? undefined : places.get(name);
    // What becomes no column of the table is looked at by nobody.
    if (name === undefined || place === undefined) return { initial: 'text', fixed: true };
    const own = known?.columns[place]?.type;
    if (own !== undefined) return { initial: own, fixed: !isOpen };
    const given = request.types?.[name];
    return given === undefined ? {} : { initial: given, fixed: true };
  });
  inference.observe(upserts);
  const [misfit] = inference.misfits().sort((a, b) => a.line - b.line);
  if (misfit !== undefined) {
    throw typeMismatch(request.table, batch.columns[misfit.column] ?? '', misfit);
  }
  const found = inference.result(batch.columns.length);
  for (const [column, name] of batch.columns.entries()) {
    const place = name === undefined ? undefined : places.get(name);
    if (place !== undefined && upserts.rows > 0) types[place] = found[column].type;
  }
  return types;
}

/** The rows that are no deletes: the batch itself where all are. */
function upsertsOf({ rows, deletes }: WriteBatch): RowBatch {
  if (deletes === undefined) return rows;
  const width = rows.columns * 2;
  const cells = new Int32Array(rows.rows * width);
  const lines = new Float64Array(rows.rows);
  let count = 0;
  for (let row = 0; row < rows.rows; row++) {
    if (deletes[row] === 1) continue;
    cells.set(rows.cells.subarray(row * width, (row + 1) * width), count * width);
    lines[count++] = rows.lines[row];
  }
  return { rows: count, columns: rows.columns, bytes: rows.bytes, cells, lines };
}

/** The batch with its columns as the schema has them: for the choice of a key. */
function inOrder(batch: RowBatch, sources: readonly number[]): RowBatch {
  const cells = new Int32Array(batch.rows * sources.length * 2);
  for (let row = 0; row < batch.rows; row++) {
    for (const [column, source] of sources.entries()) {
      const to = (row * sources.length + column) * 2;
      const from = (row * batch.columns + source) * 2;
      cells[to] = batch.cells[from];
      cells[to + 1] = batch.cells[from + 1];
    }
  }
  return {
    ...batch,
    rows: batch.rows,
    bytes: batch.bytes,
    lines: batch.lines,
    columns: sources.length,
    cells,
  };
}
