/**
 * A sequence that stopped goes on, leaves a step out, goes back to where it began, or is
 * forgotten. Each is one transaction, as the sequence itself (sequencer.ts).
 */
import { DvError } from '../errors.ts';
import type { Hash } from '../hash.ts';
import { headUpdate } from '../model/head.ts';
import { countConflicts, mergeUpdate, readMerge } from '../model/merge-state.ts';
import type { EntryConflict } from '../model/merge-types.ts';
import { diffRoots } from '../model/root.ts';
import { rootOfCommit, stagedUpdate } from '../model/working-set.ts';
import { type CheckoutItem, hasWorkingFile } from './checkout.ts';
import { makeCommit } from './play-step.ts';
import { keepResolutions } from './remember.ts';
import type { Repository } from './repository.ts';
import { readSequence, requireSequence, type SequenceOperation } from './sequence.ts';
import {
  moveTo,
  overUpdates,
  play,
  type Run,
  resultOf,
  type SequenceResult,
  transact,
} from './sequencer.ts';
import { workingSet } from './staging.ts';

/** A run that goes on from what is stored. */
async function reopen(repo: Repository, operation: SequenceOperation): Promise<Run> {
  const sequence = await requireSequence(repo, operation);
  const merge = await readMerge(repo.store);
  const set = await workingSet(repo);
  const { options, start, branch } = sequence.state;
  // The files show what is staged: that is what they move from.
  const shown = { ...set, headRoot: set.staged };
  return { repo, operation, options, start, branch, set: shown, merge, sequence };
}

/** @throws DvError `no-sequence`, `conflicts-left`, `ref-moved`, `unsaved-changes` */
export async function continueSequence(
  repo: Repository,
  operation: SequenceOperation,
  message?: string,
): Promise<SequenceResult> {
  const run = await reopen(repo, operation);
  const { todo, skipped, at } = run.sequence!.state;
  const head = run.set.head.commit ?? at;
  const position = { commit: head, root: await rootOfCommit(repo.nodes, head) };
  const [step, ...rest] = todo;
  if (run.merge === undefined) {
    // Somebody committed, or it stopped to be edited: the step is over.
    const isOver = head !== at || step?.action === 'edit';
    if (run.set.staged !== position.root) throw staged();
    return play(run, isOver ? rest : todo, position, skipped);
  }
  const { state } = run.merge;
  const left = countConflicts(state.conflicts);
  if (left > 0) throw conflictsLeft(left, state.conflicts);
  const isEmpty = run.set.staged === position.root;
  if (isEmpty) return play(run, rest, position, [...skipped, step.commit]);
  const merged = { root: run.set.staged, resolved: state.resolved };
  const made = await makeCommit(repo, merged, {
    parents: state.parents,
    message: message ?? state.message,
    author: state.author,
  });
  await repo.store.putMany([made]);
  await keepResolutions(repo, state);
  const next = { commit: made.hash, root: run.set.staged };
  const result = await play(run, rest, next, skipped);
  return { ...result, made: [made.hash, ...result.made] };
}

function staged(): DvError {
  return new DvError('unsaved-changes', 'something is staged and not committed', {
    hint: 'dv commit, or dv commit --amend, then --continue',
  });
}

function conflictsLeft(left: number, conflicts: readonly EntryConflict[]): DvError {
  const many = left === 1 ? '1 conflict is' : `${left} conflicts are`;
  const [{ table }] = conflicts;
  return new DvError('conflicts-left', `${many} not resolved, the first in '${table}'`, {
    hint: 'dv conflicts shows them, dv resolve settles them',
    data: { conflicts: left },
  });
}

/** Leaves out the step that it stopped at. @throws DvError `no-sequence`, `ref-moved` */
export async function skipStep(
  repo: Repository,
  operation: SequenceOperation,
): Promise<SequenceResult> {
  const run = await reopen(repo, operation);
  const { todo, skipped, at } = run.sequence!.state;
  const head = run.set.head.commit ?? at;
  const root = await rootOfCommit(repo.nodes, head);
  await backTo(run, root);
  const set = await workingSet(repo);
  const merge = await readMerge(repo.store);
  const sequence = await readSequence(repo.store);
  const again = { ...run, set, merge, sequence };
  return play(again, todo.slice(1), { commit: head, root }, skipped);
}

/** The stage and the files to a root; the merge is over. */
async function backTo({ repo, set, merge }: Run, root: Hash): Promise<void> {
  const items = await itemsTo(repo, [set.staged, merge?.state.merged], root);
  const state = [stagedUpdate(set, root, root), mergeUpdate(null, merge?.raw ?? null)];
  await transact(repo, items, { refs: [], state, reflog: '' });
}

/** The files that differ between some roots and `to`, as `to` has them. */
async function itemsTo(
  repo: Repository,
  roots: readonly (Hash | undefined)[],
  to: Hash,
): Promise<CheckoutItem[]> {
  const items = new Map<string, CheckoutItem>();
  for (const root of roots) {
    if (root === undefined) continue;
    for (const { name, from, to: after } of await diffRoots(repo.nodes, root, to)) {
      const entry = after ?? from;
      if (entry === undefined || !hasWorkingFile(name, entry)) continue;
      items.set(name, { name, entry: after ?? null });
    }
  }
  return [...items.values()];
}

/** Back to where it began. @throws DvError `no-sequence`, `ref-moved` */
export async function abortSequence(
  repo: Repository,
  operation: SequenceOperation,
): Promise<SequenceResult> {
  const run = await reopen(repo, operation);
  const { set, start, branch, merge } = run;
  const root = await rootOfCommit(repo.nodes, start);
  const items = await itemsTo(repo, [set.staged, merge?.state.merged], root);
  const target = moveTo(run, start);
  if (operation === 'rebase' && branch !== null) {
    target.state = [{ ...headUpdate({ branch }), expect: target.state[0]?.expect ?? null }];
  }
  const state = [...target.state, stagedUpdate(set, root, root), ...overUpdates(run)];
  const reflog = `${operation} (abort): back to ${start.slice(0, 12)}`;
  await transact(repo, items, { refs: target.refs, state, reflog });
  const position = { commit: start, root };
  return resultOf('aborted', { position, made: [], skipped: [] }, null, []);
}

/** Forgets what is left, and leaves everything as it is. @throws DvError `no-sequence` */
export async function quitSequence(
  repo: Repository,
  operation: SequenceOperation,
): Promise<SequenceResult> {
  const run = await reopen(repo, operation);
  await transact(repo, [], { refs: [], state: overUpdates(run), reflog: '' });
  const commit = run.set.head.commit ?? run.start;
  const position = { commit, root: run.set.headRoot };
  return resultOf('quit', { position, made: [], skipped: [] }, null, []);
}
