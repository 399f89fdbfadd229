/** Ahead and behind, and histories that are cut off, against brute force over random graphs. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Hash } from '../../src/hash.ts';
import { countDivergence } from '../../src/model/divergence.ts';
import { ancestorsAbove, isAncestor, walkHistory } from '../../src/model/history.ts';
import { mergeBases } from '../../src/model/merge-base.ts';
import { readShallow, SHALLOW_KEY, shallowUpdate } from '../../src/model/shallow.ts';
import { walkTopological } from '../../src/model/topological.ts';
import type { Store } from '../../src/store/contract.ts';
import { createMemoryStore } from '../../src/store/memory.ts';
import { type CommitGraph, commitGraph, reachable, storeGraph } from '../support/commit-graph.ts';
import { countingStore } from '../support/store-counting.ts';

const minus = (a: ReadonlySet<number>, b: ReadonlySet<number>): number =>
  [...a].filter((one) => !b.has(one)).length;

test('counts what each side has alone', async () => {
  await fc.assert(
    fc.asyncProperty(commitGraph, fc.nat(), fc.nat(), async (parents, x, y) => {
      const [store, hashes] = await storeGraph(parents, (i) => i);
      const [a, b] = [x % parents.length, y % parents.length];
      const [ofA, ofB] = [reachable(parents, a), reachable(parents, b)];
      expect(await countDivergence(store, hashes[a], hashes[b])).toEqual({
        ahead: minus(ofA, ofB),
        behind: minus(ofB, ofA),
      });
    }),
  );
});

test('costs what lies between, whatever lies below', async () => {
  const chain = Array.from({ length: 2000 }, (_, i) => (i === 0 ? [] : [i - 1]));
  const [memory, hashes] = await storeGraph([...chain, [1999], [2000], [1999]], (i) => i);
  const store = countingStore(memory);
  expect(await countDivergence(store.store, hashes[2001], hashes[2002])).toEqual({
    ahead: 2,
    behind: 1,
  });
  expect(store.counts.gets).toBeLessThan(8);
});

/** The graph with only some commits stored; those with a parent that is not are the boundary. */
async function cutOff(parents: CommitGraph, kept: ReadonlySet<number>) {
  const [full, hashes] = await storeGraph(parents, (i) => i);
  const store = createMemoryStore() as Store & { shallow?: ReadonlySet<Hash> };
  const boundary = [...kept].filter((i) => parents[i].some((p) => !kept.has(p)));
  for (const i of kept) {
    const [bytes] = await full.getMany([hashes[i]]);
    if (bytes !== undefined) await store.putMany([{ hash: hashes[i], bytes }]);
  }
  store.shallow = new Set(boundary.map((i) => hashes[i]));
  const seen = parents.map((list, i) => (boundary.includes(i) ? [] : list));
  return { store, hashes, seen };
}

/** A graph and the commits within `depth` of its last one. */
const shallow = fc.tuple(commitGraph, fc.integer({ min: 1, max: 5 })).map(([parents, depth]) => {
  let level = new Set([parents.length - 1]);
  const kept = new Set(level);
  for (let i = 1; i < depth; i++) {
    level = new Set([...level].flatMap((one) => parents[one]));
    for (const one of level) kept.add(one);
  }
  return { parents, kept };
});

describe('a shallow history', () => {
  test('is walked as if it began at the boundary', async () => {
    await fc.assert(
      fc.asyncProperty(shallow, fc.nat(), fc.nat(), async ({ parents, kept }, x, y) => {
        const { store, hashes, seen } = await cutOff(parents, kept);
        const all = [...kept];
        const [a, b] = [all[x % all.length], all[y % all.length]];
        const [ofA, ofB] = [reachable(seen, a), reachable(seen, b)];
        const walked = new Set<Hash>();
        for await (const { hash } of walkHistory(store, [hashes[a]])) walked.add(hash);
        expect(walked).toEqual(new Set([...ofA].map((i) => hashes[i])));
        const ordered = new Set<Hash>();
        for await (const { hash } of walkTopological(store, [hashes[a]])) ordered.add(hash);
        expect(ordered).toEqual(walked);
        expect(await isAncestor(store, hashes[b], hashes[a])).toBe(ofA.has(b));
        expect(await countDivergence(store, hashes[a], hashes[b])).toEqual({
          ahead: minus(ofA, ofB),
          behind: minus(ofB, ofA),
        });
        const common = [...ofA].filter((i) => ofB.has(i));
        const best = common.filter(
          (i) => !common.some((other) => other !== i && reachable(seen, other).has(i)),
        );
        expect(await mergeBases(store, hashes[a], hashes[b])).toEqual(
          best.map((i) => hashes[i]).sort(),
        );
        await ancestorsAbove(store, [hashes[b]], [hashes[a]]);
      }),
    );
  });

  test('keeps its boundary in the state', async () => {
    const store = createMemoryStore();
    const [, hashes] = await storeGraph([[], [0], [1]], (i) => i);
    const none = await readShallow(store);
    expect(none.size).toBe(0);
    const two = new Set([hashes[2], hashes[1]]);
    expect(await store.transact({ state: [shallowUpdate(two, none)] })).toEqual({ done: true });
    expect(await readShallow(store)).toEqual(two);
    const stale = await store.transact({ state: [shallowUpdate(none, none)] });
    expect(stale).toEqual({ done: false, name: SHALLOW_KEY });
    await store.transact({ state: [shallowUpdate(none, two)] });
    expect(await store.getState(SHALLOW_KEY)).toBeUndefined();
  });
});
