/**
 * Fetches and pushes as the verbs need them: with this repository's store, clock and progress,
 * and what it is known to lack.
 */
import { DvError } from '../errors.ts';
import type { Hash } from '../hash.ts';
import type { Edge } from '../model/edges.ts';
import { peelToCommit } from '../model/object-reader.ts';
import type { BoundedStore } from '../model/shallow.ts';
import { readShallow } from '../model/shallow.ts';
import type { ObjectStore, Transaction, TransactResult } from '../store/contract.ts';
import type { RetryOptions } from '../sync/backoff.ts';
import { type Fetched, type FetchIntoOptions, fetchInto } from '../sync/fetch-into.ts';
import { selectHaves } from '../sync/negotiate.ts';
import {
  DEFAULT_LIMITS,
  type FetchRequest,
  type PushRequest,
  type RefOutcome,
  type Remote,
  type RemoteRefs,
} from '../sync/protocol.ts';
import { type PushFromOptions, pushFrom } from '../sync/push-from.ts';
import { isLease } from '../sync/transfer-lease.ts';
import type { BundleRemote } from './bundle-remote.ts';
import type { Environment } from './environment.ts';
import { withoutFilling } from './filling-store.ts';
import { readPartial } from './missing-parts.ts';
import { raced } from './raced.ts';
import type { Repository } from './repository.ts';

export interface Ask {
  readonly wants?: readonly Hash[];
  readonly roots?: readonly Edge[];
  readonly depth?: number;
  /** All that a shallow clone left out. */
  readonly unshallow?: boolean;
  readonly tables?: readonly string[];
  readonly levels?: 'all' | 'internal';
  /** What is here, where that is known; else it is found out. */
  readonly haves?: readonly Hash[];
}

interface AskOnce extends Ask {
  /** Commits that an earlier request brought, and that no ref here names yet. */
  readonly present?: readonly Hash[];
}

export interface Brought {
  readonly chunks: number;
  /** Of packs. */
  readonly bytes: number;
}

/** More than any history has. */
const ALL_COMMITS = 1_000_000_000;
/** Times that a transaction may lose against other commands. */
const TRIES = 8;

/** What commits are compared in before they count. */
export type Incoming = ObjectStore & BoundedStore;

type Finish = (incoming: Incoming) => Promise<Transaction>;

/**
 * Brings what is asked for, and makes it count with a transaction, which is made again when it
 * loses a race. Where that are more commits than one request may name, the others come first; no
 * ref moves before all are here.
 */
export async function bring(
  repo: Repository,
  remote: Remote,
  ask: Ask,
  transaction: Finish,
  there?: RemoteRefs,
): Promise<Brought> {
  const wants = ask.wants ?? [];
  const most = 'bundle' in remote ? wants.length : DEFAULT_LIMITS.wants;
  const total = { chunks: 0, bytes: 0 };
  const present: Hash[] = [];
  let at = 0;
  for (; at + most < wants.length; at += most) {
    const part = { ...ask, wants: wants.slice(at, at + most), present };
    add(total, await bringAtOnce(repo, remote, part, async () => ({}), there));
    for (const want of part.wants) present.push(await peelToCommit(repo.store, want));
  }
  const last = { ...ask, ...(at > 0 && { wants: wants.slice(at), present }) };
  add(total, await bringAtOnce(repo, remote, last, transaction, there));
  return total;
}

function add(total: { chunks: number; bytes: number }, { chunks, bytes }: Brought): void {
  total.chunks += chunks;
  total.bytes += bytes;
}

async function bringAtOnce(
  repo: Repository,
  remote: Remote,
  ask: AskOnce,
  transaction: Finish,
  there: RemoteRefs | undefined,
): Promise<Brought> {
  const store = withoutFilling(repo.store);
  const request = await requestFor(repo, remote, ask, there);
  if (request === undefined) {
    for (let tries = 0; tries < TRIES; tries++) {
      const result = await store.transact(await transaction(repo.store));
      if (result.done) return { chunks: 0, bytes: 0 };
    }
    throw raced();
  }
  for (let tries = 0; tries < TRIES; tries++) {
    const fetched = await fetchInto(remote, store, request, {
      ...retryOptions(repo.env),
      now: repo.env.now,
      onProgress: fetchProgress(repo),
    });
    const result = await settle(fetched, incomingOf(repo, fetched), transaction);
    // who lost the transfer itself, to another that fetches the same, finds what that brought
    if (!result.done && isLease(result.name)) continue;
    if (!result.done) break;
    await repo.renewBoundary();
    return { chunks: fetched.reception.chunks, bytes: fetched.reception.bytes };
  }
  throw raced();
}

async function settle(
  fetched: Fetched,
  incoming: Incoming,
  transaction: (incoming: Incoming) => Promise<Transaction>,
): Promise<TransactResult> {
  let result = await fetched.commit(await transaction(incoming));
  for (let tries = 1; tries < TRIES && !result.done && !isLease(result.name); tries++) {
    result = await fetched.commit(await transaction(incoming));
  }
  return result;
}

function fetchProgress({ env }: Repository): FetchIntoOptions['onProgress'] {
  return ({ rawBytes, chunks }, header) => {
    const total = header?.chunks;
    if (total === undefined)
      env.report({ label: 'fetching', done: rawBytes, total, unit: 'bytes' });
    else env.report({ label: 'fetching', done: chunks, total, unit: 'objects' });
  };
}

/** undefined: everything is here. */
async function requestFor(
  repo: Repository,
  remote: Remote,
  { wants = [], roots = [], depth, unshallow, tables, levels, haves, present: came = [] }: AskOnce,
  there: RemoteRefs | undefined,
): Promise<FetchRequest | undefined> {
  const store = withoutFilling(repo.store);
  const shallow = [...(await readShallow(store))];
  const deepens = depth !== undefined || (unshallow && shallow.length > 0);
  const asked = [...wants, ...roots.map(({ hash }) => hash)];
  const present = await store.hasMany(asked);
  if (!deepens && present.every(Boolean)) return undefined;
  const partial = await readPartial(repo);
  const only = tables ?? (roots.length > 0 ? undefined : partial?.tables);
  const { bundle } = remote as Partial<BundleRemote>;
  if (bundle !== undefined) await requirePrerequisites(store, bundle, remote.url);
  return {
    // A bundle holds what it holds, so all of it has to be expected.
    wants: bundle === undefined ? wants : [...new Set([...wants, ...bundle.wants])],
    ...(roots.length > 0 && { roots }),
    // What is filled in is sent whole: a table that is lacking in one commit is so in others.
    ...(roots.length === 0 && {
      haves: [
        ...came.slice(-DEFAULT_LIMITS.haves / 2),
        ...(haves ?? (await selectHaves(store, there ? { remote: there } : {}))),
      ].slice(0, DEFAULT_LIMITS.haves),
    }),
    ...(deepens && { depth: depth ?? ALL_COMMITS }),
    ...(only && { tables: only }),
    ...(levels && { levels }),
    ...(shallow.length > 0 && { shallow }),
  };
}

/** @throws DvError `bad-pack` when a bundle goes on from commits that are not here */
async function requirePrerequisites(
  store: ObjectStore,
  { prerequisites }: BundleRemote['bundle'],
  url: string,
): Promise<void> {
  const present = await store.hasMany(prerequisites);
  const missing = prerequisites.filter((_, i) => !present[i]);
  if (missing.length === 0) return;
  const [first] = missing;
  throw new DvError('bad-pack', `the bundle '${url}' goes on from ${first}, which is not here`, {
    hint: 'dv bundle verify lists all that it needs; fetch that first, or make one without a range',
    data: { missing },
  });
}

/** The store with what has come and does not count yet. */
function incomingOf(repo: Repository, { chunks, shallow }: Fetched): Incoming {
  const store = withoutFilling(repo.store);
  const came = new Map(chunks.map(({ hash, bytes }) => [hash, bytes]));
  return {
    getMany: async (hashes) => {
      const found = await store.getMany(hashes);
      return hashes.map((hash, i) => came.get(hash) ?? found[i]);
    },
    hasMany: async (hashes) => {
      const found = await store.hasMany(hashes);
      return hashes.map((hash, i) => came.has(hash) || found[i]);
    },
    putMany: (put) => store.putMany(put),
    findHashes: (prefix, limit) => store.findHashes(prefix, limit),
    shallow: new Set(shallow),
  };
}

/** Pushes, and says what became of each ref. */
export async function sendPush(
  repo: Repository,
  remote: Remote,
  request: PushRequest,
  refs: RemoteRefs,
): Promise<readonly RefOutcome[]> {
  const options: PushFromOptions = {
    ...retryOptions(repo.env),
    refs,
    onProgress: ({ bytes, chunks, total }) => {
      const label = 'pushing';
      if (total === undefined) repo.env.report({ label, done: bytes, total, unit: 'bytes' });
      else repo.env.report({ label, done: chunks, total, unit: 'objects' });
    },
  };
  const store = withoutFilling(repo.store);
  try {
    return (await pushFrom(remote, store, request, options)).outcomes;
  } catch (error) {
    // Most servers take what most clients send, so their limits are asked for when one does not.
    if ((error as DvError).code !== 'limit-exceeded') throw error;
    const { limits } = await remote.info();
    return (await pushFrom(remote, store, request, { ...options, limits })).outcomes;
  }
}

/** Waits, and draws lots, as the outside world does. */
export function retryOptions(env: Environment): RetryOptions {
  return {
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    random: () => Number.parseInt(env.randomId().slice(0, 8), 16) / 0x1_0000_0000,
  };
}
