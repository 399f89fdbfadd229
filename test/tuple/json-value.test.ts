import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cellToJson, rowToJson } from '../../src/tuple/json-value.ts';
import { COLUMN_TYPES, type ColumnType, type Schema } from '../../src/tuple/schema.ts';
import { fitsModel } from '../support/type-model.ts';
import { anyCells } from '../support/typed-cells.ts';

test('every cell becomes one line of valid JSON that still says the same', () => {
  fc.assert(
    fc.property(fc.constantFrom(...COLUMN_TYPES), anyCells, (type, cell) => {
      const json = cellToJson(type, cell);
      expect(json).not.toMatch(/[\r\n]/);
      const value: unknown = JSON.parse(json);
      if (type === 'json' && fitsModel('json', cell)) expect(value).toEqual(JSON.parse(cell));
      else if (typeof value === 'string') expect(value).toBe(cell);
      else expect(json).toBe(cell);
    }),
    { numRuns: 2000 },
  );
});

test.each<[ColumnType, string | null, string]>([
  ['integer', null, 'null'],
  ['integer', '9223372036854775807', '9223372036854775807'],
  ['integer', '007', '"007"'],
  ['decimal', '123456789012345678901234567890.10', '123456789012345678901234567890.10'],
  ['decimal', '1e5', '"1e5"'],
  ['float', '1e5', '1e5'],
  ['float', 'NaN', '"NaN"'],
  ['float', '-Infinity', '"-Infinity"'],
  ['boolean', 'true', 'true'],
  ['boolean', 'yes', '"yes"'],
  ['date', '2024-01-01', '"2024-01-01"'],
  ['text', '5', '"5"'],
  ['text', '', '""'],
  ['json', '{"a": 1.0}', '{"a": 1.0}'],
  ['json', '{\r\n  "a": [\n1]}\n', '{ "a": [ 1]}'],
  ['json', '"x\\n"', '"x\\n"'],
  ['json', '{broken', '"{broken"'],
])('%s %s is %s', (type, cell, json) => {
  expect(cellToJson(type, cell)).toBe(json);
});

test('a row is an object in schema order, or of the columns asked for', () => {
  const schema: Schema = {
    columns: [
      { name: 'id', type: 'integer' },
      { name: 'a "name"', type: 'text' },
      { name: '__proto__', type: 'boolean' },
    ],
    key: [0],
  };
  const row = ['1', null, 'true'];
  expect(rowToJson(schema, row)).toBe('{"id":1,"a \\"name\\"":null,"__proto__":true}');
  expect(rowToJson(schema, row, [2, 0])).toBe('{"__proto__":true,"id":1}');
});
