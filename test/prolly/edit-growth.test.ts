/**
 * A tree edited one entry at a time is at every step the tree built from its entries. This
 * comes past every moment at which a node, the root too, is exactly full.
 */
import { describe, expect, test } from 'vitest';
import { compareBytes } from '../../src/bytes.ts';
import { buildTree } from '../../src/prolly/builder.ts';
import { editTree } from '../../src/prolly/edit.ts';
import { NodeStore } from '../../src/prolly/node-store.ts';
import { createMemoryStore } from '../../src/store/memory.ts';

type Entry = readonly [key: Buffer, value: Buffer];

/** Long keys make internal nodes narrow: 300 entries of 2 KB are a tree of three levels. */
function entriesOf(count: number, width: number): Entry[] {
  return Array.from({ length: count }, (_, i): Entry => {
    const key = Buffer.from(`${String(i).padStart(6, '0')}${'k'.repeat(400)}`);
    return [
      key,
      Buffer.alloc(1 + ((Math.imul(i + 1, 2654435761) >>> 0) % width), i % 256).fill(0, 0, 1),
    ];
  });
}

function shuffled(entries: readonly Entry[]): Entry[] {
  const rank = (i: number): number => Math.imul(i + 7, 2246822519) >>> 0;
  return entries
    .map((entry, i) => ({ entry, i }))
    .sort((a, b) => rank(a.i) - rank(b.i))
    .map(({ entry }) => entry);
}

const sorted = (entries: readonly Entry[]): Entry[] =>
  [...entries].sort((a, b) => compareBytes(a[0], b[0]));

describe.each([
  ['small values', 60, 200],
  ['values of a kilobyte or four', 300, 4000],
  ['values as large as a node', 24, 120_000],
])('%s', (_, count, width) => {
  const orders: [string, Entry[]][] = [
    ['in order', entriesOf(count, width)],
    ['backwards', entriesOf(count, width).reverse()],
    ['in any order', shuffled(entriesOf(count, width))],
  ];
  test.each(orders)('put and taken away %s', async (_order, entries) => {
    const nodes = new NodeStore(createMemoryStore({ now: () => 0 }));
    const check = async (root: string, present: readonly Entry[]) => {
      expect(root).toBe(await buildTree(nodes, sorted(present)));
    };
    let root = await buildTree(nodes, []);
    for (const [i, [key, value]] of entries.entries()) {
      root = await editTree(nodes, root, [[{ key, value }]]);
      await check(root, entries.slice(0, i + 1));
    }
    for (const [i, [key]] of entries.entries()) {
      root = await editTree(nodes, root, [[{ key, value: null }]]);
      await check(root, entries.slice(i + 1));
    }
  });
});

test('a tree whose last value that refers outside has gone is as if it had never been', async () => {
  const nodes = new NodeStore(createMemoryStore({ now: () => 0 }));
  const entries = (refers: readonly number[]): Entry[] =>
    Array.from({ length: 4000 }, (_, i): Entry => {
      return [Buffer.from(`${i}`.padStart(200, '0')), Buffer.from([Number(refers.includes(i)), 1])];
    });
  const plain = await buildTree(nodes, entries([]));
  const two = entries([100, 3900]);
  const one = await editTree(nodes, await buildTree(nodes, two), [
    [{ key: two[100][0], value: Buffer.from([0, 1]) }],
  ]);
  expect(one).toBe(await buildTree(nodes, entries([3900])));
  expect(await editTree(nodes, one, [[{ key: two[3900][0], value: Buffer.from([0, 1]) }]])).toBe(
    plain,
  );
});
