/**
 * What `gc`, `fsck` and `store stat` ask of a store beyond the contract. A store that has
 * no use for one of these still answers it (an empty scan, nothing to sweep).
 */
import type { Hash } from '../hash.ts';

/** One stored object as it lies there. Sizes in bytes. */
export interface StoredObject {
  readonly hash: Hash;
  /** First byte of the raw chunk: its kind. */
  readonly kind: number;
  readonly rawSize: number;
  readonly storedSize: number;
  /** The keyframe this object is a delta against, or null. */
  readonly base: Hash | null;
}

export interface SweepOptions {
  /** Keep what was written or touched at or after this time (ms since the epoch). */
  readonly keepSince: number;
  /**
   * Keep the chunks of a transfer that is not complete if somebody added to it at or after
   * this time. Default: a day before `keepSince`.
   */
  readonly transfersSince?: number;
  /** Report only. */
  readonly dryRun: boolean;
}

export interface SweepResult {
  readonly objects: number;
  readonly storedBytes: number;
}

/** Marks in memory bounded to about one bit per stored object, then sweeps the rest. */
export interface Marker {
  /** Marks; answers for each hash whether it was new (false: already marked or absent). */
  mark(hashes: readonly Hash[]): Promise<boolean[]>;
  sweep(options: SweepOptions): Promise<SweepResult>;
}

export interface Maintenance {
  scan(): AsyncIterable<StoredObject[]>;
  startMarking(): Promise<Marker>;
  /** Bytes of the store's files, and of pages in them that hold nothing. */
  fileSizes(): Promise<{ readonly fileBytes: number; readonly freeBytes: number }>;
  /** Integrity of the store's own container; a list of complaints, empty when sound. */
  check(): Promise<string[]>;
  /** Returns free space to the file system, in bounded steps; readers go on. */
  compact(): Promise<void>;
}
