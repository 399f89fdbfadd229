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
import { compareBytes } from '../bytes.ts';
import type { Hash } from '../hash.ts';
import { type DecideEntries, LeafMerge, type Run } from './merge-leaves.ts';
import type { Node, NodeRef } from './node.ts';
import type { NodeStore } from './node-store.ts';
import { SpliceBuilder, type Subtree } from './splice-builder.ts';

export type { DecideEntries, EntryMerge } from './merge-leaves.ts';

type Side = readonly Subtree[];

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
  await merge.merge(level, {
    base: await merge.descend(b, nodes[0].level, level),
    ours: await merge.descend(o, nodes[1].level, level),
    theirs: await merge.descend(t, nodes[2].level, level),
  });
  return merge.finish();
}

function topOf(hash: Hash, node: Node): Side {
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
  async descend(side: Side, from: number, to: number): Promise<Side> {
    let places = side;
    for (let level = from; level > to; level--) places = await this.#children(places);
    return places;
  }

  async #children(side: Side): Promise<Side> {
    const nodes = await this.#store.readMany(side.map(({ ref }) => ref.hash));
    const children: Subtree[] = [];
    for (const [n, node] of nodes.entries()) {
      const last = side[n].isLast ? node.count - 1 : -1;
      for (let i = 0; i < node.count; i++) children.push(new Child(node, i, i === last));
    }
    return children;
  }

  async merge(level: number, all: Run): Promise<void> {
    for (const run of cutRuns(all)) {
      const { base, ours, theirs } = run;
      if (isSame(ours, base)) await this.#take(level, theirs);
      else if (isSame(theirs, base) || isSame(ours, theirs)) await this.#take(level, ours);
      else if (level === 0) await this.#leaves.merge(run);
      else await this.#open(level, run);
    }
  }

  async #open(level: number, { base, ours, theirs }: Run): Promise<void> {
    this.#builder.resemble(level, (ours[0] ?? theirs[0])?.ref.hash);
    await this.merge(level - 1, {
      base: await this.#children(base),
      ours: await this.#children(ours),
      theirs: await this.#children(theirs),
    });
  }

  async #take(level: number, side: Side): Promise<void> {
    for (const place of side) await this.#builder.addSubtree(level, place);
  }
}

/** A child of a node that was read. Most are only compared: their references are made late. */
class Child implements Subtree {
  readonly parent: Node;
  readonly index: number;
  readonly isLast: boolean;

  constructor(parent: Node, index: number, isLast: boolean) {
    this.parent = parent;
    this.index = index;
    this.isLast = isLast;
  }

  get ref(): NodeRef {
    return this.parent.child(this.index);
  }
}

const isSame = (a: Side, b: Side): boolean =>
  a.length === b.length && a.every((place, i) => isSameNode(place, b[i]));

function isSameNode(a: Subtree, b: Subtree): boolean {
  if (a.parent === undefined || b.parent === undefined) return a.ref.hash === b.ref.hash;
  return a.parent.sameChild(a.index, b.parent, b.index);
}

function compareEnds(a: Subtree, b: Subtree): number {
  if (a.parent === undefined || b.parent === undefined) return compareBytes(a.ref.key, b.ref.key);
  return a.parent.compareKeyTo(a.index, b.parent, b.index);
}

/** Cuts behind every key at which a node of each side ends, and none is a last one (case 4). */
function* cutRuns({ base, ours, theirs }: Run): Generator<Run> {
  const sides = [base, ours, theirs];
  const starts = [0, 0, 0];
  const ends = [0, 0, 0];
  while (sides.every((side, s) => ends[s] < side.length && !side[ends[s]].isLast)) {
    const next = sides.map((side, s) => side[ends[s]]);
    const largest = next.reduce((a, b) => (compareEnds(a, b) < 0 ? b : a));
    const behind = next.map((place) => compareEnds(place, largest) < 0);
    if (behind.includes(true)) {
      for (let s = 0; s < 3; s++) ends[s] += Number(behind[s]);
      continue;
    }
    for (let s = 0; s < 3; s++) ends[s] += 1;
    yield runOf(sides, starts, ends);
    for (let s = 0; s < 3; s++) starts[s] = ends[s];
  }
  const lengths = sides.map(({ length }) => length);
  if (starts.some((start, s) => start < lengths[s])) yield runOf(sides, starts, lengths);
}

function runOf(sides: readonly Side[], starts: readonly number[], ends: readonly number[]): Run {
  const [base, ours, theirs] = sides.map((side, s) => side.slice(starts[s], ends[s]));
  return { base, ours, theirs };
}
