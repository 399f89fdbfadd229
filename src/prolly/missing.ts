/**
 * The nodes of a tree that none of some known trees has, at a cost of what differs: what a
 * sender has to send to somebody who has the known ones.
 *
 * The trees are walked together from their roots. A child that a known node over the same
 * keys has too is left out with all that is below it: equal hashes hold equal keys, so an
 * equal subtree can only lie there. The others go on with the known children that overlap
 * them. Depth first, parents before children; the leaves below one node come as one batch and
 * are not read.
 *
 *   1. Known trees may be lower: they wait until the walk has come down to their level.
 *   2. Known trees may be higher: they are opened down to the wanted root's level, up to
 *      MOST_KNOWN nodes; beyond that less is recognized and more is sent.
 *
 * Memory: for each level the children of one node, and the references that overlap them.
 */
import { compareBytes } from '../bytes.ts';
import type { Hash } from '../hash.ts';
import { ChildRow } from './child-row.ts';
import type { Node } from './node.ts';
import type { NodeStore } from './node-store.ts';

export interface MissingNode {
  readonly hash: Hash;
  readonly level: number;
  /** Of internal nodes, and of a root. */
  readonly node: Node | undefined;
  /** Its own, raw. */
  readonly bytes: number;
  /** Known nodes of its level that overlap its keys; the first is the most alike. */
  readonly known: readonly Hash[];
  /** Its parent says that something below refers to chunks outside the tree. */
  readonly refers: boolean;
  /** It, or a node above it, is one of those that `marks` names. */
  readonly marked: boolean;
}

export interface MissingOptions {
  /** True: neither this node nor anything below it is of interest. */
  readonly skip?: (hash: Hash) => boolean;
  /** Default: every node. */
  readonly marks?: (hash: Hash) => boolean;
  /** The root lies below a marked place. */
  readonly marked?: boolean;
}

/** A node of a known tree, by number. */
interface Known {
  readonly tree: number;
  readonly hash: Hash;
  readonly level: number;
  /** Last key below; undefined: the empty tree, which overlaps nothing. */
  readonly key: Uint8Array | undefined;
}

interface Visit {
  readonly hash: Hash;
  /** Undefined: of the root, not known before it is read. */
  readonly key: Uint8Array | undefined;
  /** With all that is below it, as its parent says; of the root 0. */
  readonly bytes: number;
  readonly known: readonly Known[];
  readonly refers: boolean;
  readonly marked: boolean;
}

const MOST_KNOWN = 1024;

/** @throws DvError `missing-object`, `corrupt` */
export async function* missingNodes(
  store: NodeStore,
  root: Hash,
  known: readonly Hash[],
  options: MissingOptions = {},
): AsyncGenerator<readonly MissingNode[]> {
  if (known.includes(root)) return;
  const { skip = () => false, marks = () => true, marked = false } = options;
  const top = await store.read(root);
  const opened = await openKnown(store, known, top);
  const stack: Visit[] = [
    {
      hash: root,
      key: top.lastKey,
      bytes: 0,
      known: opened,
      refers: true,
      marked: marked || marks(root),
    },
  ];
  for (let visit = stack.pop(); visit !== undefined; visit = stack.pop()) {
    if (skip(visit.hash)) continue;
    const node = visit.hash === root ? top : await store.read(visit.hash);
    yield [describe(visit, node.level, node)];
    if (node.level === 0) continue;
    const children = await missingChildren(store, node, visit, marks);
    if (node.level > 1) stack.push(...children.reverse());
    else {
      const leaves = children.filter(({ hash }) => !skip(hash));
      if (leaves.length > 0) yield leaves.map((leaf) => describe(leaf, 0, undefined));
    }
  }
}

function describe(visit: Visit, level: number, node: Node | undefined): MissingNode {
  const { hash, key, refers, marked } = visit;
  const known = visit.known.filter((one) => one.level === level);
  const alike = known.findIndex((one) => sameKey(one.key, key));
  if (alike > 0) known.unshift(...known.splice(alike, 1));
  const bytes = node?.bytes.length ?? visit.bytes;
  return { hash, level, node, bytes, known: known.map((one) => one.hash), refers, marked };
}

const sameKey = (a: Uint8Array | undefined, b: Uint8Array | undefined): boolean =>
  a !== undefined && b !== undefined && compareBytes(a, b) === 0;

/** Known roots as they are (case 1), or opened down to the level of `top` (case 2). */
async function openKnown(store: NodeStore, roots: readonly Hash[], top: Node): Promise<Known[]> {
  const opened: Known[] = [];
  for (const [tree, hash] of [...new Set(roots)].entries()) {
    const node = await store.read(hash);
    let row: Known[] = [{ tree, hash, level: node.level, key: node.lastKey }];
    for (let level = node.level; level > top.level; level--) {
      const below: Known[] = [];
      for (const parent of row) {
        below.push(...childrenOf(await store.read(parent.hash), tree, top.lastKey));
      }
      row = below.slice(0, MOST_KNOWN);
    }
    opened.push(...row);
  }
  return opened.filter(({ key }) => key !== undefined);
}

/** Children of a known node, up to the one that covers `to`. */
function childrenOf(node: Node, tree: number, to: Uint8Array | undefined): Known[] {
  const children: Known[] = [];
  for (let i = 0; i < node.count; i++) {
    const key = node.key(i);
    children.push({ tree, hash: node.childHash(i), level: node.level - 1, key });
    if (to !== undefined && compareBytes(key, to) >= 0) break;
  }
  return children;
}

/** Of one known tree what may overlap children of a node: nodes of their level, or lower ones. */
interface KnownRow {
  readonly tree: number;
  readonly level: number;
  readonly children: ChildRow | undefined;
  readonly waiting: readonly Known[];
}

/** A row for each tree; what is of the level of `node` is opened. */
async function knownBelow(
  store: NodeStore,
  node: Node,
  known: readonly Known[],
): Promise<KnownRow[]> {
  const rows: KnownRow[] = [];
  for (const tree of new Set(known.map((one) => one.tree))) {
    const own = known.filter((one) => one.tree === tree);
    const { level } = own[0];
    if (level < node.level) rows.push({ tree, level, children: undefined, waiting: own });
    else {
      const nodes = await store.readMany(own.map(({ hash }) => hash));
      rows.push({ tree, level: level - 1, children: new ChildRow(nodes, false), waiting: [] });
    }
  }
  return rows;
}

/** The children of `node` that no known node has, with the known ones that overlap each. */
async function missingChildren(
  store: NodeStore,
  node: Node,
  { known, marked }: Visit,
  marks: (hash: Hash) => boolean,
): Promise<Visit[]> {
  const rows = await knownBelow(store, node, known);
  const own = new ChildRow([node], false);
  const refers = node.flags !== 0;
  /** Of each row the first that is not before the child, and not before the one before it. */
  const ends = rows.map(() => 0);
  const starts = rows.map(() => 0);
  const missing: Visit[] = [];
  for (let i = 0; i < node.count; i++) {
    let isKnown = false;
    for (const [r, { children }] of rows.entries()) {
      if (children === undefined) continue;
      starts[r] = ends[r];
      while (ends[r] < children.length && children.compareEnds(ends[r], own, i) < 0) ends[r] += 1;
      isKnown ||= ends[r] < children.length && children.isSame(ends[r], own, i);
    }
    if (isKnown) continue;
    const hash = node.childHash(i);
    const overlapping = rows.flatMap((row, r) =>
      row.children === undefined
        ? waitingFor(row.waiting, node, i)
        : childrenBetween(row, own, i, starts[r], ends[r]),
    );
    const isMarked = marked || marks(hash);
    const [key, bytes] = [node.key(i), node.childBytes[i]];
    missing.push({ hash, key, bytes, known: overlapping, refers, marked: isMarked });
  }
  return missing;
}

/** The known children from `start` to `end`, but for one that ended with the child before. */
function childrenBetween(
  { tree, level, children }: KnownRow,
  own: ChildRow,
  index: number,
  start: number,
  end: number,
): Known[] {
  const side = children as ChildRow;
  const isPassed =
    index > 0 && start < side.length && side.compareEnds(start, own, index - 1) === 0;
  return side
    .slice(start + Number(isPassed), Math.min(end + 1, side.length))
    .map(({ ref }) => ({ tree, hash: ref.hash, level, key: ref.key }));
}

/** Those that overlap the keys of child `index`. */
function waitingFor(row: readonly Known[], node: Node, index: number): Known[] {
  const isBehind = (place: number): boolean =>
    index === 0 || node.compareKey(index - 1, row[place].key as Uint8Array) < 0;
  let start = 0;
  while (start < row.length && !isBehind(start)) start += 1;
  let end = start;
  while (end < row.length && node.compareKey(index, row[end].key as Uint8Array) > 0) end += 1;
  return row.slice(start, end + 1);
}
