/**
 * The half of an open repository (bound-repository.ts) that brings branches together, rewrites,
 * takes back and asks who changed what. Nothing is decided here.
 */
import type { Hash } from '../hash.ts';
import type { RowVersion } from '../model/row-history.ts';
import { type BisectWhereResult, bisectWhere } from './bisect.ts';
import {
  type ConflictFilter,
  listConflicts,
  type RowInConflict,
  type WholeInConflict,
} from './conflicts.ts';
import { type MergeResult, type MergeVerbOptions, merge } from './merge.ts';
import { listMergeBases } from './merge-base.ts';
import { cherryPick, revert } from './pick.ts';
import { type RebaseOptions, rebase } from './rebase.ts';
import { type ReflogEntry, reflog } from './reflog.ts';
import type { Repository } from './repository.ts';
import type { ResolveResult } from './resolve.ts';
import { type ResolveRequest, resolve } from './resolve-choices.ts';
import { type RollbackOptions, type RollbackResult, rollback } from './rollback.ts';
import {
  type BlamedRow,
  type BlameOptions,
  blame,
  type HistoryOptions,
  historyOf,
} from './row-questions.ts';
import type { SequenceOperation, SequenceOptions } from './sequence.ts';
import { abortSequence, continueSequence, quitSequence, skipStep } from './sequence-resume.ts';
import type { SequenceResult } from './sequencer.ts';
import { abortMerge } from './settle-merge.ts';
import {
  listStash,
  type StashApplyResult,
  type StashEntry,
  type StashPushOptions,
  type StashPushResult,
  stashApply,
  stashDrop,
  stashPush,
} from './stash.ts';
import { redo, type UndoResult, undo } from './undo.ts';

export class MergingRepository {
  readonly #repo: Repository;

  /** @internal */
  constructor(repo: Repository) {
    this.#repo = repo;
  }

  /**
   * Merges commits into HEAD's branch. With `outcome` `conflicts` the merge waits:
   * `resolveConflicts`, then `commit`.
   */
  merge(revisions: string | readonly string[], options?: MergeVerbOptions): Promise<MergeResult> {
    const list = typeof revisions === 'string' ? [revisions] : revisions;
    return merge(this.#repo, list, options);
  }

  /** Back to where the merge began. */
  abortMerge(): Promise<{ readonly files: readonly string[] }> {
    return abortMerge(this.#repo);
  }

  /** What a merge left to decide, in batches. @throws DvError `no-merge` */
  conflicts(filter?: ConflictFilter): AsyncGenerator<(RowInConflict | WholeInConflict)[]> {
    return listConflicts(this.#repo, filter);
  }

  /** Settles conflicts by a side, a rule or values. */
  resolveConflicts(request: ResolveRequest): Promise<ResolveResult> {
    return resolve(this.#repo, request);
  }

  /** The best common ancestors of two commits; criss-cross histories have several. */
  mergeBases(revision: string, other: string): Promise<readonly Hash[]> {
    return listMergeBases(this.#repo, revision, other);
  }

  /** Makes commits, or ranges `A..B`, again on HEAD's branch. */
  cherryPick(revisions: readonly string[], options?: SequenceOptions): Promise<SequenceResult> {
    return cherryPick(this.#repo, revisions, options);
  }

  /** Takes back what commits changed, by new commits. */
  revert(revisions: readonly string[], options?: SequenceOptions): Promise<SequenceResult> {
    return revert(this.#repo, revisions, options);
  }

  /** Puts HEAD's commits that `upstream` has not on top of it. */
  rebase(upstream: string, options?: RebaseOptions): Promise<SequenceResult> {
    return rebase(this.#repo, upstream, options);
  }

  /** Goes on with a cherry-pick, revert or rebase that stopped, or gives it up. */
  resume(
    operation: SequenceOperation,
    how: 'continue' | 'skip' | 'abort' | 'quit' = 'continue',
  ): Promise<SequenceResult> {
    const verbs = {
      continue: continueSequence,
      skip: skipStep,
      abort: abortSequence,
      quit: quitSequence,
    };
    return verbs[how](this.#repo, operation);
  }

  /** Puts work that is not committed aside. */
  stash(options?: StashPushOptions): Promise<StashPushResult> {
    return stashPush(this.#repo, options);
  }

  /** What is put aside, newest first. */
  stashes(): Promise<readonly StashEntry[]> {
    return listStash(this.#repo);
  }

  /** Brings what was put aside back: the newest, or `stash@{N}`. */
  applyStash(stash?: string, { drop = false } = {}): Promise<StashApplyResult> {
    return stashApply(this.#repo, stash, { drop });
  }

  dropStash(stash?: string): Promise<StashEntry> {
    return stashDrop(this.#repo, stash);
  }

  /** Puts a table, or some of its rows, back as they were, by a new commit. */
  rollback(table: string, options: RollbackOptions): Promise<RollbackResult> {
    return rollback(this.#repo, table, options);
  }

  /** Takes the last command back, whatever it was. */
  undo({ dryRun = false } = {}): Promise<UndoResult> {
    return undo(this.#repo, dryRun);
  }

  redo({ dryRun = false } = {}): Promise<UndoResult> {
    return redo(this.#repo, dryRun);
  }

  /** Where HEAD, or a ref, has been, newest first. */
  reflog(ref?: string): Promise<ReflogEntry[]> {
    return reflog(this.#repo, ref);
  }

  /** Every version of one row of `[REV:]TABLE`, newest first. */
  history(
    table: string,
    key: readonly string[],
    options?: HistoryOptions,
  ): AsyncGenerator<RowVersion> {
    return historyOf(this.#repo, table, key, options);
  }

  /** Rows of `[REV:]TABLE`, each with the commit that last set it, in batches. */
  blame(table: string, options?: BlameOptions): AsyncGenerator<BlamedRow[]> {
    return blame(this.#repo, table, options);
  }

  /** The commit that made an SQL condition true of some row. */
  bisect(
    table: string,
    where: string,
    range?: { readonly bad?: string; readonly good?: readonly string[] },
  ): Promise<BisectWhereResult> {
    return bisectWhere(this.#repo, table, where, range);
  }
}
