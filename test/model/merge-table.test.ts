/**
 * Merges of tables against an obvious merge of rows in maps: without schema changes, with
 * them, both ways round; and the laws that a merge has whatever its rules.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mergeRoots } from '../../src/model/merge-roots.ts';
import type { Cell, Row, Schema } from '../../src/tuple/schema.ts';
import { type ModelTable, mergeModel } from '../support/merge-model.ts';
import { conflictLines, newNodes, readTableOf, rootWith } from '../support/merge-scene.ts';
import type { WholeTable } from '../support/table-diffs.ts';

const schema: Schema = {
  columns: [
    { name: 'id', type: 'integer' },
    { name: 'a', type: 'text' },
    { name: 'b', type: 'text' },
    { name: 'c', type: 'text' },
  ],
  key: [0],
};

const cell = fc.constantFrom<Cell>('x', 'y', 'z', '', null);
const rowOf = fc.tuple(fc.nat(12).map(String), cell, cell, cell);
const table = fc
  .uniqueArray(rowOf, { maxLength: 10, selector: ([id]) => id })
  .map((rows): WholeTable => ({ schema, rows }));

const modelOf = ({ rows }: WholeTable): ModelTable =>
  new Map(rows.map((row) => [row[0] as string, row]));
const sorted = (rows: readonly Row[]) => [...rows].map((row) => JSON.stringify(row)).sort();

describe('rows of one schema', () => {
  test('as the obvious merge, conflicts included, both ways round', async () => {
    await fc.assert(
      fc.asyncProperty(table, table, table, async (base, ours, theirs) => {
        const nodes = newNodes();
        const roots = {
          base: await rootWith(nodes, base),
          ours: await rootWith(nodes, ours),
          theirs: await rootWith(nodes, theirs),
        };
        for (const [o, t, os, ts] of [
          [ours, theirs, roots.ours, roots.theirs],
          [theirs, ours, roots.theirs, roots.ours],
        ] as const) {
          const merge = await mergeRoots(nodes, { base: roots.base, ours: os, theirs: ts });
          const model = mergeModel(modelOf(base), modelOf(o), modelOf(t), ['', 'a', 'b', 'c']);
          const merged = await readTableOf(nodes, merge.root);
          expect(sorted(merged!.rows)).toEqual(sorted([...model.rows.values()]));
          expect(await conflictLines(nodes, merge)).toEqual(model.conflicts.sort());
        }
      }),
      { numRuns: 300 },
    );
  });

  test('merge(b, b, t) = t, merge(b, o, b) = o, merge(b, x, x) = x', async () => {
    await fc.assert(
      fc.asyncProperty(table, table, async (base, other) => {
        const nodes = newNodes();
        const [b, x] = [await rootWith(nodes, base), await rootWith(nodes, other)];
        for (const sides of [
          { base: b, ours: b, theirs: x },
          { base: b, ours: x, theirs: b },
          { base: b, ours: x, theirs: x },
        ]) {
          const merge = await mergeRoots(nodes, sides);
          expect(merge.root).toBe(x);
          expect(merge.conflicts).toEqual([]);
        }
      }),
    );
  });
});

/** What one side does to the columns of a table. */
type ColumnStep =
  | { readonly do: 'add'; readonly name: string; readonly at: number; readonly cell: Cell }
  | { readonly do: 'drop' | 'widen'; readonly name: string }
  | { readonly do: 'rename'; readonly name: string; readonly to: string }
  | { readonly do: 'turn' };

const columnName = fc.constantFrom('a', 'b', 'c');
const step: fc.Arbitrary<ColumnStep> = fc.oneof(
  fc.record({
    do: fc.constant('add' as const),
    name: fc.constantFrom('n', 'm', 'k'),
    at: fc.nat(4),
    cell,
  }),
  fc.record({ do: fc.constantFrom('drop' as const, 'widen' as const), name: columnName }),
  fc.record({
    do: fc.constant('rename' as const),
    name: columnName,
    to: fc.constantFrom('r', 's'),
  }),
  fc.record({ do: fc.constant('turn' as const) }),
);

function withStep(table: WholeTable, change: ColumnStep): WholeTable {
  const { columns, key } = table.schema;
  const place = 'name' in change ? columns.findIndex(({ name }) => name === change.name) : -1;
  const keyName = columns[key[0]].name;
  const named = (next: readonly { name: string; type: 'text' | 'integer' }[], rows: Row[]) => ({
    schema: { columns: next, key: [next.findIndex(({ name }) => name === keyName)] },
    rows,
  });
  const list = columns.map((column) => ({ ...column })) as { name: string; type: 'text' }[];
  switch (change.do) {
    case 'add': {
      if (place >= 0) return table;
      const at = Math.min(change.at, list.length);
      list.splice(at, 0, { name: change.name, type: 'text' });
      return named(
        list,
        table.rows.map((row) => [...row.slice(0, at), change.cell, ...row.slice(at)]),
      );
    }
    case 'drop':
      if (place < 0) return table;
      list.splice(place, 1);
      return named(
        list,
        table.rows.map((row) => row.filter((_, i) => i !== place)),
      );
    case 'widen':
      return named(
        list.map((c) => ({ ...c, type: 'text' })),
        [...table.rows],
      );
    case 'rename': {
      if (place < 0 || columns.some(({ name }) => name === change.to)) return table;
      list[place].name = change.to;
      return named(list, [...table.rows]);
    }
    case 'turn': {
      const [first, ...rest] = list.slice(1);
      if (first === undefined) return table;
      const turn = <T>(items: readonly T[]) => [items[0], ...items.slice(2), items[1]];
      return named(
        [list[0], ...rest, first],
        table.rows.map((row) => turn(row)),
      );
    }
  }
}

/** Without conflicts: what each name's cells are in each row. */
const cellsByName = (table: WholeTable) =>
  new Map(
    table.rows.map((row) => [
      row[table.schema.key[0]],
      new Map(table.schema.columns.map(({ name }, i) => [name, row[i]])),
    ]),
  );

describe('columns', () => {
  /** Every cell of a and b is told from every other. */
  const full = fc
    .uniqueArray(fc.tuple(fc.nat(30).map(String), fc.string(), cell), {
      minLength: 3,
      maxLength: 10,
      selector: ([id]) => id,
    })
    .map((rows): WholeTable => {
      return {
        schema,
        rows: rows.map(([id, text, c]) => [id, `a${id} ${text}`, `b${id} ${text}`, c]),
      };
    });

  test('the laws hold with any change of columns, and swapping the sides swaps the conflicts', async () => {
    await fc.assert(
      fc.asyncProperty(
        full,
        table,
        fc.array(step, { maxLength: 3 }),
        fc.array(step, { maxLength: 3 }),
        async (base, rows, a, b) => {
          const nodes = newNodes();
          const ours = a.reduce(withStep, base);
          const theirs = b.reduce(withStep, {
            schema,
            rows: [
              ...rows.rows,
              ...base.rows.filter(([id]) => !rows.rows.some((row) => row[0] === id)),
            ],
          });
          const [br, or, tr] = [
            await rootWith(nodes, base),
            await rootWith(nodes, ours),
            await rootWith(nodes, theirs),
          ];
          const merge = await mergeRoots(nodes, { base: br, ours: or, theirs: tr });
          const swapped = await mergeRoots(nodes, { base: br, ours: tr, theirs: or });
          if (merge.conflicts.length === 0) expect(swapped.root).toBe(merge.root);
          const swap = (text: string) =>
            text.replace(/ours|theirs/, (side) => (side === 'ours' ? 'theirs' : 'ours'));
          expect((await conflictLines(nodes, swapped)).map(swap).sort()).toEqual(
            await conflictLines(nodes, merge),
          );
        },
      ),
      { numRuns: 300 },
    );
  });

  test('columns that one side changes and rows that the other changes come together', async () => {
    await fc.assert(
      fc.asyncProperty(
        full,
        fc.array(step, { maxLength: 3 }),
        fc.nat(9),
        async (base, steps, at) => {
          const nodes = newNodes();
          const ours = steps.reduce(withStep, base);
          const edited = base.rows.map((row, i) =>
            i === at % base.rows.length ? [row[0], row[1], 'edited', row[3]] : row,
          );
          const merge = await mergeRoots(nodes, {
            base: await rootWith(nodes, base),
            ours: await rootWith(nodes, ours),
            theirs: await rootWith(nodes, { schema, rows: edited }),
          });
          const dropped = !ours.schema.columns.some((_, i) => ours.rows[0][i] === base.rows[0][2]);
          if (dropped) return;
          expect(await conflictLines(nodes, merge)).toEqual([]);
          const merged = await readTableOf(nodes, merge.root);
          expect(merged?.schema).toEqual(ours.schema);
          const expected = cellsByName(ours);
          const id = base.rows[at % base.rows.length][0];
          const place = ours.rows[0].indexOf(base.rows[0][2]);
          expected.get(id)?.set(ours.schema.columns[place].name, 'edited');
          expect(cellsByName(merged!)).toEqual(expected);
        },
      ),
      { numRuns: 200 },
    );
  });
});
