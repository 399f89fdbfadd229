/**
 * `dv reset`: HEAD's branch to another commit. `soft` leaves stage and files, `mixed`
 * empties the stage, `hard` writes the files too (untracked ones stay). `mixed` and `hard` end a
 * merge in progress.
 */
import { DvError } from '../errors.ts';
import type { Hash } from '../hash.ts';
import { headUpdate } from '../model/head.ts';
import { readMerge } from '../model/merge-state.ts';
import { BRANCH_PREFIX } from '../model/names.ts';
import { readCommit } from '../model/object-reader.ts';
import { stagedUpdate, type WorkingSet } from '../model/working-set.ts';
import type { Transaction } from '../store/contract.ts';
import { requireWorkingFiles } from './bare.ts';
import { checkout } from './checkout.ts';
import { requireNoMerge } from './merge-guard.ts';
import { type Repository, resolveCommit } from './repository.ts';
import { endOfMerge } from './sequence.ts';
import { workingSet } from './staging.ts';
import { actorName, moveWorkingSet } from './switch.ts';

export type ResetMode = 'soft' | 'mixed' | 'hard';

export interface ResetResult {
  readonly commit: Hash;
  readonly mode: ResetMode;
  readonly files: readonly string[];
}

/** @throws DvError `bad-revision`, `no-commits`, `ref-moved` */
export async function reset(
  repo: Repository,
  revision: string,
  mode: ResetMode,
): Promise<ResetResult> {
  if (mode === 'hard') requireWorkingFiles(repo);
  const set = await workingSet(repo);
  const commit = await resolveCommit(repo, revision);
  const { root } = await readCommit(repo.store, commit);
  const moved =
    mode === 'hard'
      ? await moveWorkingSet(repo, set, root, true)
      : { items: [], state: [stagedUpdate(set, mode === 'soft' ? set.staged : root, root)] };
  const log = {
    actor: await actorName(repo),
    time: repo.env.now(),
    message: `reset: moving to ${revision}`,
  };
  const target = moveHead(set, commit);
  const merge = await readMerge(repo.store);
  if (merge !== undefined && mode === 'soft') await requireNoMerge(repo);
  const over = merge === undefined ? [] : await endOfMerge(repo.store, merge);
  const state = [...(target.state ?? []), ...moved.state, ...over];
  if (!(await checkout(repo, moved.items, { ...target, state, log }))) {
    throw new DvError('ref-moved', 'another command changed the repository meanwhile', {
      hint: 'try again',
    });
  }
  return { commit, mode, files: moved.items.map(({ name }) => name) };
}

function moveHead(set: WorkingSet, commit: Hash): Transaction {
  if (set.head.kind === 'detached') return { state: [headUpdate({ commit })] };
  const name = BRANCH_PREFIX + set.head.branch;
  return { refs: [{ name, old: set.head.commit ?? null, new: commit }] };
}
