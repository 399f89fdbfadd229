/** Nodes that known trees lack: all of them, none twice, parents first, at the cost of the change. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Hash } from '../../src/hash.ts';
import { editTree } from '../../src/prolly/edit.ts';
import { missingNodes } from '../../src/prolly/missing.ts';
import { NodeStore } from '../../src/prolly/node-store.ts';
import { EMPTY_TREE } from '../../src/prolly/node-writer.ts';
import { createMemoryStore } from '../../src/store/memory.ts';
import { countingStore } from '../support/store-counting.ts';

const key = (n: number): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt32BE(n);
  return bytes;
};

function edits(from: number, to: number, text: string | null) {
  const list = [];
  for (let n = from; n < to; n++) {
    const value = text === null ? null : Buffer.from(`\u0000${text} ${(n * 2654435761) % 97}`);
    list.push({ key: key(n), value });
  }
  return [list];
}

async function nodesOf(nodes: NodeStore, root: Hash, into = new Set<Hash>()): Promise<Set<Hash>> {
  into.add(root);
  const node = await nodes.read(root);
  if (node.level > 0) {
    for (let i = 0; i < node.count; i++) await nodesOf(nodes, node.childHash(i), into);
  }
  return into;
}

async function missing(nodes: NodeStore, root: Hash, known: readonly Hash[]) {
  const found = [];
  for await (const batch of missingNodes(nodes, root, known)) found.push(...batch);
  return found;
}

const range = fc.tuple(fc.nat(30_000), fc.nat(4000), fc.constantFrom('a', 'bb', 'ccc', null));

describe('missing nodes', () => {
  it('are those of the wanted tree that no known tree has, parents before children', async () => {
    const tree = fc.array(range, { maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(tree, fc.array(tree, { maxLength: 3 }), async (wanted, others) => {
        const nodes = new NodeStore(createMemoryStore());
        nodes.putIfEmpty(EMPTY_TREE);
        const build = async (list: typeof wanted) => {
          let root = EMPTY_TREE;
          for (const [from, count, text] of list) {
            root = await editTree(nodes, root, edits(from, from + count, text));
          }
          return root;
        };
        const root = await build(wanted);
        const known: Hash[] = [];
        for (const list of others) known.push(await build([...wanted.slice(0, 2), ...list]));
        const had = new Set<Hash>();
        for (const one of known) await nodesOf(nodes, one, had);
        const expected = [...(await nodesOf(nodes, root))].filter((hash) => !had.has(hash));
        const found = await missing(nodes, root, known);
        const hashes = found.map(({ hash }) => hash);
        expect(new Set(hashes)).toEqual(new Set(expected));
        expect(hashes.length).toBe(new Set(hashes).size);
        const seen = new Set<Hash>();
        for (const { hash, node, level, known: alike } of found) {
          for (let i = 0; i < (node?.level ? node.count : 0); i++) {
            expect(seen.has(node!.childHash(i))).toBe(false);
          }
          seen.add(hash);
          for (const one of alike) expect((await nodes.read(one)).level).toBe(level);
        }
      }),
      { numRuns: 40 },
    );
  });

  it('cost what changed, however large the tree is', async () => {
    const costs: number[] = [];
    for (const rows of [4000, 64_000]) {
      const { store, counts, reset } = countingStore(createMemoryStore());
      const nodes = new NodeStore(store);
      const before = await editTree(nodes, EMPTY_TREE, edits(0, rows, 'some text that takes room'));
      const after = await editTree(nodes, before, edits(rows >> 1, (rows >> 1) + 1, 'x'));
      reset();
      const found = await missing(new NodeStore(store), after, [before]);
      expect(found.map(({ level }) => level)).toEqual([...found.keys()].reverse());
      costs.push(counts.gets);
    }
    // a path on each side
    expect(costs[0]).toBeLessThanOrEqual(4);
    expect(costs[1]).toBeLessThanOrEqual(6);
  });

  it('name the known node at their place first', async () => {
    const nodes = new NodeStore(createMemoryStore());
    const before = await editTree(nodes, EMPTY_TREE, edits(0, 20_000, 'text'));
    const after = await editTree(nodes, before, edits(9000, 9001, 'other'));
    const found = await missing(nodes, after, [before]);
    const leaf = found.at(-1)!;
    expect(leaf.level).toBe(0);
    const [old, now] = await nodes.readMany([leaf.known[0], leaf.hash]);
    expect(Buffer.compare(old.lastKey!, now.lastKey!)).toBe(0);
    expect(old.sameKeys(now)).toBe(true);
  });

  it('go with the place that is marked, and all below it', async () => {
    const nodes = new NodeStore(createMemoryStore());
    const root = await editTree(nodes, EMPTY_TREE, edits(0, 64_000, 'some text that takes room'));
    const top = await nodes.read(root);
    const one = top.childHash(1);
    const below = top.level > 1 ? await nodesOf(nodes, one) : new Set([one]);
    const marked = [];
    for await (const batch of missingNodes(nodes, root, [], { marks: (hash) => hash === one })) {
      marked.push(...batch.filter((item) => item.marked).map(({ hash }) => hash));
    }
    expect(new Set(marked)).toEqual(below);
  });
});
