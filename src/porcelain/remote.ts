/**
 * `dv remote`: the other repositories that this one knows, in its settings, and what is here of
 * their branches. Only `show` and `prune` ask the remote.
 */
import { DvError } from '../errors.ts';
import type { FeedWatcher } from '../live/http-source.ts';
import { BRANCH_PREFIX, REMOTE_PREFIX } from '../model/names.ts';
import type { RefUpdate } from '../store/contract.ts';
import { mapRef, unmapRef } from '../sync/refspec.ts';
import {
  addConfig,
  removeConfigSection,
  renameConfigSection,
  repositoryConfigFile,
  setConfig,
  unsetConfig,
} from './config.ts';
import { followersAt } from './open-feed.ts';
import { checkRemoteUrl, openRemote } from './open-remote.ts';
import {
  addRemote,
  checkRemoteName,
  configOf,
  findRemote,
  listRemotes,
  type RemoteConfig,
  readRemote,
} from './remote-config.ts';
import type { Repository } from './repository.ts';
import { actorName } from './switch.ts';

export interface RemoteEntry {
  readonly name: string;
  readonly url: string;
  readonly pushUrl: string;
}

export function remotes(repo: Repository): RemoteEntry[] {
  return listRemotes(configOf(repo)).flatMap(({ name, url, pushUrl }) =>
    name === undefined ? [] : [{ name, url, pushUrl }],
  );
}

export interface RemoteAddOptions {
  /** Follow only these branches. */
  readonly branches?: readonly string[];
}

/** @throws DvError `already-exists`, `bad-name` */
export function remoteAdd(
  repo: Repository,
  name: string,
  url: string,
  { branches = [] }: RemoteAddOptions = {},
): RemoteEntry {
  checkRemoteUrl(url);
  const specs = branches.map(
    (branch) => `+${BRANCH_PREFIX}${branch}:${REMOTE_PREFIX}${name}/${branch}`,
  );
  addRemote(repo, name, url, specs);
  return { name, url, pushUrl: url };
}

/**
 * With its remote-tracking branches, and as upstream of branches here.
 * @throws DvError `unknown-remote`
 */
export async function remoteRemove(
  repo: Repository,
  name: string,
): Promise<{ readonly name: string; readonly refs: readonly string[] }> {
  const config = configOf(repo);
  readRemote(config, name);
  const file = repositoryConfigFile(repo.dotDir);
  for (const branch of config.subsections('branch')) {
    if (config.get(`branch.${branch}.remote`) !== name) continue;
    unsetConfig(file, `branch.${branch}.remote`);
    unsetConfig(file, `branch.${branch}.merge`);
  }
  if (config.get('remote.pushdefault') === name) unsetConfig(file, 'remote.pushdefault');
  removeConfigSection(file, 'remote', name);
  const refs = await repo.store.listRefs(`${REMOTE_PREFIX}${name}/`);
  const gone = refs.map((ref): RefUpdate => ({ name: ref.name, old: ref.hash, new: null }));
  await moveRefs(repo, gone, `remote: removed ${name}`);
  return { name, refs: refs.map((ref) => ref.name) };
}

/** With its remote-tracking branches. @throws DvError `unknown-remote`, `already-exists`, `bad-name` */
export async function remoteRename(
  repo: Repository,
  from: string,
  to: string,
): Promise<RemoteEntry> {
  const config = configOf(repo);
  const remote = readRemote(config, from);
  checkRemoteName(to);
  if (findRemote(config, to) !== undefined) {
    throw new DvError('already-exists', `remote '${to}' exists already`);
  }
  const refs = await repo.store.listRefs(`${REMOTE_PREFIX}${from}/`);
  const renamed = refs.flatMap(({ name, hash }): RefUpdate[] => [
    { name, old: hash, new: null },
    {
      name: name.replace(`${REMOTE_PREFIX}${from}/`, `${REMOTE_PREFIX}${to}/`),
      old: null,
      new: hash,
    },
  ]);
  await moveRefs(repo, renamed, `remote: renamed ${from} to ${to}`);
  const file = repositoryConfigFile(repo.dotDir);
  renameConfigSection(file, 'remote', [from, to]);
  const specs = config
    .getAll(`remote.${from}.fetch`)
    .map((spec) => spec.replace(`:${REMOTE_PREFIX}${from}/`, `:${REMOTE_PREFIX}${to}/`));
  if (specs.length > 0) unsetConfig(file, `remote.${to}.fetch`);
  for (const spec of specs) addConfig(file, `remote.${to}.fetch`, spec);
  for (const branch of config.subsections('branch')) {
    for (const key of [`branch.${branch}.remote`, `branch.${branch}.pushremote`]) {
      if (config.get(key) === from) setConfig(file, key, to);
    }
  }
  if (config.get('remote.pushdefault') === from) setConfig(file, 'remote.pushdefault', to);
  return { name: to, url: remote.url, pushUrl: remote.pushUrl };
}

/** @throws DvError `unknown-remote`, `bad-name` */
export function remoteSetUrl(
  repo: Repository,
  name: string,
  url: string,
  { push = false }: { readonly push?: boolean } = {},
): RemoteEntry {
  readRemote(configOf(repo), name);
  checkRemoteUrl(url);
  setConfig(repositoryConfigFile(repo.dotDir), `remote.${name}.${push ? 'pushurl' : 'url'}`, url);
  const { url: now, pushUrl } = readRemote(configOf(repo), name);
  return { name, url: now, pushUrl };
}

export interface ShownBranch {
  readonly branch: string;
  /** `new`: the next fetch brings it; `stale`: the remote has it no more. */
  readonly state: 'tracked' | 'new' | 'stale' | 'not-fetched';
}

export interface ShownRemote extends RemoteEntry {
  readonly software: string;
  /** The branch its HEAD is on. */
  readonly head: string | null;
  readonly branches: readonly ShownBranch[];
  /** Branches here that follow one of its. */
  readonly upstreams: readonly { readonly branch: string; readonly merge: string }[];
  /** Who follows its feed, and how far behind they are; of a server only. */
  readonly followers: readonly FeedWatcher[];
}

/** @throws DvError `unknown-remote`, and what the way to the remote says */
export async function remoteShow(repo: Repository, name: string): Promise<ShownRemote> {
  const config = configOf(repo);
  const remote = readRemote(config, name);
  const { refs, head, software } = await askRemote(repo, remote);
  const branches: ShownBranch[] = [];
  for (const ref of refs) {
    const tracking = remote.fetch.map((spec) => mapRef(spec, ref)).find((one) => one !== undefined);
    const here = tracking === undefined ? undefined : await repo.store.getRef(tracking);
    const state = tracking === undefined ? 'not-fetched' : here === undefined ? 'new' : 'tracked';
    branches.push({ branch: ref.slice(BRANCH_PREFIX.length), state });
  }
  for (const { source } of await staleRefs(repo, remote, refs)) {
    branches.push({ branch: source.slice(BRANCH_PREFIX.length), state: 'stale' });
  }
  const upstreams = config
    .subsections('branch')
    .filter((branch) => config.get(`branch.${branch}.remote`) === name)
    .map((branch) => ({ branch, merge: config.get(`branch.${branch}.merge`) ?? '' }));
  const { url, pushUrl } = remote;
  return {
    name,
    url,
    pushUrl,
    software,
    head: head === null ? null : head.slice(BRANCH_PREFIX.length),
    branches: branches.sort((a, b) => (a.branch < b.branch ? -1 : 1)),
    upstreams,
    followers: await followersAt(repo.env, url),
  };
}

async function askRemote(repo: Repository, { url }: RemoteConfig) {
  const remote = await openRemote(repo, url);
  try {
    const { software } = await remote.info();
    const { refs, head } = await remote.refs(BRANCH_PREFIX);
    return { software, head, refs: refs.map((ref) => ref.name) };
  } finally {
    await remote.close();
  }
}

export interface StaleRef {
  /** The remote-tracking ref. */
  readonly name: string;
  readonly hash: RefUpdate['old'];
  /** What it was at the remote. */
  readonly source: string;
}

/** Tracking refs whose branches are not among `there` any more. */
export async function staleRefs(
  repo: Repository,
  { fetch }: RemoteConfig,
  there: readonly string[],
): Promise<StaleRef[]> {
  const known = new Set(there);
  const stale: StaleRef[] = [];
  for (const { name, hash } of await repo.store.listRefs(REMOTE_PREFIX)) {
    const source = fetch.map((spec) => unmapRef(spec, name)).find((one) => one !== undefined);
    if (source !== undefined && !known.has(source)) stale.push({ name, hash, source });
  }
  return stale;
}

/** @throws DvError `unknown-remote`, and what the way to the remote says */
export async function remotePrune(
  repo: Repository,
  name: string,
  dryRun = false,
): Promise<{ readonly name: string; readonly refs: readonly string[] }> {
  const remote = readRemote(configOf(repo), name);
  const { refs } = await askRemote(repo, remote);
  const stale = await staleRefs(repo, remote, refs);
  const gone = stale.map((ref): RefUpdate => ({ name: ref.name, old: ref.hash, new: null }));
  if (!dryRun) await moveRefs(repo, gone, `remote: pruned ${name}`);
  return { name, refs: stale.map((ref) => ref.name) };
}

async function moveRefs(
  repo: Repository,
  refs: readonly RefUpdate[],
  message: string,
): Promise<void> {
  if (refs.length === 0) return;
  const log = { actor: await actorName(repo), time: repo.env.now(), message };
  const result = await repo.store.transact({ refs, log });
  if (result.done) return;
  throw new DvError('ref-moved', `'${result.name}' was changed by another command meanwhile`, {
    hint: 'try again',
  });
}
