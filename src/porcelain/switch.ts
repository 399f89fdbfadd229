/**
 * `dv switch`: HEAD to another branch (or, detached, commit), and the working files whose
 * tables differ along with it. Staged work stays staged; a file with unsaved changes, or
 * one dv does not know, is never overwritten.
 */

import { DvError } from '../errors.ts';
import type { Hash } from '../hash.ts';
import { headUpdate, readHead } from '../model/head.ts';
import { BRANCH_PREFIX, checkRefName, REMOTE_PREFIX, shortRefName } from '../model/names.ts';
import { diffRoots, editRoot, listRoot, type RootEntry, sameEntry } from '../model/root.ts';
import { rootOfCommit, stagedUpdate, type WorkingSet } from '../model/working-set.ts';
import type { RefUpdate, StateUpdate } from '../store/contract.ts';
import { requireWorkingFiles } from './bare.ts';
import { type CheckoutItem, checkout, hasWorkingFile } from './checkout.ts';
import { checkFile, listFingerprints } from './fingerprint.ts';
import { requireNoMerge } from './merge-guard.ts';
import { leftOut, needEntries } from './missing-parts.ts';
import { actorOf, currentPerson } from './people.ts';
import { checkRefTwin } from './ref-twin.ts';
import { configOf, followRemote, sourceOfTracking } from './remote-config.ts';
import { pathOf, type Repository, resolveCommit } from './repository.ts';
import { workingSet } from './staging.ts';

/** Where HEAD was before the last switch: what `switch -` goes back to. */
const PREVIOUS_KEY = 'previous-head';

export interface SwitchOptions {
  /** Make the branch, at `start` or HEAD. */
  readonly create?: boolean;
  /** With `create`: move the branch if it exists. */
  readonly force?: boolean;
  readonly start?: string;
  /** Go to a commit without a branch. */
  readonly detach?: boolean;
  /** Throw away unsaved changes. */
  readonly discard?: boolean;
}

export interface SwitchResult {
  readonly branch: string | null;
  readonly commit: Hash | null;
  /** Working files written or removed. */
  readonly files: readonly string[];
  readonly already: boolean;
  /** What a new branch was set to follow. */
  readonly upstream?: string;
}

/**
 * The target `-` is the branch, or the commit, that HEAD was at before the last switch.
 * @throws DvError `unknown-ref`, `already-exists`, `unsaved-changes`, `bad-revision`
 */
export async function switchTo(
  repo: Repository,
  target: string,
  options: SwitchOptions = {},
): Promise<SwitchResult> {
  if (target === '-') return switchBack(repo, options);
  requireWorkingFiles(repo);
  await requireNoMerge(repo);
  const set = await workingSet(repo);
  const { branch, commit, refs, follows } = await destination(repo, target, options);
  const already = set.head.kind === 'branch' && set.head.branch === branch && !options.discard;
  const root = await rootOfCommit(repo.nodes, commit);
  const moved = await moveWorkingSet(repo, set, root, options.discard ?? false);
  const from = set.head.kind === 'branch' ? set.head.branch : set.head.commit.slice(0, 12);
  const to = branch ?? commit?.slice(0, 12) ?? '';
  const head = branch === null ? headUpdate({ commit: commit as Hash }) : headUpdate({ branch });
  const done = await checkout(repo, moved.items, {
    refs,
    state: [head, ...moved.state, ...(already ? [] : [previousUpdate(set)])],
    log: {
      actor: await actorName(repo),
      time: repo.env.now(),
      message: `switch: from ${from} to ${to}`,
    },
  });
  if (!done) throw raced();
  const upstream =
    branch === null || follows === undefined ? undefined : followRemote(repo, branch, follows);
  const files = moved.items.map(({ name }) => name);
  return { branch, commit: commit ?? null, files, already, ...(upstream && { upstream }) };
}

function previousUpdate({ head }: WorkingSet): StateUpdate {
  const text = head.kind === 'branch' ? `ref: ${head.branch}` : head.commit;
  return { key: PREVIOUS_KEY, value: Buffer.from(text) };
}

async function switchBack(repo: Repository, options: SwitchOptions): Promise<SwitchResult> {
  const value = await repo.store.getState(PREVIOUS_KEY);
  if (value === undefined) {
    throw new DvError('unknown-ref', 'there is no branch to go back to', { hint: 'dv branch' });
  }
  const text = Buffer.from(value).toString();
  if (text.startsWith('ref: ')) return switchTo(repo, text.slice('ref: '.length), options);
  return switchTo(repo, text, { ...options, detach: true });
}

function raced(): DvError {
  return new DvError('ref-moved', 'another command changed the repository meanwhile', {
    hint: 'dv status, then try again',
  });
}

/** Switching needs no author: who has none is logged as nobody. */
export async function actorName(repo: Repository): Promise<string> {
  try {
    return actorOf(await currentPerson(repo));
  } catch (error) {
    if ((error as DvError).code === 'no-author') return '';
    throw error;
  }
}

interface Destination {
  readonly branch: string | null;
  readonly commit: Hash | undefined;
  readonly refs: readonly RefUpdate[];
  /** A branch of a remote, which the new branch follows. */
  readonly follows?: string;
}

async function destination(
  repo: Repository,
  target: string,
  options: SwitchOptions,
): Promise<Destination> {
  if (options.detach) {
    return { branch: null, commit: await resolveCommit(repo, target), refs: [] };
  }
  const existing = await repo.store.getRef(BRANCH_PREFIX + target);
  if (!options.create) {
    const head = await readHead(repo.store);
    if (existing === undefined && !(head.kind === 'branch' && head.branch === target)) {
      return trackingBranch(repo, target);
    }
    return { branch: target, commit: existing, refs: [] };
  }
  const branch = checkRefName('branch', target);
  await checkRefTwin(repo, BRANCH_PREFIX, BRANCH_PREFIX + branch);
  if (existing !== undefined && !options.force) {
    throw new DvError('already-exists', `branch '${branch}' exists already`, {
      hint: `dv switch ${branch}`,
    });
  }
  const commit =
    options.start === undefined
      ? (await readHead(repo.store)).commit
      : await resolveCommit(repo, options.start);
  const update = { name: BRANCH_PREFIX + branch, old: existing ?? null, new: commit ?? null };
  const follows = options.start;
  return {
    branch,
    commit,
    refs: commit === undefined ? [] : [update],
    ...(follows && { follows }),
  };
}

/** A branch that only one remote has is made here, and follows it, as in git. */
async function trackingBranch(repo: Repository, target: string): Promise<Destination> {
  const found: { readonly ref: string; readonly hash: Hash }[] = [];
  const refs = await repo.store.listRefs(REMOTE_PREFIX);
  const config = configOf(repo);
  for (const { name: ref, hash } of refs) {
    if (sourceOfTracking(config, ref)?.merge === BRANCH_PREFIX + target) found.push({ ref, hash });
  }
  if (found.length > 1) {
    const names = found.map(({ ref }) => shortRefName(ref));
    throw new DvError('unknown-ref', `'${target}' is a branch of several remotes`, {
      hint: `dv switch -c ${target} ${names[0]}; or another of ${names.join(', ')}`,
      data: { branches: names },
    });
  }
  if (found.length === 0) throw await noBranch(repo, target);
  const branch = checkRefName('branch', target);
  await checkRefTwin(repo, BRANCH_PREFIX, BRANCH_PREFIX + branch);
  const [{ ref, hash }] = found;
  const update = { name: BRANCH_PREFIX + branch, old: null, new: hash };
  return { branch, commit: hash, refs: [update], follows: shortRefName(ref) };
}

async function noBranch(repo: Repository, name: string): Promise<DvError> {
  const isCommit = await resolveCommit(repo, name).then(
    () => true,
    () => false,
  );
  if (isCommit) {
    return new DvError('unknown-ref', `'${name}' is a commit, not a branch`, {
      hint: `dv switch --detach ${name} looks at it; dv switch -c BRANCH ${name} begins there`,
    });
  }
  return new DvError('unknown-ref', `there is no branch '${name}'`, {
    hint: `dv switch -c ${name} makes it; dv branch lists what there is`,
  });
}

interface MovedSet {
  readonly items: readonly CheckoutItem[];
  readonly state: readonly StateUpdate[];
}

/**
 * What changes when the base of the working set becomes `root`: files to write, and the
 * staged differences carried along.
 * @throws DvError `unsaved-changes` naming every table in the way
 */
export async function moveWorkingSet(
  repo: Repository,
  set: WorkingSet,
  root: Hash,
  discard: boolean,
): Promise<MovedSet> {
  const staged = new Map<string, RootEntry | null>();
  if (!discard) {
    for (const d of await diffRoots(repo.nodes, set.headRoot, set.staged)) {
      staged.set(d.name, d.to ?? null);
    }
  }
  const target = discard ? root : await editRoot(repo.nodes, root, staged);
  const items: CheckoutItem[] = [];
  const blocked: string[] = [];
  const prints = await listFingerprints(repo.store);
  const isLeftOut = await leftOut(repo);
  for (const { name, from, to } of await changedEntries(repo, set, root, discard)) {
    if (staged.has(name)) {
      if (!sameEntry(staged.get(name) ?? undefined, to)) blocked.push(name);
      continue;
    }
    const entry = to ?? from;
    if (entry === undefined || !hasWorkingFile(name, entry)) continue;
    const state = checkFile(pathOf(repo, name), prints.get(name), repo.env.now());
    const isTarget = state.kind === 'known' && sameEntry(state.print.entry, to);
    const isOurs = state.kind === 'known' && sameEntry(state.print.entry, from);
    if (state.kind === 'missing' && !prints.has(name) && isLeftOut(name)) continue;
    const gone = state.kind === 'missing' && (from === undefined || to === undefined);
    if (isTarget || (gone && to === undefined)) continue;
    if (!discard && !isOurs && !gone) blocked.push(name);
    items.push({ name, entry: to ?? null });
  }
  if (blocked.length > 0) throw unsaved(blocked);
  await needEntries(
    repo,
    items.map(({ name, entry }) => ({ name, entry: entry ?? undefined })),
  );
  return { items, state: [stagedUpdate(set, target, root)] };
}

/** Entries whose file may have to change: those that differ, or, discarding, all. */
async function changedEntries(
  repo: Repository,
  set: WorkingSet,
  root: Hash,
  discard: boolean,
): Promise<{ name: string; from: RootEntry | undefined; to: RootEntry | undefined }[]> {
  const differences = await diffRoots(repo.nodes, discard ? set.staged : set.headRoot, root);
  if (!discard) return differences;
  const seen = new Set(differences.map(({ name }) => name));
  const rest = (await listRoot(repo.nodes, root)).filter(({ name }) => !seen.has(name));
  return [...differences, ...rest.map(({ name, entry }) => ({ name, from: entry, to: entry }))];
}

function unsaved(names: readonly string[]): DvError {
  const listed = names
    .slice(0, 5)
    .map((name) => `'${name}'`)
    .join(', ');
  const more = names.length > 5 ? ` and ${names.length - 5} more` : '';
  return new DvError('unsaved-changes', `unsaved changes to ${listed}${more} would be lost`, {
    hint: 'dv commit or dv stash keeps them; dv restore throws them away',
    data: { tables: names },
  });
}
