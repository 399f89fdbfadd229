/**
 * Verified chunks of a transfer: in memory first, in the store under the transfer's name when
 * there are many. The store takes them while more come. Bytes of all of them, and of what the
 * store has anyway, are found here.
 */
import type { Hash } from '../hash.ts';
import type { ObjectStore, Store } from '../store/contract.ts';
import type { ReceivedChunk } from '../store/transfer.ts';
import type { TransferLease } from './transfer-lease.ts';

/** Raw bytes kept in memory, and as much again that the store is taking. */
const MEMORY_BYTES = 3 * 1024 * 1024;

export class ReceivedChunks {
  private readonly store: Store;
  private readonly transfer: string;
  private readonly memory = new Map<Hash, ReceivedChunk>();
  /** Given to the store, and perhaps not there yet. */
  private leaving: ReadonlyMap<Hash, ReceivedChunk> = new Map();
  /** When they are there; never rejected. */
  private stored: Promise<void> = Promise.resolve();
  private failure: { readonly error: unknown } | undefined;
  private readonly dictionaries = new Map<Hash, Uint8Array>();
  private bytes = 0;
  /** Whether the store has some: then a transaction must complete the transfer. */
  spilled = false;

  private readonly lease: TransferLease | undefined;

  constructor(store: Store, transfer: string, lease: TransferLease | undefined) {
    this.store = store;
    this.transfer = transfer;
    this.lease = lease;
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

  /** What was not given to the store. */
  inMemory(): ReceivedChunk[] {
    return [...this.memory.values()];
  }

  private held(hash: Hash): ReceivedChunk | undefined {
    return this.memory.get(hash) ?? this.leaving.get(hash);
  }

  async get(hash: Hash): Promise<Uint8Array | undefined> {
    const held = this.held(hash);
    if (held !== undefined) return held.bytes;
    const [bytes] = await this.store.getMany([hash]);
    return bytes;
  }

  /** Puts what is in memory into the store. */
  async spill(): Promise<void> {
    await this.startSpilling();
    await this.settle();
  }

  /** The same, but only waits for what was put there before. */
  async startSpilling(): Promise<void> {
    await this.settle();
    if (this.memory.size === 0) return;
    await this.lease?.renew();
    for (const bytes of this.dictionaries.values()) await this.store.putDictionary(bytes);
    this.dictionaries.clear();
    this.leaving = new Map(this.memory);
    this.memory.clear();
    this.bytes = 0;
    this.spilled = true;
    this.stored = this.store.putReceived(this.transfer, [...this.leaving.values()]).then(
      () => undefined,
      (error) => {
        this.failure = { error };
      },
    );
  }

  /**
   * Waits until all that was put into the store is there. @throws what putting it threw; then
   * it is in memory again
   */
  async settle(): Promise<void> {
    await this.stored;
    const { failure, leaving } = this;
    this.leaving = new Map();
    this.failure = undefined;
    if (failure === undefined) return;
    for (const chunk of leaving.values()) this.keep(chunk);
    throw failure.error;
  }

  /** The store with what is in memory before it; what is put stays in memory. */
  overlay(): ObjectStore {
    const { store, memory } = this;
    return {
      getMany: async (hashes) => {
        const held = hashes.map((hash) => this.held(hash)?.bytes);
        const absent = hashes.filter((_, i) => held[i] === undefined);
        const found = absent.length === 0 ? [] : await store.getMany(absent);
        let next = 0;
        return held.map((bytes) => bytes ?? found[next++]);
      },
      hasMany: async (hashes) => {
        const held = hashes.map((hash) => this.held(hash) !== undefined);
        const found = await store.hasMany(hashes);
        return held.map((isHeld, i) => isHeld || found[i]);
      },
      putMany: async (chunks) => {
        for (const chunk of chunks) if (!memory.has(chunk.hash)) memory.set(chunk.hash, chunk);
      },
      findHashes: (prefix, limit) => store.findHashes(prefix, limit),
    };
  }
}
