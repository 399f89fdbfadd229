/**
 * History with no parent before any of its children, and lines of history kept together:
 * what a graph is drawn from. Streaming: generations tell how far ahead one has to look.
 *
 *   1. `explore` reads commits from the highest generation down and counts, for each parent,
 *      its children.
 *   2. A commit is ready when all its children were given. All of them are known once
 *      everything of a higher generation has been explored.
 *   3. Of the ready ones the last to become so is given next, so that after a merge the
 *      merged line comes before the one it was merged into.
 */
import type { Hash } from '../hash.ts';
import type { ObjectStore } from '../store/contract.ts';
import { ancestorsAbove, type LoggedCommit, type WalkOptions } from './history.ts';
import { readCommit } from './object-reader.ts';
import { parentsHere } from './shallow.ts';

export interface OrderedCommit extends LoggedCommit {
  /** The parents that the walk comes to. */
  readonly parents: readonly Hash[];
}

/** As `walkHistory`, in topological order. Reads all down to the oldest of the starts first. */
export async function* walkTopological(
  store: ObjectStore,
  starts: readonly Hash[],
  options: WalkOptions = {},
): AsyncGenerator<OrderedCommit> {
  const hidden = await ancestorsAbove(store, options.exclude ?? [], starts);
  const explorer = new Explorer(store, hidden, options);
  const ready = await explorer.begin(starts);
  for (let next = ready.pop(); next !== undefined; next = ready.pop()) {
    yield next;
    for (const parent of next.parents) {
      const freed = await explorer.giveChild(parent);
      if (freed !== undefined) ready.push(freed);
    }
  }
}

class Explorer {
  readonly #store: ObjectStore;
  readonly #hidden: ReadonlySet<Hash>;
  readonly #options: WalkOptions;
  readonly #known = new Map<Hash, OrderedCommit>();
  /** Children of each commit that were explored and not given yet. */
  readonly #children = new Map<Hash, number>();
  /** Known, not explored, by generation. */
  readonly #open = new Map<number, OrderedCommit[]>();
  #highest = 0;

  constructor(store: ObjectStore, hidden: ReadonlySet<Hash>, options: WalkOptions) {
    this.#store = store;
    this.#hidden = hidden;
    this.#options = options;
  }

  /** The starts that no other start reaches, the newest last. */
  async begin(starts: readonly Hash[]): Promise<OrderedCommit[]> {
    const wanted = [...new Set(starts)].filter((hash) => !this.#hidden.has(hash));
    const commits: OrderedCommit[] = [];
    for (const hash of wanted) commits.push(await this.#meet(hash));
    const lowest = Math.min(...commits.map(({ commit }) => commit.generation));
    await this.#explore(lowest + 1);
    return commits
      .filter(({ hash }) => !this.#children.has(hash))
      .sort((a, b) => a.commit.committer.time - b.commit.committer.time);
  }

  /** Notes that a child of `hash` was given; the commit itself when it was the last one. */
  async giveChild(hash: Hash): Promise<OrderedCommit | undefined> {
    const commit = await this.#meet(hash);
    await this.#explore(commit.commit.generation + 1);
    const left = (this.#children.get(hash) ?? 0) - 1;
    this.#children.set(hash, left);
    if (left > 0) return undefined;
    this.#children.delete(hash);
    this.#known.delete(hash);
    return commit;
  }

  async #meet(hash: Hash): Promise<OrderedCommit> {
    const met = this.#known.get(hash);
    if (met !== undefined) return met;
    const commit = await readCommit(this.#store, hash);
    const ordered = { hash, commit, parents: this.#parentsOf(hash, commit) };
    this.#known.set(hash, ordered);
    const { generation } = commit;
    this.#open.set(generation, [...(this.#open.get(generation) ?? []), ordered]);
    this.#highest = Math.max(this.#highest, generation);
    return ordered;
  }

  #parentsOf(hash: Hash, commit: LoggedCommit['commit']): readonly Hash[] {
    if (this.#options.stopAt?.(commit)) return [];
    const here = parentsHere(this.#store, hash, commit);
    const parents = this.#options.firstParent ? here.slice(0, 1) : here;
    return [...new Set(parents)].filter((parent) => !this.#hidden.has(parent));
  }

  /** Explores everything of at least that generation. */
  async #explore(generation: number): Promise<void> {
    for (; this.#highest >= generation; this.#highest--) {
      const level = this.#open.get(this.#highest) ?? [];
      this.#open.delete(this.#highest);
      for (const { parents } of level) {
        for (const parent of parents) {
          this.#children.set(parent, (this.#children.get(parent) ?? 0) + 1);
          await this.#meet(parent);
        }
      }
    }
  }
}
