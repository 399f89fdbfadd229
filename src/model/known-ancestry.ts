/**
 * What the heads of refs reach, learnt once. A server that merges asks of every commit it gets
 * where its history runs into the branch's. Asked anew, that costs the commits between, and a
 * writer that never fetches is ever further behind: `isAncestor` and `mergeBases` then read all
 * that the others have merged, for every push.
 *
 * Of a head this knows all ancestors down to a generation (the floor), as hashes. It grows
 * upward when the head moves on, downward when an older commit is asked about; each commit is
 * read once. A head that does not descend from the one before begins anew. What is known is
 * true of the head's hash for ever, so nothing here can be stale.
 *
 * Who uses it: sync/judge-update.ts, one question of a ref at a time.
 */
import type { Hash } from '../hash.ts';
import type { ObjectStore } from '../store/contract.ts';
import { readCommit } from './object-reader.ts';
import type { Commit } from './objects.ts';
import { parentsHere } from './shallow.ts';

/** Heads remembered, the last used ones. */
const MOST_REFS = 16;
/** Commits remembered of one head: 7 MB. */
const MOST_COMMITS = 65_536;

export class KnownAncestry {
  readonly #most: number;
  readonly #reached = new Map<string, ReachedCommits>();

  constructor(most = MOST_COMMITS) {
    this.#most = most;
  }

  /**
   * Where the history of `commit` first runs into that of `head`, which `ref` points at: on each
   * way down from it the first commit that the head reaches. `commit` alone when it is an
   * ancestor of the head; with the head in it when the head is one of `commit`. When it is one
   * commit and neither, it is the merge base. Undefined when too many commits lie between.
   * @throws DvError `missing-object`
   */
  async meet(
    store: ObjectStore,
    ref: string,
    head: Hash,
    commit: Hash,
  ): Promise<ReadonlySet<Hash> | undefined> {
    const before = this.#reached.get(ref);
    this.#reached.delete(ref);
    const isAbove = await before?.moveOn(store, head);
    const now = before && isAbove ? before : await ReachedCommits.of(store, head, this.#most);
    this.#reached.set(ref, now);
    for (const oldest of this.#reached.keys()) {
      if (this.#reached.size <= MOST_REFS) break;
      this.#reached.delete(oldest);
    }
    return now.meet(store, commit);
  }
}

class ReachedCommits {
  readonly #most: number;
  #head: Hash;
  /** Every commit reached that has this generation or a larger one is in `#known`. */
  #floor: number;
  readonly #known = new Set<Hash>();
  /** Parents of known ones that are below the floor, by generation. */
  readonly #below = new Map<number, Map<Hash, Commit>>();

  private constructor(head: Hash, commit: Commit, most: number) {
    this.#head = head;
    this.#floor = commit.generation + 1;
    this.#most = most;
    this.#below.set(commit.generation, new Map([[head, commit]]));
  }

  static async of(store: ObjectStore, head: Hash, most: number): Promise<ReachedCommits> {
    return new ReachedCommits(head, await readCommit(store, head), most);
  }

  /** false: `head` does not descend from the one that was, or there is no room. */
  async moveOn(store: ObjectStore, head: Hash): Promise<boolean> {
    if (head === this.#head) return true;
    const fresh = new Map<Hash, Commit>();
    const open = [head];
    let isAbove = false;
    for (let hash = open.pop(); hash !== undefined; hash = open.pop()) {
      if (hash === this.#head) isAbove = true;
      if (this.#known.has(hash) || fresh.has(hash)) continue;
      const commit = await readCommit(store, hash);
      // below the floor and reached from above it: looked at when the floor goes down
      fresh.set(hash, commit);
      if (commit.generation < this.#floor) continue;
      open.push(...parentsHere(store, hash, commit));
      if (this.#known.size + fresh.size > this.#most) return false;
    }
    if (!isAbove) return false;
    for (const [hash, commit] of fresh) {
      if (commit.generation < this.#floor) this.#putBelow(hash, commit);
      else this.#known.add(hash);
    }
    this.#head = head;
    return true;
  }

  #putBelow(hash: Hash, commit: Commit): void {
    const level = this.#below.get(commit.generation) ?? new Map<Hash, Commit>();
    this.#below.set(commit.generation, level.set(hash, commit));
  }

  async meet(store: ObjectStore, commit: Hash): Promise<Set<Hash> | undefined> {
    const met = new Set<Hash>();
    const seen = new Set<Hash>();
    const open = [commit];
    for (let hash = open.pop(); hash !== undefined; hash = open.pop()) {
      if (seen.has(hash)) continue;
      seen.add(hash);
      if (seen.size > this.#most) return undefined;
      const found = this.#known.has(hash) ? undefined : await readCommit(store, hash);
      if (found !== undefined && !(await this.#reachDown(store, found.generation)))
        return undefined;
      if (this.#known.has(hash)) met.add(hash);
      else open.push(...parentsHere(store, hash, found as Commit));
    }
    return met;
  }

  /** Lowers the floor to `generation`; false: there is no room. */
  async #reachDown(store: ObjectStore, generation: number): Promise<boolean> {
    while (this.#floor > generation) {
      if (this.#known.size >= this.#most) return false;
      const level = this.#below.get(this.#floor - 1) ?? new Map<Hash, Commit>();
      for (const [hash, commit] of level) {
        this.#known.add(hash);
        for (const parent of parentsHere(store, hash, commit)) {
          if (!this.#known.has(parent)) this.#putBelow(parent, await readCommit(store, parent));
        }
      }
      this.#below.delete(this.#floor - 1);
      this.#floor -= 1;
    }
    return true;
  }
}
