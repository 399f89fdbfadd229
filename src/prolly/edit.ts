/**
 * Root + sorted edits to root, equal to a fresh build of the edited entries.
 *
 * Level by level: the nodes an edit falls into are split anew from the node's left edge
 * until a new boundary coincides with an old one; what lies behind is untouched. Each level
 * reports to the one above which children went and which came, again as sorted edits.
 *
 *   1. An edit behind the last key reopens the last node, whose end was no boundary.
 *   2. The old boundary key is gone or the sizes moved it: the next old node is drawn in.
 *   3. The old root's level ends with one node: it is the root, or, when that node has a
 *      single child, the root is further down.
 *   4. It ends with several: a builder makes the new upper levels.
 *   5. It ends with none: the empty tree.
 *
 * Cost: O(edits x depth) nodes read and written; memory of one node and one batch of edits,
 * and one reference per changed node.
 */
import { compareBytes } from '../bytes.ts';
import type { Hash } from '../hash.ts';
import { type BuiltNode, LevelSplitter, TreeBuilder } from './builder.ts';
import { flagsForChild } from './child-flags.ts';
import { LevelCursor } from './cursor.ts';
import type { Node, NodeRef } from './node.ts';
import type { NodeStore } from './node-store.ts';

/** `value` null deletes the key (which may be absent). */
export interface Edit {
  readonly key: Uint8Array;
  readonly value: Uint8Array | null;
}

/** Batches of edits, ascending by key over all of them, no key twice. */
export type EditSource<E = Edit> = AsyncIterable<readonly E[]> | Iterable<readonly E[]>;

/** A child that came, or went (`child` null), under the last key below it. */
interface ChildEdit {
  readonly key: Uint8Array;
  readonly child: Child | null;
}

interface Child {
  readonly ref: NodeRef;
  readonly flags: number;
}

/** What edits did to the entries; a value that was there already is no change. */
export interface EditCounts {
  added: number;
  removed: number;
  modified: number;
}

/**
 * The root of the tree with the edits applied. New nodes are in the store when it resolves.
 * `counts` is added to. @throws DvError `missing-object`, `corrupt`
 */
export async function editTree(
  store: NodeStore,
  root: Hash,
  edits: EditSource,
  counts?: EditCounts,
): Promise<Hash> {
  const { level: top } = await store.read(root);
  const leaves = counts === undefined ? LEAF : countingLeaf(counts);
  let changes = await new LevelEdit(store, root, 0, leaves, top).run(edits);
  for (let level = 1; level <= top && changes.length > 0; level++) {
    changes = await new LevelEdit(store, root, level, INTERNAL, top).run([changes]);
  }
  if (changes.length === 0) return root;
  const newRoot = await rootOf(store, top, changes);
  await store.flush();
  return newRoot;
}

/** Cases 3 to 5: what the old root's level became; `changes` has all its nodes. */
async function rootOf(
  store: NodeStore,
  level: number,
  changes: readonly ChildEdit[],
): Promise<Hash> {
  const children = changes.flatMap((change) => (change.child === null ? [] : [change.child]));
  if (children.length === 0) return new TreeBuilder(store).finish();
  if (children.length === 1) return collapse(store, children[0].ref.hash);
  const builder = new TreeBuilder(store, undefined, level + 1);
  for (const { ref, flags } of children) builder.appendChild(ref, flags);
  return builder.finish();
}

async function collapse(store: NodeStore, top: Hash): Promise<Hash> {
  let hash = top;
  for (;;) {
    const node = await store.read(hash);
    if (node.level === 0 || node.count > 1) return hash;
    hash = node.childHash(0);
  }
}

/** How entries of a level get into the splitter: from the old node, and from an edit. */
interface EntryKind<E> {
  copy(
    node: Node,
    start: number,
    end: number,
    into: LevelSplitter,
    store: NodeStore,
  ): Promise<void> | undefined;
  put(edit: E, splitter: LevelSplitter): void;
  /** Told of every edit, with the place of its key in the old node; -1: it is not there. */
  note?(edit: E, node: Node, index: number): void;
}

const LEAF: EntryKind<Edit> = {
  copy(node, start, end, splitter) {
    splitter.copyEntries(node, start, end);
    return undefined;
  },
  put(edit, splitter) {
    if (edit.value !== null) splitter.addPair(edit.key, edit.value);
  },
};

function countingLeaf(counts: EditCounts): EntryKind<Edit> {
  return {
    ...LEAF,
    note({ value }, node, index) {
      if (index < 0) counts.added += value === null ? 0 : 1;
      else if (value === null) counts.removed += 1;
      else if (compareBytes(node.value(index), value) !== 0) counts.modified += 1;
    },
  };
}

const INTERNAL: EntryKind<ChildEdit> = {
  copy(node, start, end, splitter, store) {
    if (node.flags !== 0) return copyFlagged(node, start, end, splitter, store);
    splitter.copyChildren(node, start, end);
    return undefined;
  },
  put(edit, splitter) {
    if (edit.child !== null) splitter.addChild(edit.child.ref, edit.child.flags);
  },
};

/** Children some of which may have flags. */
async function copyFlagged(
  node: Node,
  start: number,
  end: number,
  splitter: LevelSplitter,
  store: NodeStore,
): Promise<void> {
  for (let i = start; i < end; i++) {
    const flags = flagsForChild(store, node, i, splitter);
    splitter.addChild(node.child(i), typeof flags === 'number' ? flags : await flags);
  }
}

class LevelEdit<E extends { readonly key: Uint8Array }> {
  private readonly store: NodeStore;
  private readonly cursor: LevelCursor;
  private readonly kind: EntryKind<E>;
  private readonly splitter: LevelSplitter;
  /** The root's level: what came of it is the whole tree, so nothing may go unsaid. */
  private readonly isTop: boolean;
  /** The old node being rewritten: what a new one is `like`. */
  private like: Hash | undefined;
  private went: NodeRef[] = [];
  private came: Child[] = [];
  private readonly result: ChildEdit[] = [];

  constructor(store: NodeStore, root: Hash, level: number, kind: EntryKind<E>, top: number) {
    this.store = store;
    this.isTop = level === top;
    this.cursor = new LevelCursor(store, root, level);
    this.kind = kind;
    this.splitter = new LevelSplitter(level, (node) => this.built(node));
  }

  private built(node: BuiltNode): void {
    const { ref, flags, bytes } = node;
    if (ref.hash !== this.like) this.store.put({ hash: ref.hash, bytes, like: this.like });
    this.came.push({ ref, flags });
  }

  async run(source: EditSource<E>): Promise<ChildEdit[]> {
    const edits = new EditQueue<E>(source);
    for (let next = await edits.peek(); next !== undefined; next = await edits.peek()) {
      await this.cursor.seek(next.key);
      await this.rewriteRun(edits);
      mergeChildEdits(this.went, this.came, this.isTop, this.result);
      this.went = [];
      this.came = [];
    }
    this.splitter.release();
    return this.result;
  }

  /** Rewrites from the cursor's node on until old and new boundaries meet again. */
  private async rewriteRun(edits: EditQueue<E>): Promise<void> {
    for (;;) {
      const node = await this.cursor.node();
      const ref = await this.cursor.ref();
      if (node === undefined || ref === undefined) return;
      if (node.count > 0) this.went.push(ref);
      this.like = ref.hash;
      await this.rewriteNode(node, edits, await this.cursor.isLast());
      const more = await this.cursor.next();
      if (!more) this.splitter.close();
      if (this.splitter.empty) return;
    }
  }

  /** Merges the old node's entries with the edits in its range. */
  private async rewriteNode(node: Node, edits: EditQueue<E>, isLast: boolean): Promise<void> {
    let index = 0;
    for (;;) {
      const edit = edits.current ?? (await edits.peek());
      if (edit === undefined) break;
      const place = node.seek(edit.key);
      if (place === node.count && !isLast) break;
      const copied = this.kind.copy(node, index, place, this.splitter, this.store);
      if (copied !== undefined) await copied;
      index = place;
      const isThere = index < node.count && node.compareKey(index, edit.key) === 0;
      this.kind.note?.(edit, node, isThere ? index : -1);
      if (isThere) index += 1;
      this.kind.put(edit, this.splitter);
      edits.shift();
      if (this.store.full) await this.store.relieve();
    }
    await this.kind.copy(node, index, node.count, this.splitter, this.store);
  }
}

/** Edits one by one out of batches; `current` answers without waiting while a batch lasts. */
class EditQueue<E> {
  private readonly batches: AsyncIterator<readonly E[]> | Iterator<readonly E[]>;
  private batch: readonly E[] = [];
  private index = 0;

  constructor(source: EditSource<E>) {
    this.batches =
      Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
  }

  get current(): E | undefined {
    return this.batch[this.index];
  }

  shift(): void {
    this.index += 1;
  }

  async peek(): Promise<E | undefined> {
    while (this.index >= this.batch.length) {
      const next = await this.batches.next();
      if (next.done) return undefined;
      this.batch = next.value;
      this.index = 0;
    }
    return this.batch[this.index];
  }
}

/** Both lists ascend by key. A child that came back as it was is no change, unless `all`. */
function mergeChildEdits(
  went: readonly NodeRef[],
  came: readonly Child[],
  all: boolean,
  result: ChildEdit[],
): void {
  let w = 0;
  for (const child of came) {
    const { key, hash } = child.ref;
    while (w < went.length && compareBytes(went[w].key, key) < 0) {
      result.push({ key: went[w++].key, child: null });
    }
    const same = w < went.length && compareBytes(went[w].key, key) === 0 ? went[w++] : undefined;
    if (all || same?.hash !== hash) result.push({ key, child });
  }
  while (w < went.length) result.push({ key: went[w++].key, child: null });
}
