/**
 * A merge that waits for a person: kept in the store's state, so it survives restarts. The
 * merged root itself is what is staged. JSON, as small as the number of tables in conflict;
 * the rows in conflict are trees of their own (conflict-tree.ts), which gc keeps.
 */
import { DvError } from '../errors.ts';
import type { Hash } from '../hash.ts';
import type { StateUpdate, Store } from '../store/contract.ts';
import type { Edge } from './edges.ts';
import type { EntryConflict, Resolved } from './merge-types.ts';
import type { Person } from './objects.ts';
import type { RootEntry } from './root.ts';

export const MERGE_KEY = 'merge';

export type MergeOperation = 'merge' | 'cherry-pick' | 'revert' | 'rebase' | 'stash';

export interface MergeState {
  readonly operation: MergeOperation;
  /** HEAD's commit when it began: what an abort goes back to. */
  readonly head: Hash;
  /** The commit that comes in, and what the person called it. */
  readonly theirs: Hash;
  readonly theirName: string;
  /** Parents of the commit that ends the merge; empty: it ends without one (a stash). */
  readonly parents: readonly Hash[];
  readonly message: string;
  /** Of the commit to be; null: who commits. */
  readonly author: Person | null;
  /** The root right after the merge, conflicts at what ours has. */
  readonly merged: Hash;
  /** What is left to decide. */
  readonly conflicts: readonly EntryConflict[];
  readonly resolved: Resolved;
  /** Tree of resolutions to be remembered (remembered.ts). */
  readonly settled?: Hash;
}

export interface StoredMerge {
  readonly state: MergeState;
  /** What the store holds now: the `expect` of an update. */
  readonly raw: Uint8Array;
}

/** @throws DvError `corrupt` */
export async function readMerge(store: Store): Promise<StoredMerge | undefined> {
  const raw = await store.getState(MERGE_KEY);
  if (raw === undefined) return undefined;
  try {
    return { state: JSON.parse(Buffer.from(raw).toString()) as MergeState, raw };
  } catch (cause) {
    throw new DvError('corrupt', 'the state of the merge in progress is not valid', { cause });
  }
}

/** The update that keeps `state` (null: the merge is over) in place of what `expect` holds. */
export function mergeUpdate(state: MergeState | null, expect: Uint8Array | null): StateUpdate {
  const value = state === null ? null : Buffer.from(JSON.stringify(state));
  return { key: MERGE_KEY, value, expect };
}

/** Conflicts left to decide; a table or file that cannot be merged counts as one. */
export function countConflicts(conflicts: readonly EntryConflict[]): number {
  return conflicts.reduce((sum, item) => sum + (item.kind === 'rows' ? item.count : 1), 0);
}

/** What a merge in progress needs to be kept: for gc and fsck. */
export async function mergeEdges(store: Store): Promise<Edge[]> {
  const merge = await readMerge(store);
  if (merge === undefined) return [];
  const { head, theirs, parents, merged, conflicts, settled } = merge.state;
  const commits = [head, theirs, ...parents].map((hash): Edge => ({ kind: 'named', hash }));
  const trees = settled === undefined ? [] : [{ kind: 'tree', hash: settled } as const];
  return [
    ...commits,
    { kind: 'root', hash: merged },
    ...conflicts.flatMap(conflictEdges),
    ...trees,
  ];
}

function conflictEdges(conflict: EntryConflict): Edge[] {
  const { sides } = conflict;
  if (conflict.kind !== 'rows') {
    const { base, ours, theirs } = conflict.sides;
    return [base, ours, theirs].flatMap((entry) => (entry === null ? [] : [entryEdge(entry)]));
  }
  const tables = [sides.base, sides.ours, sides.theirs] as (Hash | null)[];
  const edges = tables.flatMap((hash): Edge[] => (hash === null ? [] : [{ kind: 'table', hash }]));
  return [...edges, { kind: 'tree', hash: conflict.tree }];
}

function entryEdge(entry: RootEntry): Edge {
  return entry.kind === 'table'
    ? { kind: 'table', hash: entry.table }
    : { kind: 'blob', hash: entry.blob };
}
