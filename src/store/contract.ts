/**
 * What dv asks of a store. Nothing above this folder knows which store it has.
 *
 * Chunks are immutable and addressed by their hash. `putMany` makes them visible to every
 * later `getMany` of this and of any other process; they are durable no later than the
 * next `transact` that succeeds. Refs and state change only through `transact`, all or
 * nothing, durable when it resolves; a ref changes only by compare-and-swap, so each ref
 * is linearizable. A reader never blocks a writer nor waits for one.
 *
 * Everything is asynchronous and batched: the layers above hand over a leaf, a level or a
 * batch at a time and never await per row.
 */
import type { Hash } from '../hash.ts';
import type { ChunkToPut } from './chunk.ts';
import type { TransferStore } from './transfer.ts';

export type { ChunkToPut } from './chunk.ts';

/** No chunk is larger, whatever its kind. A store refuses it (`bug`). */
export const MAX_CHUNK_BYTES = 262144;

export interface ObjectStore {
  /**
   * The chunks' raw bytes in the order asked for; undefined where the store has none. The
   * bytes are the store's own: read them, never change them.
   */
  getMany(hashes: readonly Hash[]): Promise<(Uint8Array | undefined)[]>;
  /** Chunks of a transfer that is not complete do not count: what they refer to may lack. */
  hasMany(hashes: readonly Hash[]): Promise<boolean[]>;
  /** Idempotent. The caller answers for `hash` being the hash of `bytes`. */
  putMany(chunks: readonly ChunkToPut[]): Promise<void>;
  /** Hashes that start with `prefix` (lower-case hex, 4 digits or more), at most `limit`. */
  findHashes(prefix: string, limit: number): Promise<Hash[]>;
}

export interface RefUpdate {
  readonly name: string;
  /** What the ref must point at now; null: it must not exist. */
  readonly old: Hash | null;
  /** What it points at afterwards; null: it is deleted. Equal to `old`: only asserted. */
  readonly new: Hash | null;
  /** Written to the feed with this step instead of the transaction's own. */
  readonly log?: LogEntry;
}

/** Who moved a ref and why; `time` in ms since the epoch. */
export interface LogEntry {
  readonly actor: string;
  readonly time: number;
  readonly message: string;
}

export interface StateUpdate {
  readonly key: string;
  /** null deletes. */
  readonly value: Uint8Array | null;
  /** When given, what the key must hold now (null: nothing), or the transaction loses. */
  readonly expect?: Uint8Array | null;
}

export interface Transaction {
  /**
   * In order. Several updates of one ref are steps: each one's `old` is the `new` before it,
   * and the feed keeps every step.
   */
  readonly refs?: readonly RefUpdate[];
  readonly state?: readonly StateUpdate[];
  /** Written to the feed with every ref update that has none of its own. */
  readonly log?: LogEntry;
  /** Transfers (transfer.ts) that are complete with this: their chunks count from now on. */
  readonly completes?: readonly string[];
  /** false: fails `locked` at once, instead of waiting, when another process is writing. */
  readonly wait?: boolean;
}

export type TransactResult =
  | { readonly done: true }
  /** Somebody else was faster: `name` is the ref or state key that did not hold `old`. */
  | { readonly done: false; readonly name: string };

/** One ref change, as the feed (and so the reflog) keeps it. `sequence` only grows. */
export interface FeedEntry extends Omit<RefUpdate, 'log'>, LogEntry {
  readonly sequence: number;
}

/** A part of the feed of all refs, oldest first. */
export interface FeedPage {
  readonly entries: readonly FeedEntry[];
  /** The oldest sequence still kept, and the newest given out; both 0 while there is none. */
  readonly first: number;
  readonly last: number;
}

export interface RefStore {
  getRef(name: string): Promise<Hash | undefined>;
  /** Refs whose name starts with `prefix`, in name order. */
  listRefs(prefix: string): Promise<{ readonly name: string; readonly hash: Hash }[]>;
  /** A small durable map beside the refs: HEAD, the staged root, file fingerprints. */
  getState(key: string): Promise<Uint8Array | undefined>;
  listState(prefix: string): Promise<{ readonly key: string; readonly value: Uint8Array }[]>;
  /**
   * All of it or nothing, durable when it resolves with everything `putMany` stored before.
   * `chunks` are stored in the same step, so that a small commit costs one write to disk;
   * when the transaction loses they may be stored or not.
   */
  transact(transaction: Transaction, chunks?: readonly ChunkToPut[]): Promise<TransactResult>;
  /** Feed entries of one ref, newest first. */
  readLog(ref: string, limit: number): Promise<FeedEntry[]>;
  /** Entries of all refs behind sequence `after`, at most `limit`. */
  readFeed(after: number, limit: number): Promise<FeedPage>;
  /**
   * Resolves when the feed has gone beyond sequence `after`, whichever process moved the ref
   * (this one's own wake it at once, others' within milliseconds), or when `signal` aborts.
   */
  waitForFeed(after: number, signal: AbortSignal): Promise<void>;
}

export interface Store extends ObjectStore, RefStore, TransferStore {
  /** Idempotent; waits for what is under way. */
  close(): Promise<void>;
}
