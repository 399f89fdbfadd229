/**
 * One branch's writes. All requests that wait are applied one after the other, each with its
 * own commit, and go into one transaction: a chain of steps of the ref, which is compared and
 * swapped as a whole. When somebody else moved the branch meanwhile, they are all applied
 * anew to what is there. A request is answered, or refused, only once the transaction held.
 */
import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';
import { DvError } from '../errors.ts';
import type { Hash } from '../hash.ts';
import { readClock } from '../model/clock.ts';
import { formatCursor } from '../model/cursor.ts';
import { readHead } from '../model/head.ts';
import { BRANCH_PREFIX } from '../model/names.ts';
import { NodeStore } from '../prolly/node-store.ts';
import { type BranchState, openBranch } from './branch-state.ts';
import { ChunkBuffer } from './chunk-buffer.ts';
import type { SourceOffsets, WriteRequest, WriteResult } from './contract.ts';
import { readSources } from './source-offsets.ts';
import { type Outcome, WriteAttempt, type WriterScene } from './write-attempt.ts';

/** Requests in one transaction, at most. */
const MAX_BATCH = 256;
/** A branch that is moved this often between reading and writing is given up for now. */
const MAX_ATTEMPTS = 30;
const MAX_PAUSE_MS = 50;

interface Waiting {
  readonly request: WriteRequest;
  readonly resolve: (result: WriteResult) => void;
  readonly reject: (error: unknown) => void;
}

export class BranchQueue {
  readonly #scene: WriterScene;
  readonly #branch: string;
  readonly #ref: string;
  readonly #chunks: ChunkBuffer;
  readonly #nodes: NodeStore;
  #waiting: Waiting[] = [];
  #running: Promise<void> | undefined;
  /** The branch as this queue saw it last. */
  #state: BranchState | undefined;

  constructor(scene: WriterScene, branch: string) {
    this.#scene = scene;
    this.#branch = branch;
    this.#ref = BRANCH_PREFIX + branch;
    this.#chunks = new ChunkBuffer(scene.store);
    this.#nodes = new NodeStore(this.#chunks, { cachedLeaves: 16 });
  }

  write(request: WriteRequest): Promise<WriteResult> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ request, resolve, reject });
      this.#running ??= this.#run();
    });
  }

  async offsets(source: string): Promise<SourceOffsets | null> {
    const head = await this.#scene.store.getRef(this.#ref);
    if (head === undefined) return null;
    const seen = this.#state;
    const known = (commit: Hash) => (commit === seen?.head ? seen.sources : undefined);
    const sources = await readSources(this.#scene.store, head, known);
    return Object.hasOwn(sources, source) ? sources[source] : null;
  }

  get isIdle(): boolean {
    return this.#running === undefined;
  }

  /** Resolves when nothing waits any more. */
  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      await nextTurn(); // requests that arrive together are taken together
      const batch = this.#waiting.splice(0, MAX_BATCH);
      try {
        await this.#writeBatch(batch);
      } catch (error) {
        this.#state = undefined;
        this.#chunks.rollback(0);
        for (const { reject } of batch) reject(error);
      }
    }
    this.#running = undefined;
  }

  async #writeBatch(batch: readonly Waiting[]): Promise<void> {
    for (let tries = 1; ; tries++) {
      const attempt = await this.#apply(batch);
      if (await this.#move(attempt)) {
        this.#state = attempt.state;
        const behind = { cursor: await this.#cursor(), clock: attempt.clock };
        if (attempt.refs.length > 0) await this.#scene.moved?.(this.#ref);
        for (const [i, outcome] of attempt.outcomes.entries()) answer(batch[i], outcome, behind);
        return;
      }
      this.#state = undefined;
      if (tries === MAX_ATTEMPTS) throw this.#tooBusy();
      await pause(Math.min(tries, MAX_PAUSE_MS));
    }
  }

  #tooBusy(): DvError {
    return new DvError('ref-moved', `'${this.#branch}' was moved by others ${MAX_ATTEMPTS} times`, {
      hint: 'try again',
      data: { branch: this.#branch },
    });
  }

  async #cursor(): Promise<string> {
    const { last } = await this.#scene.store.readFeed(Number.MAX_SAFE_INTEGER, 1);
    return formatCursor({ epoch: this.#scene.epoch, sequence: last });
  }

  /** The branch now. @throws DvError `unknown-ref` */
  async #open(): Promise<BranchState> {
    const { store } = this.#scene;
    const head = (await store.getRef(this.#ref)) ?? null;
    if (head === null) await this.#checkUnborn();
    if (this.#state !== undefined && this.#state.head === head) return this.#state;
    return openBranch(this.#nodes, head);
  }

  /** A branch without a commit is written to where HEAD stands for it, or where none has one. */
  async #checkUnborn(): Promise<void> {
    const { store } = this.#scene;
    const head = await readHead(store);
    if (head.kind === 'branch' && head.branch === this.#branch) return;
    if ((await store.listRefs(BRANCH_PREFIX)).length === 0) return;
    throw new DvError('unknown-ref', `there is no branch '${this.#branch}'`, {
      hint: `dv branch ${this.#branch}`,
      data: { branch: this.#branch },
    });
  }

  async #apply(batch: readonly Waiting[]): Promise<WriteAttempt> {
    const scene = { ...this.#scene, branch: this.#branch, nodes: this.#nodes };
    const state = await this.#open();
    if (state.head !== null) await scene.guard?.(this.#ref, state.head);
    const attempt = new WriteAttempt(scene, state, await readClock(scene.store));
    for (const { request } of batch) {
      const mark = this.#chunks.mark();
      if (await attempt.add(request)) continue;
      await this.#nodes.flush();
      this.#chunks.rollback(mark);
    }
    return attempt;
  }

  /** false: somebody else was faster. */
  async #move(attempt: WriteAttempt): Promise<boolean> {
    const { refs } = attempt;
    const state = await attempt.updates();
    const chunks = this.#chunks.take();
    if (refs.length === 0 && state.length === 0) return true;
    return (await this.#scene.store.transact({ refs, state }, chunks)).done;
  }
}

type Behind = Pick<WriteResult, 'cursor' | 'clock'>;

function answer({ resolve, reject }: Waiting, outcome: Outcome, behind: Behind): void {
  if (outcome.kind === 'refused') reject(outcome.error);
  else resolve({ ...outcome.result, ...behind });
}
