/**
 * Merges of commits over any history: the merge base against brute force, several merge bases,
 * and replicas that merge automatically, in whatever order, to one table.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Hash } from '../../src/hash.ts';
import { autoMerge } from '../../src/model/auto-merge.ts';
import { findOrigins } from '../../src/model/cell-origin.ts';
import { mergeBases } from '../../src/model/merge-base.ts';
import { mergeCommits } from '../../src/model/merge-commits.ts';
import { readCommit } from '../../src/model/object-reader.ts';
import { encodeCommit, toChunk } from '../../src/model/objects.ts';
import type { NodeStore } from '../../src/prolly/node-store.ts';
import type { Cell, Row, Schema } from '../../src/tuple/schema.ts';
import { commitGraph, reachable, storeGraph } from '../support/commit-graph.ts';
import { conflictLines, newNodes, readTableOf, rootWith } from '../support/merge-scene.ts';

test('merge bases are the common ancestors that no other one descends from', async () => {
  await fc.assert(
    fc.asyncProperty(commitGraph, fc.nat(), fc.nat(), async (parents, x, y) => {
      const [store, hashes] = await storeGraph(parents, () => 0);
      const [a, b] = [x % parents.length, y % parents.length];
      const common = [...reachable(parents, a)].filter((i) => reachable(parents, b).has(i));
      const best = common.filter(
        (i) => !common.some((other) => other !== i && reachable(parents, other).has(i)),
      );
      expect(await mergeBases(store, hashes[a], hashes[b])).toEqual(
        best.map((i) => hashes[i]).sort(),
      );
    }),
    { numRuns: 400 },
  );
});

const SCHEMA: Schema = {
  columns: [
    { name: 'id', type: 'integer' },
    { name: 'last', type: 'text' },
    { name: 'plain', type: 'text' },
  ],
  key: [0],
  rules: { columns: { last: 'latest' } },
};

interface Made {
  readonly rows: readonly Row[];
  readonly parents: readonly Hash[];
  readonly ms: number;
  readonly node: string;
}

async function commitOf(nodes: NodeStore, { rows, parents, ms, node }: Made): Promise<Hash> {
  const root = await rootWith(nodes, { schema: SCHEMA, rows });
  await nodes.flush();
  const person = { name: 'n', email: 'e', time: ms, zone: 0 };
  let generation = 1;
  for (const hash of parents) {
    generation = Math.max(generation, 1 + (await readCommit(nodes.objects, hash)).generation);
  }
  const clock = { ms, counter: 0, node };
  const signed = { author: person, committer: person, message: '', extra: {} };
  const chunk = toChunk(encodeCommit({ root, parents, clock, generation, ...signed }));
  await nodes.objects.putMany([chunk]);
  return chunk.hash;
}

async function merged(nodes: NodeStore, a: Hash, b: Hash): Promise<Hash> {
  const { commit } = await autoMerge(nodes, [a, b], findOrigins);
  expect(commit).toBeDefined();
  await nodes.objects.putMany([commit!]);
  return commit!.hash;
}

async function rowsOf(nodes: NodeStore, commit: Hash): Promise<readonly Row[]> {
  const { root } = await readCommit(nodes.objects, commit);
  return (await readTableOf(nodes, root))!.rows;
}

const START: readonly Row[] = [0, 1].map((id) => [`${id}`, 'base', '']);

/** What a replica does: it sets the cell `last` of a row, at a time that never goes back. */
const edits = fc.array(
  fc.record({
    row: fc.nat({ max: 1 }),
    text: fc.constantFrom<Cell>('x', 'y', 'base', null),
    later: fc.nat({ max: 3 }),
  }),
  { minLength: 1, maxLength: 3 },
);

describe('latest, by the history of the cell', () => {
  test('three replicas, merged in any order, come to the same table', async () => {
    await fc.assert(
      fc.asyncProperty(edits, edits, edits, async (...replicas) => {
        const nodes = newNodes();
        const base = await commitOf(nodes, { rows: START, parents: [], ms: 1, node: 'base' });
        const heads: Hash[] = [];
        for (const [n, list] of replicas.entries()) {
          let [head, ms, rows] = [base, 1, START];
          for (const { row, text, later } of list) {
            if (rows[row][1] === text) continue;
            ms += 1 + later;
            rows = rows.map((one, i) => (i === row ? one.with(1, text) : one));
            head = await commitOf(nodes, { rows, parents: [head], ms, node: `node${n}` });
          }
          heads.push(head);
        }
        const results = new Set<string>();
        for (const [a, b, c] of [
          [0, 1, 2],
          [0, 2, 1],
          [1, 2, 0],
        ]) {
          const first = await merged(nodes, heads[a], heads[b]);
          results.add(JSON.stringify(await rowsOf(nodes, await merged(nodes, first, heads[c]))));
        }
        expect(results.size).toBe(1);
      }),
      { numRuns: 150 },
    );
  });
});

describe('histories that cross', () => {
  const row = (last: Cell, plain: Cell): Row[] => [['0', last, plain]];

  /** Both sides merged each other's first commit, so that there are two merge bases. */
  async function crossed(nodes: NodeStore, ours: Row[], theirs: Row[]): Promise<[Hash, Hash]> {
    const make = (rows: Row[], ms: number, ...parents: Hash[]) =>
      commitOf(nodes, { rows, parents, ms, node: 'n' });
    const base = await make(row('0', '0'), 1);
    const left = await make(row('left', '0'), 2, base);
    const right = await make(row('0', 'right'), 3, base);
    const both = row('left', 'right');
    const one = await make(both, 4, left, right);
    const two = await make(both, 5, right, left);
    return [await make(ours, 6, one), await make(theirs, 7, two)];
  }

  test('are merged over what their bases come to', async () => {
    const nodes = newNodes();
    const [ours, theirs] = await crossed(nodes, row('left', 'ours'), row('theirs', 'right'));
    const merge = await mergeCommits(nodes, ours, theirs, { findOrigins });
    expect(merge.bases.length).toBe(2);
    expect(merge.conflicts).toEqual([]);
    expect((await readTableOf(nodes, merge.root))!.rows).toEqual(row('theirs', 'ours'));
  });

  test('whose bases clash are asked again, whichever side each had taken', async () => {
    const make = (nodes: NodeStore, rows: Row[], ms: number, ...parents: Hash[]) =>
      commitOf(nodes, { rows, parents, ms, node: 'n' });
    for (const [ours, theirs] of [
      ['left', 'right'],
      ['right', 'left'],
    ]) {
      const nodes = newNodes();
      const base = await make(nodes, row('0', '0'), 1);
      const left = await make(nodes, row('0', 'left'), 2, base);
      const right = await make(nodes, row('0', 'right'), 3, base);
      const one = await make(nodes, row('0', ours), 4, left, right);
      const two = await make(nodes, row('0', theirs), 5, right, left);
      const merge = await mergeCommits(nodes, one, two, { findOrigins });
      expect(await conflictLines(nodes, merge)).toEqual(['0 both-modified plain']);
    }
  });

  test('clash where both went on from there, and only there', async () => {
    const nodes = newNodes();
    const [ours, theirs] = await crossed(nodes, row('left', 'ours'), row('left', 'theirs'));
    const merge = await mergeCommits(nodes, ours, theirs, { findOrigins });
    expect(await conflictLines(nodes, merge)).toEqual(['0 both-modified plain']);
  });
});
