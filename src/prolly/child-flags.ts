/**
 * The flags of a child, as far as its new parent needs them. A node does not keep its
 * children's flags, only whether any of them is set; so where the old parent's is set, and the
 * new parent's not yet, the child has to be read. Without this, a tree would still say that it
 * refers outside after its last long cell has gone, and equal trees would have two hashes.
 */
import type { LevelSplitter } from './builder.ts';
import type { Node } from './node.ts';
import type { NodeStore } from './node-store.ts';

/** Cost: nothing, or one read. */
export function flagsForChild(
  store: NodeStore,
  parent: Node,
  index: number,
  into: LevelSplitter,
): number | Promise<number> {
  if (parent.flags === 0) return 0;
  if (into.refers) return parent.flags;
  return store.read(parent.childHash(index)).then(({ flags }) => flags);
}
