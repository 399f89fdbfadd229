/**
 * What merge, cherry-pick, revert, rebase and stash have in common once rows are merged: the
 * commit, or a merge that waits for somebody.
 *
 * Without conflicts, the commit, HEAD's branch, the working files and the stage change in one
 * transaction with its journal. With conflicts, the merged root is staged and written to the
 * working files, and the state `merge` says what is left, in one transaction as well.
 */
import { DvError } from '../errors.ts';
import type { Hash } from '../hash.ts';
import { headUpdate } from '../model/head.ts';
import { resolvedExtra } from '../model/merge-record.ts';
import { type MergeOperation, type MergeState, mergeUpdate } from '../model/merge-state.ts';
import type { EntryConflict, RootMerge } from '../model/merge-types.ts';
import { BRANCH_PREFIX } from '../model/names.ts';
import type { Person } from '../model/objects.ts';
import { diffRoots } from '../model/root.ts';
import { rootOfCommit, stagedUpdate, type WorkingSet } from '../model/working-set.ts';
import type { ChunkToPut, RefUpdate, StateUpdate, Transaction } from '../store/contract.ts';
import { type CheckoutItem, checkout, hasWorkingFile } from './checkout.ts';
import { newCommit } from './commit.ts';
import { requireOwnMerge } from './merge-guard.ts';
import { currentPerson } from './people.ts';
import type { Repository } from './repository.ts';
import { reuseResolutions } from './rerere.ts';
import type { ResolveResult } from './resolve.ts';
import { workingSet } from './staging.ts';
import { actorName, moveWorkingSet } from './switch.ts';

export interface MergePlan {
  readonly operation: MergeOperation;
  /** The commit that comes in, and what the person called it. */
  readonly theirs: Hash;
  readonly theirName: string;
  /** Of the commit to be; empty: what is merged is only staged. */
  readonly parents: readonly Hash[];
  readonly message: string;
  /** null: who commits. */
  readonly author: Person | null;
  /** false: stage it, and leave the commit to the person. */
  readonly commit: boolean;
  /** A commit made already, in place of a new one. */
  readonly made?: ChunkToPut;
  /** Further updates of the same transaction. */
  readonly refs?: readonly RefUpdate[];
  readonly state?: readonly StateUpdate[];
  /** What the reflog says. */
  readonly reflog: string;
}

export type SettledMerge =
  | { readonly kind: 'committed'; readonly commit: Hash; readonly files: readonly string[] }
  | { readonly kind: 'staged'; readonly files: readonly string[] }
  | {
      readonly kind: 'stopped';
      readonly conflicts: readonly EntryConflict[];
      readonly files: readonly string[];
      /** What was settled as it was before. */
      readonly reused: ResolveResult | undefined;
    };

/** @throws DvError `unsaved-changes` naming what is staged */
export async function requireCleanStage(repo: Repository, set: WorkingSet): Promise<void> {
  if (set.staged === set.headRoot) return;
  const names = (await diffRoots(repo.nodes, set.headRoot, set.staged)).map(({ name }) => name);
  throw new DvError('unsaved-changes', `'${names[0]}' is staged and not committed`, {
    hint: 'dv commit, dv stash, or dv restore --staged',
    data: { tables: names },
  });
}

/**
 * `set` is the working set that the merge began from: its HEAD is asserted.
 * @throws DvError `unsaved-changes`, `ref-moved`
 */
export async function settleMerge(
  repo: Repository,
  set: WorkingSet,
  merge: RootMerge,
  plan: MergePlan,
): Promise<SettledMerge> {
  await requireCleanStage(repo, set);
  if (merge.conflicts.length > 0) return stop(repo, set, merge, plan);
  if (!plan.commit) return stage(repo, set, merge, plan);
  const made = plan.made ?? (await makeCommit(repo, merge, plan));
  await repo.store.putMany([made]);
  const moved = await moveWorkingSet(repo, set, merge.root, false);
  const target = moveHead(set, made.hash);
  await transact(repo, moved.items, {
    refs: [...(target.refs ?? []), ...(plan.refs ?? [])],
    state: [...(target.state ?? []), ...moved.state, ...(plan.state ?? [])],
    log: await logOf(repo, plan.reflog),
  });
  return { kind: 'committed', commit: made.hash, files: moved.items.map(({ name }) => name) };
}

async function makeCommit(
  repo: Repository,
  merge: RootMerge,
  plan: MergePlan,
): Promise<ChunkToPut> {
  const committer = await currentPerson(repo);
  return newCommit(repo, {
    root: merge.root,
    parents: plan.parents,
    author: plan.author ?? committer,
    committer,
    message: plan.message,
    extra: resolvedExtra(merge.resolved),
  });
}

async function logOf(repo: Repository, message: string) {
  return { actor: await actorName(repo), time: repo.env.now(), message };
}

/** HEAD, or its branch, from where `set` saw it to a commit. */
export function moveHead({ head }: WorkingSet, commit: Hash): Transaction {
  if (head.kind === 'branch') {
    return { refs: [{ name: BRANCH_PREFIX + head.branch, old: head.commit ?? null, new: commit }] };
  }
  return { state: [{ ...headUpdate({ commit }), expect: Buffer.from(head.commit) }] };
}

/** Asserts that HEAD is where `set` saw it. */
function holdHead(set: WorkingSet): Transaction {
  return set.head.commit === undefined ? {} : moveHead(set, set.head.commit);
}

async function transact(
  repo: Repository,
  items: readonly CheckoutItem[],
  transaction: Transaction,
): Promise<void> {
  if (await checkout(repo, items, transaction)) return;
  throw new DvError('ref-moved', 'another command changed the repository meanwhile', {
    hint: 'dv status, then try again',
  });
}

async function stage(
  repo: Repository,
  set: WorkingSet,
  merge: RootMerge,
  plan: MergePlan,
): Promise<SettledMerge> {
  const { items } = await moveWorkingSet(repo, set, merge.root, false);
  const isMerge = plan.parents.length > 1 || plan.operation === 'merge';
  const waiting = isMerge ? [mergeUpdate(stateOf(set, merge, plan), null)] : [];
  const hold = holdHead(set);
  await transact(repo, items, {
    ...hold,
    state: [
      ...(hold.state ?? []),
      stagedUpdate(set, merge.root),
      ...waiting,
      ...(plan.state ?? []),
    ],
  });
  return { kind: 'staged', files: items.map(({ name }) => name) };
}

async function stop(
  repo: Repository,
  set: WorkingSet,
  merge: RootMerge,
  plan: MergePlan,
): Promise<SettledMerge> {
  const { items } = await moveWorkingSet(repo, set, merge.root, false);
  const waiting = mergeUpdate(stateOf(set, merge, plan), null);
  const hold = holdHead(set);
  await transact(repo, items, {
    ...hold,
    state: [...(hold.state ?? []), stagedUpdate(set, merge.root), waiting, ...(plan.state ?? [])],
  });
  const files = items.map(({ name }) => name);
  const reused = await reuseResolutions(repo);
  return { kind: 'stopped', conflicts: merge.conflicts, files, reused };
}

function stateOf(set: WorkingSet, merge: RootMerge, plan: MergePlan): MergeState {
  const { operation, theirs, theirName, parents, message, author } = plan;
  return {
    operation,
    head: set.head.commit ?? theirs,
    theirs,
    theirName,
    parents,
    message,
    author,
    merged: merge.root,
    conflicts: merge.conflicts,
    resolved: merge.resolved,
  };
}

/**
 * Puts the stage, and the files that the merge or the person changed since, back to HEAD's.
 * @throws DvError `no-merge`, `ref-moved`
 */
export async function abortMerge(
  repo: Repository,
  state: readonly StateUpdate[] = [],
): Promise<{ readonly files: readonly string[] }> {
  const merge = await requireOwnMerge(repo);
  const set = await workingSet(repo);
  const root = await rootOfCommit(repo.nodes, set.head.commit);
  const names = new Map<string, CheckoutItem>();
  for (const changed of [merge.state.merged, set.staged]) {
    for (const { name, from, to } of await diffRoots(repo.nodes, root, changed)) {
      const entry = from ?? to;
      if (entry !== undefined && hasWorkingFile(name, entry)) {
        names.set(name, { name, entry: from ?? null });
      }
    }
  }
  const items = [...names.values()];
  await transact(repo, items, {
    state: [stagedUpdate(set, root, root), mergeUpdate(null, merge.raw), ...state],
  });
  return { files: items.map(({ name }) => name) };
}
