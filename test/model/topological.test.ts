/** The topological walk against brute force over random graphs. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Hash } from '../../src/hash.ts';
import { walkHistory } from '../../src/model/history.ts';
import { type OrderedCommit, walkTopological } from '../../src/model/topological.ts';
import type { Store } from '../../src/store/contract.ts';
import { commitGraph, reachable, storeGraph } from '../support/commit-graph.ts';
import { countingStore } from '../support/store-counting.ts';

/** Clocks that go back and forth. */
const scattered = (i: number) => Math.imul(i + 1, 7919) % 1000;

async function collect(
  store: Store,
  starts: readonly Hash[],
  options?: Parameters<typeof walkTopological>[2],
): Promise<OrderedCommit[]> {
  const found: OrderedCommit[] = [];
  for await (const commit of walkTopological(store, starts, options)) found.push(commit);
  return found;
}

test('every commit once, and none before all of its children', async () => {
  await fc.assert(
    fc.asyncProperty(commitGraph, fc.array(fc.nat(), { maxLength: 3 }), async (graph, picks) => {
      const [store, hashes] = await storeGraph(graph, scattered);
      const starts = [graph.length - 1, ...picks.map((pick) => pick % graph.length)];
      const found = await collect(
        store,
        starts.map((i) => hashes[i]),
      );
      const expected = new Set(starts.flatMap((i) => [...reachable(graph, i)]));
      expect(found.map(({ hash }) => hash).sort()).toEqual(
        [...expected].map((i) => hashes[i]).sort(),
      );
      const place = new Map(found.map(({ hash }, at) => [hash, at]));
      for (const { hash, parents, commit } of found) {
        expect(parents).toEqual(commit.parents);
        for (const parent of parents) {
          expect(place.get(parent)).toBeGreaterThan(place.get(hash) as number);
        }
      }
    }),
  );
});

test('what is excluded is neither given nor a parent', async () => {
  await fc.assert(
    fc.asyncProperty(commitGraph, fc.nat(), async (graph, pick) => {
      const [store, hashes] = await storeGraph(graph, scattered);
      const [start, excluded] = [graph.length - 1, pick % graph.length];
      const found = await collect(store, [hashes[start]], { exclude: [hashes[excluded]] });
      const hidden = reachable(graph, excluded);
      const expected = [...reachable(graph, start)].filter((i) => !hidden.has(i));
      const given = new Set(found.map(({ hash }) => hash));
      expect(given).toEqual(new Set(expected.map((i) => hashes[i])));
      for (const { parents } of found) expect(parents.every((hash) => given.has(hash))).toBe(true);
    }),
  );
});

test('first parents only, and nothing behind where it is to stop', async () => {
  const [store, hashes] = await storeGraph([[], [0], [0], [1, 2], [3]], (i) => i);
  const first = await collect(store, [hashes[4]], { firstParent: true });
  expect(first.map(({ hash }) => hashes.indexOf(hash))).toEqual([4, 3, 1, 0]);
  const cut = await collect(store, [hashes[4]], {
    stopAt: ({ message }) => message === 'commit 3',
  });
  expect(cut.map(({ hash }) => hashes.indexOf(hash))).toEqual([4, 3]);
});

test('a line that was merged comes whole, before the line it was merged into', async () => {
  // 0 - 1 - 3 - 5 - 6(merge of 5 and 4), 0 - 2 - 4
  const [store, hashes] = await storeGraph([[], [0], [0], [1], [2], [3], [5, 4]], (i) => i);
  const found = await collect(store, [hashes[6]]);
  expect(found.map(({ hash }) => hashes.indexOf(hash))).toEqual([6, 4, 2, 5, 3, 1, 0]);
});

test('costs what is given, not the length of the history', async () => {
  const length = 500;
  const line = Array.from({ length }, (_, i) => (i === 0 ? [] : [i - 1]));
  const [inner, hashes] = await storeGraph(line, (i) => i);
  const { store, counts } = countingStore(inner);
  const walk = walkTopological(store, [hashes[length - 1]]);
  for (let i = 0; i < 3; i++) await walk.next();
  expect(counts.gets).toBeLessThan(10);
  for (const walker of [walkTopological, walkHistory]) {
    counts.gets = 0;
    const range = { exclude: [hashes[length - 4]] };
    let given = 0;
    for await (const _ of walker(store, [hashes[length - 1]], range)) given += 1;
    expect(given).toBe(3);
    expect(counts.gets).toBeLessThan(20);
  }
});
