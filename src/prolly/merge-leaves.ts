/**
 * The leaves of a run that differ on all three sides, merged by key. A leaf of ours or theirs
 * that lies between the keys of the others goes into the result whole, and where that can be
 * told from its parent, unread.
 *
 * Of a key's three values:
 *
 *   1. ours and theirs alike: that.
 *   2. One side as base: the other side's, or nothing where the other side removed it.
 *   3. All differ: the caller decides, a batch at a time.
 */
import { compareBytes, equalBytes } from '../bytes.ts';
import type { Hash } from '../hash.ts';
import type { Node } from './node.ts';
import type { NodeStore } from './node-store.ts';
import type { SpliceBuilder, Subtree } from './splice-builder.ts';

/** A run of nodes of each side. */
export interface Run {
  readonly base: readonly Subtree[];
  readonly ours: readonly Subtree[];
  readonly theirs: readonly Subtree[];
}

/** One key that both sides changed, and not alike; undefined: absent there. */
export interface EntryMerge {
  readonly key: Uint8Array;
  readonly base: Uint8Array | undefined;
  readonly ours: Uint8Array | undefined;
  readonly theirs: Uint8Array | undefined;
}

/** The merged value of each, null: absent. Asked in key order. */
export type DecideEntries = (
  batch: readonly EntryMerge[],
) => Promise<readonly (Uint8Array | null)[]>;

/** Entries that wait for a decision, at most, and those behind them. */
const BATCH = 1024;

/** An entry of the result, or a key to decide. */
type Merged = { readonly key: Uint8Array; readonly value: Uint8Array } | EntryMerge;

export class LeafMerge {
  readonly #store: NodeStore;
  readonly #builder: SpliceBuilder;
  readonly #decide: DecideEntries;
  #merged: Merged[] = [];

  constructor(store: NodeStore, builder: SpliceBuilder, decide: DecideEntries) {
    this.#store = store;
    this.#builder = builder;
    this.#decide = decide;
  }

  async merge({ base, ours, theirs }: Run): Promise<void> {
    const b = new LeafCursor(this.#store, base);
    const o = new LeafCursor(this.#store, ours);
    const t = new LeafCursor(this.#store, theirs);
    for (;;) {
      if (await this.#spliceWhole(o, b, t)) continue;
      if (await this.#spliceWhole(t, b, o)) continue;
      const more = [await b.load(), await o.load(), await t.load()];
      if (!more.includes(true)) break;
      this.#builder.resemble(0, o.hash ?? t.hash);
      const [base, ours, theirs] = [b.fresh, o.fresh, t.fresh];
      const isAligned = base && ours && theirs && base.sameKeys(ours) && base.sameKeys(theirs);
      if (isAligned) {
        this.#mergeValues(base, ours, theirs);
        for (const cursor of [b, o, t]) cursor.skip();
      } else this.#mergeLoaded(b, o, t);
      if (this.#merged.length >= BATCH) await this.#flush();
    }
    await this.#flush();
  }

  /** Puts a leaf of `side` in whole when the others' next keys are known to lie behind it. */
  async #spliceWhole(side: LeafCursor, x: LeafCursor, y: LeafCursor): Promise<boolean> {
    const leaf = side.unread;
    if (leaf === undefined) return false;
    // A last leaf may end without a boundary: nothing must follow it then.
    if (leaf.isLast && !(x.ended && y.ended)) return false;
    if (!x.isBehind(leaf.ref.key) || !y.isBehind(leaf.ref.key)) return false;
    await this.#flush();
    await this.#builder.addSubtree(0, leaf);
    side.skip();
    return true;
  }

  /** Three leaves with the same keys, as edits of cells leave them. */
  #mergeValues(base: Node, ours: Node, theirs: Node): void {
    for (let i = 0; i < base.count; i++) {
      const key = base.key(i);
      const value = ours.sameValue(i, base, i) ? theirs.value(i) : ours.value(i);
      const isDecided = ours.sameValue(i, base, i) || theirs.sameValue(i, base, i);
      if (isDecided || ours.sameValue(i, theirs, i)) this.#merged.push({ key, value });
      else {
        const [b, t] = [base.value(i), theirs.value(i)];
        this.#merged.push({ key, base: b, ours: value, theirs: t });
      }
    }
  }

  /** Merges until one of the cursors needs another leaf. */
  #mergeLoaded(b: LeafCursor, o: LeafCursor, t: LeafCursor): void {
    while (b.usable && o.usable && t.usable) {
      const keys = [b.key, o.key, t.key].filter((key) => key !== undefined);
      if (keys.length === 0) return;
      const key = keys.reduce((low, next) => (compareBytes(next, low) < 0 ? next : low));
      const [base, ours, theirs] = [b.take(key), o.take(key), t.take(key)];
      this.#mergeEntry({ key, base, ours, theirs });
    }
  }

  #mergeEntry(entry: EntryMerge): void {
    const { key, base, ours, theirs } = entry;
    const undecided = !same(ours, theirs) && !same(ours, base) && !same(theirs, base);
    const value = same(ours, base) ? theirs : ours;
    if (undecided) this.#merged.push(entry);
    else if (value !== undefined) this.#merged.push({ key, value });
  }

  async #flush(): Promise<void> {
    const merged = this.#merged;
    this.#merged = [];
    const open = merged.filter((item): item is EntryMerge => !('value' in item));
    const decided = open.length === 0 ? [] : await this.#decide(open);
    let next = 0;
    for (const item of merged) {
      const value = 'value' in item ? item.value : decided[next++];
      if (value !== null) this.#builder.addPair(item.key, value);
    }
    await this.#builder.relieve();
  }
}

function same(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return equalBytes(a, b);
}

/** Entries of one side's leaves, one leaf at a time. */
class LeafCursor {
  readonly #store: NodeStore;
  readonly #leaves: readonly Subtree[];
  #at = 0;
  #node: Node | undefined;
  #index = 0;

  constructor(store: NodeStore, leaves: readonly Subtree[]) {
    this.#store = store;
    this.#leaves = leaves;
  }

  /** The leaf that comes next, when none is open. */
  get unread(): Subtree | undefined {
    return this.#node === undefined ? this.#leaves[this.#at] : undefined;
  }

  get hash(): Hash | undefined {
    return this.#leaves[this.#at]?.ref.hash;
  }

  /** The open leaf, when nothing was taken from it yet. */
  get fresh(): Node | undefined {
    return this.#index === 0 ? this.#node : undefined;
  }

  /** Passes over the leaf. */
  skip(): void {
    this.#node = undefined;
    this.#at += 1;
  }

  get ended(): boolean {
    return this.#at >= this.#leaves.length;
  }

  /** Is every entry from here on known to have a key behind `key`? */
  isBehind(key: Uint8Array): boolean {
    if (this.ended) return true;
    if (this.#node !== undefined) return this.#node.compareKey(this.#index, key) > 0;
    const before = this.#leaves[this.#at - 1];
    return before !== undefined && compareBytes(before.ref.key, key) >= 0;
  }

  /** Opens the next leaf when none is open; false at the end. */
  async load(): Promise<boolean> {
    if (this.#node !== undefined) return true;
    const leaf = this.#leaves[this.#at];
    if (leaf === undefined) return false;
    this.#node = await this.#store.read(leaf.ref.hash);
    this.#index = 0;
    return true;
  }

  /** False where the next entry is in a leaf that is not open. */
  get usable(): boolean {
    return this.#node !== undefined || this.ended;
  }

  /** Undefined at the end. */
  get key(): Uint8Array | undefined {
    return this.#node?.key(this.#index);
  }

  /** The value if the next entry has this key, and steps on. */
  take(key: Uint8Array): Uint8Array | undefined {
    const node = this.#node;
    if (node === undefined || node.compareKey(this.#index, key) !== 0) return undefined;
    const value = node.value(this.#index);
    this.#index += 1;
    if (this.#index >= node.count) {
      this.#node = undefined;
      this.#at += 1;
    }
    return value;
  }
}
