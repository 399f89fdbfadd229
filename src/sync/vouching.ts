/**
 * What a node that is here whole says of its children is true. Another node that says the same
 * of the same child need not be looked into: that is what makes receiving cost what changed.
 *
 * It holds for nodes of one level, and not for a last child, which need not end at a boundary.
 * A node that is known to be at the same place (counterparts.ts) may vouch for any child; one
 * that the sender names only where nothing refers out of the tree, so that neither a root's
 * node can vouch for a table's nor a leaf hide a blob.
 */
import type { Hash } from '../hash.ts';
import { INDEX_KIND } from '../model/blob.ts';
import { blobParts } from '../model/blob-check.ts';
import { newChildren } from '../prolly/new-children.ts';
import { NODE_KIND, type Node } from '../prolly/node.ts';
import type { Expectation } from './expectation.ts';

/** Offsets of the level and of the flags in a node; an index has its level at the same. */
const LEVEL = 2;
const FLAGS = 3;

/** Whether children of `known`, a chunk, may be vouched for in the node `bytes`. */
export function mayVouch(
  known: Uint8Array | undefined,
  bytes: Uint8Array,
  isCounterpart: boolean,
): known is Uint8Array {
  if (known?.[0] !== NODE_KIND || bytes[0] !== NODE_KIND) return false;
  if (known[LEVEL] !== bytes[LEVEL] || known[FLAGS] > bytes[FLAGS]) return false;
  return isCounterpart || bytes[FLAGS] === 0;
}

/** Indexes of the children of `node` that `known` does not vouch for. */
export function unvouchedChildren(known: Node, node: Node, mustEnd: boolean): number[] {
  return newChildren(node, known, (index, other) => {
    const isAsked = index < node.count - 1 || mustEnd;
    return isAsked && other < known.count - 1;
  });
}

/**
 * The same of the indexes of blobs: parts of `known`, but for its last, and their sizes. Those
 * end at a boundary and are full, so they may stand anywhere in another blob but at its end,
 * where a part of the same size is the same as well.
 */
export function vouchedParts(
  known: Uint8Array | undefined,
  bytes: Uint8Array,
): ReadonlyMap<Hash, number> {
  const parts = new Map<Hash, number>();
  const isIndex = known?.[0] === INDEX_KIND && bytes[0] === INDEX_KIND;
  if (!isIndex || known[LEVEL] !== bytes[LEVEL]) return parts;
  for (const { hash, size } of blobParts({}, known).slice(0, -1)) parts.set(hash, size ?? 0);
  return parts;
}

/**
 * Of a node that is here, what has to be looked at all the same: its first child, down to a
 * leaf, as it may have been here as part of a tree of another kind; its last, where it must end
 * at a boundary, as it was perhaps the last of its level. Of an index of a blob that last one.
 */
export function samples(
  { kind, mustEnd }: Expectation,
  below: readonly Expectation[],
): Expectation[] {
  if (kind === 'blob') return mustEnd ? below.slice(-1) : [];
  const children = below.filter(({ ref }) => ref !== undefined);
  return [...children.slice(0, 1), ...(mustEnd ? children.slice(1).slice(-1) : [])];
}
