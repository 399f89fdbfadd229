/**
 * `dv merge`: other histories into HEAD's branch.
 *
 *   1. Nothing new: nothing to do. HEAD has nothing of its own: a fast-forward, unless told
 *      otherwise. Else a merge commit, or a merge that waits for somebody.
 *   2. Several commits at once are merged one after another into one commit with as many
 *      parents; conflicts refuse that.
 *   3. `squash` stages what a merge would bring, and makes no merge commit of it.
 *   4. `auto`: the commit is a function of the two heads (model/auto-merge.ts); conflicts
 *      change nothing.
 */

import { DvError } from '../errors.ts';
import type { Hash } from '../hash.ts';
import { autoMerge } from '../model/auto-merge.ts';
import { findOrigins } from '../model/cell-origin.ts';
import { compareClocks } from '../model/clock.ts';
import { checkMessage } from '../model/commit-message.ts';
import { DecisionLog } from '../model/decisions.ts';
import { isAncestor } from '../model/history.ts';
import { mergeBases } from '../model/merge-base.ts';
import { mergeCommits, virtualBase } from '../model/merge-commits.ts';
import { mergeRoots } from '../model/merge-roots.ts';
import type {
  EntryConflict,
  MergeOptions,
  Renumbered,
  Resolved,
  RootMerge,
} from '../model/merge-types.ts';
import { BRANCH_PREFIX } from '../model/names.ts';
import { readCommit } from '../model/object-reader.ts';
import { findRef } from '../model/revision.ts';
import { diffRoots } from '../model/root.ts';
import type { WorkingSet } from '../model/working-set.ts';
import type { ChunkToPut } from '../store/contract.ts';
import type { ColumnRule } from '../tuple/schema.ts';
import { requireWorkingFiles } from './bare.ts';
import { checkout } from './checkout.ts';
import { type CommitSummary, summarize } from './commit.ts';
import { requireNoMerge } from './merge-guard.ts';
import { needDifferences } from './missing-parts.ts';
import { type Repository, resolveCommit } from './repository.ts';
import type { ResolveResult } from './resolve.ts';
import { type MergePlan, moveHead, requireCleanStage, settleMerge } from './settle-merge.ts';
import { workingSet } from './staging.ts';
import { actorName, moveWorkingSet } from './switch.ts';

export interface MergeVerbOptions {
  /** A merge commit even where a fast-forward would do (`no`), or nothing but one (`only`). */
  readonly fastForward?: 'no' | 'only';
  readonly squash?: boolean;
  /** false: stop before the commit. */
  readonly commit?: boolean;
  readonly dryRun?: boolean;
  readonly auto?: boolean;
  /** Decides what no rule of a table decides. */
  readonly resolve?: ColumnRule;
  /** Rows of the later branch get new integer keys where both added one. */
  readonly renumber?: boolean;
  readonly message?: string;
  readonly allowUnrelated?: boolean;
  /** false: do not count the rows that it brings, which costs as many. */
  readonly summary?: boolean;
}

export interface MergeResult extends CommitSummary {
  readonly outcome:
    | 'up-to-date'
    | 'fast-forward'
    | 'merged'
    /** Merged into the stage: with `commit: false` or `squash`. */
    | 'staged'
    /** Conflicts are left; nothing changed with `dryRun` and `auto`. */
    | 'conflicts';
  /** Nothing was changed. */
  readonly dryRun: boolean;
  /** Where HEAD is now; with a dry run, where it was. */
  readonly commit: Hash;
  readonly conflicts: readonly EntryConflict[];
  readonly resolved: Resolved | undefined;
  readonly renumbered: readonly Renumbered[];
  /** Conflicts that were settled as they were before (`rerere.enabled`). */
  readonly reused?: ResolveResult;
}

interface Scene {
  readonly repo: Repository;
  readonly set: WorkingSet;
  readonly head: Hash;
  readonly options: MergeVerbOptions;
}

/** What a clone left out and a merge of these two takes: older commits, and tables. */
async function needForMerge(repo: Repository, head: Hash, theirs: Hash): Promise<void> {
  const isShallow = (repo.store.shallow?.size ?? 0) > 0;
  if (isShallow && (await mergeBases(repo.store, head, theirs)).length === 0) {
    await repo.filler().history();
  }
  const [ours, other] = [await readCommit(repo.store, head), await readCommit(repo.store, theirs)];
  await needDifferences(repo, await diffRoots(repo.nodes, ours.root, other.root));
}

/** @throws DvError `merge-in-progress`, `unsaved-changes`, `unrelated-histories`,
 * `not-fast-forward`, `no-commits`, `ref-moved`, `conflicts-left` (several commits) */
export async function merge(
  repo: Repository,
  revisions: readonly string[],
  options: MergeVerbOptions = {},
): Promise<MergeResult> {
  requireWorkingFiles(repo);
  await requireNoMerge(repo);
  const set = await workingSet(repo);
  const theirs: Hash[] = [];
  for (const revision of revisions) theirs.push(await resolveCommit(repo, revision));
  const head = set.head.commit;
  if (head === undefined) return startFrom(repo, set, theirs, options);
  const scene = { repo, set, head, options };
  for (const commit of theirs) await needForMerge(repo, head, commit);
  const open = await independent(repo, theirs, head);
  if (open.length === 0) return { ...NOTHING, dryRun: options.dryRun ?? false, commit: head };
  if (!options.dryRun) await requireCleanStage(repo, set);
  const [first] = open;
  const canForward = open.length === 1 && (await isAncestor(repo.store, head, theirs[first]));
  if (canForward && options.fastForward !== 'no' && !options.squash) {
    return fastForward(scene, theirs[first], revisions[first]);
  }
  if (options.fastForward === 'only') throw notForward(revisions[first]);
  if (options.auto) return mergeAutomatically(scene, theirs[first], revisions[first]);
  const message =
    options.message ??
    (await defaultMessage(
      scene,
      open.map((i) => revisions[i]),
    ));
  const incoming = open.map((i) => ({ commit: theirs[i], name: revisions[i] }));
  return mergeInto(scene, incoming, checkMessage(message));
}

/** Places of the commits that neither HEAD nor another of them has: no commit is a parent twice. */
async function independent(
  { store }: Repository,
  commits: readonly Hash[],
  head: Hash,
): Promise<number[]> {
  const open: number[] = [];
  for (const [i, hash] of commits.entries()) {
    let isHad = await isAncestor(store, hash, head);
    for (const [j, other] of commits.entries()) {
      if (isHad || i === j) continue;
      isHad = hash === other ? j < i : await isAncestor(store, hash, other);
    }
    if (!isHad) open.push(i);
  }
  return open;
}

const NOTHING = {
  outcome: 'up-to-date',
  conflicts: [],
  resolved: undefined,
  renumbered: [],
  tables: [],
  files: [],
} as const;

function notForward(name: string): DvError {
  return new DvError('not-fast-forward', `HEAD has commits that '${name}' has not`, {
    hint: 'dv merge without --ff-only, or dv rebase',
  });
}

/** A branch without commits begins where the other one is. */
async function startFrom(
  repo: Repository,
  set: WorkingSet,
  theirs: readonly Hash[],
  options: MergeVerbOptions,
): Promise<MergeResult> {
  if (theirs.length !== 1) {
    throw new DvError('no-commits', 'the branch has no commits yet to merge several into');
  }
  return forwardTo(repo, set, theirs[0], 'merge: first commit', options);
}

function fastForward({ repo, set, options }: Scene, to: Hash, name: string): Promise<MergeResult> {
  return forwardTo(repo, set, to, `merge ${name}: Fast-forward`, options);
}

async function forwardTo(
  repo: Repository,
  set: WorkingSet,
  to: Hash,
  reflog: string,
  options: MergeVerbOptions,
): Promise<MergeResult> {
  const { root } = await readCommit(repo.store, to);
  const summary = await summaryOf(repo, set, root, options);
  const { dryRun = false } = options;
  const result = { ...NOTHING, ...summary, outcome: 'fast-forward', dryRun } as const;
  if (dryRun) return { ...result, commit: set.head.commit ?? to };
  const moved = await moveWorkingSet(repo, set, root, false);
  const target = moveHead(set, to);
  const log = { actor: await actorName(repo), time: repo.env.now(), message: reflog };
  const state = [...(target.state ?? []), ...moved.state];
  if (!(await checkout(repo, moved.items, { ...target, state, log }))) throw raced();
  return { ...result, commit: to };
}

function summaryOf(
  { nodes }: Repository,
  { headRoot }: WorkingSet,
  root: Hash,
  { summary }: MergeVerbOptions,
): Promise<CommitSummary> {
  return summary === false
    ? Promise.resolve({ tables: [], files: [] })
    : summarize(nodes, headRoot, root);
}

function raced(): DvError {
  return new DvError('ref-moved', 'another command changed the repository meanwhile', {
    hint: 'dv status, then try again',
  });
}

/** As git writes it: `Merge branch 'a' into b`. */
async function defaultMessage({ repo, set }: Scene, names: readonly string[]): Promise<string> {
  const parts: string[] = [];
  for (const name of names) {
    const ref = await findRef(repo.store, name);
    parts.push(ref?.startsWith(BRANCH_PREFIX) ? `branch '${name}'` : `commit '${name}'`);
  }
  const into =
    set.head.kind === 'branch' && set.head.branch !== 'main' ? ` into ${set.head.branch}` : '';
  return `Merge ${parts.join(', ')}${into}`;
}

interface Incoming {
  readonly commit: Hash;
  readonly name: string;
}

async function mergeInto(
  scene: Scene,
  incoming: readonly Incoming[],
  message: string,
): Promise<MergeResult> {
  const { repo, head, options } = scene;
  const merged =
    incoming.length === 1
      ? await mergeOne(scene, incoming[0])
      : await mergeSeveral(scene, incoming);
  const parents = [head, ...incoming.map(({ commit }) => commit)];
  const names = incoming.map(({ name }) => name).join(', ');
  return settle(scene, merged, {
    operation: 'merge',
    theirs: incoming[0].commit,
    theirName: names,
    parents: options.squash ? [head] : parents,
    message: options.squash ? await squashMessage(repo, incoming) : message,
    author: null,
    commit: options.commit !== false && !options.squash,
    reflog: `merge ${names}: Merge made`,
  });
}

async function squashMessage(repo: Repository, incoming: readonly Incoming[]): Promise<string> {
  const texts: string[] = [];
  for (const { commit } of incoming) texts.push((await readCommit(repo.store, commit)).message);
  return `Squashed ${incoming.map(({ name }) => name).join(', ')}\n\n${texts.join('\n\n')}`;
}

/** @throws DvError `unrelated-histories` */
function requireCommon(bases: readonly Hash[], name: string, options: MergeVerbOptions): void {
  if (bases.length > 0 || options.allowUnrelated) return;
  throw new DvError('unrelated-histories', `HEAD and '${name}' have no commit in common`, {
    hint: '--allow-unrelated-histories merges them all the same',
  });
}

async function mergeOne(
  { repo, head, options }: Scene,
  { commit, name }: Incoming,
): Promise<RootMerge> {
  const merged = await mergeCommits(repo.nodes, head, commit, {
    findOrigins,
    ...(options.resolve && { fallback: options.resolve }),
    ...(options.renumber && { renumber: await laterSide(repo, head, commit) }),
  });
  requireCommon(merged.bases, name, options);
  return merged;
}

async function laterSide(repo: Repository, ours: Hash, theirs: Hash): Promise<'ours' | 'theirs'> {
  const [a, b] = [await readCommit(repo.store, ours), await readCommit(repo.store, theirs)];
  return compareClocks(a.clock, b.clock) > 0 ? 'ours' : 'theirs';
}

/** Case 2: each into what came of those before it. @throws DvError `conflicts-left` */
async function mergeSeveral(
  { repo, set, head, options }: Scene,
  incoming: readonly Incoming[],
): Promise<RootMerge> {
  let root = set.headRoot;
  const log = new DecisionLog();
  const renumbered: Renumbered[] = [];
  const later: MergeOptions = options.resolve === undefined ? {} : { fallback: options.resolve };
  for (const { commit, name } of incoming) {
    const bases = await mergeBases(repo.store, head, commit);
    requireCommon(bases, name, options);
    const base = await virtualBase(repo.nodes, bases, findOrigins);
    const sides = { base, ours: root, theirs: (await readCommit(repo.store, commit)).root };
    const renumber = options.renumber ? await laterSide(repo, head, commit) : undefined;
    const merged = await mergeRoots(
      repo.nodes,
      sides,
      { ...later, ...(renumber && { renumber }) },
      log,
    );
    if (merged.conflicts.length > 0) {
      throw new DvError('conflicts-left', `'${name}' conflicts with what is merged before it`, {
        hint: 'merge one at a time',
        data: { tables: merged.conflicts.map(({ table }) => table) },
      });
    }
    root = merged.root;
    renumbered.push(...merged.renumbered);
  }
  return { root, conflicts: [], resolved: log.finish(), renumbered };
}

async function settle(scene: Scene, merged: RootMerge, plan: MergePlan): Promise<MergeResult> {
  const { repo, set, head, options } = scene;
  const { conflicts, renumbered } = merged;
  const resolved = merged.resolved.count === 0 ? undefined : merged.resolved;
  const summary = await summaryOf(repo, set, merged.root, options);
  const found = { ...summary, conflicts, renumbered, resolved, dryRun: options.dryRun ?? false };
  if (options.dryRun) {
    const outcome = conflicts.length > 0 ? 'conflicts' : plan.commit ? 'merged' : 'staged';
    return { ...found, outcome, commit: head };
  }
  const settled = await settleMerge(repo, set, merged, plan);
  if (settled.kind === 'stopped') {
    const { reused } = settled;
    return { ...found, outcome: 'conflicts', commit: head, ...(reused && { reused }) };
  }
  if (settled.kind === 'staged') return { ...found, outcome: 'staged', commit: head };
  return { ...found, outcome: 'merged', commit: settled.commit };
}

/** Case 4. */
async function mergeAutomatically(scene: Scene, theirs: Hash, name: string): Promise<MergeResult> {
  const { repo, head, options } = scene;
  const { merge: merged, commit: made } = await autoMerge(repo.nodes, [head, theirs], findOrigins);
  requireCommon(merged.bases, name, options);
  const plan = planOf(theirs, name, made);
  return made === undefined
    ? settle({ ...scene, options: { ...options, dryRun: true } }, merged, plan)
    : settle(scene, merged, plan);
}

function planOf(theirs: Hash, name: string, made: ChunkToPut | undefined): MergePlan {
  return {
    operation: 'merge',
    theirs,
    theirName: name,
    parents: [],
    message: '',
    author: null,
    commit: true,
    ...(made && { made }),
    reflog: `merge ${name}: Merge made automatically`,
  };
}
