/** What goes into a store, for both halves of its contract. */
import type { Hash } from '../hash.ts';

/** A chunk to store. `like` names the chunk it replaces: a hint that a delta may pay. */
export interface ChunkToPut {
  readonly hash: Hash;
  readonly bytes: Uint8Array;
  readonly like?: Hash;
}
