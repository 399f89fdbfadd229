/**
 * `dv fetch`: what a remote has and this repository has not, and the refs that follow it. All
 * refs of a remote move in one transaction, together with what they reach; a branch that is
 * checked out is left alone, as its files would stay behind.
 */
import { DvError } from '../errors.ts';
import type { Hash } from '../hash.ts';
import { readHead } from '../model/head.ts';
import { isAncestor } from '../model/history.ts';
import { BRANCH_PREFIX, shortRefName, TAG_PREFIX } from '../model/names.ts';
import { peelToCommit } from '../model/object-reader.ts';
import type { RefUpdate, Transaction } from '../store/contract.ts';
import type { Remote, RemoteRefs } from '../sync/protocol.ts';
import { parseRefspec } from '../sync/refspec.ts';
import { isBare } from './bare.ts';
import { currentBranch } from './branch.ts';
import { followedTags, type PlannedRef, planFetch } from './fetch-plan.ts';
import { openRemote } from './open-remote.ts';
import { staleRefs } from './remote.ts';
import { configOf, findUpstream, listRemotes, type RemoteConfig } from './remote-config.ts';
import { remoteMeant } from './remote-names.ts';
import type { Repository } from './repository.ts';
import { actorName } from './switch.ts';
import { type Brought, bring, type Incoming } from './transfer.ts';

export interface FetchOptions {
  /** A configured name, a URL or a path. */
  readonly remote?: string;
  readonly refspecs?: readonly string[];
  /** Every configured remote. */
  readonly all?: boolean;
  readonly prune?: boolean;
  /** Default: as the remote is configured, else the tags of commits that come. */
  readonly tags?: 'auto' | 'all' | 'none';
  readonly depth?: number;
  readonly unshallow?: boolean;
  readonly force?: boolean;
  readonly dryRun?: boolean;
}

export interface FetchedRef {
  /** The ref at the remote, in full; null: it is gone there. */
  readonly source: string | null;
  /** The ref here; null: fetched and kept under no name. */
  readonly target: string | null;
  readonly old: Hash | null;
  /** Where it is now; null: gone. */
  readonly hash: Hash | null;
  readonly outcome:
    | 'new'
    | 'updated'
    | 'forced'
    | 'up-to-date'
    | 'deleted'
    /** Not moved: commits here would be lost; or it is checked out. */
    | 'rejected'
    | 'current';
  readonly forMerge: boolean;
}

export interface FetchResult {
  /** null: a URL without a name. */
  readonly remote: string | null;
  readonly url: string;
  readonly refs: readonly FetchedRef[];
  /** Chunks that came, and bytes on the way. */
  readonly chunks: number;
  readonly bytes: number;
}

/** @throws DvError `unknown-remote`, `unknown-ref`, and what the way to the remote says */
export async function fetch(repo: Repository, options: FetchOptions = {}): Promise<FetchResult[]> {
  const remotes = options.all
    ? listRemotes(configOf(repo))
    : [await remoteMeant(repo, options.remote)];
  const results: FetchResult[] = [];
  for (const remote of remotes) results.push(await fetchFrom(repo, remote, options));
  return results;
}

async function fetchFrom(
  repo: Repository,
  config: RemoteConfig,
  options: FetchOptions,
): Promise<FetchResult> {
  const remote = await openRemote(repo, config.url);
  try {
    return await fetchOpened(repo, remote, config, options);
  } finally {
    await remote.close();
  }
}

/** As `fetch`, from a remote that is open. */
export async function fetchOpened(
  repo: Repository,
  remote: Remote,
  config: RemoteConfig,
  options: FetchOptions,
): Promise<FetchResult> {
  const there = await remote.refs();
  const branch = await currentBranch(repo);
  const upstream = branch === null ? undefined : findUpstream(configOf(repo), branch);
  const tags = options.tags ?? config.tags;
  const planned = planFetch(there, {
    typed: (options.refspecs ?? []).map(parseRefspec),
    configured: config.fetch,
    tags,
    upstream: upstream?.remote === config.name ? upstream?.merge : undefined,
  });
  // Tags of branch heads come in the same request, those further down in one of their own.
  const heads = new Set(planned.map(({ hash }) => hash));
  const alone = options.refspecs?.length === 0 || options.refspecs === undefined;
  if (tags === 'auto' && alone) {
    planned.push(...(await unknownTags(repo, there, planned, (hash) => heads.has(hash))));
  }
  const brought = await bringRefs(repo, remote, config, planned, options, there);
  let { refs } = brought;
  if (tags === 'auto' && alone && !options.dryRun) {
    const present = await presentAmong(repo, there);
    const late = await unknownTags(repo, there, planned, (hash) => present.has(hash));
    if (late.length > 0) {
      const more = await bringRefs(repo, remote, config, late, {}, there);
      refs = [...refs, ...more.refs];
    }
  }
  const pruned = (options.prune ?? config.prune) ? await prune(repo, config, there, options) : [];
  const { chunks, bytes } = brought;
  return {
    remote: config.name ?? null,
    url: remote.url,
    refs: [...refs, ...pruned],
    chunks,
    bytes,
  };
}

/** Tags of certain commits that are not here and not planned. */
async function unknownTags(
  repo: Repository,
  there: RemoteRefs,
  planned: readonly PlannedRef[],
  isComing: (commit: Hash) => boolean,
): Promise<PlannedRef[]> {
  const known = new Set(planned.map(({ target }) => target));
  for (const { name } of await repo.store.listRefs(TAG_PREFIX)) known.add(name);
  return followedTags(there, isComing).filter(({ target }) => !known.has(target));
}

/** What the remote's tags lead to, as far as it is here. */
async function presentAmong(repo: Repository, { refs }: RemoteRefs): Promise<ReadonlySet<Hash>> {
  const commits = refs
    .filter(({ name }) => name.startsWith(TAG_PREFIX))
    .map(({ peeled, hash }) => peeled ?? hash);
  const present = await repo.store.hasMany(commits);
  return new Set(commits.filter((_, i) => present[i]));
}

interface BroughtRefs extends Brought {
  readonly refs: readonly FetchedRef[];
}

async function bringRefs(
  repo: Repository,
  remote: Remote,
  config: RemoteConfig,
  planned: readonly PlannedRef[],
  options: FetchOptions,
  there: RemoteRefs,
): Promise<BroughtRefs> {
  if (options.dryRun) {
    const refs: FetchedRef[] = [];
    for (const one of planned) refs.push(await judge(repo, one, options, undefined));
    return { refs, chunks: 0, bytes: 0 };
  }
  let refs: FetchedRef[] = [];
  const wants = [...new Set(planned.map(({ hash }) => hash))];
  const { depth, unshallow } = options;
  const ask = { wants, ...(depth !== undefined && { depth }), ...(unshallow && { unshallow }) };
  const transaction = async (incoming: Incoming): Promise<Transaction> => {
    refs = [];
    for (const one of planned) refs.push(await judge(repo, one, options, incoming));
    const log = {
      actor: await actorName(repo),
      time: repo.env.now(),
      message: `fetch ${config.name ?? remote.url}`,
    };
    return { refs: refs.flatMap(updateOf), log };
  };
  const brought = await bring(repo, remote, ask, transaction, there);
  return { ...brought, refs };
}

function updateOf({ target, old, hash, outcome }: FetchedRef): RefUpdate[] {
  const moves = outcome === 'new' || outcome === 'updated' || outcome === 'forced';
  return target === null || !moves ? [] : [{ name: target, old, new: hash }];
}

/** What becomes of a ref here; without `incoming` the commits are not here to be compared. */
async function judge(
  repo: Repository,
  plan: PlannedRef,
  { force = false }: FetchOptions,
  incoming: Incoming | undefined,
): Promise<FetchedRef> {
  const { source, target, hash, forMerge } = plan;
  const old = target === null ? null : ((await repo.store.getRef(target)) ?? null);
  const fetched = { source, target, old, hash, forMerge };
  if (old === hash) return { ...fetched, outcome: 'up-to-date' };
  if (target !== null && (await isCheckedOut(repo, target)))
    return { ...fetched, outcome: 'current' };
  if (old === null) return { ...fetched, outcome: 'new' };
  if (target?.startsWith(TAG_PREFIX)) {
    const isForced = force || plan.force;
    return { ...fetched, outcome: isForced ? 'forced' : 'rejected' };
  }
  if (incoming === undefined) return { ...fetched, outcome: 'updated' };
  const forward = await isAncestor(
    incoming,
    await peelToCommit(incoming, old),
    await peelToCommit(incoming, hash),
  );
  if (forward) return { ...fetched, outcome: 'updated' };
  return { ...fetched, outcome: force || plan.force ? 'forced' : 'rejected' };
}

async function isCheckedOut(repo: Repository, ref: string): Promise<boolean> {
  const head = await readHead(repo.store);
  return head.kind === 'branch' && ref === BRANCH_PREFIX + head.branch && !isBare(repo.dotDir);
}

async function prune(
  repo: Repository,
  config: RemoteConfig,
  there: RemoteRefs,
  { dryRun }: FetchOptions,
): Promise<FetchedRef[]> {
  const names = there.refs.map(({ name }) => name);
  const stale = await staleRefs(repo, config, names);
  const refs = stale.map(({ name, hash }): RefUpdate => ({ name, old: hash, new: null }));
  if (!dryRun && refs.length > 0) {
    const log = { actor: await actorName(repo), time: repo.env.now(), message: 'fetch: pruned' };
    await repo.store.transact({ refs, log });
  }
  return stale.map(({ name, hash }) => ({
    source: null,
    target: name,
    old: hash,
    hash: null,
    outcome: 'deleted',
    forMerge: false,
  }));
}

/** The error that a fetch with rejected refs is; undefined: all went well. */
export function rejection(results: readonly FetchResult[]): DvError | undefined {
  const all = results.flatMap(({ refs }) => refs);
  // A tag that is another here is left alone, and that is no failure unless it was asked for.
  const rejected = all.filter(({ outcome }) => outcome === 'rejected' || outcome === 'current');
  const [first] = rejected;
  if (first === undefined) return undefined;
  const name = shortRefName(first.target ?? '');
  const data = { refs: rejected.map(({ target }) => target) };
  if (first.outcome === 'current') {
    return new DvError('unsaved-changes', `'${name}' is checked out, so a fetch does not move it`, {
      hint: 'dv pull brings it up to date with its files',
      data,
    });
  }
  return new DvError('not-fast-forward', `'${name}' has commits that the remote's has not`, {
    hint: 'nothing of it was lost or moved; dv fetch --force moves it',
    data,
  });
}
