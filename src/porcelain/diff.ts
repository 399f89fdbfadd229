/**
 * `dv diff`: which two states are compared, and which tables of them. Working files that
 * changed since dv last saw them are read into the store on the way, and remembered, so
 * that a following `status` or `add` need not read them again.
 */
import { DvError } from '../errors.ts';
import type { TableDiff } from '../model/change.ts';
import { readCommit } from '../model/object-reader.ts';
import { diffRoots, type EntryDifference, listRoot, type RootEntry } from '../model/root.ts';
import { diffTables } from '../model/table-diff.ts';
import type { Hash } from '../hash.ts';
import { sameEntry } from './add.ts';
import { hasWorkingFile } from './checkout.ts';
import { type DiffFilter, filterDiff } from './diff-filter.ts';
import { checkFile, fingerprintUpdate, readFingerprint } from './fingerprint.ts';
import { readEntry } from './read-entry.ts';
import { pathOf, type Repository, resolveCommit, tableNameOf } from './repository.ts';
import { workingSet } from './staging.ts';

export interface DiffOptions extends DiffFilter {
  /** None: stage to files. One: it to the files. Two, or `A..B`: one to the other. */
  readonly revisions?: readonly string[];
  /** Compare what is staged with the revision (HEAD) instead of the files. */
  readonly cached?: boolean;
  /** Only these tables, or those below these directories. */
  readonly paths?: readonly string[];
  /** Rows count as modified also when only an added or removed column has a value. */
  readonly complete?: boolean;
}

export interface FileDifference {
  readonly file: string;
  readonly change: 'added' | 'removed' | 'modified';
  readonly from: number | null;
  readonly to: number | null;
}

export interface DiffResult {
  /** Tables that differ, in name order; a table's rows are compared when iterated. */
  readonly tables: AsyncIterable<TableDiff>;
  /** Plain files that differ, with their sizes in bytes. */
  readonly files: readonly FileDifference[];
}

/** @throws DvError `bad-revision`, `unknown-table`, `bad-condition`, `unknown-column` */
export async function diff(repo: Repository, options: DiffOptions = {}): Promise<DiffResult> {
  const differences = (await differing(repo, options)).filter(selected(repo, options.paths));
  const files = differences.flatMap((difference) => fileDifference(difference));
  return { tables: tableDiffs(repo, differences, options), files };
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
  const revisions = (options.revisions ?? []).flatMap((text) => {
    const dots = text.includes('...') ? null : /^(.*?)\.\.(.*)$/.exec(text);
    return dots === null ? [text] : [dots[1] || 'HEAD', dots[2] || 'HEAD'];
  });
  if (revisions.length > 2) {
    throw new DvError('bad-option', 'diff compares two revisions at most', {
      hint: 'dv diff A B -- TABLE',
    });
  }
  const roots: Hash[] = [];
  for (const text of revisions) {
    roots.push((await readCommit(repo.store, await resolveCommit(repo, text))).root);
  }
  if (roots.length === 2) return diffRoots(repo.nodes, roots[0], roots[1]);
  const set = await workingSet(repo);
  if (options.cached) return diffRoots(repo.nodes, roots[0] ?? set.headRoot, set.staged);
  return againstFiles(repo, set.staged, roots[0] ?? set.staged, options);
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
    const now = entry && hasWorkingFile(name, entry) ? await workingEntry(repo, name, entry) : entry;
    if (!sameEntry(base, now)) differences.push({ name, from: base, to: now });
  }
  return differences;
}

/** The entry a working file is now; reads it only when it changed. */
export async function workingEntry(
  repo: Repository,
  name: string,
  staged: RootEntry | undefined,
): Promise<RootEntry | undefined> {
  const path = pathOf(repo, name);
  const state = checkFile(path, await readFingerprint(repo.store, name), repo.env.now());
  if (state.kind === 'missing') return undefined;
  if (state.kind === 'known') return state.print.entry;
  const { entry, print } = await readEntry(repo, name, path, staged, {});
  await repo.store.transact({ state: [fingerprintUpdate(name, print)] });
  return entry;
}
