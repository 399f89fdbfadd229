/** Where histories meet, for a ref that moves about, against brute force. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { KnownAncestry } from '../../src/model/known-ancestry.ts';
import { mergeBases } from '../../src/model/merge-base.ts';
import type { Store } from '../../src/store/contract.ts';
import { type CommitGraph, commitGraph, reachable, storeGraph } from '../support/commit-graph.ts';

/** On each way down from `commit` the first that `head` reaches. */
function firstCommon(parents: CommitGraph, head: number, commit: number): Set<number> {
  const reached = reachable(parents, head);
  const met = new Set<number>();
  const open = new Set([commit]);
  for (const i of open) {
    if (reached.has(i)) met.add(i);
    else for (const parent of parents[i]) open.add(parent);
  }
  return met;
}

const questions = fc.array(fc.tuple(fc.nat(), fc.nat()), { minLength: 1, maxLength: 30 });

test('the first commits that a head reaches, wherever it has been before', async () => {
  await fc.assert(
    fc.asyncProperty(commitGraph, questions, async (parents, asked) => {
      const [store, hashes] = await storeGraph(parents, () => 0);
      const ancestry = new KnownAncestry();
      for (const [x, y] of asked) {
        const [head, commit] = [x % parents.length, y % parents.length];
        const met = await ancestry.meet(store, 'main', hashes[head], hashes[commit]);
        const wanted = firstCommon(parents, head, commit);
        expect(met).toEqual(new Set([...wanted].map((i) => hashes[i])));
        if (wanted.size > 1) continue;
        expect([...(met ?? [])]).toEqual(await mergeBases(store, hashes[head], hashes[commit]));
      }
    }),
    { numRuns: 400 },
  );
});

test('without room it says that it does not know, or what is so', async () => {
  let unknown = 0;
  await fc.assert(
    fc.asyncProperty(commitGraph, questions, fc.nat(6), async (parents, asked, most) => {
      const [store, hashes] = await storeGraph(parents, () => 0);
      const ancestry = new KnownAncestry(most);
      for (const [x, y] of asked) {
        const [head, commit] = [x % parents.length, y % parents.length];
        const met = await ancestry.meet(store, 'main', hashes[head], hashes[commit]);
        if (met === undefined) unknown += 1;
        else
          expect(met).toEqual(
            new Set([...firstCommon(parents, head, commit)].map((i) => hashes[i])),
          );
      }
    }),
    { numRuns: 200 },
  );
  expect(unknown).toBeGreaterThan(0);
});

/** A branch into which a writer who never fetches is merged, again and again. */
function farBehind(merges: number): { graph: CommitGraph; heads: number[]; pushed: number[] } {
  const graph: CommitGraph = [[], [0], [0]];
  const [heads, pushed] = [[1], [2]];
  for (let i = 0; i < merges; i++) {
    graph.push([heads[i], pushed[i]]);
    heads.push(graph.length - 1);
    // others move the branch on meanwhile
    for (let j = 0; j < 5; j++) {
      graph.push([heads[i + 1]]);
      heads[i + 1] = graph.length - 1;
    }
    graph.push([pushed[i]]);
    pushed.push(graph.length - 1);
  }
  return { graph, heads, pushed };
}

test('costs what is new, however far behind the writer is', async () => {
  const { graph, heads, pushed } = farBehind(60);
  const [store, hashes] = await storeGraph(graph, () => 0);
  const ancestry = new KnownAncestry();
  let reads = 0;
  const counting: Store = {
    ...store,
    getMany: (asked) => {
      reads += asked.length;
      return store.getMany(asked);
    },
  };
  const costs: number[] = [];
  for (const [i, head] of heads.entries()) {
    reads = 0;
    const met = await ancestry.meet(counting, 'main', hashes[head], hashes[pushed[i]]);
    expect([...(met ?? [])]).toEqual([hashes[i === 0 ? 0 : pushed[i - 1]]]);
    costs.push(reads);
  }
  expect(Math.max(...costs.slice(30))).toBeLessThanOrEqual(Math.max(...costs.slice(5, 15)));
});
