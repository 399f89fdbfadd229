/**
 * `dv branch`: list, make, rename, delete. A branch is deleted only when its commits are
 * reachable otherwise, unless forced.
 */
import { DvError } from '../errors.ts';
import type { Hash } from '../hash.ts';
import { headUpdate, readHead } from '../model/head.ts';
import { isAncestor } from '../model/history.ts';
import { BRANCH_PREFIX, checkRefName, REMOTE_PREFIX, shortRefName } from '../model/names.ts';
import { readCommit } from '../model/object-reader.ts';
import { firstLine } from './commit.ts';
import { removeConfigSection, renameConfigSection, repositoryConfigFile } from './config.ts';
import { checkRefTwin } from './ref-twin.ts';
import {
  configOf,
  findUpstream,
  followRemote,
  setUpstream,
  sourceOfTracking,
  unsetUpstream,
} from './remote-config.ts';
import { type Repository, resolveCommit } from './repository.ts';
import { actorName } from './switch.ts';
import { type Tracking, trackingOf } from './tracking.ts';

export interface BranchInfo {
  readonly branch: string;
  readonly commit: Hash;
  readonly current: boolean;
  /** First line of the commit's message. */
  readonly subject: string;
  readonly time: string;
  /** A branch of a remote, as the last fetch found it. */
  readonly remote?: true;
  /** What it follows, when asked for. */
  readonly tracking?: Tracking;
}

export interface ListBranchesOptions {
  /** Branches of this repository (the default), of remotes, or both. */
  readonly which?: 'local' | 'remote' | 'all';
  /** With what each follows. Cost: the commits between. */
  readonly tracking?: boolean;
}

/** null on a detached HEAD. */
export async function currentBranch(repo: Repository): Promise<string | null> {
  const head = await readHead(repo.store);
  return head.kind === 'branch' ? head.branch : null;
}

export async function listBranches(
  repo: Repository,
  { which = 'local', tracking: withTracking = false }: ListBranchesOptions = {},
): Promise<BranchInfo[]> {
  const head = await readHead(repo.store);
  const config = configOf(repo);
  const branches: BranchInfo[] = [];
  for (const prefix of [BRANCH_PREFIX, REMOTE_PREFIX]) {
    const remote = prefix === REMOTE_PREFIX;
    if (which !== 'all' && remote !== (which === 'remote')) continue;
    for (const { name, hash } of await repo.store.listRefs(prefix)) {
      const branch = shortRefName(name);
      const commit = await readCommit(repo.store, hash);
      const tracking =
        withTracking && !remote ? await trackingOf(repo, config, branch, hash) : undefined;
      branches.push({
        branch,
        commit: hash,
        current: !remote && head.kind === 'branch' && head.branch === branch,
        subject: firstLine(commit.message),
        time: new Date(commit.committer.time).toISOString(),
        ...(remote && { remote }),
        ...(tracking && { tracking }),
      });
    }
  }
  return branches;
}

/** @throws DvError `unknown-ref`, `no-commits` */
export async function setBranchUpstream(
  repo: Repository,
  branch: string,
  upstream: string,
): Promise<{ readonly branch: string; readonly upstream: string }> {
  await requireBranch(repo, branch);
  const candidates = [REMOTE_PREFIX + upstream, BRANCH_PREFIX + upstream, upstream];
  for (const ref of candidates) {
    if ((await repo.store.getRef(ref)) === undefined) continue;
    const source = sourceOfTracking(configOf(repo), ref);
    if (source === undefined) continue;
    setUpstream(repo, branch, source.remote, source.merge);
    return { branch, upstream: shortRefName(ref) };
  }
  throw new DvError('unknown-ref', `there is no branch '${upstream}' to follow`, {
    hint: 'dv branch -a lists them; dv fetch brings those of a remote',
  });
}

/** @throws DvError `unknown-ref`, `no-upstream` */
export async function unsetBranchUpstream(
  repo: Repository,
  branch: string,
): Promise<{ readonly branch: string }> {
  await requireBranch(repo, branch);
  if (unsetUpstream(repo, branch)) return { branch };
  throw new DvError('no-upstream', `branch '${branch}' has no upstream`);
}

async function requireBranch(repo: Repository, branch: string): Promise<void> {
  const head = await readHead(repo.store);
  if (head.kind === 'branch' && head.branch === branch) return;
  if ((await repo.store.getRef(BRANCH_PREFIX + branch)) === undefined) throw unknownBranch(branch);
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
  followRemote(repo, name, start);
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
  const merged = await isMerged(repo, name, commit, head.commit);
  if (!force && !merged) {
    throw new DvError('not-merged', `branch '${name}' has commits that HEAD has not`, {
      hint: `dv branch -D ${name} deletes it all the same`,
    });
  }
  await move(repo, [{ name: ref, old: commit, new: null }], 'branch: deleted');
  if (configOf(repo).subsections('branch').includes(name)) {
    removeConfigSection(repositoryConfigFile(repo.dotDir), 'branch', name);
  }
  return { branch: name, commit };
}

/** In what it follows, or, following nothing, in HEAD. */
async function isMerged(
  repo: Repository,
  branch: string,
  commit: Hash,
  head: Hash | undefined,
): Promise<boolean> {
  const { tracking } = findUpstream(configOf(repo), branch) ?? {};
  const upstream = tracking === undefined ? undefined : await repo.store.getRef(tracking);
  const into = upstream ?? head;
  return into !== undefined && isAncestor(repo.store, commit, into);
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
  if (configOf(repo).subsections('branch').includes(old)) {
    renameConfigSection(repositoryConfigFile(repo.dotDir), 'branch', [old, name]);
  }
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
