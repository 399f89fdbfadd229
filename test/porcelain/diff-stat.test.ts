import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { renderDiffStat, renderDiffSummary } from '../../src/cli/render/diff-stat.ts';
import { pairColumns } from '../../src/model/diff-columns.ts';
import { statTable } from '../../src/porcelain/diff-stat.ts';
import { tablePairs } from '../support/table-arbitrary.ts';
import { cellsByName, collect, schema, slowDiff, tableDiff } from '../support/table-diffs.ts';

const CITIES = schema('id:integer name population:integer', 'id');

describe('the figures of a diff', () => {
  it('are as documented', async () => {
    const diff = tableDiff('cities.csv', CITIES, CITIES, [
      [
        ['1', 'Zürich', '415367'],
        ['1', 'Zurich', '421878'],
      ],
      [
        ['2', 'Genf', null],
        ['2', 'Genève', null],
      ],
      [null, ['12', 'Bern', '133883']],
    ]);
    expect(JSON.stringify({ tables: [await statTable(diff)] })).toBe(
      '{"tables":[{"table":"cities.csv","added":1,"removed":0,"modified":2,"cells":3,"columns":{"name":2,"population":1},"schema":[]}]}',
    );
  });

  it('count cells of the columns that both sides have', async () => {
    await fc.assert(
      fc.asyncProperty(tablePairs({ retype: true }), async ({ from, to }) => {
        const names = from.schema.columns.map(({ name }) => name);
        const common = to.schema.columns.map(({ name }) => name).filter((n) => names.includes(n));
        const expected = new Map<string, number>();
        let modified = 0;
        for (const change of (await collect(slowDiff('t', from, to).changes())).flat()) {
          if (change.change !== 'modified') continue;
          const before = cellsByName(from.schema, change.from);
          const after = cellsByName(to.schema, change.to);
          const changed = common.filter((name) => before.get(name) !== after.get(name));
          for (const name of changed) expected.set(name, (expected.get(name) ?? 0) + 1);
          if (changed.length > 0) modified += 1;
        }
        const stat = await statTable(slowDiff('t', from, to));
        expect(stat.modified).toBe(modified);
        expect(new Map(Object.entries(stat.columns))).toEqual(expected);
        expect(stat.cells).toBe([...expected.values()].reduce((a, b) => a + b, 0));
      }),
    );
  });
});

describe('columns of both sides', () => {
  it('stand in the order of the to-side, removed ones where they were', () => {
    const names = (from: string, to: string) =>
      pairColumns(schema(from), schema(to))
        .map(({ name }) => name)
        .join(' ');
    expect(names('a b c', 'a c')).toBe('a b c');
    expect(names('x a b', 'b a')).toBe('x b a');
    expect(names('a b y z', 'b a n')).toBe('b y z a n');
    expect(names('a', 'b')).toBe('a b');
  });
});

describe('the figures as text', () => {
  const none = { added: 0, removed: 0, modified: 0, cells: 0, columns: {}, schema: [] };
  const stats = [
    { ...none, table: 'cities.csv', added: 1, modified: 2, cells: 3 },
    {
      ...none,
      table: 'a/long/path/to/a/table/that/nobody/could/ever/remember.csv',
      removed: 12_000,
    },
    { ...none, table: '都市.csv' },
  ];

  it('line up, in proportion, within the width', () => {
    expect(renderDiffStat(stats, { width: 90 })).toBe(
      [
        ' cities.csv                               | 1 added, 2 modified (3 cells) | +~',
        ' a/long/path/t…dy/could/ever/remember.csv | 12,000 removed                | --------------',
        ' 都市.csv                                 | no rows changed',
        ' 3 tables changed: 1 added, 12,000 removed, 2 modified (3 cells)',
        '',
      ].join('\n'),
    );
  });

  it('fit on one line in sum', () => {
    expect(renderDiffSummary(stats.slice(0, 1))).toBe(
      ' 1 table changed: 1 added, 2 modified (3 cells)\n',
    );
    expect(renderDiffSummary([])).toBe(' no tables changed\n');
    expect(renderDiffStat([])).toBe('');
  });
});
