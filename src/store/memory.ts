/**
 * A store in memory: the plainest reading of the contract, for tests and for results that
 * nobody keeps. Durable for as long as the process; `close` keeps the contents, so a test
 * may close and go on. It never deltas: every object is whole.
 *
 * Every write is stamped with a step that only grows, so that a sweep can tell what was
 * written or touched after its marking began even when the clock stands still.
 */
import { bug } from '../errors.ts';
import { type Hash, hashOf } from '../hash.ts';
import {
  type ChunkToPut,
  type FeedEntry,
  MAX_CHUNK_BYTES,
  type RefUpdate,
  type StateUpdate,
  type Store,
  type Transaction,
  type TransactResult,
} from './contract.ts';
import { FeedWaiters } from './feed-waiters.ts';
import type {
  Maintenance,
  Marker,
  StoredObject,
  SweepOptions,
  SweepResult,
} from './maintenance.ts';
import { TransactionOrder } from './transaction-order.ts';
import type { Presence } from './transfer.ts';

export interface MemoryStoreOptions {
  /** Milliseconds since the epoch, for the grace period of a sweep. Default: always 0. */
  readonly now?: () => number;
}

interface Kept {
  readonly bytes: Uint8Array;
  time: number;
  step: number;
  /** Transfers that brought it and are not complete; empty: it is complete. */
  readonly transfers: Set<string>;
}

const SCAN_BATCH = 1024;
const DAY = 86_400_000;

export function createMemoryStore(options: MemoryStoreOptions = {}): Store & Maintenance {
  const now = options.now ?? (() => 0);
  const objects = new Map<Hash, Kept>();
  const refs = new Map<string, Hash>();
  const state = new Map<string, Uint8Array>();
  const feed: FeedEntry[] = [];
  const dictionaries = new Map<Hash, Uint8Array>();
  let step = 0;
  const waiters = new FeedWaiters({
    last: async () => feed.length,
    start() {},
    stop() {},
  });

  function put(chunks: readonly ChunkToPut[], transfer?: string): void {
    const over = chunks.find(({ bytes }) => bytes.length > MAX_CHUNK_BYTES);
    if (over !== undefined) throw bug(`a chunk of ${over.bytes.length} bytes`);
    step += 1;
    const time = now();
    for (const { hash, bytes } of chunks) {
      const kept = objects.get(hash);
      if (kept === undefined) {
        const transfers = new Set(transfer === undefined ? [] : [transfer]);
        objects.set(hash, { bytes: Buffer.from(bytes), time, step, transfers });
        continue;
      }
      Object.assign(kept, { time, step });
      if (transfer === undefined) kept.transfers.clear();
      else if (kept.transfers.size > 0) kept.transfers.add(transfer);
    }
  }

  function presence(hash: Hash): Presence {
    const kept = objects.get(hash);
    if (kept === undefined) return 'absent';
    return kept.transfers.size === 0 ? 'complete' : 'incomplete';
  }

  function complete(transfer: string): void {
    step += 1;
    for (const kept of objects.values()) {
      if (!kept.transfers.has(transfer)) continue;
      kept.transfers.clear();
      Object.assign(kept, { time: now(), step });
    }
  }

  function applyRef(update: RefUpdate, log: Transaction['log']): void {
    if (update.new === update.old) return;
    if (update.new === null) refs.delete(update.name);
    else refs.set(update.name, update.new);
    const { actor = '', time = now(), message = '' } = log ?? {};
    const { name, old, new: to } = update;
    feed.push({ sequence: feed.length + 1, name, old, new: to, actor, time, message });
  }

  function applyState({ key, value }: StateUpdate): void {
    if (value === null) state.delete(key);
    else state.set(key, Buffer.from(value));
  }

  return {
    async getMany(hashes) {
      return hashes.map((hash) => objects.get(hash)?.bytes);
    },
    async hasMany(hashes) {
      return hashes.map((hash) => presence(hash) === 'complete');
    },
    async putMany(chunks) {
      put(chunks);
    },
    async findHashes(prefix, limit) {
      const found = [...objects.keys()].filter((hash) => hash.startsWith(prefix));
      return found.sort().slice(0, limit);
    },
    async getRef(name) {
      return refs.get(name);
    },
    async listRefs(prefix) {
      return startingWith(refs, prefix).map(([name, hash]) => ({ name, hash }));
    },
    async getState(key) {
      return state.get(key);
    },
    async listState(prefix) {
      return startingWith(state, prefix).map(([key, value]) => ({ key, value }));
    },
    async transact(transaction, chunks = []): Promise<TransactResult> {
      const order = new TransactionOrder({
        getRef: (name) => refs.get(name),
        getState: (key) => state.get(key),
      });
      const loser = order.decide(transaction);
      if (loser !== undefined) return { done: false, name: loser };
      put(chunks);
      for (const update of transaction.refs ?? []) applyRef(update, update.log ?? transaction.log);
      for (const update of transaction.state ?? []) applyState(update);
      for (const transfer of transaction.completes ?? []) complete(transfer);
      waiters.reached(feed.length);
      return { done: true };
    },
    async readLog(ref, limit) {
      return feed
        .filter((entry) => entry.name === ref)
        .reverse()
        .slice(0, limit);
    },
    async readFeed(after, limit) {
      const entries = feed.slice(Math.max(0, after)).slice(0, limit);
      return { entries, first: Math.min(1, feed.length), last: feed.length };
    },
    waitForFeed: (after, signal) => waiters.wait(after, signal),
    async readEncoded(hashes) {
      return hashes.map((hash) => {
        const data = objects.get(hash)?.bytes;
        return data && { hash, rawSize: data.length, form: { kind: 'raw' }, data };
      });
    },
    async getDictionary(hash) {
      return dictionaries.get(hash);
    },
    async putDictionary(bytes) {
      dictionaries.set(hashOf(bytes), Buffer.from(bytes));
    },
    async presence(hashes) {
      return hashes.map(presence);
    },
    async putReceived(transfer, chunks) {
      put(chunks, transfer);
    },
    async listTransfers() {
      const names = [...objects.values()].flatMap(({ transfers }) => [...transfers]);
      return [...new Set(names)].sort();
    },
    async dropTransfer(transfer) {
      for (const [hash, { transfers }] of objects) {
        if (transfers.delete(transfer) && transfers.size === 0) objects.delete(hash);
      }
    },
    async close() {
      waiters.wakeAll();
    },
    async *scan() {
      const all = [...objects];
      for (let at = 0; at < all.length; at += SCAN_BATCH) {
        yield all.slice(at, at + SCAN_BATCH).map(([hash, { bytes }]) => describe(hash, bytes));
      }
    },
    async startMarking() {
      step += 1;
      return markerOver(objects, step);
    },
    async fileSizes() {
      return { fileBytes: 0, freeBytes: 0 };
    },
    async check() {
      return [];
    },
    async compact() {},
  };
}

function startingWith<T>(map: ReadonlyMap<string, T>, prefix: string): [string, T][] {
  const found = [...map].filter(([name]) => name.startsWith(prefix));
  return found.sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}

function describe(hash: Hash, bytes: Uint8Array): StoredObject {
  const size = bytes.length;
  return { hash, kind: bytes[0] ?? 0, rawSize: size, storedSize: size, base: null };
}

function markerOver(objects: Map<Hash, Kept>, began: number): Marker {
  const marked = new Set<Hash>();
  return {
    async mark(hashes) {
      return hashes.map((hash) => {
        const fresh = objects.has(hash) && !marked.has(hash);
        if (fresh) marked.add(hash);
        return fresh;
      });
    },
    async sweep(options: SweepOptions): Promise<SweepResult> {
      const { keepSince, dryRun, transfersSince = keepSince - DAY } = options;
      const open = openTransfers(objects, transfersSince);
      const doomed = [...objects].filter(
        ([hash, kept]) =>
          !marked.has(hash) &&
          kept.step < began &&
          kept.time < keepSince &&
          ![...kept.transfers].some((name) => open.has(name)),
      );
      if (!dryRun) for (const [hash] of doomed) objects.delete(hash);
      const storedBytes = doomed.reduce((sum, [, { bytes }]) => sum + bytes.length, 0);
      return { objects: doomed.length, storedBytes };
    },
  };
}

/** Transfers to which somebody added since then. */
function openTransfers(objects: ReadonlyMap<Hash, Kept>, since: number): Set<string> {
  const open = new Set<string>();
  for (const { transfers, time } of objects.values()) {
    if (time >= since) for (const name of transfers) open.add(name);
  }
  return open;
}
