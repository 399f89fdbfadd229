/**
 * History with fewer commits: of the old part of a branch one commit a period stays, and the
 * newer commits stand on top of those.
 *
 *   1. The old part is what the branch's line of first parents has from its first commit older
 *      than the cutoff on down. Commits of one period (UTC) that follow one another are a group.
 *   2. A group becomes one commit: root, author, time and clock of its last one, and a message
 *      that says how many it stands for (`squashed` in its extra fields counts them too). What
 *      merges brought is in the roots; the second parents of old merges go.
 *   3. A group of one on an unchanged parent is the commit it was: thinning again changes nothing.
 *   4. Every newer commit, of side lines too, is made again on its new parents. A parent in the
 *      old part becomes the first group that is as far down its line as that.
 *
 * Stream offsets hold: a group carries those of the nearest commit that has any.
 * Cost: the history; memory of a commit a group and a hash a newer commit.
 */
import type { Hash } from '../hash.ts';
import type { ChunkToPut, ObjectStore } from '../store/contract.ts';
import { readCommit } from './object-reader.ts';
import { type Commit, encodeCommit, toChunk } from './objects.ts';
import { walkTopological } from './topological.ts';

export const PERIODS = ['hour', 'day', 'week'] as const;
export type Period = (typeof PERIODS)[number];

export interface ThinOptions {
  /** Commits made before this go, ms since the epoch. */
  readonly cutoff: number;
  readonly period: Period;
}

export interface ThinnedHistory {
  /** The head of the new history; the old head where nothing is to thin. */
  readonly head: Hash;
  /** Commits of the old part's line, and what became of them. */
  readonly before: number;
  readonly after: number;
  /** Newer commits that were made again. */
  readonly moved: number;
  /** The oldest commit that is not part of the new history; undefined: all are. */
  readonly firstGone: Hash | undefined;
}

interface Group {
  readonly period: number;
  readonly last: { readonly hash: Hash; readonly commit: Commit };
  oldest: Hash;
  oldestTime: number;
  /** Parents of the oldest. */
  below: readonly Hash[];
  commits: number;
  /** Commits it stands for, those of earlier thinnings counted. */
  standsFor: number;
  hasMerge: boolean;
  source: unknown;
}

const HOUR = 60 * 60 * 1000;
const DAY = 24 * HOUR;
/** 1970-01-05 was a Monday. */
const FIRST_MONDAY = 4 * DAY;

function periodOf(time: number, period: Period): number {
  if (period === 'hour') return Math.floor(time / HOUR);
  if (period === 'day') return Math.floor(time / DAY);
  return Math.floor((time - FIRST_MONDAY) / (7 * DAY));
}

/** Chunks that wait for the store. */
const BATCH = 500;

export class HistoryThinner {
  readonly #store: ObjectStore;
  readonly #options: ThinOptions;
  readonly #write: boolean;
  /** Of the old part, oldest first: generation of each group's last commit, and its new hash. */
  readonly #groups: { readonly generation: number; readonly hash: Hash }[] = [];
  readonly #moved = new Map<Hash, Hash>();
  #waiting: ChunkToPut[] = [];
  #result: ThinnedHistory | undefined;
  #seen: Hash | undefined;

  /** `write` false: only says what would become of it. */
  constructor(store: ObjectStore, options: ThinOptions, write: boolean) {
    this.#store = store;
    this.#options = options;
    this.#write = write;
  }

  /**
   * The history of `head`, thinned; its commits are in the store when this resolves. Asked
   * again for a head that descends from the one before, it only adds what came since.
   * @throws DvError `missing-object`
   */
  async thin(head: Hash): Promise<ThinnedHistory> {
    if (this.#result === undefined || this.#seen === undefined) return this.#thinWhole(head);
    if (this.#result.firstGone === undefined) return { ...this.#result, head };
    const moved = await this.#move(head, this.#seen);
    return this.#finish(head, { ...this.#result, moved: this.#result.moved + moved });
  }

  async #thinWhole(head: Hash): Promise<ThinnedHistory> {
    const groups = await this.#group(head);
    const before = groups.reduce((sum, { commits }) => sum + commits, 0);
    const nothing = { head, before, after: before, moved: 0, firstGone: undefined };
    const changed = groups.findLast(({ commits, hasMerge }) => commits > 1 || hasMerge);
    if (changed === undefined) return this.#finish(head, nothing);
    for (const group of groups.reverse()) await this.#makeGroup(group);
    const oldTop = groups[groups.length - 1].last.hash;
    this.#moved.set(oldTop, this.#groups[this.#groups.length - 1].hash);
    const moved = await this.#move(head, oldTop);
    const after = groups.length;
    return this.#finish(head, { ...nothing, after, moved, firstGone: changed.oldest });
  }

  async #finish(head: Hash, found: ThinnedHistory): Promise<ThinnedHistory> {
    await this.#flush();
    this.#seen = head;
    this.#result = { ...found, head: this.#moved.get(head) ?? head };
    return this.#result;
  }

  /** Case 1; newest first. */
  async #group(head: Hash): Promise<Group[]> {
    const groups: Group[] = [];
    const { cutoff, period } = this.#options;
    let unsourced: Group[] = [];
    for (let hash: Hash | undefined = head; hash !== undefined; ) {
      const commit = await readCommit(this.#store, hash);
      const { time } = commit.committer;
      if (groups.length > 0 || time < cutoff) {
        const own = periodOf(time, period);
        const group = groups.at(-1);
        if (group?.period === own) addTo(group, hash, commit);
        else {
          groups.push(newGroup(own, hash, commit));
          unsourced.push(groups[groups.length - 1]);
        }
        if (commit.extra.source !== undefined) {
          for (const one of unsourced) one.source = commit.extra.source;
          unsourced = [];
        }
      }
      hash = commit.parents[0];
    }
    return groups;
  }

  /** Cases 2 and 3. */
  async #makeGroup(group: Group): Promise<void> {
    const { hash, commit } = group.last;
    const below = this.#groups.at(-1);
    const { generation } = commit;
    const isKept = group.commits === 1 && !group.hasMerge;
    if (isKept && (below === undefined || below.hash === group.below[0])) {
      this.#groups.push({ generation, hash });
      return;
    }
    const { source, standsFor } = group;
    const { resolved, ...rest } = commit.extra;
    const extra = group.commits > 1 ? { ...rest, squashed: standsFor } : commit.extra;
    const made = await this.#put(
      {
        ...commit,
        parents: below === undefined ? [] : [below.hash],
        generation: this.#groups.length + 1,
        message: group.commits > 1 ? messageOf(group) : commit.message,
        extra: source === undefined ? extra : { ...extra, source },
      },
      hash,
    );
    this.#groups.push({ generation, hash: made });
  }

  /** Case 4. Answers with how many. */
  async #move(head: Hash, exclude: Hash): Promise<number> {
    const newer: Hash[] = [];
    const walk = walkTopological(this.#store, [head], { exclude: [exclude] });
    for await (const { hash } of walk) newer.push(hash);
    const heights = new Map<Hash, number>();
    for (const hash of newer.reverse()) {
      const commit = await readCommit(this.#store, hash);
      const parents: Hash[] = [];
      for (const parent of commit.parents) parents.push(await this.#newOf(parent));
      const distinct = [...new Set(parents)];
      const generation = 1 + Math.max(0, ...(await this.#heights(distinct, heights)));
      const made = await this.#put({ ...commit, parents: distinct, generation }, hash);
      heights.set(made, generation);
      this.#moved.set(hash, made);
    }
    return newer.length;
  }

  async #newOf(parent: Hash): Promise<Hash> {
    const moved = this.#moved.get(parent);
    if (moved !== undefined) return moved;
    const { generation } = await readCommit(this.#store, parent);
    const group = this.#groups.find((one) => one.generation >= generation);
    return (group ?? this.#groups[this.#groups.length - 1]).hash;
  }

  async #heights(parents: readonly Hash[], known: ReadonlyMap<Hash, number>): Promise<number[]> {
    const heights: number[] = [];
    for (const hash of parents) {
      const height = known.get(hash) ?? this.#groups.findIndex((group) => group.hash === hash) + 1;
      heights.push(height === 0 ? await this.#height(hash) : height);
    }
    return heights;
  }

  async #height(hash: Hash): Promise<number> {
    await this.#flush();
    return (await readCommit(this.#store, hash)).generation;
  }

  async #put(commit: Commit, like: Hash): Promise<Hash> {
    const chunk = toChunk(encodeCommit(commit), like);
    if (!this.#write) return chunk.hash;
    this.#waiting.push(chunk);
    if (this.#waiting.length >= BATCH) await this.#flush();
    return chunk.hash;
  }

  async #flush(): Promise<void> {
    const chunks = this.#waiting;
    this.#waiting = [];
    if (chunks.length > 0) await this.#store.putMany(chunks);
  }
}

const standingFor = ({ extra }: Commit): number =>
  typeof extra.squashed === 'number' ? extra.squashed : 1;

function newGroup(period: number, hash: Hash, commit: Commit): Group {
  return {
    period,
    last: { hash, commit },
    oldest: hash,
    oldestTime: commit.committer.time,
    below: commit.parents,
    commits: 1,
    standsFor: standingFor(commit),
    hasMerge: commit.parents.length > 1,
    source: undefined,
  };
}

function addTo(group: Group, hash: Hash, commit: Commit): void {
  group.oldest = hash;
  group.oldestTime = commit.committer.time;
  group.below = commit.parents;
  group.commits += 1;
  group.standsFor += standingFor(commit);
  group.hasMerge ||= commit.parents.length > 1;
}

const TRAILER = /\n\n\(stands for \d+ commits since [^)]*\)$/;

function messageOf({ last, standsFor, oldestTime }: Group): string {
  const since = new Date(oldestTime).toISOString();
  return `${last.commit.message.replace(TRAILER, '')}\n\n(stands for ${standsFor} commits since ${since})`;
}
