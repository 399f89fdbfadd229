/**
 * Chunks between stores, as they lie there: what sync asks of a store beyond the contract.
 *
 * A chunk is stored once what it refers to is: that is how everything above writes. A
 * transfer comes the other way round, parents first, and may be cut. So its chunks are kept
 * under the transfer's name: `getMany` gives them, `hasMany` does not count them, gc leaves
 * them alone, and they survive a restart, until a `transact` completes the transfer or
 * `dropTransfer` gives it up. Somebody who `putMany`s such a chunk meanwhile has what it
 * refers to, so from then on it counts. A transfer that nobody added to for a day is garbage
 * (maintenance.ts).
 */
import type { Hash } from '../hash.ts';
import type { ChunkToPut } from './chunk.ts';

/** How the bytes of a stored chunk are made from `data`. */
export type ChunkForm =
  | { readonly kind: 'raw' }
  /** A zstd frame (compression.ts). */
  | { readonly kind: 'zstd' }
  /** A zstd frame with the raw bytes of chunk `base` as dictionary; that may be a delta too. */
  | { readonly kind: 'delta'; readonly base: Hash }
  /** A zstd frame with a dictionary that chunks share; `dictionary` is the hash of its bytes. */
  | { readonly kind: 'shared'; readonly dictionary: Hash };

export interface EncodedChunk {
  readonly hash: Hash;
  readonly rawSize: number;
  readonly form: ChunkForm;
  readonly data: Uint8Array;
}

/** A chunk from outside, verified: `hash` is the hash of `bytes`, and `encoded` decodes to it. */
export interface ReceivedChunk extends ChunkToPut {
  /**
   * Kept as it is where the store can: its base is here, and reading it would not take more
   * deltas than the store allows; its dictionary is known.
   */
  readonly encoded?: EncodedChunk;
}

/** `incomplete`: of a transfer that is not over. */
export type Presence = 'absent' | 'incomplete' | 'complete';

export interface TransferStore {
  /** The chunks as stored, in the order asked for; undefined where there is none. */
  readEncoded(hashes: readonly Hash[]): Promise<(EncodedChunk | undefined)[]>;
  /** The raw bytes of a shared dictionary. */
  getDictionary(hash: Hash): Promise<Uint8Array | undefined>;
  /** Makes a dictionary known, so that chunks which need it can be kept as they are. */
  putDictionary(bytes: Uint8Array): Promise<void>;
  presence(hashes: readonly Hash[]): Promise<Presence[]>;
  /** Stores chunks of a transfer. Idempotent; a chunk that is complete stays so. */
  putReceived(transfer: string, chunks: readonly ReceivedChunk[]): Promise<void>;
  /** Names of transfers that have chunks and are not complete. */
  listTransfers(): Promise<string[]>;
  /** Removes a transfer's chunks, but those that another chunk is a delta against. */
  dropTransfer(transfer: string): Promise<void>;
}
