/**
 * `dv add`: working files into what is staged, whole or (with a condition or a list of
 * keys) only some of their rows. All files are read before anything is staged, so a bad
 * one changes nothing.
 */

import { existsSync, statSync } from 'node:fs';
import { DvError } from '../errors.ts';
import type { Hash } from '../hash.ts';
import type { SchemaChange } from '../model/change.ts';
import { checkTableName, foldName } from '../model/names.ts';
import { readSchema, readTable } from '../model/object-reader.ts';
import {
  type EntryDifference,
  listRoot,
  type NamedEntry,
  type RootEntry,
  sameEntry,
} from '../model/root.ts';
import { diffSchemas } from '../model/table-diff.ts';
import { countChanges, type RowCounts } from '../model/table-stat.ts';
import type { StateUpdate } from '../store/contract.ts';
import { requireWorkingFiles } from './bare.ts';
import { hasWorkingFile } from './checkout.ts';
import { checkFile, type Fingerprint, fingerprintUpdate, readFingerprint } from './fingerprint.ts';
import { readIgnores } from './ignore.ts';
import type { ImportedTable } from './import/table-import.ts';
import { leftOut } from './missing-parts.ts';
import { collision, type ReadEntryOptions, readEntry } from './read-entry.ts';
import { pathOf, type Repository, tableNameOf } from './repository.ts';
import { type RowSelection, selectRows } from './select-rows.ts';
import { stageEntries, workingSet } from './staging.ts';
import { walkFiles } from './walk-files.ts';
import { checkParents } from './write-file.ts';

export interface AddOptions extends ReadEntryOptions {
  /** Read and report, stage nothing. */
  readonly dryRun?: boolean;
  /** Only files that are tracked already (`commit -a`, `add -u`). */
  readonly update?: boolean;
  /** Take files that `.dvignore` names. */
  readonly force?: boolean;
  /** Stage only these rows' changes. */
  readonly rows?: RowSelection;
  /** Called before the rows of what was read are compared with what was there. */
  readonly beforeCompare?: (differences: readonly EntryDifference[]) => Promise<void>;
}

export interface AddedTable {
  readonly table: string;
  readonly kind: 'table' | 'file';
  readonly change: 'added' | 'modified' | 'removed' | 'unchanged';
  /** Rows that differ from what was staged before. */
  readonly rows: RowCounts;
  /** How the columns and the key differ from what was staged before. */
  readonly schema: readonly SchemaChange[];
  /** Of a file that had to be read as a table. */
  readonly imported: ImportedTable | undefined;
}

export interface AddResult {
  readonly tables: readonly AddedTable[];
}

/** What one path becomes. */
interface Staged {
  readonly name: string;
  readonly entry: RootEntry | null;
  readonly print: Fingerprint | null;
  readonly imported: ImportedTable | undefined;
}

/**
 * Stages the files (or the files below the directories) that `paths` name.
 * @throws DvError `file-missing` and everything a file can have wrong
 */
export async function add(
  repo: Repository,
  paths: readonly string[],
  options: AddOptions = {},
): Promise<AddResult> {
  requireWorkingFiles(repo);
  const { staged: root } = await workingSet(repo);
  const tracked = await listRoot(repo.nodes, root);
  const names = expand(repo, paths, tracked, options, await leftOut(repo));
  checkTwins(names);
  const prior = new Map(tracked.map(({ name, entry }) => [name, entry]));
  const explicit = options.format ?? options.key ?? options.types ?? options.dialect;
  const changes: Staged[] = [];
  for (const name of names) {
    changes.push(await stage(repo, name, prior.get(name), options, explicit !== undefined));
  }
  const selected = await selectAll(repo, changes, prior, options.rows);
  await options.beforeCompare?.(
    selected.map(({ name, entry }) => ({ name, from: prior.get(name), to: entry ?? undefined })),
  );
  const tables: AddedTable[] = [];
  for (const change of selected) tables.push(await describe(repo, change, prior.get(change.name)));
  if (!options.dryRun) await commitStaged(repo, changes, selected, prior);
  return { tables };
}

/** Names of the files meant, tracked ones that are gone included. */
function expand(
  repo: Repository,
  paths: readonly string[],
  tracked: readonly NamedEntry[],
  options: AddOptions,
  isLeftOut: (name: string) => boolean,
): string[] {
  const found = new Set<string>();
  const ignores = options.force ? () => false : readIgnores(repo.worktree);
  const isTracked = new Set(tracked.map((entry) => entry.name));
  for (const path of paths) {
    const name = tableNameOf(repo, path);
    const below = tracked.filter((t) => isBelow(t.name, name));
    const file = pathOf(repo, name);
    if (!existsSync(file) && below.length === 0) throw missing(path);
    for (const t of below) {
      if (isLeftOut(t.name) && t.name !== name && !existsSync(pathOf(repo, t.name))) continue;
      if (hasWorkingFile(t.name, t.entry) || existsSync(pathOf(repo, t.name))) found.add(t.name);
    }
    const stat = statSync(file, { throwIfNoEntry: false });
    if (stat === undefined) continue;
    if (!stat.isDirectory()) {
      if (!stat.isFile()) throw notAFile(path);
      checkParents(repo.worktree, name);
      if (ignores(name, false) && !isTracked.has(name)) throw ignored(path);
      if (!options.update || isTracked.has(name)) found.add(name);
    } else if (!options.update) {
      for (const inside of walkFiles(repo.worktree, name, ignores)) found.add(inside);
    }
  }
  return [...found].sort();
}

/** Is it the name itself, or in that directory? '' is the whole worktree. */
function isBelow(name: string, directory: string): boolean {
  return directory === '' || name === directory || name.startsWith(`${directory}/`);
}

function missing(path: string): DvError {
  return new DvError('file-missing', `there is no file '${path}'`, { data: { file: path } });
}

/** A pipe or a device: it cannot be read twice, nor written by a checkout. */
function notAFile(path: string): DvError {
  return new DvError('file-unreadable', `'${path}' is not a regular file`, {
    hint: 'dv import reads a table from a pipe',
    data: { file: path },
  });
}

function ignored(path: string): DvError {
  return new DvError('bad-name', `'${path}' is ignored by .dvignore`, {
    hint: 'dv add --force takes it all the same',
  });
}

function checkTwins(names: readonly string[]): void {
  const folded = new Map<string, string>();
  for (const name of names) {
    const other = folded.get(foldName(name));
    if (other !== undefined) throw collision(name, other);
    folded.set(foldName(name), name);
  }
}

async function stage(
  repo: Repository,
  name: string,
  prior: RootEntry | undefined,
  options: AddOptions,
  explicit: boolean,
): Promise<Staged> {
  const path = pathOf(repo, name);
  const print = await readFingerprint(repo.store, name);
  const state = checkFile(path, print, repo.env.now());
  if (state.kind === 'missing') return { name, entry: null, print: null, imported: undefined };
  if (state.kind === 'known' && !explicit && !options.dryRun) {
    return { name, entry: state.print.entry, print: state.print, imported: undefined };
  }
  return { name, ...(await readEntry(repo, name, path, prior, options)) };
}

async function selectAll(
  repo: Repository,
  changes: readonly Staged[],
  prior: ReadonlyMap<string, RootEntry>,
  rows: RowSelection | undefined,
): Promise<readonly Staged[]> {
  if (rows === undefined) return changes;
  const selected: Staged[] = [];
  for (const change of changes) {
    const entry = await selectRows(repo, change.name, prior.get(change.name), change.entry, rows);
    selected.push({ ...change, entry });
  }
  return selected;
}

async function describe(
  repo: Repository,
  { name, entry, imported }: Staged,
  before: RootEntry | undefined,
): Promise<AddedTable> {
  const table = (e: RootEntry | null | undefined) => (e?.kind === 'table' ? e.table : undefined);
  const [from, to] = [table(before), table(entry)];
  const rows = await countChanges(repo.nodes, from, to);
  const schema = await schemaChanges(repo, from, to);
  const kind = (entry ?? before)?.kind ?? 'table';
  return { table: name, kind, change: changeOf(before, entry), rows, schema, imported };
}

/** Between two tables that both exist; none where one does not. */
export async function schemaChanges(
  { store }: Repository,
  from: Hash | undefined,
  to: Hash | undefined,
): Promise<readonly SchemaChange[]> {
  if (from === undefined || to === undefined || from === to) return [];
  const [a, b] = [await readTable(store, from), await readTable(store, to)];
  if (a.schema === b.schema) return [];
  return diffSchemas(await readSchema(store, a.schema), await readSchema(store, b.schema));
}

function changeOf(before: RootEntry | undefined, after: RootEntry | null): AddedTable['change'] {
  if (after === null) return 'removed';
  if (before === undefined) return 'added';
  return sameEntry(before, after) ? 'unchanged' : 'modified';
}

async function commitStaged(
  repo: Repository,
  read: readonly Staged[],
  selected: readonly Staged[],
  prior: ReadonlyMap<string, RootEntry>,
): Promise<void> {
  const state: StateUpdate[] = read.map(({ name, print }) => fingerprintUpdate(name, print));
  const changes = new Map<string, RootEntry | null>();
  for (const { name, entry } of selected) {
    if (!sameEntry(prior.get(name), entry ?? undefined)) changes.set(name, entry);
  }
  await stageEntries(repo, changes, state);
}

export function unknownTable(name: string, where = 'what is staged'): DvError {
  return new DvError('unknown-table', `there is no table '${name}' in ${where}`, {
    hint: 'dv ls-tree HEAD lists the tables',
    data: { table: name },
  });
}

/** A table name from outside (a patch, an import). @throws DvError `bad-name` */
export function checkNewName(name: string): string {
  return checkTableName(name);
}
