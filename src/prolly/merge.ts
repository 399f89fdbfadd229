/**
 * Three trees into one: base, and two that were made from it.
 *
 * The three are walked together from their roots. At each level their nodes are cut into
 * runs that begin and end at the same keys on all sides; then, of a run:
 *
 *   1. Ours is as base: theirs goes into the result, unopened.
 *   2. Theirs is as base, or as ours: ours goes in, unopened.
 *   3. All differ: the children are cut into runs in turn; leaves are merged by key.
 *   4. The last node of a tree may end without a boundary, so no run ends with one: the last
 *      run holds the last nodes of all sides.
 *
 * Of a key that both sides changed, and not alike, the caller decides. Cost: the leaves that
 * both sides changed and the paths to them; memory: a path of references a side, and where
 * base has nothing (two tables made apart) all references of a level.
 */
import type { Hash } from '../hash.ts';
import { ChildRow } from './child-row.ts';
import { type DecideEntries, LeafMerge, type Run } from './merge-leaves.ts';
import type { Node } from './node.ts';
import type { NodeStore } from './node-store.ts';
import { SpliceBuilder, type Subtree } from './splice-builder.ts';

export type { DecideEntries, EntryMerge } from './merge-leaves.ts';

/** The sides of a run: where each begins and ends. */
type Places = [base: number, ours: number, theirs: number];
type ThreeRows = readonly [base: ChildRow, ours: ChildRow, theirs: ChildRow];

/**
 * The merged tree. New nodes are in the store when it resolves.
 * @throws DvError `missing-object`, `corrupt`, and what `decide` throws
 */
export async function mergeTrees(
  store: NodeStore,
  base: Hash,
  ours: Hash,
  theirs: Hash,
  decide: DecideEntries,
): Promise<Hash> {
  if (ours === base || ours === theirs) return theirs;
  if (theirs === base) return ours;
  const merge = new TreeMerge(store, decide);
  const nodes = [await store.read(base), await store.read(ours), await store.read(theirs)];
  const level = Math.min(...nodes.filter(({ count }) => count > 0).map((node) => node.level));
  const [b, o, t] = [base, ours, theirs].map((hash, i) => topOf(hash, nodes[i]));
  // The lowest tree has one node at this level: no run could be cut off (case 4).
  await merge.settle(level, {
    base: await merge.descend(b, nodes[0].level, level),
    ours: await merge.descend(o, nodes[1].level, level),
    theirs: await merge.descend(t, nodes[2].level, level),
  });
  return merge.finish();
}

function topOf(hash: Hash, node: Node): readonly Subtree[] {
  if (node.lastKey === undefined) return [];
  const ref = { key: node.lastKey, hash, rows: node.rows, bytes: node.treeBytes };
  return [{ ref, parent: undefined, index: 0, isLast: true }];
}

class TreeMerge {
  readonly #store: NodeStore;
  readonly #builder: SpliceBuilder;
  readonly #leaves: LeafMerge;

  constructor(store: NodeStore, decide: DecideEntries) {
    this.#store = store;
    this.#builder = new SpliceBuilder(store);
    this.#leaves = new LeafMerge(store, this.#builder, decide);
  }

  finish(): Promise<Hash> {
    return this.#builder.finish();
  }

  /** The nodes at `to` below nodes at `from`. */
  async descend(places: readonly Subtree[], from: number, to: number): Promise<readonly Subtree[]> {
    let found = places;
    for (let level = from; level > to; level--) {
      const side = await this.#children(found);
      found = side.slice(0, side.length);
    }
    return found;
  }

  async #children(places: readonly Subtree[]): Promise<ChildRow> {
    const nodes = await this.#store.readMany(places.map(({ ref }) => ref.hash));
    return new ChildRow(nodes, places.at(-1)?.isLast ?? false);
  }

  /** A run whose nodes are of `level`. */
  async settle(level: number, run: Run): Promise<void> {
    const { base, ours, theirs } = run;
    if (isSame(ours, base)) await this.#take(level, theirs);
    else if (isSame(theirs, base) || isSame(ours, theirs)) await this.#take(level, ours);
    else if (level === 0) await this.#leaves.merge(run);
    else await this.#open(level, run);
  }

  async #open(level: number, { base, ours, theirs }: Run): Promise<void> {
    this.#builder.resemble(level, (ours[0] ?? theirs[0])?.ref.hash);
    const sides = [
      await this.#children(base),
      await this.#children(ours),
      await this.#children(theirs),
    ] as const;
    await this.#merge(level - 1, sides);
  }

  /** What is alike on all sides goes in at once; the rest is cut into runs. */
  async #merge(level: number, sides: ThreeRows): Promise<void> {
    const [base, ours, theirs] = sides;
    let at: Places = [0, 0, 0];
    while (sides.some((side, s) => at[s] < side.length)) {
      const alike = countAlike(sides, at);
      const ends = alike > 0 ? moved(at, alike) : cutRun(sides, at);
      if (alike > 0) {
        for (const { node, from, to } of ours.stretches(at[1], ends[1])) {
          await this.#builder.addChildren(level, node, from, to);
        }
      } else {
        await this.settle(level, {
          base: base.slice(at[0], ends[0]),
          ours: ours.slice(at[1], ends[1]),
          theirs: theirs.slice(at[2], ends[2]),
        });
      }
      at = ends;
    }
  }

  async #take(level: number, places: readonly Subtree[]): Promise<void> {
    for (const place of places) await this.#builder.addSubtree(level, place);
  }
}

function isSame(a: readonly Subtree[], b: readonly Subtree[]): boolean {
  return a.length === b.length && a.every((place, i) => isSameNode(place, b[i]));
}

function isSameNode(a: Subtree, b: Subtree): boolean {
  if (a.parent === undefined || b.parent === undefined) return a.ref.hash === b.ref.hash;
  return a.parent.sameChild(a.index, b.parent, b.index);
}

const moved = ([base, ours, theirs]: Places, by: number): Places => [
  base + by,
  ours + by,
  theirs + by,
];

/** How many subtrees from `at` on are the same on all sides; the last ones do not count. */
function countAlike([base, ours, theirs]: ThreeRows, [b, o, t]: Places): number {
  const most = Math.min(base.length - b, ours.length - o, theirs.length - t);
  for (let n = 0; n < most; n++) {
    if (base.isLast(b + n) || ours.isLast(o + n) || theirs.isLast(t + n)) return n;
    if (!base.isSame(b + n, ours, o + n) || !base.isSame(b + n, theirs, t + n)) return n;
  }
  return most;
}

/** Cuts behind the first key at which a node of each side ends, and none is a last one (case 4). */
function cutRun(sides: ThreeRows, at: Places): Places {
  const ends: Places = [...at];
  while (sides.every((side, s) => ends[s] < side.length && !side.isLast(ends[s]))) {
    const behind = sides.map((side, s) =>
      sides.some((other, o) => side.compareEnds(ends[s], other, ends[o]) < 0),
    );
    if (!behind.includes(true)) return moved(ends, 1);
    for (let s = 0; s < 3; s++) ends[s] += Number(behind[s]);
  }
  return [sides[0].length, sides[1].length, sides[2].length];
}
