/**
 * What goes between the thread that makes chunks and the one that stores them.
 */
import type { DvError } from '../errors.ts';
import type { Hash } from '../hash.ts';
import type { ChunkForm } from './transfer.ts';

/** Chunks on their way: chunk i is bytes[ends[i - 1] .. ends[i]). */
export interface PutMessage {
  readonly bytes: Uint8Array;
  readonly ends: readonly number[];
  readonly hashes: readonly Hash[];
  readonly likes: readonly (Hash | undefined)[];
  /** Of a transfer: chunk i of `forms` came with data that lies behind all chunks in `bytes`. */
  readonly received?: {
    readonly transfer: string;
    readonly forms: readonly (ReceivedForm | undefined)[];
  };
  /** The clock at sending, ms since the epoch: a worker has none of its own. */
  readonly now: number;
}

export interface ReceivedForm {
  readonly form: ChunkForm;
  readonly start: number;
  readonly end: number;
}

export interface WorkerSetup {
  readonly path: string;
  readonly owner: string | undefined;
  readonly lockTimeoutMs: number | undefined;
  readonly now: number;
}

/** One per message, in their order; `error` is null when the batch is stored. */
export interface PutAnswer {
  readonly error: ReturnType<DvError['toJSON']> | null;
  /** The message's, for another one. */
  readonly bytes: Uint8Array;
}
