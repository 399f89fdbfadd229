/**
 * What to tell the other side: which commits this repository has. A sender that finds one of
 * them leaves out everything below it.
 */
import type { Hash } from '../hash.ts';
import { walkHistory } from '../model/history.ts';
import { peelToCommit } from '../model/object-reader.ts';
import { type BoundedStore, readShallow } from '../model/shallow.ts';
import type { ObjectStore, Store } from '../store/contract.ts';
import type { RefCommand, RemoteRefs } from './protocol.ts';

/** The newest commits that are all told. */
const NEWEST = 16;
/** Commits walked through to find older ones, which bounds the cost in a long history. */
const MOST_WALKED = 4096;

export interface HavesOptions {
  /** Refs to start from. Default: all. */
  readonly prefixes?: readonly string[];
  /** What the other side's refs are at: those that are here are what is common. */
  readonly remote?: RemoteRefs;
  /** Default 256. */
  readonly limit?: number;
}

/** The other side's heads that are here, then the newest 16 commits, then doubling gaps. */
export async function selectHaves(store: Store, options: HavesOptions = {}): Promise<Hash[]> {
  const { prefixes = [''], remote, limit = 256 } = options;
  const haves = new Set<Hash>();
  if (remote !== undefined) {
    const known = await commonHeads(store, remote);
    for (const hash of known.slice(0, limit / 2)) haves.add(hash);
  }
  const starts = new Set<Hash>();
  for (const prefix of prefixes) {
    for (const { hash } of await store.listRefs(prefix)) {
      starts.add(await peelToCommit(store, hash));
    }
  }
  const bounded = withEnds(store, await readShallow(store));
  let walked = 0;
  let next = 0;
  let gap = 1;
  for await (const { hash } of walkHistory(bounded, [...starts])) {
    if (haves.size >= limit || walked >= MOST_WALKED) break;
    if (walked >= next) {
      haves.add(hash);
      next = walked + gap;
      if (walked >= NEWEST) gap *= 2;
    }
    walked += 1;
  }
  return [...haves];
}

/** The store's objects, whose history ends at its shallow commits. */
function withEnds(store: Store, shallow: ReadonlySet<Hash>): ObjectStore & BoundedStore {
  return {
    getMany: (hashes) => store.getMany(hashes),
    hasMany: (hashes) => store.hasMany(hashes),
    putMany: (chunks) => store.putMany(chunks),
    findHashes: (prefix, limit) => store.findHashes(prefix, limit),
    shallow,
  };
}

/** Commits that the other side's refs lead to and that are whole here. */
export async function commonHeads(store: Store, { refs }: RemoteRefs): Promise<Hash[]> {
  const heads = [...new Set(refs.map(({ hash, peeled }) => peeled ?? hash))];
  const present = await store.hasMany(heads);
  return heads.filter((_, i) => present[i]);
}

/** The objects that updates need at the other side, and what is known to be there. */
export async function planPush(
  store: Store,
  updates: readonly RefCommand[],
  remote: RemoteRefs,
  limit = 256,
): Promise<{ readonly wants: Hash[]; readonly haves: Hash[] }> {
  const there = new Set(remote.refs.map(({ hash }) => hash));
  const targets = updates.flatMap(({ new: to }) => (to === null || there.has(to) ? [] : [to]));
  const wants = [...new Set(targets)];
  const olds = updates.flatMap(({ old }) => old ?? []);
  const present = await store.hasMany(olds);
  const held = olds.filter((hash, i) => present[i] && there.has(hash));
  const haves = new Set([...held, ...(await commonHeads(store, remote))]);
  return { wants, haves: [...haves].slice(0, limit) };
}
