/**
 * Nodes out of and into an object store. Decoded internal nodes are kept in a small cache,
 * because every walk passes the upper levels again; leaves are not, unless somebody asks for it
 * who will come to the same leaves again.
 */
import { DvError } from '../errors.ts';
import type { Hash } from '../hash.ts';
import type { ChunkToPut, ObjectStore } from '../store/contract.ts';
import { Node } from './node.ts';
import { EMPTY_TREE, EMPTY_TREE_BYTES } from './node-writer.ts';

const CACHED_NODES = 512;
/** Chunks wait here until this many bytes are together (or `flush`). */
const BATCH_BYTES = 2 * 1024 * 1024;

/** Batches given to the store and not yet stored: what makes storing overlap with building. */
const BATCHES_UNDER_WAY = 2;

export class NodeStore {
  readonly objects: ObjectStore;
  private readonly cache = new Map<Hash, Node>();
  private readonly leaves = new Map<Hash, Node>();
  private readonly cachedLeaves: number;
  private queued: ChunkToPut[] = [];
  private queuedBytes = 0;
  /** What is queued or under way: readable although the store may not have it yet. */
  private readonly pending = new Map<Hash, Uint8Array>();
  private readonly underWay: Promise<void>[] = [];
  private failure: { readonly error: unknown } | undefined;

  constructor(objects: ObjectStore, { cachedLeaves = 0 } = {}) {
    this.objects = objects;
    this.cachedLeaves = cachedLeaves;
  }

  /** @throws DvError `missing-object`, `corrupt` */
  async read(hash: Hash): Promise<Node> {
    const known = this.known(hash);
    if (known !== undefined) return known;
    const waiting = this.waiting(hash);
    const [bytes] = waiting === undefined ? await this.objects.getMany([hash]) : [waiting];
    return this.decode(hash, bytes);
  }

  /** The nodes in the order asked for, read as one batch. */
  async readMany(hashes: readonly Hash[]): Promise<Node[]> {
    const known = hashes.map((hash) => this.known(hash));
    const waiting = hashes.map((hash) => this.waiting(hash));
    const absent = hashes.filter((_, i) => known[i] === undefined && waiting[i] === undefined);
    const chunks = absent.length === 0 ? [] : await this.objects.getMany(absent);
    let next = 0;
    return hashes.map((hash, i) => known[i] ?? this.decode(hash, waiting[i] ?? chunks[next++]));
  }

  private known(hash: Hash): Node | undefined {
    return this.cache.get(hash) ?? this.leaves.get(hash);
  }

  private waiting(hash: Hash): Uint8Array | undefined {
    return hash === EMPTY_TREE ? EMPTY_TREE_BYTES : this.pending.get(hash);
  }

  private decode(hash: Hash, bytes: Uint8Array | undefined): Node {
    if (bytes === undefined) {
      throw new DvError('missing-object', `tree node ${hash} is missing`, { hint: 'dv fsck' });
    }
    const node = new Node(bytes);
    if (node.level > 0) remember(this.cache, CACHED_NODES, hash, node);
    else if (this.cachedLeaves > 0) remember(this.leaves, this.cachedLeaves, hash, node);
    return node;
  }

  /** Queues a chunk; synchronous, so that builders need no promise a row. */
  put(chunk: ChunkToPut): void {
    this.queued.push(chunk);
    this.pending.set(chunk.hash, chunk.bytes);
    this.queuedBytes += chunk.bytes.length;
  }

  /** Queues the empty tree if that is what `root` is: who refers to a tree must store it. */
  putIfEmpty(root: Hash): void {
    if (root === EMPTY_TREE) this.put({ hash: EMPTY_TREE, bytes: EMPTY_TREE_BYTES });
  }

  /** True when so much is queued that the caller should `await relieve()`. */
  get full(): boolean {
    return this.queuedBytes >= BATCH_BYTES;
  }

  /** Gives the queue to the store; waits only while earlier batches are still under way. */
  async relieve(): Promise<void> {
    this.send();
    while (this.underWay.length > BATCHES_UNDER_WAY) await this.underWay[0];
    this.checkFailure();
  }

  /** Everything put so far is in the store when this resolves. */
  async flush(): Promise<void> {
    this.send();
    while (this.underWay.length > 0) await this.underWay[0];
    this.checkFailure();
  }

  private send(): void {
    if (this.queued.length === 0) return;
    const chunks = this.queued;
    this.queued = [];
    this.queuedBytes = 0;
    const stored = this.objects.putMany(chunks).then(
      () => this.forget(chunks),
      (error: unknown) => {
        this.failure ??= { error };
        this.forget(chunks);
      },
    );
    this.underWay.push(stored);
    stored.then(() => this.underWay.splice(this.underWay.indexOf(stored), 1));
  }

  private forget(chunks: readonly ChunkToPut[]): void {
    for (const { hash } of chunks) this.pending.delete(hash);
  }

  /** A batch that failed fails whoever waits next, once. */
  private checkFailure(): void {
    const { failure } = this;
    this.failure = undefined;
    if (failure !== undefined) throw failure.error;
  }
}

/** The older half goes when there are too many. */
function remember(cache: Map<Hash, Node>, most: number, hash: Hash, node: Node): void {
  if (cache.size >= most) {
    for (const oldest of cache.keys()) {
      cache.delete(oldest);
      if (cache.size < most / 2) break;
    }
  }
  cache.set(hash, node);
}
