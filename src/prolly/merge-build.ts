/**
 * A tree and many sorted entries into a new tree: a plain merge that reads the old tree
 * once. Where the entries are about as many as the tree has, this beats editing.
 */
import type { Hash } from '../hash.ts';
import type { TreeBuilder } from './builder.ts';
import type { Edit } from './edit.ts';
import type { Node } from './node.ts';
import type { NodeStore } from './node-store.ts';
import { scanLeaves } from './scan.ts';

/** Entries of a tree one by one, a leaf at a time. */
class LeafReader {
  private readonly leaves: AsyncGenerator<Node>;
  node: Node | undefined;
  index = 0;

  constructor(store: NodeStore, root: Hash) {
    this.leaves = scanLeaves(store, root);
  }

  /** False behind the last entry. */
  async load(): Promise<boolean> {
    while (this.node === undefined || this.index >= this.node.count) {
      const next = await this.leaves.next();
      if (next.done) return false;
      this.node = next.value;
      this.index = 0;
    }
    return true;
  }
}

/**
 * Appends to `builder` the entries of the tree and the puts of `batches` (ascending, no key
 * twice), the latter winning where both have a key. The caller finishes the builder.
 */
export async function mergeBuild(
  store: NodeStore,
  root: Hash,
  batches: Iterable<readonly Edit[]>,
  builder: TreeBuilder,
): Promise<void> {
  const old = new LeafReader(store, root);
  let more = await old.load();
  for (const batch of batches) {
    for (const { key, value } of batch) {
      for (; more; more = old.index < (old.node as Node).count || (await old.load())) {
        const node = old.node as Node;
        const order = node.compareKey(old.index, key);
        if (order > 0) break;
        if (order < 0) builder.appendPair(node.key(old.index), node.value(old.index));
        old.index += 1;
      }
      if (value !== null) builder.appendPair(key, value);
    }
    if (builder.full) await builder.flush();
  }
  for (; more; more = await old.load()) {
    const node = old.node as Node;
    for (; old.index < node.count; old.index++) {
      builder.appendPair(node.key(old.index), node.value(old.index));
    }
    if (builder.full) await builder.flush();
  }
}
