/**
 * Rows written to branches of one store without a working file: the row writer of contract.ts.
 *
 *   branch-queue.ts    who waits for a branch; transactions     table-writes.ts   rows into a tree
 *   write-attempt.ts   requests into one transaction            write-schema.ts   drift
 *   write-request.ts   one request into a commit                write-merge.ts    older bases
 *   write-keys.ts      requests sent twice                      chunk-buffer.ts   what waits
 *
 * Each branch has its own queue; branches do not wait for one another but at the store.
 */
import { DvError } from '../errors.ts';
import { feedEpoch } from '../model/cursor.ts';
import { checkRefName } from '../model/names.ts';
import { readNodeId } from '../model/node-id.ts';
import type { Store } from '../store/contract.ts';
import { BranchQueue } from './branch-queue.ts';
import type { RowWriter, SourceOffsets, WriteRequest, WriteResult } from './contract.ts';
import type { MoveHooks, WriterScene } from './write-attempt.ts';
import { KeySweeper } from './write-keys.ts';

/** Branches that are kept open while nobody writes to them. */
const MAX_QUEUES = 64;

export interface RowWriterOptions extends MoveHooks {
  /** ms since the epoch. */
  readonly now: () => number;
  /** 16 random hex digits: the feed's epoch, where it has none yet. */
  readonly randomId: () => string;
}

/** A writer over a store that stays the caller's to close. */
export function createRowWriter(store: Store, options: RowWriterOptions): RowWriter {
  return new StoreRowWriter(store, options);
}

class StoreRowWriter implements RowWriter {
  readonly #store: Store;
  readonly #options: RowWriterOptions;
  readonly #queues = new Map<string, BranchQueue>();
  #scene: Promise<WriterScene> | undefined;
  #isClosed = false;

  constructor(store: Store, options: RowWriterOptions) {
    this.#store = store;
    this.#options = options;
  }

  async write(request: WriteRequest): Promise<WriteResult> {
    if (this.#isClosed) throw new DvError('locked', 'the writer is being closed');
    const queue = this.#queues.get(request.branch) ?? (await this.#open(request.branch));
    return queue.write(request);
  }

  async readOffsets(branch: string, source: string): Promise<SourceOffsets | null> {
    return (this.#queues.get(branch) ?? (await this.#open(branch))).offsets(source);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const queue of this.#queues.values()) await queue.idle();
  }

  async #open(branch: string): Promise<BranchQueue> {
    checkRefName('branch', branch);
    this.#scene ??= this.#look();
    const scene = await this.#scene;
    const queue = this.#queues.get(branch) ?? new BranchQueue(scene, branch);
    if (this.#queues.size >= MAX_QUEUES) this.#dropIdle();
    this.#queues.set(branch, queue);
    return queue;
  }

  #dropIdle(): void {
    for (const [branch, queue] of this.#queues) if (queue.isIdle) this.#queues.delete(branch);
  }

  async #look(): Promise<WriterScene> {
    const store = this.#store;
    const { now, randomId, ...hooks } = this.#options;
    const [node, epoch] = [await readNodeId(store), await feedEpoch(store, randomId)];
    return { store, now, node, epoch, sweeper: new KeySweeper(store), ...hooks };
  }
}
