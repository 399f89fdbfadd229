/**
 * What a node that is here whole says of its children is true. Another node that says the same
 * of the same child need not be looked into: that is what makes receiving cost what changed.
 *
 * It holds for nodes of one level below which nothing refers out of the tree, so that neither
 * a root's node can vouch for a table's nor a leaf hide a blob; and not for a last child,
 * which need not end at a boundary.
 */
import type { Hash } from '../hash.ts';
import { NODE_KIND, Node, type NodeRef } from '../prolly/node.ts';

/** Offsets of the level and of the flags in a node. */
const LEVEL = 2;
const FLAGS = 3;

/** Children of `known` that it vouches for in the node `bytes`. */
export function vouchedChildren(
  known: Uint8Array | undefined,
  bytes: Uint8Array,
): ReadonlyMap<Hash, NodeRef> {
  const children = new Map<Hash, NodeRef>();
  if (known?.[0] !== NODE_KIND || bytes[0] !== NODE_KIND) return children;
  if (known[LEVEL] !== bytes[LEVEL] || known[FLAGS] !== 0 || bytes[FLAGS] !== 0) return children;
  const node = new Node(known);
  for (let i = 0; i < node.count - 1; i++) {
    const ref = node.child(i);
    children.set(ref.hash, ref);
  }
  return children;
}
