/**
 * Builds a tree out of entries and whole subtrees of other trees, in key order: equal to the
 * tree that all their entries, one by one, would make.
 *
 * A subtree may go in unopened when no node is under way at its level or below, because a
 * node depends only on what came since the last boundary, and a subtree ends at one. Where a
 * node is under way, the subtree is opened, level by level, until boundaries meet again.
 *
 *   1. A subtree that is the last of its tree may end without a boundary: it must be the last
 *      of this one too.
 *   2. `like` names, per level, the node that the next ones built there resemble.
 */
import type { Hash } from '../hash.ts';
import { type BuiltNode, LevelSplitter } from './builder.ts';
import { flagsForChild } from './child-flags.ts';
import type { Node, NodeRef } from './node.ts';
import type { NodeStore } from './node-store.ts';
import { EMPTY_TREE } from './node-writer.ts';

/** A subtree as its parent knows it. */
export interface Subtree {
  readonly ref: NodeRef;
  /** The node that refers to it, and where: its own flags are learnt only when needed. */
  readonly parent: Node | undefined;
  readonly index: number;
  /** The last of its level in its tree: it may end without a boundary. */
  readonly isLast: boolean;
}

/** What a level has been given: entries at 0, above it nodes of the level below. */
interface Level {
  readonly splitter: LevelSplitter;
  given: number;
  first: Hash | undefined;
}

export class SpliceBuilder {
  readonly #store: NodeStore;
  readonly #levels: Level[] = [];
  readonly #likes: (Hash | undefined)[] = [];

  constructor(store: NodeStore) {
    this.#store = store;
    this.#level(0);
  }

  #level(index: number): Level {
    for (let level = this.#levels.length; level <= index; level++) {
      const splitter = new LevelSplitter(level, (node) => this.#built(level, node));
      this.#levels.push({ splitter, given: 0, first: undefined });
    }
    return this.#levels[index];
  }

  #built(level: number, { ref, flags, bytes }: BuiltNode): void {
    const like = this.#likes[level];
    this.#store.put({ hash: ref.hash, bytes, ...(like === undefined ? {} : { like }) });
    this.#give(level + 1, ref, flags);
  }

  #give(level: number, ref: NodeRef, flags: number): void {
    const above = this.#level(level);
    above.given += 1;
    above.first ??= ref.hash;
    above.splitter.addChild(ref, flags);
  }

  /** Nodes built at `level` from now on may be stored as what differs from this one. */
  resemble(level: number, hash: Hash | undefined): void {
    this.#likes[level] = hash;
  }

  /** Appends an entry. Await `relieve` once a batch. */
  addPair(key: Uint8Array, value: Uint8Array): void {
    this.#levels[0].given += 1;
    this.#levels[0].splitter.addPair(key, value);
  }

  async relieve(): Promise<void> {
    if (this.#store.full) await this.#store.relieve();
  }

  /** Would a subtree whose root is of `level` go in as it is? */
  #isClean(level: number): boolean {
    for (let i = 0; i <= level && i < this.#levels.length; i++) {
      if (!this.#levels[i].splitter.empty) return false;
    }
    return true;
  }

  /**
   * Appends the subtrees below children [from, to) of `parent`, whose roots are nodes of
   * `level`; none is the last of its tree. @throws DvError `missing-object`
   */
  async addChildren(level: number, parent: Node, from: number, to: number): Promise<void> {
    if (parent.flags === 0 && from < to && this.#isClean(level)) {
      const above = this.#level(level + 1);
      above.given += to - from;
      above.first ??= parent.childHash(from);
      above.splitter.copyChildren(parent, from, to);
      return;
    }
    for (let index = from; index < to; index++) {
      await this.addSubtree(level, { ref: parent.child(index), parent, index, isLast: false });
    }
  }

  /** Appends the subtree whose root is a node of `level`. @throws DvError `missing-object` */
  async addSubtree(level: number, { ref, parent, index, isLast }: Subtree): Promise<void> {
    if (this.#isClean(level)) {
      const into = this.#level(level + 1).splitter;
      const flags =
        parent === undefined
          ? (await this.#store.read(ref.hash)).flags
          : await flagsForChild(this.#store, parent, index, into);
      this.#give(level + 1, ref, flags);
      return;
    }
    const node = await this.#store.read(ref.hash);
    if (level === 0) {
      for (let i = 0; i < node.count; i++) this.addPair(node.key(i), node.value(i));
      await this.relieve();
      return;
    }
    for (let i = 0; i < node.count; i++) {
      const last = isLast && i === node.count - 1;
      await this.addSubtree(level - 1, {
        ref: node.child(i),
        parent: node,
        index: i,
        isLast: last,
      });
    }
  }

  /** Ends the tree; all its nodes are in the store when this resolves. */
  async finish(): Promise<Hash> {
    for (let index = 0; index < this.#levels.length; index++) {
      const level = this.#levels[index];
      const isTop = this.#levels.slice(index + 1).every(({ given }) => given === 0);
      if (isTop && index > 0 && level.given === 1) return this.#end(level.first as Hash);
      level.splitter.close();
    }
    return this.#end(EMPTY_TREE);
  }

  /** A subtree of another tree may have been its last, with a single child. */
  async #end(top: Hash): Promise<Hash> {
    this.#store.putIfEmpty(top);
    await this.#store.flush();
    let hash = top;
    for (;;) {
      const node = await this.#store.read(hash);
      if (node.level === 0 || node.count > 1) return hash;
      hash = node.childHash(0);
    }
  }
}
