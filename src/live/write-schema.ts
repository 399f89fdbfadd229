/**
 * The schema that writes need: the table's own, or one that took in what is new.
 *
 *   1. A table that is not there: its columns in the order they are first named, its key as
 *      given or chosen as an import does.
 *   2. A column that is not there: at the end (`widen`), so that no row is rewritten; or refused.
 *   3. A cell that does not fit its column's type: the type that holds both (`widen`), which
 *      rewrites nothing but where the column is of the key; or refused.
 *
 * Only upserts and patches say anything of columns; a delete is known by its key alone.
 */
import { DvError } from '../errors.ts';
import { MAX_CHUNK_BYTES } from '../store/contract.ts';
import { misfitReason } from '../tuple/cell-type.ts';
import { type Misfit, TypeInference } from '../tuple/infer.ts';
import { keyCandidates, UniqueSample } from '../tuple/key-choice.ts';
import { withRules } from '../tuple/merge-rules.ts';
import type { RowBatch } from '../tuple/row-batch.ts';
import type { Column, Schema } from '../tuple/schema.ts';
import type { TableWrites } from './contract.ts';
import { batchOfWrites } from './write-rows.ts';

/** Characters of a cell that an error shows. */
const SHOWN = 80;

export interface FittedSchema {
  readonly schema: Schema;
  /** Cells of the rows in `numbers`, in the schema's columns. */
  readonly batch: RowBatch;
}

/**
 * `numbers`: the upserts and patches among the writes; `known`: the table's schema.
 * @throws DvError `unknown-column`, `type-mismatch`, `too-many-columns`, `bad-name`, ...
 */
export function fitSchema(
  request: TableWrites,
  numbers: readonly number[],
  known: Schema | undefined,
  isOpen: boolean,
): FittedSchema {
  const { table, writes } = request;
  const names = known?.columns.map(({ name }) => name) ?? [];
  const added = newNames(request, numbers, names);
  if (added.length > 0 && known !== undefined && !isOpen) throw unknownColumn(table, added[0]);
  for (const { name } of added) names.push(checkColumnName(table, name));
  const batch = batchOfWrites(table, writes, numbers, names);
  const inference = new TypeInference((column) => {
    const own = known?.columns[column]?.type;
    const given = known?.columns[column] === undefined ? request.types?.[names[column]] : undefined;
    if (own !== undefined) return { initial: own, fixed: !isOpen };
    return given === undefined ? {} : { initial: given, fixed: true };
  });
  inference.observe(batch);
  const [misfit] = inference.misfits().sort((a, b) => a.line - b.line);
  if (misfit !== undefined) throw typeMismatch(table, names[misfit.column], misfit);
  const types = inference.types(names.length);
  const columns = names.map((name, i): Column => ({ name, type: types[i] }));
  if (known === undefined) return { schema: newTable(request, columns, batch), batch };
  const isSame = columns.every(({ type }, i) => type === known.columns[i]?.type);
  const schema = isSame ? known : withRules({ columns, key: known.key }, known.rules);
  return { schema, batch };
}

export interface NewName {
  readonly name: string;
  readonly row: number;
}

function newNames(
  { writes }: TableWrites,
  numbers: readonly number[],
  names: readonly string[],
): NewName[] {
  const known = new Set(names);
  const added: NewName[] = [];
  for (const number of numbers) {
    for (const name of Object.keys(writes[number].cells)) {
      if (known.has(name)) continue;
      known.add(name);
      added.push({ name, row: number + 1 });
    }
  }
  return added;
}

export function unknownColumn(table: string, { name, row }: NewName): DvError {
  return new DvError('unknown-column', `'${table}' has no column "${name}" (row ${row})`, {
    hint: 'the drift "widen" adds columns as they come',
    data: { table, row, column: name },
  });
}

const MAX_NAME_BYTES = 4096;

export function checkColumnName(table: string, name: string): string {
  if (name.isWellFormed() && Buffer.byteLength(name) <= MAX_NAME_BYTES) return name;
  const shown = JSON.stringify(`${name.slice(0, 40)}`);
  throw new DvError('bad-name', `${shown} is no name for a column`, {
    hint: `a name is Unicode text of at most ${MAX_NAME_BYTES} bytes`,
    data: { table, name: name.slice(0, SHOWN) },
  });
}

export function typeMismatch(
  table: string,
  column: string,
  { type, line, value }: Misfit,
): DvError {
  const shown = JSON.stringify(value.length > SHOWN ? `${value.slice(0, SHOWN)}…` : value);
  const message = `${shown} in column "${column}" ${misfitReason(type, value)} (row ${line} for '${table}')`;
  return new DvError('type-mismatch', message, {
    hint: `the column is of type ${type}; the drift "widen" gives it a wider one`,
    data: { table, row: line, column, type, value: value.slice(0, 4 * SHOWN) },
  });
}

export function newTable(
  request: TableWrites,
  columns: readonly Column[],
  batch: RowBatch,
): Schema {
  const { table, key: names } = request;
  if (names === undefined) return { columns, key: chooseKey(table, columns, batch) };
  const key = names.map((name) => {
    const place = columns.findIndex((column) => column.name === name);
    if (place >= 0) return place;
    throw new DvError('unknown-column', `no row for '${table}' has the key column "${name}"`, {
      hint: 'every row names the cells of its key',
      data: { table, column: name },
    });
  });
  return { columns, key };
}

function chooseKey(table: string, columns: readonly Column[], batch: RowBatch): number[] {
  const candidates = keyCandidates(
    table,
    columns.map(({ name }) => name),
  );
  const sample = new UniqueSample(candidates);
  sample.observe(batch);
  return sample.survivors().slice(0, 1);
}

/** A schema is one object, whose size is bounded. @throws DvError `too-many-columns` */
export function checkSchemaSize(table: string, schema: Schema, bytes: number): void {
  if (bytes <= MAX_CHUNK_BYTES) return;
  const count = schema.columns.length;
  throw new DvError(
    'too-many-columns',
    `the names of the ${count} columns of '${table}' take ${bytes} bytes, more than ${MAX_CHUNK_BYTES}`,
    {
      hint: 'shorten the names, or split the table',
      data: { table, columns: count, bytes, limit: MAX_CHUNK_BYTES },
    },
  );
}
