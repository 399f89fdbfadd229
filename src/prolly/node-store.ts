/**
 * Nodes out of and into an object store. Decoded internal nodes are kept in a small cache,
 * because every walk passes the upper levels again; leaves are not.
 */
import { DvError } from '../errors.ts';
import type { Hash } from '../hash.ts';
import type { ChunkToPut, ObjectStore } from '../store/contract.ts';
import { Node } from './node.ts';

const CACHED_NODES = 512;
/** Chunks wait here until this many bytes are together (or `flush`). */
const BATCH_BYTES = 2 * 1024 * 1024;

export class NodeStore {
  readonly objects: ObjectStore;
  private readonly cache = new Map<Hash, Node>();
  private pending: ChunkToPut[] = [];
  private pendingByHash = new Map<Hash, Uint8Array>();
  private pendingBytes = 0;

  constructor(objects: ObjectStore) {
    this.objects = objects;
  }

  /** @throws DvError `missing-object`, `corrupt` */
  async read(hash: Hash): Promise<Node> {
    const known = this.cache.get(hash);
    if (known !== undefined) return known;
    const waiting = this.pendingByHash.get(hash);
    const [bytes] = waiting === undefined ? await this.objects.getMany([hash]) : [waiting];
    return this.decode(hash, bytes);
  }

  /** The nodes in the order asked for, read as one batch. */
  async readMany(hashes: readonly Hash[]): Promise<Node[]> {
    await this.flush();
    const chunks = await this.objects.getMany(hashes);
    return hashes.map((hash, i) => this.decode(hash, chunks[i]));
  }

  private decode(hash: Hash, bytes: Uint8Array | undefined): Node {
    if (bytes === undefined) {
      throw new DvError('missing-object', `tree node ${hash} is missing`, { hint: 'dv fsck' });
    }
    const node = new Node(bytes);
    if (node.level > 0) this.remember(hash, node);
    return node;
  }

  private remember(hash: Hash, node: Node): void {
    if (this.cache.size >= CACHED_NODES) {
      for (const oldest of this.cache.keys()) {
        this.cache.delete(oldest);
        if (this.cache.size < CACHED_NODES / 2) break;
      }
    }
    this.cache.set(hash, node);
  }

  /** Queues a chunk; synchronous, so that builders need no promise a row. */
  put(chunk: ChunkToPut): void {
    this.pending.push(chunk);
    this.pendingByHash.set(chunk.hash, chunk.bytes);
    this.pendingBytes += chunk.bytes.length;
  }

  /** True when enough is queued that the caller should `await flush()`. */
  get full(): boolean {
    return this.pendingBytes >= BATCH_BYTES;
  }

  async flush(): Promise<void> {
    if (this.pending.length === 0) return;
    const chunks = this.pending;
    this.pending = [];
    this.pendingBytes = 0;
    await this.objects.putMany(chunks);
    this.pendingByHash = new Map(this.pending.map((chunk) => [chunk.hash, chunk.bytes]));
  }
}
