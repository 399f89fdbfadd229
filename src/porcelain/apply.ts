/**
 * `dv apply`: a patch (or an NDJSON diff) onto tables. Every row the patch speaks of is
 * compared with what is there first; one that does not fit refuses the whole patch.
 */

import { DvError } from '../errors.ts';
import { formatOf } from '../formats/detect.ts';
import { readSchema, readTable } from '../model/object-reader.ts';
import { encodeSchema, encodeTable, toChunk } from '../model/objects.ts';
import { getRootEntry, type RootEntry, sameEntry } from '../model/root.ts';
import { countTableRows } from '../model/table-stat.ts';
import { stagedUpdate, type WorkingSet } from '../model/working-set.ts';
import { EMPTY_TREE } from '../prolly/node-writer.ts';
import { mergeRules3 } from '../tuple/merge-rules.ts';
import type { Schema } from '../tuple/schema.ts';
import { checkNewName } from './add.ts';
import { sameColumns, targetSchema } from './apply-schema.ts';
import { TablePatcher } from './apply-table.ts';
import { requireWorkingFiles } from './bare.ts';
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
  requireWorkingFiles(repo);
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
    const patcher = await openPatcher(repo, patch, before.entry ?? undefined, types);
    const counts = await applyRows(repo, patch, patcher);
    done.set(name, { ...before, entry: await storeTable(repo, patch, patcher, before) });
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

async function applyRows(
  { env }: Repository,
  patch: PatchTable,
  patcher: TablePatcher,
): Promise<Counts> {
  const counts = { added: 0, removed: 0, modified: 0 };
  let done = 0;
  for await (const batch of patch.changes()) {
    await patcher.applyBatch(batch);
    for (const { change } of batch) counts[change] += 1;
    done += batch.length;
    env.report({ label: patch.table, done, total: undefined, unit: 'rows' });
  }
  return counts;
}

/** Also tells `types` the schema, before rows are read that need it. */
async function openPatcher(
  repo: Repository,
  patch: PatchTable,
  base: RootEntry | undefined,
  types: Map<string, Schema>,
): Promise<TablePatcher> {
  const { table, fromSchema, toSchema } = patch;
  if (base?.kind === 'file') throw mismatch(table, 'it is a plain file');
  if (base === undefined) {
    if (fromSchema !== null || !toSchema) throw mismatch(table, 'there is no such table');
    return new TablePatcher(repo.nodes, table, { schema: toSchema, tree: EMPTY_TREE }, toSchema);
  }
  if (fromSchema === null) throw mismatch(table, 'it exists already');
  const stored = await readTable(repo.store, base.table);
  const schema = await readSchema(repo.store, stored.schema);
  if (fromSchema !== undefined && !sameColumns(fromSchema, schema)) {
    throw mismatch(table, 'its columns are not those the patch starts from');
  }
  const { clashes } = mergeRules3(fromSchema?.rules, schema.rules, (toSchema ?? schema).rules);
  if (clashes.length > 0) {
    throw mismatch(table, `the merge rule of ${clashes[0]} is not the one the patch starts from`);
  }
  types.set(table, schema);
  const to = toSchema ? targetSchema(schema, fromSchema, toSchema) : schema;
  return new TablePatcher(repo.nodes, table, { schema, tree: stored.tree }, to);
}

async function storeTable(
  repo: Repository,
  patch: PatchTable,
  patcher: TablePatcher,
  { entry: base, bound }: Patched,
): Promise<RootEntry | null> {
  const { nodes } = repo;
  const patched = await patcher.finish();
  const schema = toChunk(encodeSchema(patched.schema));
  const prior = base?.kind === 'table' ? base : undefined;
  const table = toChunk(encodeTable({ schema: schema.hash, tree: patched.tree }), prior?.table);
  nodes.putIfEmpty(patched.tree);
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
