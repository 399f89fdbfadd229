/**
 * Verified chunks of a transfer: in memory first, in the store under the transfer's name when
 * there are many. Bytes of either, and of what the store has anyway, are found here.
 */
import type { Hash } from '../hash.ts';
import type { ObjectStore, Store } from '../store/contract.ts';
import type { ReceivedChunk } from '../store/transfer.ts';

/** Raw bytes kept in memory. */
const MEMORY_BYTES = 4 * 1024 * 1024;

export class ReceivedChunks {
  private readonly store: Store;
  private readonly transfer: string;
  private readonly memory = new Map<Hash, ReceivedChunk>();
  private readonly dictionaries = new Map<Hash, Uint8Array>();
  private bytes = 0;
  /** Whether the store has some: then a transaction must complete the transfer. */
  spilled = false;

  constructor(store: Store, transfer: string) {
    this.store = store;
    this.transfer = transfer;
  }

  /** Pieces of packs consist of chunks, so a view into one keeps little else. */
  keep(chunk: ReceivedChunk): void {
    this.memory.set(chunk.hash, chunk);
    this.bytes += chunk.bytes.length;
  }

  /** Kept with the first chunks that go into the store. */
  keepDictionary(hash: Hash, bytes: Uint8Array): void {
    this.dictionaries.set(hash, bytes);
  }

  get isFull(): boolean {
    return this.bytes > MEMORY_BYTES;
  }

  /** What is not in the store. */
  inMemory(): ReceivedChunk[] {
    return [...this.memory.values()];
  }

  async get(hash: Hash): Promise<Uint8Array | undefined> {
    const held = this.memory.get(hash);
    if (held !== undefined) return held.bytes;
    const [bytes] = await this.store.getMany([hash]);
    return bytes;
  }

  /** Puts what is in memory into the store. */
  async spill(): Promise<void> {
    if (this.memory.size === 0) return;
    for (const bytes of this.dictionaries.values()) await this.store.putDictionary(bytes);
    this.dictionaries.clear();
    await this.store.putReceived(this.transfer, [...this.memory.values()]);
    this.memory.clear();
    this.bytes = 0;
    this.spilled = true;
  }

  /** The store with what is in memory before it; what is put stays in memory. */
  overlay(): ObjectStore {
    const { store, memory } = this;
    return {
      getMany: async (hashes) => {
        const absent = hashes.filter((hash) => !memory.has(hash));
        const found = absent.length === 0 ? [] : await store.getMany(absent);
        let next = 0;
        return hashes.map((hash) => memory.get(hash)?.bytes ?? found[next++]);
      },
      hasMany: async (hashes) => {
        const found = await store.hasMany(hashes);
        return hashes.map((hash, i) => memory.has(hash) || found[i]);
      },
      putMany: async (chunks) => {
        for (const chunk of chunks) if (!memory.has(chunk.hash)) memory.set(chunk.hash, chunk);
      },
      findHashes: (prefix, limit) => store.findHashes(prefix, limit),
    };
  }
}
