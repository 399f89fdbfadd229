import Database from 'better-sqlite3';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DvError } from '../../src/errors.ts';
import { type ConditionColumn, compileCondition } from '../../src/store/sqlite-condition.ts';

const columns: ConditionColumn[] = [
  { name: 'id', type: 'integer' },
  { name: 'name', type: 'text' },
  { name: 'active', type: 'boolean' },
  { name: 'a "b" [c] `d`', type: 'decimal' },
  { name: 'zip', type: 'text' },
  { name: 'größe', type: 'float' },
  { name: 'select', type: 'date' },
  { name: 'info', type: 'json' },
];
const row = ['9007199254740993', 'Paris', 'true', '1.50', '007', '2e3', '2024-02-29', '{"a":[1]}'];

function holds(sql: string, cells: readonly (string | null)[] = row): boolean {
  const condition = compileCondition(sql, columns);
  try {
    return condition.test(cells);
  } finally {
    condition.close();
    condition.close();
  }
}

describe('a condition', () => {
  test.each([
    'id = 9007199254740993',
    "id = '9007199254740993'",
    'ID % 2 = 1 AND "Id" > 0 AND [id] AND `id`',
    "name LIKE 'p%' -- a comment; it ends here",
    "name = 'Paris' /* )) */",
    '"a ""b"" [c] `d`" * 2 = 3',
    "zip = '007' AND zip <> 7",
    "größe = 2000 AND typeof(größe) = 'real'",
    `date("select", '+1 day') = '2024-03-01'`,
    "info ->> '$.a[0]' = 1",
    'active',
    'active = TRUE',
    'active = 1',
    "active = 'true'",
    "active <> 'false'",
    "active IS NOT 'false'",
    "'true' == Active",
    "'true' IS NOT NULL AND 'false' IS NOT \"active\"",
    "active IN ('false', 'x', 'true')",
    "active not in ('x', 'false')",
    "name != 'true'",
    '1',
  ])('%s holds', (sql) => {
    expect(holds(sql)).toBe(true);
  });

  test.each([
    'id = 9007199254740992',
    'NOT active',
    "active = 'false'",
    'NULL',
    'NULL = NULL',
    "name = 'active = ''true'''",
    '0.0',
  ])('%s does not hold', (sql) => {
    expect(holds(sql)).toBe(false);
  });

  test('takes null as NULL, and what is not of its type too', () => {
    const nulls = columns.map(() => null);
    expect(holds('id IS NULL AND name IS NULL AND active IS NULL AND größe IS NULL', nulls)).toBe(
      true,
    );
    const strange = ['007x', 'x', 'yes', 'abc', '', 'NaN', '', ''];
    expect(holds('id IS NULL AND active IS NULL AND größe IS NULL', strange)).toBe(true);
    expect(holds('id IS NULL', ['9223372036854775808'])).toBe(true);
    expect(holds('id = -9223372036854775808', ['-9223372036854775808'])).toBe(true);
  });

  test.each([
    ['nosuch = 1', /no such column: nosuch/],
    ['"Paris" = name', /no such column: "Paris"/],
    ['', /syntax error/],
    ['id = 1;', /syntax error/],
    ['1; DELETE FROM x', /syntax error/],
    ['1) FROM (SELECT 1) WHERE (1', /syntax error/],
    ['1) OR (1', /syntax error/],
    ['1 THEN 1 END, CASE WHEN 1', /syntax error/],
    ['id = ? OR id = :x', /parameters/],
    ['id /* ', /incomplete|syntax/],
    ["name = 'Paris", /unrecognized token/],
    ['id, name', /syntax|misused/],
  ])('%j is refused', (sql, message) => {
    const compile = () => compileCondition(sql, columns);
    expect(compile).toThrow(DvError);
    expect(compile).toThrow(message);
  });

  test('says which columns there are', () => {
    let refused: unknown;
    try {
      compileCondition('nosuch', columns.slice(0, 3));
    } catch (error) {
      refused = error;
    }
    expect(refused).toMatchObject({
      code: 'bad-condition',
      message: 'the condition "nosuch" is not valid: no such column: nosuch',
      hint: 'the columns are: id, name, active',
    });
  });

  test('that fails for the data of a row is refused then', () => {
    expect(() => holds("name ->> '$.a'")).toThrow(/malformed JSON/);
  });

  test('looks only at the columns it names, of ever so many', () => {
    const many = Array.from({ length: 5000 }, (_, i) => ({ name: `c${i}`, type: 'integer' }));
    const condition = compileCondition('c4999 > c17', many);
    expect(condition.columns).toEqual([17, 4999]);
    expect(condition.test(many.map((_, i) => String(i)))).toBe(true);
    condition.close();
  });

  test('tells columns apart that differ in case only, unless it names both', () => {
    const twins = ['a', 'A'].map((name) => ({ name, type: 'text' }));
    for (const [i, name] of ['a', 'A'].entries()) {
      const condition = compileCondition(`${name} = 'x'`, twins);
      expect(condition.columns).toEqual([i]);
      condition.close();
    }
    expect(() => compileCondition('a = A', twins)).toThrow(/upper and lower case/);
  });

  test('reaches a column of any name, by quoting it', () => {
    const name = fc.string({
      unit: fc.constantFrom('"', "'", '`', '[', ']', ' ', '-', '/', '*', 'a', 'é', '?', ';'),
      maxLength: 6,
    });
    fc.assert(
      fc.property(name, fc.constantFrom('"', '`'), (text, quote) => {
        const sql = `${quote}${text.replaceAll(quote, quote + quote)}${quote} = 'x'`;
        const condition = compileCondition(sql, [
          { name: 'other', type: 'text' },
          { name: text, type: 'text' },
        ]);
        expect(condition.columns).toEqual([1]);
        expect(condition.test([null, 'x'])).toBe(true);
        expect(condition.test([null, 'y'])).toBe(false);
        condition.close();
      }),
      { numRuns: 50 },
    );
  });

  test('agrees with a table of SQLite that has such columns', () => {
    const database = new Database(':memory:');
    database.exec('CREATE TABLE t (n INTEGER, r REAL, s TEXT)');
    const insert = database.prepare<[string | null, string | null, string | null]>(
      'INSERT INTO t VALUES (?, ?, ?)',
    );
    const typed = [
      { name: 'n', type: 'integer' },
      { name: 'r', type: 'float' },
      { name: 's', type: 'text' },
    ];
    const operand = fc.constantFrom('n', 'r', 's', '1', "'1'", '1.0', "'x'", 'NULL', '-2', "'1.0'");
    const operator = fc.constantFrom('=', '<', '>=', '<>', 'IS', 'IS NOT', 'LIKE', '||', '+');
    const cells = fc.tuple(
      fc.option(fc.constantFrom('0', '1', '-2', '9007199254740993')),
      fc.option(fc.constantFrom('1.0', '1', '-2.5', '1e3')),
      fc.option(fc.constantFrom('', 'x', '1', '1.0', '-2')),
    );
    fc.assert(
      fc.property(operand, operator, operand, cells, (left, op, right, values) => {
        database.exec('DELETE FROM t');
        insert.run(...values);
        const sql = `${left} ${op} ${right}`;
        const matches = database.prepare(`SELECT 1 FROM t WHERE ${sql}`).all().length;
        const condition = compileCondition(sql, typed);
        expect([sql, condition.test(values)]).toEqual([sql, matches === 1]);
        condition.close();
      }),
      { numRuns: 500 },
    );
    database.close();
  });
});
