/** Differences of stored tables are those that comparing row by row finds. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { diffTables } from '../../src/model/table-diff.ts';
import { countChanges } from '../../src/model/table-stat.ts';
import { NodeStore } from '../../src/prolly/node-store.ts';
import { createMemoryStore } from '../../src/store/memory.ts';
import type { Row, Schema } from '../../src/tuple/schema.ts';
import { storeTable } from '../support/stored-tables.ts';
import { tablePairs } from '../support/table-arbitrary.ts';
import { schema, type WholeTable } from '../support/table-diffs.ts';

const RUNS = Number(process.env.DV_RUNS ?? 200);

type Change = readonly [from: Row | null, to: Row | null];

async function differences(
  from: WholeTable,
  to: WholeTable,
  complete: boolean,
): Promise<{ changes: Change[]; counts: Record<string, number> }> {
  const nodes = new NodeStore(createMemoryStore());
  const [a, b] = [await storeTable(nodes, from), await storeTable(nodes, to)];
  const diff = await diffTables(nodes, 't', a, b, { complete });
  const changes: Change[] = [];
  for await (const batch of diff.changes()) {
    for (const change of batch) changes.push([change.from, change.to]);
  }
  return { changes, counts: { ...(await countChanges(nodes, a, b)) } };
}

const keyOf = ({ key }: Schema, row: Row): string => JSON.stringify(key.map((i) => row[i]));

/** Of tables with the same key. */
function compareRows(from: WholeTable, to: WholeTable, complete: boolean): Change[] {
  const before = new Map(from.rows.map((row) => [keyOf(from.schema, row), row]));
  const after = new Map(to.rows.map((row) => [keyOf(to.schema, row), row]));
  const differ = (a: Row, b: Row): boolean => {
    const old = new Map(from.schema.columns.map(({ name }, i) => [name, a[i]]));
    const now = new Map(to.schema.columns.map(({ name }, i) => [name, b[i]]));
    const names = [...new Set([...old.keys(), ...now.keys()])];
    return names
      .filter((name) => complete || (old.has(name) && now.has(name)))
      .some((name) => (old.get(name) ?? null) !== (now.get(name) ?? null));
  };
  return [...new Set([...before.keys(), ...after.keys()])]
    .map((key): Change => [before.get(key) ?? null, after.get(key) ?? null])
    .filter(([a, b]) => a === null || b === null || differ(a, b));
}

const inAnyOrder = (changes: readonly Change[]): string[] =>
  changes.map((change) => JSON.stringify(change)).sort();

describe.each([false, true])('complete: %s', (complete) => {
  test('rows that differ, whatever happened to the columns', async () => {
    await fc.assert(
      fc.asyncProperty(
        tablePairs({ retype: true }).filter(({ from }) => from.schema.key.length > 0),
        async ({ from, to }) => {
          const { changes, counts } = await differences(from, to, complete);
          expect(inAnyOrder(changes)).toEqual(inAnyOrder(compareRows(from, to, complete)));
          const plain = compareRows(from, to, false);
          expect(counts).toEqual({
            added: plain.filter(([a]) => a === null).length,
            removed: plain.filter(([, b]) => b === null).length,
            modified: plain.filter(([a, b]) => a !== null && b !== null).length,
          });
        },
      ),
      { numRuns: RUNS },
    );
  });
});

describe('equal bytes that are other cells', () => {
  const rows = [
    ['1', 'x', 'y'],
    ['2', 'x', 'x'],
  ];
  test('columns that swapped their names', async () => {
    const from = { schema: schema('id:integer a b', 'id'), rows };
    const to = { schema: schema('id:integer b a', 'id'), rows };
    const { changes } = await differences(from, to, false);
    expect(changes).toEqual([[rows[0], rows[0]]]);
  });

  test('a column under another name', async () => {
    const from = { schema: schema('id:integer a b', 'id'), rows };
    const to = { schema: schema('id:integer a c', 'id'), rows };
    expect((await differences(from, to, false)).changes).toEqual([]);
    expect((await differences(from, to, true)).changes).toHaveLength(2);
  });
});

test('a key whose types narrow, and widen', async () => {
  const from = {
    schema: schema('id v', 'id'),
    rows: [
      ['1', 'a'],
      ['10', 'b'],
      ['x', 'c'],
    ],
  };
  const to = {
    schema: schema('id:integer v', 'id'),
    rows: [
      ['1', 'a'],
      ['10', 'B'],
    ],
  };
  const expected = [
    [
      ['10', 'b'],
      ['10', 'B'],
    ],
    [['x', 'c'], null],
  ];
  expect((await differences(from, to, false)).changes).toEqual(expected);
  expect((await differences(to, from, false)).changes).toEqual(expected.map(([a, b]) => [b, a]));
});
