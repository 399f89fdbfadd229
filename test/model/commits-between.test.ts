/** Commits between two, against brute force over random graphs. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Hash } from '../../src/hash.ts';
import { commitsBetween } from '../../src/model/commits-between.ts';
import type { Store } from '../../src/store/contract.ts';
import { commitGraph, reachable, storeGraph } from '../support/commit-graph.ts';

async function between(store: Store, from: Hash | null, to: Hash): Promise<Hash[]> {
  const hashes: Hash[] = [];
  for await (const { hash, parent, commit } of commitsBetween(store, from, to)) {
    expect(parent).toBe(commit.parents[0] ?? null);
    hashes.push(hash);
  }
  return hashes;
}

describe('commits between two', () => {
  test('are those that the second has and the first has not, each behind its parents', async () => {
    await fc.assert(
      fc.asyncProperty(commitGraph, fc.nat(), fc.nat(), async (parents, x, y) => {
        const [memory, hashes] = await storeGraph(parents, (i) => Math.imul(i, 7919) % 1000);
        const [a, b] = [x % parents.length, y % parents.length];
        const found = await between(memory, hashes[a], hashes[b]);
        const had = reachable(parents, a);
        const expected = [...reachable(parents, b)].filter((i) => !had.has(i));
        expect([...found].sort()).toEqual(expected.map((i) => hashes[i]).sort());
        const place = new Map(found.map((hash, i) => [hash, i]));
        for (const i of expected) {
          for (const p of parents[i].filter((parent) => !had.has(parent))) {
            expect(place.get(hashes[p])).toBeLessThan(place.get(hashes[i]) as number);
          }
        }
      }),
    );
  });

  test('begin, for a branch that moved on, with what they were for it before', async () => {
    await fc.assert(
      fc.asyncProperty(commitGraph, fc.nat(), fc.nat(), async (parents, x, y) => {
        const [memory, hashes] = await storeGraph(parents, (i) => i);
        const to = y % parents.length;
        const line: number[] = [];
        for (let i: number | undefined = to; i !== undefined; i = parents[i][0]) line.push(i);
        const earlier = line[x % line.length];
        const all = await between(memory, null, hashes[to]);
        const some = await between(memory, null, hashes[earlier]);
        expect(all.slice(0, some.length)).toEqual(some);
      }),
    );
  });
});
