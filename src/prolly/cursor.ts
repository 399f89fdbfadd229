/**
 * Walks the nodes of one level of a tree from left to right. Holds the path of ancestors,
 * reads a node only when asked for, and can jump forward to the node that covers a key.
 */
import type { Hash } from '../hash.ts';
import type { Node, NodeRef } from './node.ts';
import type { NodeStore } from './node-store.ts';

interface Step {
  readonly node: Node;
  index: number;
}

export class LevelCursor {
  private readonly store: NodeStore;
  private readonly rootHash: Hash;
  private readonly level: number;
  /** Ancestors, root first, down to level + 1. Empty when the root is of this level. */
  private path: Step[] = [];
  private root: Node | undefined;
  private done = false;

  constructor(store: NodeStore, root: Hash, level: number) {
    this.store = store;
    this.rootHash = root;
    this.level = level;
  }

  private async open(): Promise<Node> {
    if (this.root !== undefined) return this.root;
    this.root = await this.store.read(this.rootHash);
    if (this.root.level < this.level) this.done = true;
    else await this.descend(this.root, undefined);
    return this.root;
  }

  /** Extends the path below `node` down to this level, towards `key` or the left edge. */
  private async descend(node: Node, key: Uint8Array | undefined): Promise<void> {
    let current = node;
    while (current.level > this.level) {
      const index = key === undefined ? 0 : Math.min(current.seek(key), current.count - 1);
      this.path.push({ node: current, index });
      if (current.level === this.level + 1) return;
      current = await this.store.read(current.childHash(index));
    }
  }

  /** The present node's reference; undefined behind the last one. Does not read the node. */
  async ref(): Promise<NodeRef | undefined> {
    const root = await this.open();
    if (this.done) return undefined;
    const parent = this.path.at(-1);
    if (parent !== undefined) return parent.node.child(parent.index);
    const key = root.lastKey ?? new Uint8Array(0);
    return { key, hash: this.rootHash, rows: root.rows, bytes: root.treeBytes };
  }

  /** The present node itself. */
  async node(): Promise<Node | undefined> {
    const root = await this.open();
    if (this.done) return undefined;
    const parent = this.path.at(-1);
    return parent === undefined ? root : this.store.read(parent.node.childHash(parent.index));
  }

  /** Is the present node the last of its level? */
  async isLast(): Promise<boolean> {
    await this.open();
    return this.done || this.path.every((step) => step.index === step.node.count - 1);
  }

  /** Steps to the next node; false behind the last one. */
  async next(): Promise<boolean> {
    await this.open();
    while (this.path.length > 0) {
      const step = this.path[this.path.length - 1];
      step.index += 1;
      if (step.index < step.node.count) {
        if (step.node.level > this.level + 1) {
          await this.descend(await this.store.read(step.node.childHash(step.index)), undefined);
        }
        return true;
      }
      this.path.pop();
    }
    this.done = true;
    return false;
  }

  /**
   * Moves forward (never back) to the node that covers `key`, or to the last one when the
   * key is behind all. Reads only the ancestors on the new path.
   */
  async seek(key: Uint8Array): Promise<void> {
    const root = await this.open();
    if (this.done || root.level <= this.level) return;
    // Climb to the lowest ancestor whose range holds the key, then go down again.
    while (this.path.length > 1) {
      const { node } = this.path[this.path.length - 1];
      if (node.seek(key) < node.count) break;
      this.path.pop();
    }
    const step = this.path[this.path.length - 1];
    const index = Math.max(step.index, Math.min(step.node.seek(key), step.node.count - 1));
    const moved = index !== step.index;
    step.index = index;
    if (step.node.level === this.level + 1) return;
    if (moved || step.node.level > this.level + 1) {
      await this.descend(await this.store.read(step.node.childHash(index)), key);
    }
  }
}
