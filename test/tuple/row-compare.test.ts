import fc from 'fast-check';
import { expect, test } from 'vitest';
import { changedColumns, ValueComparer } from '../../src/tuple/row-compare.ts';
import { encodeRow } from '../../src/tuple/row-encoder.ts';
import type { Cell, Row, Schema } from '../../src/tuple/schema.ts';
import { BlobMap } from '../support/blob-map.ts';

const names = ['a', 'b', 'c', 'd'];
const schema: Schema = { columns: names.map((name) => ({ name, type: 'text' })), key: [1] };
const cell = fc.constantFrom<Cell>(null, '', 'x', 'xy', 'x'.repeat(20_000), 'y'.repeat(20_000));
const rows = fc.tuple(cell, fc.constant('k'), cell, cell);

test('changed columns are those common by name whose cells differ', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.constantFrom(...names), { minLength: 1 }),
      fc.uniqueArray(fc.constantFrom(...names), { minLength: 1 }),
      rows,
      rows,
      (fromNames, toNames, a, b) => {
        const from = {
          columns: fromNames.map((name) => ({ name, type: 'text' as const })),
          key: [],
        };
        const to = {
          columns: toNames.map((name) => ({ name, type: 'integer' as const })),
          key: [],
        };
        const cells = (row: Row, of: string[]) => of.map((name) => row[names.indexOf(name)]);
        const expected = toNames.filter((name) => {
          return fromNames.includes(name) && a[names.indexOf(name)] !== b[names.indexOf(name)];
        });
        expect(changedColumns(from, to, cells(a, fromNames), cells(b, toNames))).toEqual(expected);
        expect(changedColumns(from, from, cells(a, fromNames), cells(a, fromNames))).toEqual([]);
      },
    ),
  );
});

test('values compare on bytes as their rows do', () => {
  const blobs = new BlobMap();
  fc.assert(
    fc.property(rows, rows, fc.subarray([0, 1, 2, 3]), (a, b, chosen) => {
      const [left, right] = [a, b].map((row) => encodeRow(schema, row, blobs.store).value);
      const expected = chosen.some((column) => a[column] !== b[column]);
      expect(new ValueComparer(schema, chosen).differ(left, right)).toBe(expected);
    }),
    { numRuns: 500 },
  );
});

test('where a whole tuple is out of line the answer may be yes too often, never no', () => {
  const wide: Schema = {
    columns: Array.from({ length: 6 }, (_, i) => ({ name: `c${i}`, type: 'text' })),
    key: [0],
  };
  const wideValue = (second: string, rest: number) => {
    const row = ['k', second, ...Array.from({ length: 4 }, () => 'z'.repeat(rest))];
    return encodeRow(wide, row, new BlobMap().store).value;
  };
  const comparer = new ValueComparer(wide, [1]);
  expect(comparer.differ(wideValue('a', 16_380), wideValue('b', 16_380))).toBe(true);
  expect(comparer.differ(wideValue('x'.repeat(100), 16_384), wideValue('b', 1))).toBe(true);
  expect(comparer.differ(wideValue('a', 16_384), wideValue('a', 16_384))).toBe(false);
});
