/**
 * Merging in steps comes to the same as merging in another order, for cells that the rules
 * max, min, union and latest decide: no replica need wait for another.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { CellOrigin } from '../../src/model/cell-origin.ts';
import { compareClocks } from '../../src/model/clock.ts';
import { mergeRoots } from '../../src/model/merge-roots.ts';
import type { AskOrigins } from '../../src/model/merge-types.ts';
import type { Cell, Row, Schema } from '../../src/tuple/schema.ts';
import { newNodes, readTableOf, rootWith } from '../support/merge-scene.ts';

const schema: Schema = {
  columns: [
    { name: 'id', type: 'integer' },
    { name: 'high', type: 'integer' },
    { name: 'low', type: 'decimal' },
    { name: 'set', type: 'json' },
    { name: 'last', type: 'text' },
  ],
  key: [0],
  rules: { columns: { high: 'max', last: 'latest', low: 'min', set: 'union' } },
};

const number = fc.option(fc.integer({ min: -9, max: 9 }).map(String), { freq: 6 });
const decimal = fc.constantFrom<Cell>('1.5', '-2', '10', '0.25', null);
const set = fc
  .uniqueArray(fc.constantFrom('"a"', '"b"', '3', '{"x":1}'))
  .map((items) => `[${items.join(',')}]`);
const text = fc.constantFrom<Cell>('x', 'y', 'z', null);

/** Rows 0 to 3, each there in every version: rows that come or go are decided elsewhere. */
const rows = fc
  .array(fc.tuple(number, decimal, set, text), { minLength: 4, maxLength: 4 })
  .map((list): Row[] => list.map((cells, id) => [`${id}`, ...cells]));

/** When `last` of each row was set, by the text it was set to, on one replica. */
type Times = readonly CellOrigin[];

interface Replica {
  readonly rows: readonly Row[];
  readonly times: Times;
}

const LAST = 4;

const originAt = (ms: number, node: string): CellOrigin => ({
  commit: 'f'.repeat(64) as CellOrigin['commit'],
  clock: { ms, counter: 0, node },
});

async function merge(base: readonly Row[], ours: Replica, theirs: Replica): Promise<Replica> {
  const nodes = newNodes();
  const ask = ({ times }: Replica): AskOrigins => {
    return async (_, cells) => cells.map(({ key }) => times[Number(key[0])]);
  };
  const merged = await mergeRoots(
    nodes,
    {
      base: await rootWith(nodes, { schema, rows: base }),
      ours: await rootWith(nodes, { schema, rows: ours.rows }),
      theirs: await rootWith(nodes, { schema, rows: theirs.rows }),
    },
    { origins: { ours: ask(ours), theirs: ask(theirs) } },
  );
  expect(merged.conflicts).toEqual([]);
  const table = await readTableOf(nodes, merged.root);
  const result = [...table!.rows];
  const times = result.map((row, i) => {
    // The cell was set by whoever set it last of those that have it.
    const having = [ours, theirs].filter((side) => side.rows[i][LAST] === row[LAST]);
    const origins = having.map((side) => side.times[i]);
    return origins.sort((a, b) => compareClocks(b.clock, a.clock))[0];
  });
  return { rows: result, times };
}

/** Lists as what they stand for: the order of a set's elements says nothing. */
const asSets = ({ rows: list }: Replica): string =>
  JSON.stringify(
    list.map((row) => row.with(3, JSON.stringify(JSON.parse(row[3]!).map(String).sort()))),
  );

test('three replicas, merged in any order, come to the same table', async () => {
  const clock = fc.nat(3);
  const replica = fc.tuple(rows, fc.array(clock, { minLength: 4, maxLength: 4 }));
  await fc.assert(
    fc.asyncProperty(rows, replica, replica, replica, async (base, ...made) => {
      const replicas = made.map(
        ([own, times], n): Replica => ({
          rows: own,
          times: times.map((ms) => originAt(ms, `node${n}`)),
        }),
      );
      const results: string[] = [];
      for (const [a, b, c] of [
        [0, 1, 2],
        [1, 0, 2],
        [0, 2, 1],
        [2, 1, 0],
      ]) {
        const first = await merge(base, replicas[a], replicas[b]);
        const whole = await merge(base, first, replicas[c]);
        const other = await merge(base, replicas[c], first);
        results.push(asSets(whole), asSets(other));
      }
      expect(new Set(results).size).toBe(1);
    }),
    { numRuns: 60 },
  );
});
