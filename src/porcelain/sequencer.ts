/**
 * Runs cherry-picks, reverts and rebases.
 *
 * Steps are played in memory, one commit on top of the other; HEAD, its branch, the stage and
 * the working files move once, at the end, in one transaction with its journal. Where a step
 * runs into conflicts, that transaction goes to the last good commit, stages the merged root
 * and notes what is left (sequence.ts, merge-state.ts). So whenever dv is killed, the sequence
 * has not begun, waits where it stopped, or is over.
 *
 * While a rebase waits, HEAD is detached, and the branch is where it was; it moves at the end,
 * if nobody else moved it meanwhile.
 */
import { DvError } from '../errors.ts';
import type { Hash } from '../hash.ts';
import { headUpdate } from '../model/head.ts';
import { countConflicts, mergeUpdate, readMerge, type StoredMerge } from '../model/merge-state.ts';
import type { EntryConflict, RootMerge } from '../model/merge-types.ts';
import { BRANCH_PREFIX } from '../model/names.ts';
import { readCommit } from '../model/object-reader.ts';
import { diffRoots } from '../model/root.ts';
import { rootOfCommit, stagedUpdate, type WorkingSet } from '../model/working-set.ts';
import type { RefUpdate, StateUpdate } from '../store/contract.ts';
import { type CheckoutItem, checkout, hasWorkingFile } from './checkout.ts';
import { firstLine } from './commit.ts';
import { requireNoMerge } from './merge-guard.ts';
import { makeCommit, type PlayedStep, playStep, type StepCommit } from './play-step.ts';
import type { Repository } from './repository.ts';
import {
  readSequence,
  requireNoSequence,
  requireSequence,
  type SequenceOperation,
  type SequenceOptions,
  type SequenceState,
  type SequenceStep,
  type StoredSequence,
  sequenceUpdate,
} from './sequence.ts';
import { requireCleanStage } from './settle-merge.ts';
import { workingSet } from './staging.ts';
import { actorName, moveWorkingSet } from './switch.ts';

export interface SequenceResult {
  readonly outcome: 'done' | 'conflicts' | 'edit' | 'staged' | 'aborted' | 'quit';
  /** Where HEAD is now. */
  readonly commit: Hash;
  /** Commits made, or kept, oldest first, in this run. */
  readonly made: readonly Hash[];
  /** Commits that brought nothing new. */
  readonly skipped: readonly Hash[];
  /** The commit that it stopped at. */
  readonly stoppedAt: Hash | null;
  readonly conflicts: readonly EntryConflict[];
}

/** Where the sequence stands: in memory until it ends or stops. */
interface Position {
  readonly commit: Hash;
  readonly root: Hash;
}

interface Run {
  readonly repo: Repository;
  readonly operation: SequenceOperation;
  readonly options: SequenceOptions;
  readonly start: Hash;
  readonly branch: string | null;
  /** The working set, its base being what the working files show. */
  readonly set: WorkingSet;
  /** What the store holds of a merge and a sequence. */
  readonly merge: StoredMerge | undefined;
  readonly sequence: StoredSequence | undefined;
}

/**
 * Plays steps on HEAD, or for a rebase on `onto`.
 * @throws DvError `merge-in-progress`, `sequence-in-progress`, `unsaved-changes`, `no-commits`,
 * `merge-commit`, `ref-moved`
 */
export async function runSequence(
  repo: Repository,
  operation: SequenceOperation,
  steps: readonly SequenceStep[],
  options: SequenceOptions,
  onto?: Hash,
): Promise<SequenceResult> {
  await requireNoSequence(repo);
  await requireNoMerge(repo);
  const set = await workingSet(repo);
  const start = set.head.commit;
  if (start === undefined) {
    throw new DvError('no-commits', 'the branch has no commits yet', { hint: 'dv commit' });
  }
  await requireCleanStage(repo, set);
  const branch = set.head.kind === 'branch' ? set.head.branch : null;
  const at = onto ?? start;
  const position = { commit: at, root: await rootOfCommit(repo.nodes, at) };
  const run = {
    repo,
    operation,
    options,
    start,
    branch,
    set,
    merge: undefined,
    sequence: undefined,
  };
  return play(run, steps, position, []);
}

async function play(
  run: Run,
  steps: readonly SequenceStep[],
  from: Position,
  skippedBefore: readonly Hash[],
): Promise<SequenceResult> {
  const { repo, options } = run;
  const made: Hash[] = [];
  const skipped = [...skippedBefore];
  let position = from;
  for (const [i, step] of steps.entries()) {
    repo.env.report({ label: run.operation, done: i, total: steps.length, unit: 'objects' });
    const played = await playStep(repo, step, position, options);
    if (played.kind === 'conflicts') {
      const rest = { todo: steps.slice(i), skipped, position, made };
      return stop(run, rest, played);
    }
    if (played.kind === 'empty') skipped.push(step.commit);
    else {
      position = await advance(repo, position, played);
      if (played.kind !== 'merged') made.push(position.commit);
    }
    if (step.action === 'edit') {
      return pause(run, { todo: steps.slice(i), skipped, position, made });
    }
  }
  return options.commit === false
    ? stageResult(run, position, skipped)
    : finish(run, position, made, skipped);
}

type Through = Exclude<PlayedStep, { readonly kind: 'conflicts' | 'empty' }>;

async function advance(repo: Repository, from: Position, played: Through): Promise<Position> {
  const { root } = played;
  if (played.kind === 'merged') return { ...from, root };
  if (played.kind === 'kept') return { commit: played.commit, root };
  await repo.store.putMany([played.commit]);
  return { commit: played.commit.hash, root };
}

interface Rest {
  readonly todo: readonly SequenceStep[];
  readonly skipped: readonly Hash[];
  readonly position: Position;
  readonly made: readonly Hash[];
}

/** State updates that take away what the run began from. */
function overUpdates({ merge, sequence }: Run): StateUpdate[] {
  return [mergeUpdate(null, merge?.raw ?? null), sequenceUpdate(null, sequence?.raw ?? null)];
}

function stateOf(run: Run, { todo, skipped, position }: Rest): SequenceState {
  const { operation, start, branch, options } = run;
  return { operation, todo, start, branch, at: position.commit, options, skipped };
}

/** HEAD to `commit`: of a rebase detached; else its branch. */
function moveTo(
  { set, operation }: Run,
  commit: Hash,
): { refs: RefUpdate[]; state: StateUpdate[] } {
  const { head } = set;
  if (head.kind === 'branch' && operation !== 'rebase') {
    const name = BRANCH_PREFIX + head.branch;
    return { refs: [{ name, old: head.commit ?? null, new: commit }], state: [] };
  }
  const expect = head.kind === 'branch' ? `ref: ${BRANCH_PREFIX}${head.branch}` : head.commit;
  return { refs: [], state: [{ ...headUpdate({ commit }), expect: Buffer.from(expect) }] };
}

async function stop(
  run: Run,
  rest: Rest,
  { merge, plan }: { readonly merge: RootMerge; readonly plan: StepCommit },
): Promise<SequenceResult> {
  const { repo, operation } = run;
  const { position, todo } = rest;
  const { commit } = todo[0];
  const waiting = {
    operation,
    head: position.commit,
    theirs: commit,
    theirName: await nameOf(repo, commit),
    ...plan,
    merged: merge.root,
    conflicts: merge.conflicts,
    resolved: merge.resolved,
  };
  await settle(run, merge.root, position, [
    mergeUpdate(waiting, run.merge?.raw ?? null),
    sequenceUpdate(stateOf(run, rest), run.sequence?.raw ?? null),
  ]);
  return resultOf('conflicts', rest, commit, merge.conflicts);
}

async function pause(run: Run, rest: Rest): Promise<SequenceResult> {
  const { commit } = rest.todo[0];
  await settle(run, rest.position.root, rest.position, [
    mergeUpdate(null, run.merge?.raw ?? null),
    sequenceUpdate(stateOf(run, rest), run.sequence?.raw ?? null),
  ]);
  return resultOf('edit', rest, commit, []);
}

function resultOf(
  outcome: SequenceResult['outcome'],
  { position, made, skipped }: Omit<Rest, 'todo'>,
  stoppedAt: Hash | null,
  conflicts: readonly EntryConflict[],
): SequenceResult {
  return { outcome, commit: position.commit, made, skipped, stoppedAt, conflicts };
}

async function nameOf(repo: Repository, commit: Hash): Promise<string> {
  const { message } = await readCommit(repo.store, commit);
  return `${commit.slice(0, 7)} (${firstLine(message)})`;
}

/** HEAD to a commit, the stage and the files to a root. @throws DvError `ref-moved` */
async function settle(
  run: Run,
  root: Hash,
  position: Position,
  state: readonly StateUpdate[],
  target = moveTo(run, position.commit),
  reflog = `${run.operation}: ${position.commit.slice(0, 12)}`,
): Promise<void> {
  const { repo, set } = run;
  const { items } = await moveWorkingSet(repo, set, root, false);
  const headRoot = await rootOfCommit(repo.nodes, position.commit);
  await transact(repo, items, {
    refs: target.refs,
    state: [...target.state, stagedUpdate(set, root, headRoot), ...state],
    reflog,
  });
}

async function transact(
  repo: Repository,
  items: readonly CheckoutItem[],
  { refs, state, reflog }: { refs: readonly RefUpdate[]; state: StateUpdate[]; reflog: string },
): Promise<void> {
  const log = { actor: await actorName(repo), time: repo.env.now(), message: reflog };
  if (await checkout(repo, items, { refs, state, log })) return;
  throw new DvError('ref-moved', 'another command changed the repository meanwhile', {
    hint: 'dv status, then try again',
  });
}

async function stageResult(
  run: Run,
  position: Position,
  skipped: readonly Hash[],
): Promise<SequenceResult> {
  await settle(run, position.root, position, overUpdates(run));
  return resultOf('staged', { position, made: [], skipped }, null, []);
}

async function finish(
  run: Run,
  position: Position,
  made: readonly Hash[],
  skipped: readonly Hash[],
): Promise<SequenceResult> {
  const { operation, branch, start, repo } = run;
  const { message } = await readCommit(repo.store, position.commit);
  const reflog =
    operation === 'rebase'
      ? `rebase (finish): ${branch ?? 'HEAD'} onto ${position.commit.slice(0, 12)}`
      : `${operation}: ${firstLine(message)}`;
  const target = moveTo(run, position.commit);
  if (operation === 'rebase' && branch !== null) {
    const name = BRANCH_PREFIX + branch;
    target.refs = [{ name, old: start, new: position.commit }];
    target.state = [{ ...headUpdate({ branch }), expect: target.state[0]?.expect ?? null }];
  }
  await settle(run, position.root, position, overUpdates(run), target, reflog);
  return resultOf('done', { position, made, skipped }, null, []);
}

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
