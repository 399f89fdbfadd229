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
import { mergeUpdate, type StoredMerge } from '../model/merge-state.ts';
import type { EntryConflict, RootMerge } from '../model/merge-types.ts';
import { BRANCH_PREFIX } from '../model/names.ts';
import { readCommit } from '../model/object-reader.ts';
import { rootOfCommit, stagedUpdate, type WorkingSet } from '../model/working-set.ts';
import type { RefUpdate, StateUpdate } from '../store/contract.ts';
import { requireWorkingFiles } from './bare.ts';
import { type CheckoutItem, checkout } from './checkout.ts';
import { firstLine } from './commit.ts';
import { requireNoMerge } from './merge-guard.ts';
import { type PlayedStep, playStep, type StepCommit } from './play-step.ts';
import type { Repository } from './repository.ts';
import { reuseResolutions } from './rerere.ts';
import type { ResolveResult } from './resolve.ts';
import {
  requireNoSequence,
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
  /** `up-to-date`: a rebase that had nothing to move. */
  readonly outcome: 'done' | 'up-to-date' | 'conflicts' | 'edit' | 'staged' | 'aborted' | 'quit';
  /** Where HEAD is now. */
  readonly commit: Hash;
  /** Commits made, or kept, oldest first, in this run. */
  readonly made: readonly Hash[];
  /** Commits that brought nothing new. */
  readonly skipped: readonly Hash[];
  /** The commit that it stopped at. */
  readonly stoppedAt: Hash | null;
  readonly conflicts: readonly EntryConflict[];
  /** Conflicts that were settled as they were before (`rerere.enabled`). */
  readonly reused?: ResolveResult;
}

/** Where the sequence stands: in memory until it ends or stops. */
export interface Position {
  readonly commit: Hash;
  readonly root: Hash;
}

export interface Run {
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
  requireWorkingFiles(repo);
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

export async function play(
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
export function overUpdates({ merge, sequence }: Run): StateUpdate[] {
  return [mergeUpdate(null, merge?.raw ?? null), sequenceUpdate(null, sequence?.raw ?? null)];
}

function stateOf(run: Run, { todo, skipped, position }: Rest): SequenceState {
  const { operation, start, branch, options } = run;
  return { operation, todo, start, branch, at: position.commit, options, skipped };
}

/** HEAD to `commit`: of a rebase detached; else its branch. */
export function moveTo(
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
  const reused = await reuseResolutions(repo);
  return { ...resultOf('conflicts', rest, commit, merge.conflicts), ...(reused && { reused }) };
}

async function pause(run: Run, rest: Rest): Promise<SequenceResult> {
  const { commit } = rest.todo[0];
  await settle(run, rest.position.root, rest.position, [
    mergeUpdate(null, run.merge?.raw ?? null),
    sequenceUpdate(stateOf(run, rest), run.sequence?.raw ?? null),
  ]);
  return resultOf('edit', rest, commit, []);
}

export function resultOf(
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

export async function transact(
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
  const isBegun = run.sequence !== undefined;
  if (operation === 'rebase' && position.commit === start && !isBegun) {
    return resultOf('up-to-date', { position, made: [], skipped }, null, []);
  }
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
