/** The statements are run: from-table plus diff must be the to-table. */
import Database from 'better-sqlite3';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { renderDiffSql } from '../../src/cli/render/diff-sql.ts';
import type { TableDiff } from '../../src/model/change.ts';
import type { Schema } from '../../src/tuple/schema.ts';
import { fixtureNames, readFixture } from '../support/diff-fixtures.ts';
import { tablePairs } from '../support/table-arbitrary.ts';
import { schema, slowDiff, tableDiff, textOf, type WholeTable } from '../support/table-diffs.ts';

const sqlOf = (...diffs: TableDiff[]) =>
  textOf(renderDiffSql(diffs, { tableName: (name) => name }));

async function open(...tables: (WholeTable | null)[]): Promise<Database.Database> {
  const database = new Database(':memory:');
  for (const table of tables) database.exec(await sqlOf(slowDiff('t', null, table)));
  return database;
}

/** Cells as SQL shows them, so that 1, 1.0 and '1' differ; columns by name, rows in any order. */
function rowsOf(database: Database.Database, { columns }: Schema): string[] {
  const cells = columns
    .map(({ name }) => name)
    .sort()
    .map((name) => `quote("${name.replaceAll('"', '""')}")`);
  const rows = database
    .prepare(`SELECT ${cells.join(', ')} FROM "t"`)
    .raw()
    .all();
  return rows.map((row) => JSON.stringify(row)).sort();
}

async function expectEqual(from: WholeTable, to: WholeTable): Promise<void> {
  const expected = await open(to);
  const actual = await open(from);
  actual.exec(await sqlOf(slowDiff('t', from, to)));
  expect(rowsOf(actual, to.schema)).toEqual(rowsOf(expected, to.schema));
  const names = (database: Database.Database) =>
    (database.pragma('table_info("t")') as { name: string; type: string; pk: number }[])
      .map(({ name, type, pk }) => `${name} ${type} ${pk}`)
      .sort();
  expect(names(actual)).toEqual(names(expected));
}

describe('a diff as SQL', () => {
  it('turns the from-table into the to-table', async () => {
    await fc.assert(
      fc.asyncProperty(tablePairs({ rekey: true }), async ({ from, to }) => {
        // Keys that differ only beyond what SQLite's numbers hold are one key to it.
        for (const table of [from, to]) fc.pre(await fitsSqlite(table));
        await expectEqual(from, to);
      }),
      { numRuns: 200 },
    );
  });

  it('changes types where SQLite cannot alter them', async () => {
    const from = schema('id:integer zip:integer open:boolean', 'id');
    const to = schema('id:integer open zip name', 'id');
    await expectEqual(
      {
        schema: from,
        rows: [
          ['1', '8001', 'true'],
          ['2', '8002', 'false'],
          ['3', '8003', null],
        ],
      },
      {
        schema: to,
        rows: [
          ['1', 'true', '8001', null],
          ['2', 'false', '08002', 'x'],
        ],
      },
    );
  });

  it('gives and takes keys', async () => {
    const columns = 'id:integer year:integer total';
    const rows = [
      ['1', '2025', 'a'],
      ['2', '2025', null],
    ];
    const tables = ['', 'id', 'id year', 'year id'].map((key) => ({
      schema: schema(columns, key),
      rows,
    }));
    for (const from of tables) for (const to of tables) await expectEqual(from, to);
  });

  it('holds neither key while rows go from one to the other', async () => {
    const rows = (...list: string[]) => list.map((row) => row.split(' '));
    const columns = 'id:integer year:integer total';
    await expectEqual(
      { schema: schema(columns, 'id'), rows: rows('1 2025 a', '2 2025 b') },
      { schema: schema(columns, 'id year'), rows: rows('1 2025 a', '1 2026 c', '2 2025 b') },
    );
  });

  it('takes away the row that was there, not a new one like it', async () => {
    const from = { schema: schema('a b'), rows: [['x', 'y']] };
    const to = { schema: schema('a b c'), rows: [['x', 'y', 'new']] };
    const database = await open(from);
    const diff = tableDiff('t', from.schema, to.schema, [
      [null, to.rows[0]],
      [from.rows[0], null],
    ]);
    database.exec(await sqlOf(diff));
    expect(rowsOf(database, to.schema)).toEqual(rowsOf(await open(to), to.schema));
  });

  it('keeps one of two equal rows without a key', async () => {
    const keyless = schema('rowid note');
    const row = ['1', null];
    await expectEqual(
      { schema: keyless, rows: [row, row, ['2', 'x']] },
      { schema: keyless, rows: [row] },
    );
  });

  it('removes a table', async () => {
    const table = { schema: schema('a'), rows: [['x']] };
    const database = await open(table);
    database.exec(await sqlOf(slowDiff('t', table, null)));
    expect(database.prepare('SELECT count(*) FROM sqlite_master').pluck().get()).toBe(0);
  });

  it('says nothing about nothing', async () => {
    const table = { schema: schema('a'), rows: [['x']] };
    expect(await sqlOf(slowDiff('t', table, table))).toBe('');
  });

  it('holds no raw control character in a value', async () => {
    const table = { schema: schema('a'), rows: [['\u001b[31m\u0000\u009b\u202e']] };
    for (const dialect of ['sqlite', 'postgres'] as const) {
      const sql = await textOf(renderDiffSql([slowDiff('t', null, table)], { dialect }));
      expect(sql).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202e]/);
    }
  });

  it.each([
    ['data/cities.csv', '"cities"'],
    ['cities.csv.gz', '"cities"'],
    ['cities', '"cities"'],
    ['a.b/cities.v2.csv', '"cities.v2"'],
    ['.csv', '".csv"'],
  ])('names the table of %j %s', async (table, expected) => {
    const sql = await textOf(renderDiffSql([{ ...readFixture('cities')[0], table }]));
    expect(/UPDATE ("[^"]*")/.exec(sql)?.[1]).toBe(expected);
  });

  it.each(fixtureNames)('has a syntax that SQLite accepts: %s', async (name) => {
    for (const diff of readFixture(name)) {
      const database = new Database(':memory:');
      const empty = diff.from === null ? null : { schema: diff.from, rows: [] };
      database.exec(
        await textOf(renderDiffSql([slowDiff(diff.table, null, empty)].filter(() => empty))),
      );
      database.exec(await textOf(renderDiffSql([diff])));
    }
  });
});

async function fitsSqlite(table: WholeTable): Promise<boolean> {
  try {
    await open(table);
    return true;
  } catch (error) {
    if (String(error).includes('UNIQUE')) return false;
    throw error;
  }
}
