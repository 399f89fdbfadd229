/**
 * `dv diff`: which two states are compared, and which tables of them. Working files that
 * changed since dv last saw them are read into the store on the way, and remembered, so
 * that a following `status` or `add` need not read them again.
 */
import { existsSync } from 'node:fs';
import { DvError } from '../errors.ts';
import type { Hash } from '../hash.ts';
import type { TableDiff } from '../model/change.ts';
import { checkFilter, type DiffFilter, filterDiff, type SchemaPair } from '../model/diff-filter.ts';
import { readCommit, readSchema, readTable } from '../model/object-reader.ts';
import type { Commit } from '../model/objects.ts';
import {
  type DialectRecord,
  diffRoots,
  type EntryDifference,
  listRoot,
  type RootEntry,
  sameEntry,
} from '../model/root.ts';
import { diffTables } from '../model/table-diff.ts';
import { rootOfCommit } from '../model/working-set.ts';
import { unknownTable } from './add.ts';
import { hasWorkingFile } from './checkout.ts';
import { checkFile, fingerprintUpdate, readFingerprint, renewFingerprints } from './fingerprint.ts';
import { resolveEntry } from './inspect.ts';
import { mergeBaseOf } from './merge-base.ts';
import { leftOut, needDifferences } from './missing-parts.ts';
import { readEntry } from './read-entry.ts';
import { pathOf, type Repository, resolveCommit, tableNameOf } from './repository.ts';
import { endsOf } from './revisions-and-paths.ts';
import { workingSet } from './staging.ts';

export interface DiffOptions extends DiffFilter {
  /** None: stage to files. One: it to the files. Two, or `A..B`: one to the other. */
  readonly revisions?: readonly string[];
  /** Compare what is staged with the revision (HEAD) instead of the files. */
  readonly cached?: boolean;
  /** Only these tables, or those below these directories. */
  readonly paths?: readonly string[];
}

export interface FileDifference {
  readonly file: string;
  readonly change: 'added' | 'removed' | 'modified';
  /** Sizes in bytes; null: the file does not exist on that side. */
  readonly from: number | null;
  readonly to: number | null;
}

/** A table whose rows are the same, written another way: line ends, quoting, ... */
export interface DialectDifference {
  readonly table: string;
  readonly from: DialectRecord;
  readonly to: DialectRecord;
}

export interface DiffResult {
  /** Tables that differ, in name order; a table's rows are compared when iterated. */
  readonly tables: AsyncIterable<TableDiff>;
  /** Plain files that differ. */
  readonly files: readonly FileDifference[];
  readonly dialects: readonly DialectDifference[];
}

/** @throws DvError `bad-revision`, `unknown-table`, `bad-condition`, `unknown-column` */
export async function diff(repo: Repository, options: DiffOptions = {}): Promise<DiffResult> {
  return resultOf(repo, await differing(repo, options), options);
}

/** What a commit changed against its first parent, or against nothing. */
export async function diffCommit(
  repo: Repository,
  commit: Commit,
  options: Omit<DiffOptions, 'revisions' | 'cached'> = {},
): Promise<DiffResult> {
  const before = await rootOfCommit(repo.nodes, commit.parents[0]);
  return resultOf(repo, await diffRoots(repo.nodes, before, commit.root), options);
}

/**
 * Two tables by name, `REV:TABLE` or a staged `TABLE`, whatever they are called; `name` is
 * what the difference calls them, default as the second.
 */
export async function diffNamed(
  repo: Repository,
  from: string,
  to: string,
  options: DiffFilter & { readonly name?: string } = {},
): Promise<DiffResult> {
  const [a, b] = [await resolveEntry(repo, from), await resolveEntry(repo, to)];
  const name = options.name ?? b.table;
  if (sameEntry(a.entry, b.entry)) return resultOf(repo, [], options);
  return resultOf(repo, [{ name, from: a.entry, to: b.entry }], options);
}

async function resultOf(
  repo: Repository,
  all: readonly EntryDifference[],
  options: DiffOptions,
): Promise<DiffResult> {
  const differences = all.filter(selected(repo, options.paths));
  await needDifferences(repo, differences);
  checkFilter(await schemaPairs(repo, differences, options), options);
  return {
    tables: tableDiffs(repo, differences, options),
    files: differences.flatMap(fileDifference),
    dialects: differences.flatMap(dialectDifference),
  };
}

/** Schemas of the tables that differ, where a filter needs them. */
async function schemaPairs(
  repo: Repository,
  differences: readonly EntryDifference[],
  { where, columns, ignoreColumns }: DiffOptions,
): Promise<SchemaPair[]> {
  if (where === undefined && columns === undefined && ignoreColumns === undefined) return [];
  const pairs: SchemaPair[] = [];
  for (const { from, to } of differences) {
    const [a, b] = [tableOf(from), tableOf(to)];
    if (a === b) continue;
    const schema = async (table: Hash | undefined) =>
      table === undefined
        ? null
        : readSchema(repo.store, (await readTable(repo.store, table)).schema);
    pairs.push({ from: await schema(a), to: await schema(b) });
  }
  return pairs;
}

async function* tableDiffs(
  repo: Repository,
  differences: readonly EntryDifference[],
  options: DiffOptions,
): AsyncGenerator<TableDiff> {
  for (const { name, from, to } of differences) {
    if (from?.kind !== 'table' && to?.kind !== 'table') continue;
    const [a, b] = [tableOf(from), tableOf(to)];
    if (a === b) continue;
    const made = await diffTables(repo.nodes, name, a, b, { complete: options.complete });
    yield filterDiff(made, options);
  }
}

const tableOf = (e: RootEntry | undefined) => (e?.kind === 'table' ? e.table : undefined);
const sizeOf = (e: RootEntry | undefined) => (e?.kind === 'file' ? e.size : null);

function fileDifference({ name, from, to }: EntryDifference): FileDifference[] {
  const [before, after] = [sizeOf(from), sizeOf(to)];
  if (before === null && after === null) return [];
  const change = before === null ? 'added' : after === null ? 'removed' : 'modified';
  return [{ file: name, change, from: before, to: after }];
}

function dialectDifference({ name, from, to }: EntryDifference): DialectDifference[] {
  if (from?.kind !== 'table' || to?.kind !== 'table' || from.table !== to.table) return [];
  return [{ table: name, from: from.dialect ?? {}, to: to.dialect ?? {} }];
}

function selected(
  repo: Repository,
  paths: readonly string[] | undefined,
): (difference: EntryDifference) => boolean {
  if (paths === undefined || paths.length === 0) return () => true;
  const wanted = paths.map((path) => tableNameOf(repo, path));
  return ({ name }) =>
    wanted.some((path) => path === '' || name === path || name.startsWith(`${path}/`));
}

async function differing(repo: Repository, options: DiffOptions): Promise<EntryDifference[]> {
  const { paths = [], cached } = options;
  const [first, second] = await revisionRoots(repo, options);
  if (second !== undefined) {
    await checkPaths(repo, paths, [first, second]);
    return diffRoots(repo.nodes, first, second);
  }
  const { headRoot, staged } = await workingSet(repo);
  const from = first ?? (cached ? headRoot : staged);
  await checkPaths(repo, paths, [from, staged]);
  return cached ? diffRoots(repo.nodes, from, staged) : againstFiles(repo, staged, from, options);
}

async function revisionRoots(
  repo: Repository,
  { revisions = [], cached }: DiffOptions,
): Promise<Hash[]> {
  const texts: string[] = [];
  for (const text of revisions) texts.push(...(await diffEnds(repo, text)));
  if (texts.length > (cached ? 1 : 2)) {
    const most = cached ? 'what is staged with one revision' : 'two revisions';
    throw new DvError('bad-option', `diff compares ${most} at most`, {
      hint: 'dv diff A B -- TABLE',
    });
  }
  const roots: Hash[] = [];
  for (const text of texts) {
    roots.push((await readCommit(repo.store, await resolveCommit(repo, text))).root);
  }
  return roots;
}

/**
 * A path that is on neither side, not staged and no file is mistyped; saying that nothing
 * differs there would be a lie.
 */
async function checkPaths(
  repo: Repository,
  paths: readonly string[],
  roots: readonly Hash[],
): Promise<void> {
  if (paths.length === 0) return;
  const known = new Set<string>();
  for (const root of new Set(roots)) {
    for (const { name } of await listRoot(repo.nodes, root)) known.add(name);
  }
  for (const path of paths) {
    const name = tableNameOf(repo, path);
    if (name === '' || known.has(name) || existsSync(pathOf(repo, name))) continue;
    if ([...known].some((other) => other.startsWith(`${name}/`))) continue;
    throw unknownTable(path, 'what is compared');
  }
}

/** From a root to the working files of everything tracked. */
async function againstFiles(
  repo: Repository,
  staged: Hash,
  from: Hash,
  options: DiffOptions,
): Promise<EntryDifference[]> {
  const before = new Map((await listRoot(repo.nodes, from)).map((e) => [e.name, e.entry]));
  const tracked = new Map((await listRoot(repo.nodes, staged)).map((e) => [e.name, e.entry]));
  const isSelected = selected(repo, options.paths);
  const names = [...new Set([...before.keys(), ...tracked.keys()])].sort();
  const differences: EntryDifference[] = [];
  for (const name of names) {
    const entry = tracked.get(name);
    const base = before.get(name);
    if (!isSelected({ name, from: base, to: entry })) continue;
    const now =
      entry && hasWorkingFile(name, entry) ? await workingEntry(repo, name, entry) : entry;
    if (!sameEntry(base, now)) differences.push({ name, from: base, to: now });
  }
  return differences;
}

/** The entry a working file is now, read only when it changed; as staged where none was written. */
export async function workingEntry(
  repo: Repository,
  name: string,
  staged: RootEntry | undefined,
): Promise<RootEntry | undefined> {
  const path = pathOf(repo, name);
  const known = await readFingerprint(repo.store, name);
  const state = checkFile(path, known, repo.env.now());
  if (state.kind === 'missing') {
    const isLeftOut = known === undefined && (await leftOut(repo))(name);
    return isLeftOut ? staged : undefined;
  }
  if (state.kind === 'known') return state.print.entry;
  const { entry, print } = await readEntry(repo, name, path, staged, {});
  await renewFingerprints(repo.store, [fingerprintUpdate(name, print)]);
  return entry;
}

/** Of `A...B` their merge base and B, as in git. @throws DvError `unrelated-histories` */
async function diffEnds(repo: Repository, text: string): Promise<readonly string[]> {
  const ends = endsOf(text);
  if (ends.length === 1 || !text.includes('...')) return ends;
  return [await mergeBaseOf(repo, ends[0], ends[1]), ends[1]];
}
