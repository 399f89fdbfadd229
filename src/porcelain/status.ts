/**
 * `dv status`: HEAD against what is staged, what is staged against the working files, and
 * files that dv does not know. A file is read only when its stamp leaves a doubt, so a
 * clean repository costs one stat per file.
 */

import type { Hash } from '../hash.ts';
import { countConflicts, type MergeOperation, readMerge } from '../model/merge-state.ts';
import { diffRoots, listRoot, type RootEntry, sameEntry } from '../model/root.ts';
import { countChanges, type RowCounts } from '../model/table-stat.ts';
import { requireWorkingFiles } from './bare.ts';
import { isBisecting } from './bisect.ts';
import { hasWorkingFile } from './checkout.ts';
import {
  checkFile,
  fingerprintUpdate,
  listFingerprints,
  renewFingerprints,
} from './fingerprint.ts';
import { readIgnores } from './ignore.ts';
import { leftOut, missingParts, needDifferences } from './missing-parts.ts';
import { configOf } from './remote-config.ts';
import { pathOf, type Repository } from './repository.ts';
import { readSequence, type SequenceOperation } from './sequence.ts';
import { workingSet } from './staging.ts';
import { type Tracking, trackingOf } from './tracking.ts';
import { walkFiles } from './walk-files.ts';

export type StatusChange = 'added' | 'modified' | 'removed';

export interface StatusEntry {
  readonly table: string;
  readonly kind: 'table' | 'file';
  readonly change: StatusChange;
  /** Rows that differ, where known without reading a file. */
  readonly rows?: RowCounts;
}

export interface Status {
  /** null on a detached HEAD. */
  readonly branch: string | null;
  readonly commit: Hash | null;
  readonly staged: readonly StatusEntry[];
  readonly unstaged: readonly StatusEntry[];
  readonly untracked: readonly string[];
  readonly clean: boolean;
  /** A merge or the like that waits for somebody. */
  readonly merge?: MergeStatus;
  /** A cherry-pick, revert or rebase that goes on with `--continue`. */
  readonly sequence?: SequenceStatus;
  /** A search for a commit that waits for a verdict. */
  readonly bisecting?: true;
  /** What the branch follows, and how far it is from there. */
  readonly tracking?: Tracking;
  /** How much of the history is here, where it is not all. */
  readonly shallow?: { readonly boundary: number };
  /** The tables that a partial clone brought. */
  readonly partial?: { readonly remote: string; readonly tables: readonly string[] };
}

export interface MergeStatus {
  readonly operation: MergeOperation;
  /** What the person called what comes in. */
  readonly theirs: string;
  /** Conflicts left, by table. */
  readonly conflicts: readonly { readonly table: string; readonly conflicts: number }[];
}

export interface SequenceStatus {
  readonly operation: SequenceOperation;
  /** The commit that it stopped at, and whether for that to be edited. */
  readonly stoppedAt: Hash;
  readonly isEdit: boolean;
  /** Commits still to be made, without the one that it stopped at if that is over. */
  readonly left: number;
}

export interface StatusOptions {
  /**
   * Which untracked files: `all`, none, or (`normal`, the default) a directory in which
   * nothing is tracked as one, with a `/` behind its name.
   */
  readonly untracked?: 'no' | 'normal' | 'all';
}

export async function status(repo: Repository, options: StatusOptions = {}): Promise<Status> {
  requireWorkingFiles(repo);
  const set = await workingSet(repo);
  const entries = await listRoot(repo.nodes, set.staged);
  const staged = await stagedChanges(repo, set.headRoot, set.staged);
  const unstaged = await unstagedChanges(repo, entries);
  const untracked = listUntracked(repo, entries, options.untracked ?? 'normal');
  const merge = await mergeStatus(repo);
  const sequence = await sequenceStatus(repo, set.head.commit);
  const branch = set.head.kind === 'branch' ? set.head.branch : null;
  const config = branch === null ? undefined : configOf(repo);
  const tracking =
    branch === null || config === undefined
      ? undefined
      : await trackingOf(repo, config, branch, set.head.commit);
  return {
    branch,
    commit: set.head.commit ?? null,
    staged,
    unstaged,
    untracked,
    clean: staged.length === 0 && unstaged.length === 0 && merge === undefined,
    ...(merge && { merge }),
    ...(sequence && { sequence }),
    ...((await isBisecting(repo)) && { bisecting: true }),
    ...(tracking && { tracking }),
    ...(await missingParts(repo)),
  };
}

async function mergeStatus(repo: Repository): Promise<MergeStatus | undefined> {
  const merge = await readMerge(repo.store);
  if (merge === undefined) return undefined;
  const { operation, theirName, conflicts } = merge.state;
  return {
    operation,
    theirs: theirName,
    conflicts: conflicts.map((one) => ({ table: one.table, conflicts: countConflicts([one]) })),
  };
}

async function sequenceStatus(
  repo: Repository,
  head: Hash | undefined,
): Promise<SequenceStatus | undefined> {
  const sequence = await readSequence(repo.store);
  if (sequence === undefined) return undefined;
  const { operation, todo, at } = sequence.state;
  const [{ commit, action }] = todo;
  const isEdit = action === 'edit';
  const isOver = isEdit || head !== at;
  return { operation, stoppedAt: commit, isEdit, left: todo.length - (isOver ? 1 : 0) };
}

function listUntracked(
  repo: Repository,
  entries: readonly { readonly name: string }[],
  which: 'no' | 'normal' | 'all',
): string[] {
  if (which === 'no') return [];
  const tracked = new Set(entries.map(({ name }) => name));
  const directories = new Set(entries.flatMap(({ name }) => directoriesAbove(name)));
  const untracked = new Set<string>();
  for (const name of walkFiles(repo.worktree, '', readIgnores(repo.worktree))) {
    if (tracked.has(name)) continue;
    const above = which === 'all' ? [] : directoriesAbove(name);
    untracked.add(above.find((directory) => !directories.has(directory)) ?? name);
  }
  return [...untracked];
}

/** `a/` and `a/b/` of `a/b/c.csv`. */
function directoriesAbove(name: string): string[] {
  const parts = name.split('/');
  return parts.slice(1).map((_, i) => `${parts.slice(0, i + 1).join('/')}/`);
}

const tableOf = (e: RootEntry | undefined) => (e?.kind === 'table' ? e.table : undefined);

function changeOf(from: RootEntry | undefined, to: RootEntry | undefined): StatusChange {
  if (from === undefined) return 'added';
  return to === undefined ? 'removed' : 'modified';
}

async function stagedChanges(repo: Repository, from: Hash, to: Hash): Promise<StatusEntry[]> {
  const changes: StatusEntry[] = [];
  const differences = await diffRoots(repo.nodes, from, to);
  await needDifferences(repo, differences);
  for (const { name, from: before, to: after } of differences) {
    const kind = (after ?? before)?.kind ?? 'table';
    const entry: StatusEntry = { table: name, kind, change: changeOf(before, after) };
    const [old, now] = [tableOf(before), tableOf(after)];
    if (old === undefined && now === undefined) changes.push(entry);
    else changes.push({ ...entry, rows: await countChanges(repo.nodes, old, now) });
  }
  return changes;
}

/** Working files that are not what is staged; renews fingerprints that were in doubt. */
export async function unstagedChanges(
  repo: Repository,
  entries: readonly { readonly name: string; readonly entry: RootEntry }[],
): Promise<StatusEntry[]> {
  const prints = await listFingerprints(repo.store);
  const isLeftOut = await leftOut(repo);
  const changes: StatusEntry[] = [];
  const renewed = [];
  for (const { name, entry } of entries) {
    if (!hasWorkingFile(name, entry)) continue;
    const state = checkFile(pathOf(repo, name), prints.get(name), repo.env.now());
    if (state.kind === 'missing' && !prints.has(name) && isLeftOut(name)) continue;
    if (state.kind === 'missing')
      changes.push({ table: name, kind: entry.kind, change: 'removed' });
    else if (state.kind === 'changed' || !sameEntry(state.print.entry, entry)) {
      changes.push({ table: name, kind: entry.kind, change: 'modified' });
    }
    if (state.kind === 'known' && state.refreshed)
      renewed.push(fingerprintUpdate(name, state.print));
  }
  if (renewed.length > 0) await renewFingerprints(repo.store, renewed);
  return changes;
}
