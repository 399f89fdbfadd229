/**
 * `dv apply`: a patch (or an NDJSON diff) onto tables. Every row the patch speaks of is
 * compared with what is there first; one that does not fit refuses the whole patch.
 */
import { compareBytes } from '../bytes.ts';
import { DvError } from '../errors.ts';
import { formatOf } from '../formats/detect.ts';
import type { Hash } from '../hash.ts';
import { buildBlob } from '../model/blob.ts';
import { readSchema, readTable } from '../model/object-reader.ts';
import { encodeSchema, encodeTable, toChunk } from '../model/objects.ts';
import { getRootEntry, type RootEntry } from '../model/root.ts';
import { loadRow } from '../model/table-diff.ts';
import { countTableRows } from '../model/table-stat.ts';
import { stagedUpdate, type WorkingSet } from '../model/working-set.ts';
import { type Edit, editTree } from '../prolly/edit.ts';
import { EMPTY_TREE } from '../prolly/node.ts';
import { scanLeaves } from '../prolly/scan.ts';
import { fits, joinTypes, narrowestType } from '../tuple/cell-type.ts';
import { encodeRow } from '../tuple/row-encoder.ts';
import type { Cell, Row, Schema } from '../tuple/schema.ts';
import { checkNewName, sameEntry } from './add.ts';
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

/**
 * All of the patch or nothing.
 * @throws DvError `bad-patch`, `patch-mismatch`, `unsaved-changes` (`index`, and the file is
 * not what is staged), `ref-moved`
 */
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
  const done = new Map<string, Patched>();
  for await (const patch of options.reverse ? invertPatch(parsed) : parsed) {
    const name = checkNewName(patch.table);
    const before = done.get(name) ?? (await openEntry(repo, set, name, options));
    const target = await openTarget(repo, patch, before.entry ?? undefined);
    types.set(name, target.schema);
    const counts = await applyRows(repo, patch, target);
    done.set(name, { ...before, entry: await storeTable(repo, patch, target, before) });
    results.push({ table: name, ...counts });
  }
  if (!options.check) await settle(repo, set, done, options);
  return { tables: results };
}

/** A table that a patch speaks of, and what it is or becomes; null: there is none. */
interface Patched {
  readonly entry: RootEntry | null;
  /** Whether it has a working file. */
  readonly bound: boolean;
}

async function openEntry(
  repo: Repository,
  set: WorkingSet,
  name: string,
  options: ApplyOptions,
): Promise<Patched> {
  const staged = await getRootEntry(repo.nodes, set.staged, name);
  const bound = hasWorkingFile(name, staged ?? NEW_TABLE);
  if (options.cached || !bound) return { entry: staged ?? null, bound };
  const entry = await workingEntry(repo, name, staged);
  if (options.index && !sameEntry(staged, entry)) {
    throw new DvError('unsaved-changes', `'${name}' is not what is staged`, {
      hint: `dv add ${name} first, or apply without --index`,
      data: { table: name },
    });
  }
  return { entry: entry ?? null, bound };
}

const NEW_TABLE = { kind: 'table' } as const;

async function settle(
  repo: Repository,
  set: WorkingSet,
  done: ReadonlyMap<string, Patched>,
  { cached, index }: ApplyOptions,
): Promise<void> {
  const items: CheckoutItem[] = [];
  const intoStage = new Map<string, RootEntry | null>();
  for (const [name, { entry, bound }] of done) {
    if (!cached && bound) items.push({ name, entry });
    if (cached || index || !bound) intoStage.set(name, entry);
  }
  const root = await applyChanges(repo, set.staged, intoStage);
  if (await checkout(repo, items, { state: [stagedUpdate(set, root)] })) return;
  throw new DvError('ref-moved', 'another command changed the repository meanwhile', {
    hint: 'dv status, then try again',
  });
}

type Counts = Omit<AppliedTable, 'table'>;

/** Moves `target` on. */
async function applyRows(repo: Repository, patch: PatchTable, target: RowTarget): Promise<Counts> {
  const counts = { added: 0, removed: 0, modified: 0 };
  let rows = 0;
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
    rows += batch.length;
    repo.env.report({ label: patch.table, done: rows, total: undefined, unit: 'rows' });
  }
  return counts;
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
  if (base?.kind === 'file') throw mismatch(table, 'it is a plain file');
  if (base === undefined) {
    const schema = toSchema ?? undefined;
    if (fromSchema !== null || schema === undefined)
      throw mismatch(table, 'there is no such table');
    return { table, schema, tree: EMPTY_TREE };
  }
  if (fromSchema === null) throw mismatch(table, 'it exists already');
  const stored = await readTable(repo.store, base.table);
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
  { entry: base, bound }: Patched,
): Promise<RootEntry | null> {
  const { nodes } = repo;
  const schema = toChunk(encodeSchema(target.schema));
  const prior = base?.kind === 'table' ? base : undefined;
  const table = toChunk(encodeTable({ schema: schema.hash, tree: target.tree }), prior?.table);
  nodes.put(schema);
  nodes.put(table);
  await nodes.flush();
  if (patch.toSchema !== null) {
    const { format } = formatOf(patch.table);
    const fresh = bound && format !== undefined ? { format } : undefined;
    return { kind: 'table', table: table.hash, dialect: prior ? prior.dialect : fresh };
  }
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
