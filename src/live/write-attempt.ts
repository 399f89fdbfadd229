/**
 * Requests applied to one branch in memory, one behind the other, and the one transaction that
 * would make it so. Used once: when the transaction loses, another attempt starts from what
 * the branch has then.
 */

import { DvError } from '../errors.ts';
import type { Hash } from '../hash.ts';
import { clockUpdate } from '../model/clock.ts';
import { BRANCH_PREFIX } from '../model/names.ts';
import { readCommit } from '../model/object-reader.ts';
import type { Clock } from '../model/objects.ts';
import type { NodeStore } from '../prolly/node-store.ts';
import { EMPTY_TREE } from '../prolly/node-writer.ts';
import type { RefUpdate, StateUpdate, Store } from '../store/contract.ts';
import type { BranchState } from './branch-state.ts';
import type { TableRowCounts, WriteRequest, WriteResult } from './contract.ts';
import {
  type AnsweredKey,
  checkWriteKey,
  decodeAnswer,
  encodeAnswer,
  type KeySweeper,
  keyState,
  requestDigest,
} from './write-keys.ts';
import { type AppliedRequest, applyRequest, countTables } from './write-request.ts';

/** Who has a say where a branch moves. */
export interface MoveHooks {
  /** Asked before a branch moves from `head`, once for all that move it together. It throws. */
  readonly guard?: (ref: string, head: Hash) => Promise<void>;
  /** Told when it has moved. */
  readonly moved?: (ref: string) => Promise<void>;
}

/** What the writers of one store share. */
export interface WriterScene extends MoveHooks {
  readonly store: Store;
  /** ms since the epoch. */
  readonly now: () => number;
  /** This repository's id in clocks, and its feed's epoch. */
  readonly node: string;
  readonly epoch: string;
  readonly sweeper: KeySweeper;
}

export interface AttemptScene extends WriterScene {
  readonly branch: string;
  readonly nodes: NodeStore;
}

/** Without what is known only when the transaction has held. */
type Applied = Omit<WriteResult, 'cursor' | 'clock'>;

/** What became of a request, to be told when the transaction has held. */
export type Outcome =
  | { readonly kind: 'written'; readonly result: Applied }
  | { readonly kind: 'refused'; readonly error: unknown };

interface NamedRequest {
  readonly state: string;
  readonly key: string;
  readonly digest: Uint8Array;
}

export class WriteAttempt {
  readonly outcomes: Outcome[] = [];
  /** The steps of the branch. */
  readonly refs: RefUpdate[] = [];
  /** The branch behind the requests so far. */
  state: BranchState;
  readonly #scene: AttemptScene;
  readonly #clock: Clock | undefined;
  readonly #answers = new Map<string, Buffer>();

  /** `clock`: the repository's last stamp. */
  constructor(scene: AttemptScene, state: BranchState, clock: Clock | undefined) {
    this.#scene = scene;
    this.state = state;
    this.#clock = clock;
  }

  /** false: it was refused, and what it put is not needed. */
  async add(request: WriteRequest): Promise<boolean> {
    try {
      this.outcomes.push({ kind: 'written', result: await this.#write(request) });
      return true;
    } catch (error) {
      this.outcomes.push({ kind: 'refused', error });
      return false;
    }
  }

  /** The repository's last stamp behind the requests so far. */
  get clock(): Clock | undefined {
    return this.refs.length > 0 ? this.state.commit?.clock : this.#clock;
  }

  /** What else the transaction sets. */
  async updates(): Promise<StateUpdate[]> {
    const { sweeper, now } = this.#scene;
    const updates: StateUpdate[] = [];
    for (const [key, value] of this.#answers) updates.push({ key, value, expect: null });
    updates.push(...(await sweeper.sweep(this.#answers.size, now())));
    const { commit } = this.state;
    if (this.refs.length > 0 && commit !== undefined) updates.push(clockUpdate(commit.clock));
    return updates;
  }

  async #write(request: WriteRequest): Promise<Applied> {
    const named = this.#name(request);
    const answered = named && (await this.#answerOf(named));
    if (answered !== undefined) return this.#repeat(answered);
    const { nodes, now, node } = this.#scene;
    const time = now();
    const moment = { now: time, node, clock: this.#clock };
    const applied = await applyRequest(nodes, this.state, request, moment);
    const commit = applied.state.head;
    if (commit === null) throw nothingWritten(request);
    if (applied.changed) this.#step(request, applied, time);
    this.state = applied.state;
    const { changed, tables } = applied;
    if (named !== undefined) {
      this.#answers.set(named.state, encodeAnswer({ commit, changed }, time, named.digest));
    }
    return { commit, changed, tables };
  }

  #step(request: WriteRequest, { state }: AppliedRequest, time: number): void {
    const { author, message } = request;
    const actor = request.actor ?? `${author.name} <${author.email}>`;
    this.refs.push({
      name: BRANCH_PREFIX + this.#scene.branch,
      old: this.state.head,
      new: state.head,
      log: { actor, time, message: `write: ${message.split('\n', 1)[0]}` },
    });
  }

  #name(request: WriteRequest): NamedRequest | undefined {
    const { key } = request;
    if (key === undefined) return undefined;
    checkWriteKey(key);
    return { key, state: keyState(this.#scene.branch, key), digest: requestDigest(request) };
  }

  async #answerOf({ state, key, digest }: NamedRequest): Promise<AnsweredKey | undefined> {
    const value = this.#answers.get(state) ?? (await this.#scene.store.getState(state));
    return value && decodeAnswer(value, key, digest);
  }

  async #repeat({ commit, changed }: AnsweredKey): Promise<Applied> {
    return { commit, changed, tables: changed ? await this.#counts(commit) : [] };
  }

  /** Nothing where the commit has gone since (a squash, then gc). */
  async #counts(hash: AnsweredKey['commit']): Promise<readonly TableRowCounts[]> {
    const { nodes } = this.#scene;
    const [isThere] = await nodes.objects.hasMany([hash]);
    if (!isThere) return [];
    const { root, parents } = await readCommit(nodes.objects, hash);
    const before =
      parents[0] === undefined ? EMPTY_TREE : (await readCommit(nodes.objects, parents[0])).root;
    return countTables(nodes, before, root);
  }
}

function nothingWritten({ branch }: WriteRequest): DvError {
  return new DvError('nothing-to-commit', `nothing to write, and '${branch}' has no commit yet`, {
    hint: 'write some rows',
    data: { branch },
  });
}
