/**
 * An object store in front of another: what is put waits in memory until it goes into one
 * transaction with the refs that need it. Used by the row writer, so that commits made
 * together are stored together, and a write that was refused leaves nothing behind.
 *
 * Chunks that were handed over stay readable here for a while: the next commit changes the
 * same nodes again. Much at once is given to the store below early; nothing refers to it yet.
 */
import type { Hash } from '../hash.ts';
import type { ChunkToPut, ObjectStore } from '../store/contract.ts';

/** More than this does not wait in memory. */
const MAX_WAITING_BYTES = 8 * 1024 * 1024;
const MAX_RECENT_BYTES = 8 * 1024 * 1024;

export class ChunkBuffer implements ObjectStore {
  readonly #below: ObjectStore;
  #waiting: ChunkToPut[] = [];
  #waitingBytes = 0;
  readonly #bytes = new Map<Hash, Uint8Array>();
  readonly #recent = new Map<Hash, Uint8Array>();
  #recentBytes = 0;

  constructor(below: ObjectStore) {
    this.#below = below;
  }

  async getMany(hashes: readonly Hash[]): Promise<(Uint8Array | undefined)[]> {
    const found = hashes.map((hash) => this.#bytes.get(hash) ?? this.#recent.get(hash));
    if (!found.includes(undefined)) return found;
    const absent = hashes.filter((_, i) => found[i] === undefined);
    const below = await this.#below.getMany(absent);
    let next = 0;
    return found.map((bytes) => bytes ?? below[next++]);
  }

  async hasMany(hashes: readonly Hash[]): Promise<boolean[]> {
    const below = await this.#below.hasMany(hashes);
    return hashes.map((hash, i) => below[i] || this.#bytes.has(hash));
  }

  async putMany(chunks: readonly ChunkToPut[]): Promise<void> {
    for (const chunk of chunks) {
      if (this.#bytes.has(chunk.hash)) continue;
      this.#bytes.set(chunk.hash, chunk.bytes);
      this.#waiting.push(chunk);
      this.#waitingBytes += chunk.bytes.length;
    }
    if (this.#waitingBytes > MAX_WAITING_BYTES) await this.#below.putMany(this.take());
  }

  findHashes(prefix: string, limit: number): Promise<Hash[]> {
    return this.#below.findHashes(prefix, limit);
  }

  /** What `rollback` goes back to. */
  mark(): number {
    return this.#waiting.length;
  }

  /** Forgets what was put since, as far as it still waits. */
  rollback(mark: number): void {
    for (const { hash, bytes } of this.#waiting.splice(mark)) {
      this.#bytes.delete(hash);
      this.#waitingBytes -= bytes.length;
    }
  }

  /** What waits, in the order it was put, for a transaction; it stays readable. */
  take(): ChunkToPut[] {
    const chunks = this.#waiting;
    for (const { hash, bytes } of chunks) this.#remember(hash, bytes);
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#bytes.clear();
    return chunks;
  }

  #remember(hash: Hash, bytes: Uint8Array): void {
    if (this.#recent.has(hash)) return;
    this.#recent.set(hash, bytes);
    this.#recentBytes += bytes.length;
    if (this.#recentBytes <= MAX_RECENT_BYTES) return;
    for (const [oldest, old] of this.#recent) {
      this.#recent.delete(oldest);
      this.#recentBytes -= old.length;
      if (this.#recentBytes <= MAX_RECENT_BYTES / 2) break;
    }
  }
}
