/** What a receiver is told, and what it tells (receiver.ts). */
import type { Hash } from '../hash.ts';
import type { PackHeader, PackTrailer } from './pack.ts';
import type { TransferLease } from './transfer-lease.ts';

export interface ReceiverOptions {
  /** Names the transfer in the store. */
  readonly transfer: string;
  readonly tables?: readonly string[];
  readonly levels?: 'all' | 'internal';
  /** This store's own shallow commits. */
  readonly shallow?: readonly Hash[];
  /** Take over what the sender says is shallow: it decides what of a history is sent. */
  readonly acceptShallow?: boolean;
  /** Says that somebody works at the transfer, while it has chunks in the store. */
  readonly lease?: TransferLease;
  readonly onChunk?: (received: Reception) => void;
}

/** Counts since the beginning, over all packs. */
export interface Reception {
  readonly packs: number;
  /** Chunks taken, and their raw bytes. */
  readonly chunks: number;
  readonly rawBytes: number;
  /** Bytes of packs. */
  readonly bytes: number;
  /** Chunks that were here already. */
  readonly ignored: number;
}

export interface ReceivedPack {
  readonly header: PackHeader;
  readonly trailer: PackTrailer;
}
