/** Blobs in memory, as the row codec sees them: whole, under the hash of their bytes. */
import { type Hash, hashOf } from '../../src/hash.ts';

export class BlobMap {
  readonly blobs = new Map<Hash, Buffer>();

  readonly store = (bytes: Uint8Array): Hash => {
    const copy = Buffer.from(bytes);
    const hash = hashOf(copy);
    this.blobs.set(hash, copy);
    return hash;
  };

  readonly read = async (hash: Hash): Promise<Uint8Array> => {
    const blob = this.blobs.get(hash);
    if (blob === undefined) throw new Error(`no blob ${hash}`);
    return blob;
  };
}
