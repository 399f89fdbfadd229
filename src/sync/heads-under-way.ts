/**
 * Heads that refs are about to have: their transactions were given to the store and are not
 * durable yet. The next push of such a ref is judged by that head instead of waiting for the
 * disk, so that one write serves all who push to one branch together (store: group commit).
 *
 *   1. Nobody is told of such a head: who was judged by it answers when it is durable.
 *   2. When its transaction loses or fails, so do those behind it, as the ref never was where
 *      they move it from; they are judged again.
 *   3. Chunks of transactions under way are read from here.
 */
import type { Hash } from '../hash.ts';
import type {
  ChunkToPut,
  ObjectStore,
  Store,
  Transaction,
  TransactResult,
} from '../store/contract.ts';

export interface HeadUnderWay {
  readonly head: Hash | null;
  /** Whether it came to be; never rejects. */
  readonly settled: Promise<boolean>;
}

export class HeadsUnderWay {
  readonly #store: Store;
  readonly #heads = new Map<string, HeadUnderWay>();
  readonly #chunks = new Map<Hash, { readonly bytes: Uint8Array; users: number }>();

  constructor(store: Store) {
    this.#store = store;
  }

  get(ref: string): HeadUnderWay | undefined {
    return this.#heads.get(ref);
  }

  /** As `store.transact`. */
  submit(transaction: Transaction, chunks: readonly ChunkToPut[]): Promise<TransactResult> {
    for (const { hash, bytes } of chunks) {
      const held = this.#chunks.get(hash);
      if (held === undefined) this.#chunks.set(hash, { bytes, users: 1 });
      else held.users += 1;
    }
    const result = this.#store.transact(transaction, chunks);
    const refs = transaction.refs ?? [];
    const settled = result.then(
      ({ done }) => done,
      () => false,
    );
    const heads = refs.map(({ name, new: head }) => ({ name, head: { head, settled } }));
    for (const { name, head } of heads) this.#heads.set(name, head);
    void settled.then(() => {
      for (const { name, head } of heads) {
        if (this.#heads.get(name) === head) this.#heads.delete(name);
      }
      this.#release(chunks);
    });
    return result;
  }

  #release(chunks: readonly ChunkToPut[]): void {
    for (const { hash } of chunks) {
      const held = this.#chunks.get(hash);
      if (held === undefined) continue;
      held.users -= 1;
      if (held.users === 0) this.#chunks.delete(hash);
    }
  }

  /** `objects` with the chunks under way before it. */
  over(objects: ObjectStore): ObjectStore {
    return {
      getMany: async (hashes) => {
        const held = hashes.map((hash) => this.#chunks.get(hash)?.bytes);
        const absent = hashes.filter((_, i) => held[i] === undefined);
        const found = absent.length === 0 ? [] : await objects.getMany(absent);
        let next = 0;
        return held.map((bytes) => bytes ?? found[next++]);
      },
      hasMany: async (hashes) => {
        const held = hashes.map((hash) => this.#chunks.has(hash));
        const found = await objects.hasMany(hashes);
        return held.map((one, i) => one || found[i]);
      },
      putMany: (chunks) => objects.putMany(chunks),
      findHashes: (prefix, limit) => objects.findHashes(prefix, limit),
    };
  }
}
