/**
 * Questions about rows: one row at a revision (`show --key`), its versions (`history`), and who
 * set each row or cell (`blame`).
 */
import { DvError } from '../errors.ts';
import type { Hash } from '../hash.ts';
import { type Blamed, blameRows, rowId } from '../model/blame.ts';
import { readCommit, readSchema, readTable } from '../model/object-reader.ts';
import type { Commit } from '../model/objects.ts';
import { splitTableRevision } from '../model/revision.ts';
import { type RowVersion, rowHistory } from '../model/row-history.ts';
import { loadRow } from '../model/table-diff.ts';
import { getEntry } from '../prolly/scan.ts';
import { compileCondition } from '../store/sqlite-condition.ts';
import { fits } from '../tuple/cell-type.ts';
import { encodeKey } from '../tuple/key-codec.ts';
import { rowsOf } from '../tuple/row-batch-builder.ts';
import type { Cell, Row, Schema } from '../tuple/schema.ts';
import { resolveEntry } from './inspect.ts';
import { type Repository, resolveCommit } from './repository.ts';
import { tableBatches } from './table-file.ts';

export interface NamedTable {
  readonly table: string;
  readonly schema: Schema;
  readonly tree: Hash;
}

/**
 * `[REV:]TABLE` as a table; without a revision the staged one, or that of `otherwise`.
 * @throws DvError `unknown-table`, `bad-option` for a plain file
 */
async function openTable(repo: Repository, text: string, otherwise?: 'HEAD'): Promise<NamedTable> {
  const { table, entry } = await resolveEntry(repo, text, otherwise);
  if (entry.kind === 'file') {
    throw new DvError('bad-option', `'${table}' is a plain file, not a table`);
  }
  const { schema, tree } = await readTable(repo.store, entry.table);
  return { table, tree, schema: await readSchema(repo.store, schema) };
}

export interface CommittedTable extends NamedTable {
  readonly head: Hash;
}

/**
 * `[REV:]TABLE` as a commit has it, HEAD if none is named: what history is asked about, as
 * nothing that is only staged has any.
 * @throws DvError `unknown-table`, `bad-option`, `no-commits`
 */
export async function openCommitted(repo: Repository, text: string): Promise<CommittedTable> {
  const [revision] = splitTableRevision(text);
  const head = await resolveCommit(repo, revision || 'HEAD');
  return { head, ...(await openTable(repo, text, 'HEAD')) };
}

/** @throws DvError `bad-option`, `type-mismatch` when it is no key of the table */
export function checkKey({ table, schema }: NamedTable, key: readonly string[]): void {
  const columns = schema.key.map((place) => schema.columns[place]);
  if (columns.length === 0) {
    throw new DvError('bad-option', `'${table}' has no key, so none of its rows can be named`, {
      hint: 'dv diff --where shows rows of such a table',
    });
  }
  if (columns.length !== key.length) {
    const names = columns.map(({ name }) => name).join(', ');
    throw new DvError('bad-option', `"${key.join(',')}" is not a key of '${table}': ${names}`, {
      hint: 'cells of a key are joined by commas',
    });
  }
  for (const [i, { name, type }] of columns.entries()) {
    if (fits(type, key[i])) continue;
    throw new DvError('type-mismatch', `"${key[i]}" is no ${type}, as "${name}" is`, {
      data: { name, type, value: key[i] },
    });
  }
}

/** One row of `[REV:]TABLE`. @throws DvError `unknown-row` */
export async function readOneRow(
  repo: Repository,
  text: string,
  key: readonly string[],
): Promise<{ readonly schema: Schema; readonly row: Row }> {
  const table = await openTable(repo, text);
  checkKey(table, key);
  const { schema } = table;
  const types = schema.key.map((place) => schema.columns[place].type);
  const encoded = encodeKey(key, types);
  const value = await getEntry(repo.nodes, table.tree, encoded);
  if (value === undefined) {
    const name = `${table.table} ${key.join(',')}`;
    throw unknownRow(table.table, key, `dv history ${name} shows whether there was one`);
  }
  return { schema, row: await loadRow(repo.nodes, schema, encoded, value) };
}

function unknownRow(table: string, key: readonly string[], hint: string): DvError {
  return new DvError('unknown-row', `'${table}' has no row with the key "${key.join(',')}"`, {
    hint,
    data: { table, key },
  });
}

export interface HistoryOptions {
  /** Only versions in which one of these columns changed. */
  readonly columns?: readonly string[];
  readonly limit?: number;
}

/**
 * Versions of a row, newest first. `[REV:]TABLE` says where to begin; default HEAD.
 * @throws DvError `unknown-table`, `bad-option`, `no-commits`, `unknown-row`
 */
export async function* historyOf(
  repo: Repository,
  text: string,
  key: readonly string[],
  options: HistoryOptions = {},
): AsyncGenerator<RowVersion> {
  const table = await openCommitted(repo, text);
  const { head } = table;
  checkKey(table, key);
  checkColumns(table, options.columns ?? []);
  let left = options.limit ?? Number.POSITIVE_INFINITY;
  let found = false;
  for await (const version of rowHistory(repo.nodes, head, table.table, key)) {
    found = true;
    if (!touches(version, options.columns)) continue;
    if (left <= 0) return;
    yield version;
    left -= 1;
  }
  if (found) return;
  const hint = `there never was one; dv log -- ${table.table} lists what changed the table`;
  throw unknownRow(table.table, key, hint);
}

/** @throws DvError `unknown-column` */
export function checkColumns({ table, schema }: NamedTable, names: readonly string[]): void {
  for (const name of names) {
    if (schema.columns.some((column) => column.name === name)) continue;
    throw new DvError('unknown-column', `'${table}' has no column "${name}"`, {
      hint: `the columns are ${schema.columns.map((column) => column.name).join(', ')}`,
      data: { table, name },
    });
  }
}

function touches(version: RowVersion, columns: readonly string[] | undefined): boolean {
  return columns === undefined || changedCells(version).some(({ name }) => columns.includes(name));
}

export interface ChangedCell {
  readonly name: string;
  /** undefined: there was no row, or no such column. */
  readonly from: Cell | undefined;
  readonly to: Cell | undefined;
}

/** The cells that a version set, in the order of its columns. */
export function changedCells({ from, to }: RowVersion): ChangedCell[] {
  const names = new Set(
    [...(to?.schema.columns ?? []), ...(from?.schema.columns ?? [])].map(({ name }) => name),
  );
  const cell = (side: RowVersion['to'], name: string): Cell | undefined => {
    const place = side?.schema.columns.findIndex((column) => column.name === name) ?? -1;
    return place < 0 ? undefined : side?.row[place];
  };
  return [...names]
    .map((name) => ({ name, from: cell(from, name), to: cell(to, name) }))
    .filter((one) => (one.from ?? null) !== (one.to ?? null));
}

export interface BlameOptions {
  /** SQL over the row's columns. */
  readonly where?: string;
  /** Of these columns each cell. */
  readonly cells?: readonly string[] | 'all';
  readonly limit?: number;
}

export interface BlamedRow extends Blamed {
  readonly row: Row;
  readonly object: Commit;
}

/** Rows that are asked about in one walk through history: bounds memory. */
const ROWS_A_WALK = 200_000;

/**
 * Rows of `[REV:]TABLE` in key order, each with who set it, in batches.
 * @throws DvError `unknown-table`, `bad-condition`, `unknown-column`, `no-commits`
 */
export async function* blame(
  repo: Repository,
  text: string,
  options: BlameOptions = {},
): AsyncGenerator<BlamedRow[]> {
  yield* blameTable(repo, await openCommitted(repo, text), options);
}

/** The same of a table that is open. */
export async function* blameTable(
  repo: Repository,
  table: CommittedTable,
  options: BlameOptions = {},
): AsyncGenerator<BlamedRow[]> {
  const { head } = table;
  const { columns } = table.schema;
  const cells = options.cells === 'all' ? columns.map((column) => column.name) : options.cells;
  checkColumns(table, cells ?? []);
  const commits = new Map<Hash, Commit>();
  for await (const rows of rowsInChunks(repo, table, options)) {
    const ids = rows.map((row) => rowId(table.schema, row));
    const blamed = await blameRows(repo.nodes, head, table.table, ids, cells);
    const batch: BlamedRow[] = [];
    for (const [i, row] of rows.entries()) {
      const found = blamed.get(ids[i]);
      if (found === undefined) continue;
      const object = commits.get(found.commit) ?? (await readCommit(repo.store, found.commit));
      commits.set(found.commit, object);
      batch.push({ row, ...found, object });
    }
    yield batch;
  }
}

async function* rowsInChunks(
  repo: Repository,
  { schema, tree }: NamedTable,
  { where, limit = Number.POSITIVE_INFINITY }: BlameOptions,
): AsyncGenerator<Row[]> {
  const condition = where === undefined ? undefined : compileCondition(where, schema.columns);
  let left = limit;
  let chunk: Row[] = [];
  try {
    for await (const batch of tableBatches(repo.nodes, schema, tree)) {
      for (const row of rowsOf(batch)) {
        if (left <= 0) break;
        if (condition !== undefined && !condition.test(row)) continue;
        chunk.push(row);
        left -= 1;
      }
      if (left <= 0) break;
      if (chunk.length < ROWS_A_WALK) continue;
      yield chunk;
      chunk = [];
    }
    if (chunk.length > 0) yield chunk;
  } finally {
    condition?.close();
  }
}
