/**
 * Finds, for nodes built from left to right, the node of an older tree that covers the
 * same keys: equal hash means there is nothing to store, another hash names the chunk the
 * new one is `like`. Reads only the old tree's internal nodes.
 */
import { compareBytes } from '../bytes.ts';
import type { Hash } from '../hash.ts';
import { LevelCursor } from './cursor.ts';
import type { NodeRef } from './node.ts';
import type { NodeStore } from './node-store.ts';

export class BaseMatcher {
  private readonly cursor: LevelCursor;

  constructor(store: NodeStore, base: Hash, level: number) {
    this.cursor = new LevelCursor(store, base, level);
  }

  /** Call with last keys in ascending order. */
  async match(built: NodeRef): Promise<NodeRef | undefined> {
    let old = await this.cursor.ref();
    let previous = old;
    while (old !== undefined && compareBytes(old.key, built.key) < 0) {
      previous = old;
      await this.cursor.next();
      old = await this.cursor.ref();
    }
    return old ?? previous;
  }
}
