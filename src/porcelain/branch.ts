/**
 * `dv branch`: list, make, rename, delete. A branch is deleted only when its commits are
 * reachable otherwise, unless forced.
 */
import { DvError } from '../errors.ts';
import type { Hash } from '../hash.ts';
import { headUpdate, readHead } from '../model/head.ts';
import { isAncestor } from '../model/history.ts';
import { BRANCH_PREFIX, checkRefName } from '../model/names.ts';
import { readCommit } from '../model/object-reader.ts';
import { firstLine } from './commit.ts';
import { checkRefTwin } from './ref-twin.ts';
import { type Repository, resolveCommit } from './repository.ts';
import { actorName } from './switch.ts';

export interface BranchInfo {
  readonly branch: string;
  readonly commit: Hash;
  readonly current: boolean;
  /** First line of the commit's message. */
  readonly subject: string;
  readonly time: string;
}

/** null on a detached HEAD. */
export async function currentBranch(repo: Repository): Promise<string | null> {
  const head = await readHead(repo.store);
  return head.kind === 'branch' ? head.branch : null;
}

export async function listBranches(repo: Repository): Promise<BranchInfo[]> {
  const head = await readHead(repo.store);
  const branches: BranchInfo[] = [];
  for (const { name, hash } of await repo.store.listRefs(BRANCH_PREFIX)) {
    const branch = name.slice(BRANCH_PREFIX.length);
    const commit = await readCommit(repo.store, hash);
    branches.push({
      branch,
      commit: hash,
      current: head.kind === 'branch' && head.branch === branch,
      subject: firstLine(commit.message),
      time: new Date(commit.committer.time).toISOString(),
    });
  }
  return branches;
}

/** @throws DvError `already-exists`, `name-collision`, `bad-name`, `bad-revision` */
export async function createBranch(
  repo: Repository,
  name: string,
  start: string,
  force = false,
): Promise<{ branch: string; commit: Hash }> {
  const ref = BRANCH_PREFIX + checkRefName('branch', name);
  const commit = await resolveCommit(repo, start);
  await checkRefTwin(repo, BRANCH_PREFIX, ref);
  const old = (await repo.store.getRef(ref)) ?? null;
  if (old !== null && !force) throw exists(name);
  const head = await readHead(repo.store);
  if (old !== null && head.kind === 'branch' && head.branch === name) {
    throw new DvError('bad-option', `'${name}' is the current branch`, {
      hint: 'dv reset moves the current branch',
    });
  }
  await move(repo, [{ name: ref, old, new: commit }], `branch: created from ${start}`);
  return { branch: name, commit };
}

function exists(name: string): DvError {
  return new DvError('already-exists', `branch '${name}' exists already`, {
    hint: 'dv branch --force moves it',
  });
}

/** @throws DvError `unknown-ref`, `not-merged` */
export async function deleteBranch(
  repo: Repository,
  name: string,
  force: boolean,
): Promise<{ branch: string; commit: Hash }> {
  const ref = BRANCH_PREFIX + name;
  const commit = await repo.store.getRef(ref);
  if (commit === undefined) throw unknownBranch(name);
  const head = await readHead(repo.store);
  if (head.kind === 'branch' && head.branch === name) {
    throw new DvError('bad-option', `'${name}' is the current branch`, {
      hint: 'dv switch to another branch first',
    });
  }
  const merged = head.commit !== undefined && (await isAncestor(repo.store, commit, head.commit));
  if (!force && !merged) {
    throw new DvError('not-merged', `branch '${name}' has commits that HEAD has not`, {
      hint: `dv branch -D ${name} deletes it all the same`,
    });
  }
  await move(repo, [{ name: ref, old: commit, new: null }], 'branch: deleted');
  return { branch: name, commit };
}

/** @throws DvError `unknown-ref`, `already-exists` */
export async function renameBranch(
  repo: Repository,
  from: string | undefined,
  to: string,
  force: boolean,
): Promise<{ branch: string; commit: Hash | null }> {
  const head = await readHead(repo.store);
  const old = from ?? (head.kind === 'branch' ? head.branch : undefined);
  if (old === undefined) throw new DvError('bad-option', 'HEAD is on no branch to rename');
  const name = checkRefName('branch', to);
  const commit = await repo.store.getRef(BRANCH_PREFIX + old);
  const isCurrent = head.kind === 'branch' && head.branch === old;
  if (commit === undefined && !isCurrent) throw unknownBranch(old);
  const target = (await repo.store.getRef(BRANCH_PREFIX + name)) ?? null;
  if (target !== null && !force && name !== old) throw exists(name);
  if (name === old) return { branch: name, commit: commit ?? null };
  await checkRefTwin(repo, BRANCH_PREFIX, BRANCH_PREFIX + name, BRANCH_PREFIX + old);
  const refs =
    commit === undefined
      ? []
      : [
          { name: BRANCH_PREFIX + old, old: commit, new: null },
          { name: BRANCH_PREFIX + name, old: target, new: commit },
        ];
  const state = isCurrent ? [headUpdate({ branch: name })] : [];
  await move(repo, refs, `branch: renamed from ${old}`, state);
  return { branch: name, commit: commit ?? null };
}

function unknownBranch(name: string): DvError {
  return new DvError('unknown-ref', `there is no branch '${name}'`, {
    hint: 'dv branch lists them',
  });
}

async function move(
  repo: Repository,
  refs: readonly { name: string; old: Hash | null; new: Hash | null }[],
  message: string,
  state: readonly { key: string; value: Uint8Array | null }[] = [],
): Promise<void> {
  const log = { actor: await actorName(repo), time: repo.env.now(), message };
  const result = await repo.store.transact({ refs, state, log });
  if (!result.done) {
    throw new DvError('ref-moved', `'${result.name}' was changed by another command meanwhile`, {
      hint: 'try again',
    });
  }
}
