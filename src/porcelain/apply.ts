/**
 * `dv apply`: a patch (or an NDJSON diff) onto tables. Every row the patch speaks of is
 * compared with what is there first; one that does not fit refuses the whole patch.
 */
import { compareBytes } from '../bytes.ts';
import { DvError } from '../errors.ts';
import type { Hash } from '../hash.ts';
import { buildBlob } from '../model/blob.ts';
import { readSchema, readTable } from '../model/object-reader.ts';
import { encodeSchema, encodeTable, toChunk } from '../model/objects.ts';
import { getRootEntry, type RootEntry } from '../model/root.ts';
import { loadRow } from '../model/table-diff.ts';
import { countTableRows } from '../model/table-stat.ts';
import { stagedUpdate } from '../model/working-set.ts';
import { type Edit, editTree } from '../prolly/edit.ts';
import { EMPTY_TREE } from '../prolly/node.ts';
import { scanLeaves } from '../prolly/scan.ts';
import { fits, joinTypes, narrowestType } from '../tuple/cell-type.ts';
import { encodeRow } from '../tuple/row-encoder.ts';
import type { Cell, Row, Schema } from '../tuple/schema.ts';
import { checkNewName } from './add.ts';
import { applyRow, type RowTarget } from './apply-row.ts';
import { type CheckoutItem, checkout, hasWorkingFile } from './checkout.ts';
import { workingEntry } from './diff.ts';
import { invertPatch, type PatchTable, parsePatch } from './patch.ts';
import type { Repository } from './repository.ts';
import { applyChanges, workingSet } from './staging.ts';

export interface ApplyOptions {
  /** Undo the patch. */
  readonly reverse?: boolean;
  /** Only what is staged; the files stay. */
  readonly cached?: boolean;
  /** Files and stage. */
  readonly index?: boolean;
  /** Only say whether it fits. */
  readonly check?: boolean;
  /** Name of the patch, for messages. */
  readonly file?: string;
}

export interface AppliedTable {
  readonly table: string;
  readonly added: number;
  readonly removed: number;
  readonly modified: number;
}

/** @throws DvError `bad-patch`, `patch-mismatch`, `unsaved-changes` */
export async function apply(
  repo: Repository,
  source: AsyncIterable<Uint8Array | string>,
  options: ApplyOptions = {},
): Promise<{ readonly tables: readonly AppliedTable[] }> {
  const set = await workingSet(repo);
  const types = new Map<string, Schema>();
  const typeOf = (table: string, column: string) =>
    types.get(table)?.columns.find(({ name }) => name === column)?.type;
  const parsed = parsePatch(source, { file: options.file, typeOf });
  const results: AppliedTable[] = [];
  const entries = new Map<string, RootEntry | null>();
  const items: CheckoutItem[] = [];
  const intoStage = new Map<string, RootEntry | null>();
  for await (const table of options.reverse ? invertPatch(parsed) : parsed) {
    checkNewName(table.table);
    const staged = await getRootEntry(repo.nodes, set.staged, table.table);
    const bound = staged === undefined || hasWorkingFile(table.table, staged);
    const base =
      entries.get(table.table) ??
      (options.cached || !bound ? staged : await workingEntry(repo, table.table, staged));
    const { entry, counts } = await applyTable(repo, table, base);
    entries.set(table.table, entry);
    results.push({ table: table.table, ...counts });
    if (!options.cached && bound) items.push({ name: table.table, entry });
    if (options.cached || options.index || !bound) intoStage.set(table.table, entry);
  }
  if (!options.check) {
    const root = await applyChanges(repo, set.staged, intoStage);
    if (!(await checkout(repo, items, { state: [stagedUpdate(set, root)] }))) {
      throw new DvError('ref-moved', 'another command changed the repository meanwhile');
    }
  }
  return { tables: results };
}

type Counts = Omit<AppliedTable, 'table'>;

async function applyTable(
  repo: Repository,
  patch: PatchTable,
  base: RootEntry | undefined,
): Promise<{ entry: RootEntry | null; counts: Counts }> {
  if (base?.kind === 'file') throw mismatch(patch.table, 'it is a plain file');
  const target = await openTarget(repo, patch, base);
  const counts = { added: 0, removed: 0, modified: 0 };
  for await (const batch of patch.changes()) {
    const edits = new Map<string, Edit>();
    for (const change of batch) {
      counts[change.change] += 1;
      target.schema = widen(target.schema, change.to);
      const edit = await applyRow(repo.nodes, target, change, edits);
      edits.set(Buffer.from(edit.key).toString('latin1'), edit);
    }
    const sorted = [...edits.values()].sort((a, b) => compareBytes(a.key, b.key));
    target.tree = await editTree(repo.nodes, target.tree, [sorted]);
  }
  return { entry: await storeTable(repo, patch, target, base), counts };
}

/** A cell that does not fit its (non-key) column's type widens it, as `add` would. */
function widen(schema: Schema, cells: ReadonlyMap<string, Cell> | null): Schema {
  if (cells === null) return schema;
  let changed = false;
  const columns = schema.columns.map((column, i) => {
    const cell = cells.get(column.name) ?? null;
    if (cell === null || schema.key.includes(i) || fits(column.type, cell)) return column;
    changed = true;
    const bytes = Buffer.from(cell);
    return { ...column, type: joinTypes(column.type, narrowestType(bytes, 0, bytes.length)) };
  });
  return changed ? { ...schema, columns } : schema;
}

async function openTarget(
  repo: Repository,
  patch: PatchTable,
  base: RootEntry | undefined,
): Promise<RowTarget> {
  const { table, fromSchema, toSchema } = patch;
  if (base === undefined) {
    const schema = toSchema ?? undefined;
    if (fromSchema !== null || schema === undefined)
      throw mismatch(table, 'there is no such table');
    return { table, schema, tree: EMPTY_TREE };
  }
  if (fromSchema === null) throw mismatch(table, 'it exists already');
  const stored = await readTable(repo.store, (base as { table: Hash }).table);
  const schema = await readSchema(repo.store, stored.schema);
  if (fromSchema !== undefined && !sameColumns(fromSchema, schema)) {
    throw mismatch(table, 'its columns are not those the patch starts from');
  }
  const target = { table, schema, tree: stored.tree };
  if (toSchema === undefined || toSchema === null || sameShape(toSchema, schema)) {
    return toSchema ? { ...target, schema: toSchema } : target;
  }
  return { table, schema: toSchema, tree: await reshape(repo, target, toSchema) };
}

const names = (schema: Schema) => schema.columns.map(({ name }) => name).join('\0');
const keyOf = (schema: Schema) =>
  schema.key.map((i) => `${i}:${schema.columns[i].type}`).join('\0');
const sameColumns = (a: Schema, b: Schema) => names(a) === names(b);
const sameShape = (a: Schema, b: Schema) => sameColumns(a, b) && keyOf(a) === keyOf(b);

const RESHAPE_BATCH = 20_000;

/** The rows of a table under another schema, columns matched by name. */
async function reshape(repo: Repository, target: RowTarget, schema: Schema): Promise<Hash> {
  const { nodes } = repo;
  const places = schema.columns.map(({ name }) =>
    target.schema.columns.findIndex((column) => column.name === name),
  );
  const put = (bytes: Uint8Array) => buildBlob(bytes, (chunk) => nodes.put(chunk));
  let tree = EMPTY_TREE;
  let edits: Edit[] = [];
  const flush = async () => {
    edits.sort((a, b) => compareBytes(a.key, b.key));
    tree = await editTree(nodes, tree, [edits]);
    edits = [];
  };
  for await (const leaf of scanLeaves(nodes, target.tree)) {
    for (let i = 0; i < leaf.count; i++) {
      const row = await loadRow(nodes, target.schema, leaf.key(i), leaf.value(i));
      const cells: Row = places.map((place) => (place < 0 ? null : row[place]));
      edits.push(encodeRow(schema, cells, put));
    }
    if (edits.length >= RESHAPE_BATCH) await flush();
  }
  await flush();
  return tree;
}

async function storeTable(
  repo: Repository,
  patch: PatchTable,
  target: RowTarget,
  base: RootEntry | undefined,
): Promise<RootEntry | null> {
  const { nodes } = repo;
  const schema = toChunk(encodeSchema(target.schema));
  const prior = base?.kind === 'table' ? base : undefined;
  const table = toChunk(encodeTable({ schema: schema.hash, tree: target.tree }), prior?.table);
  nodes.put(schema);
  nodes.put(table);
  nodes.putIfEmpty(target.tree);
  await nodes.flush();
  if (patch.toSchema !== null) return { kind: 'table', table: table.hash, dialect: prior?.dialect };
  const left = await countTableRows(nodes, table.hash);
  if (left > 0) throw mismatch(patch.table, `${left} rows would be left of a table it removes`);
  return null;
}

function mismatch(table: string, why: string): DvError {
  return new DvError('patch-mismatch', `the patch does not fit '${table}': ${why}`, {
    hint: 'nothing was changed',
    data: { table },
  });
}
