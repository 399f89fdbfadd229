/**
 * Reading a tree: one key, all leaves, or the leaves of a key range.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Hash } from '../hash.ts';
import { LevelCursor } from './cursor.ts';
import type { Node } from './node.ts';
import type { NodeStore } from './node-store.ts';

/** The value under `key`, or undefined. Cost: one path. */
export async function getEntry(
  store: NodeStore,
  root: Hash,
  key: Uint8Array,
): Promise<Uint8Array | undefined> {
  let node = await store.read(root);
  for (;;) {
    const index = node.seek(key);
    if (index === node.count) return undefined;
    if (node.level === 0) {
      return node.compareKey(index, key) === 0 ? node.value(index) : undefined;
    }
    node = await store.read(node.childHash(index));
  }
}

/** The value under one key in several trees, read a level at a time. Cost: a path each. */
export async function getEntryOfMany(
  store: NodeStore,
  roots: readonly Hash[],
  key: Uint8Array,
): Promise<(Uint8Array | undefined)[]> {
  const values: (Uint8Array | undefined)[] = roots.map(() => undefined);
  let open = roots.map((hash, tree) => ({ hash, tree }));
  while (open.length > 0) {
    const below: typeof open = [];
    const nodes = await store.readMany(open.map(({ hash }) => hash));
    for (const [i, node] of nodes.entries()) {
      const { tree } = open[i];
      const index = node.seek(key);
      if (index === node.count) continue;
      if (node.level > 0) below.push({ hash: node.childHash(index), tree });
      else if (node.compareKey(index, key) === 0) values[tree] = node.value(index);
    }
    open = below;
  }
  return values;
}

/**
 * The values under keys that ascend, each undefined when absent. Cost: the paths to them; a
 * leaf is read once.
 */
export async function getEntries(
  store: NodeStore,
  root: Hash,
  keys: readonly Uint8Array[],
): Promise<(Uint8Array | undefined)[]> {
  const cursor = new LevelCursor(store, root, 0);
  const values: (Uint8Array | undefined)[] = [];
  let leaf: Node | undefined;
  for (const key of keys) {
    let place = leaf?.seek(key) ?? 0;
    if (leaf === undefined || place === leaf.count) {
      await cursor.seek(key);
      leaf = await cursor.node();
      place = leaf?.seek(key) ?? 0;
    }
    const isThere = leaf !== undefined && place < leaf.count && leaf.compareKey(place, key) === 0;
    values.push(isThere ? leaf?.value(place) : undefined);
  }
  return values;
}

/** Leaves are read this many at a time. */
const READ_AHEAD = 32;

/** All leaves from left to right, from the one that covers `start` on. */
export async function* scanLeaves(
  store: NodeStore,
  root: Hash,
  start?: Uint8Array,
): AsyncGenerator<Node> {
  const top = await store.read(root);
  if (top.level === 0) {
    yield top;
    return;
  }
  const parents = new LevelCursor(store, root, 1);
  if (start !== undefined) await parents.seek(start);
  let from = start;
  for (let parent = await parents.node(); parent !== undefined; parent = await parents.node()) {
    const first = from === undefined ? 0 : parent.seek(from);
    from = undefined;
    for (let i = first; i < parent.count; i += READ_AHEAD) {
      const hashes: Hash[] = [];
      for (let c = i; c < Math.min(i + READ_AHEAD, parent.count); c++) {
        hashes.push(parent.childHash(c));
      }
      yield* await store.readMany(hashes);
      // A local store answers at once: others, and signals, get their turn here.
      await nextTurn();
    }
    await parents.next();
  }
}

/** Number of rows in the tree. Cost: one node. */
export async function countRows(store: NodeStore, root: Hash): Promise<number> {
  return (await store.read(root)).rows;
}
