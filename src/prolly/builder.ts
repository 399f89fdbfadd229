/**
 * Sorted entries to root: the slow, obvious builder that *defines* the tree. Entries go
 * into a leaf until the splitter sees a boundary; each finished node becomes an entry one
 * level up; the first level with a single node holds the root.
 *
 * Used by every import, and by the editor for new upper levels.
 */
import type { ByteWriter } from '../bytes.ts';
import { bug } from '../errors.ts';
import { type Hash, hashOf } from '../hash.ts';
import type { BaseMatcher } from './base-matcher.ts';
import type { Node, NodeRef } from './node.ts';
import type { NodeStore } from './node-store.ts';
import { NodeWriter } from './node-writer.ts';
import { CHILD_ENTRY_OVERHEAD, isBoundary, LEAF_ENTRY_OVERHEAD } from './splitter.ts';

/** A finished node: its reference, flags and chunk. */
export interface BuiltNode {
  readonly ref: NodeRef;
  readonly flags: number;
  readonly bytes: Buffer;
}

/** Splits one level's entries into nodes and hands each to `emit`. */
export class LevelSplitter {
  readonly level: number;
  private readonly writer: NodeWriter;
  private readonly emit: (node: BuiltNode) => void;
  private size = 0;

  constructor(level: number, emit: (node: BuiltNode) => void) {
    this.level = level;
    this.writer = NodeWriter.reuse(level);
    this.emit = emit;
  }

  /** True when the last entry ended a node (or there was none). */
  get empty(): boolean {
    return this.writer.count === 0;
  }

  /** True when something in the node under way refers to chunks outside the tree. */
  get refers(): boolean {
    return this.writer.refers;
  }

  isAfterLast(source: Uint8Array, start: number, end: number): boolean {
    return this.writer.isAfterLast(source, start, end);
  }

  addEntry(source: Uint8Array, start: number, keyEnd: number, end: number): void {
    this.writer.addEntry(source, start, keyEnd, end);
    this.grow(source, start, keyEnd, end - start + LEAF_ENTRY_OVERHEAD);
  }

  /** Where the next value may be written, for `addWritten`. */
  get values(): ByteWriter {
    return this.writer.values;
  }

  addWritten(key: Uint8Array, start: number, keyEnd: number, valueStart: number): void {
    const size = keyEnd - start + this.writer.values.length - valueStart;
    this.writer.addWritten(key, start, keyEnd, valueStart);
    this.grow(key, start, keyEnd, size + LEAF_ENTRY_OVERHEAD);
  }

  /** The same for a key and a value that lie apart. */
  addPair(key: Uint8Array, value: Uint8Array): void {
    this.writer.addPair(key, value);
    this.grow(key, 0, key.length, key.length + value.length + LEAF_ENTRY_OVERHEAD);
  }

  /** Entries [start, end) of another leaf. */
  copyEntries(node: Node, start: number, end: number): void {
    const { values } = node;
    this.copyRun(node, start, end, (i) => values[i + 1] - values[i] + LEAF_ENTRY_OVERHEAD);
  }

  /** Children [start, end) of another internal node, none of which has flags. */
  copyChildren(node: Node, start: number, end: number): void {
    this.copyRun(node, start, end, () => CHILD_ENTRY_OVERHEAD);
  }

  /** Appends up to each boundary at once; `sizeOf` is what an entry counts beside its key. */
  private copyRun(node: Node, start: number, end: number, sizeOf: (i: number) => number): void {
    const { bytes, offsets } = node.wholeKeys;
    let from = start;
    for (let i = start; i < end; i++) {
      const [key, keyEnd] = [offsets[i], offsets[i + 1]];
      const before = this.size;
      this.size += keyEnd - key + sizeOf(i);
      const count = this.writer.count + i + 1 - from;
      if (!isBoundary(bytes, key, keyEnd, this.level, before, this.size, count)) continue;
      this.append(node, from, i + 1);
      this.close();
      from = i + 1;
    }
    this.append(node, from, end);
  }

  private append(node: Node, start: number, end: number): void {
    if (this.level === 0) this.writer.copyEntries(node, start, end);
    else this.writer.copyChildren(node, start, end, 0);
  }

  /** Gives the buffers to the next splitter of this level. Nothing may come after it. */
  release(): void {
    NodeWriter.release(this.writer);
  }

  addChild(ref: NodeRef, flags: number): void {
    this.writer.addChild(ref, flags);
    this.grow(ref.key, 0, ref.key.length, ref.key.length + CHILD_ENTRY_OVERHEAD);
  }

  private grow(source: Uint8Array, start: number, keyEnd: number, by: number): void {
    const before = this.size;
    this.size += by;
    const { count } = this.writer;
    if (isBoundary(source, start, keyEnd, this.level, before, this.size, count)) this.close();
  }

  /** Ends the node under way, if any. */
  close(): void {
    if (this.writer.count > 0) this.closeEvenEmpty();
  }

  /** Ends the node under way even when it holds nothing: the empty tree's leaf. */
  closeEvenEmpty(): void {
    const { bytes, flags, ref } = this.writer.take();
    this.size = 0;
    this.emit({ ref: { ...ref, hash: hashOf(bytes) }, flags, bytes });
  }
}

/** One level under construction and the nodes it has finished. */
interface BuilderLevel {
  readonly splitter: LevelSplitter;
  readonly matcher: BaseMatcher | undefined;
  /** Finished, not yet handed to the store: their `like` is found in `flush`. */
  unmatched: BuiltNode[];
  nodes: number;
  last: BuiltNode | undefined;
}

export class TreeBuilder {
  private readonly store: NodeStore;
  private readonly levels: BuilderLevel[] = [];
  private readonly baseLevel: number;
  private readonly matcherFor: ((level: number) => BaseMatcher) | undefined;
  private unmatchedBytes = 0;
  private lastKey: Uint8Array | undefined;

  /**
   * `matcherFor` gives, per level, a matcher against the tree this one replaces: unchanged
   * nodes are then not put again and changed ones are put as deltas. `baseLevel` is 0 but
   * for the editor, which builds upper levels only.
   */
  constructor(store: NodeStore, matcherFor?: (level: number) => BaseMatcher, baseLevel = 0) {
    this.store = store;
    this.matcherFor = matcherFor;
    this.baseLevel = baseLevel;
    this.level(0);
  }

  private level(index: number): BuilderLevel {
    const existing = this.levels[index];
    if (existing !== undefined) return existing;
    const level: BuilderLevel = {
      splitter: new LevelSplitter(this.baseLevel + index, (node) => this.finished(index, node)),
      matcher: this.matcherFor?.(this.baseLevel + index),
      unmatched: [],
      nodes: 0,
      last: undefined,
    };
    this.levels.push(level);
    return level;
  }

  private finished(index: number, node: BuiltNode): void {
    const level = this.levels[index];
    // A level's first node goes up only when a second follows: the root has no parent.
    if (level.nodes === 1 && level.last !== undefined) this.raise(index, level.last);
    level.nodes += 1;
    level.last = node;
    if (level.nodes > 1) this.raise(index, node);
    if (index === 0) this.lastKey = node.ref.key;
    level.unmatched.push(node);
    this.unmatchedBytes += node.bytes.length;
  }

  private raise(index: number, node: BuiltNode): void {
    this.level(index + 1).splitter.addChild(node.ref, node.flags);
  }

  /** True when source[start..end) sorts after every key appended so far. Cost: one compare. */
  isAfterLast(source: Uint8Array, start: number, end: number): boolean {
    const { splitter } = this.levels[0];
    if (!splitter.empty) return splitter.isAfterLast(source, start, end);
    if (this.lastKey === undefined) return true;
    return Buffer.compare(this.lastKey, source.subarray(start, end)) < 0;
  }

  /**
   * Appends an entry: key source[start..keyEnd), value source[keyEnd..end). Keys must come
   * in ascending order (`isAfterLast`). Synchronous; await `flush()` whenever `full`.
   */
  append(source: Uint8Array, start: number, keyEnd: number, end: number): void {
    this.levels[0].splitter.addEntry(source, start, keyEnd, end);
  }

  /** Where the next value may be written in place: what `appendWritten` takes it from. */
  get values(): ByteWriter {
    return this.levels[0].splitter.values;
  }

  /** Appends an entry whose value was written to `values` from `valueStart` on: no copy. */
  appendWritten(key: Uint8Array, start: number, keyEnd: number, valueStart: number): void {
    this.levels[0].splitter.addWritten(key, start, keyEnd, valueStart);
  }

  /** The same as `append` for a key and a value that lie apart. */
  appendPair(key: Uint8Array, value: Uint8Array): void {
    this.levels[0].splitter.addPair(key, value);
  }

  /** Appends a finished node of level `baseLevel - 1`. */
  appendChild(ref: NodeRef, flags: number): void {
    this.levels[0].splitter.addChild(ref, flags);
  }

  get full(): boolean {
    return this.unmatchedBytes >= 1024 * 1024;
  }

  /** Hands finished nodes to the store. */
  async flush(): Promise<void> {
    for (const level of this.levels) {
      const nodes = level.unmatched;
      level.unmatched = [];
      for (const node of nodes) {
        const match = await level.matcher?.match(node.ref);
        if (match?.hash === node.ref.hash) continue;
        this.store.put({ hash: node.ref.hash, bytes: node.bytes, like: match?.hash });
      }
    }
    this.unmatchedBytes = 0;
    if (this.store.full) await this.store.relieve();
  }

  /** Ends the tree; all its nodes are in the store when this resolves. */
  async finish(): Promise<Hash> {
    for (let index = 0; index < this.levels.length; index++) {
      const level = this.levels[index];
      level.splitter.close();
      if (level.nodes === 0) level.splitter.closeEvenEmpty();
      if (level.nodes !== 1) continue;
      await this.flush();
      await this.store.flush();
      return level.last?.ref.hash ?? unreachable();
    }
    return unreachable();
  }
}

function unreachable(): never {
  throw bug('a tree without a root');
}

/** Builds a tree from entries in key order: for tests and small trees. */
export async function buildTree(
  store: NodeStore,
  entries: Iterable<readonly [key: Uint8Array, value: Uint8Array]>,
): Promise<Hash> {
  const builder = new TreeBuilder(store);
  for (const [key, value] of entries) {
    builder.append(Buffer.concat([key, value]), 0, key.length, key.length + value.length);
    if (builder.full) await builder.flush();
  }
  return builder.finish();
}
