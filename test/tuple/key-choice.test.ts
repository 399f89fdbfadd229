import { expect, test } from 'vitest';
import { keyCandidates, UniqueSample } from '../../src/tuple/key-choice.ts';
import { batchOf } from '../support/row-batches.ts';

test.each<[string, string[], string[]]>([
  [
    't.csv',
    ['name', 'code', 'uuid', 'key', 't_id', 'id'],
    ['id', 't_id', 'key', 'uuid', 'code', 'name'],
  ],
  ['data/cities.csv', ['x', 'City_ID'], ['City_ID', 'x']],
  ['data/cities.csv.gz', ['x', 'cities_id'], ['cities_id', 'x']],
  ['users', ['email', 'user_id'], ['user_id', 'email']],
  ['t.csv', ['ID', 'x'], ['ID']],
  ['t.csv', ['a', 'b'], ['a']],
  ['t.csv', [], []],
])('candidates of %s %j', (table, columns, candidates) => {
  expect(keyCandidates(table, columns).map((i) => columns[i])).toEqual(candidates);
});

test('a sample drops candidates with nulls or repeated values, and says where', () => {
  const sample = new UniqueSample([2, 0, 1, 3]);
  sample.observe(
    batchOf([
      ['1', 'a', 'x', ''],
      ['2', 'b', null, ' '],
    ]),
  );
  sample.observe(batchOf([['3', 'a', 'z', 'é']], 'joined', 3));
  expect(sample.survivors()).toEqual([0, 3]);
  expect(sample.objections).toEqual([
    { column: 2, line: 2, kind: 'null' },
    { column: 1, line: 3, kind: 'duplicate' },
  ]);
  expect(sample.full).toBe(false);
});

test('a sample ends: what comes later is not looked at', () => {
  const rows = Array.from({ length: 20_000 }, (_, i) => [String(i)]);
  const sample = new UniqueSample([0]);
  sample.observe(batchOf(rows));
  expect(sample.full).toBe(true);
  sample.observe(batchOf(rows));
  expect(sample.survivors()).toEqual([0]);
});
