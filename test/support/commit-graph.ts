/** Random commit graphs, in memory, for what walks and draws them. */
import fc from 'fast-check';
import type { Hash } from '../../src/hash.ts';
import { encodeCommit, toChunk } from '../../src/model/objects.ts';
import { EMPTY_TREE } from '../../src/prolly/node-writer.ts';
import type { Store } from '../../src/store/contract.ts';
import { createMemoryStore } from '../../src/store/memory.ts';

/** Parents of each commit, as indices of earlier ones. */
export type CommitGraph = number[][];

/** Random ones, with roots, merges and several parents. */
export const commitGraph: fc.Arbitrary<CommitGraph> = fc
  .array(fc.array(fc.nat(), { maxLength: 3 }), { minLength: 1, maxLength: 25 })
  .map((list) =>
    list.map((parents, i) => [...new Set(parents.map((p) => p % (i || 1)))].slice(0, i)),
  );

/** The graph as commits; `times` are their committers'. Clocks only grow. */
export async function storeGraph(
  parents: CommitGraph,
  times: (i: number) => number,
): Promise<[Store, Hash[]]> {
  const memory = createMemoryStore();
  const hashes: Hash[] = [];
  const generations: number[] = [];
  for (const [i, list] of parents.entries()) {
    const person = { name: 'n', email: 'e', time: times(i), zone: 0 };
    generations.push(1 + Math.max(0, ...list.map((p) => generations[p])));
    const chunk = toChunk(
      encodeCommit({
        root: EMPTY_TREE,
        parents: list.map((p) => hashes[p]),
        author: person,
        committer: person,
        message: `commit ${i}`,
        clock: { ms: i, counter: 0, node: 'test' },
        generation: generations[i],
        extra: {},
      }),
    );
    await memory.putMany([chunk]);
    hashes.push(chunk.hash);
  }
  return [memory, hashes];
}

/** By brute force: a commit and all its ancestors. */
export function reachable(parents: CommitGraph, from: number): Set<number> {
  const found = new Set([from]);
  for (const i of found) for (const p of parents[i]) found.add(p);
  return found;
}
