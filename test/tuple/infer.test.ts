import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fits, joinTypes } from '../../src/tuple/cell-type.ts';
import { TypeInference } from '../../src/tuple/infer.ts';
import type { Cell, ColumnType } from '../../src/tuple/schema.ts';
import { batchOf, layouts } from '../support/row-batches.ts';
import { fitsModel } from '../support/type-model.ts';
import { anyCells, cellsOf } from '../support/typed-cells.ts';

/** Columns that are mostly of one type, or near it. */
const columns: fc.Arbitrary<Cell[]> = fc
  .constantFrom(
    cellsOf.integer,
    cellsOf.decimal,
    cellsOf.date,
    cellsOf.timestamp,
    cellsOf.json,
    cellsOf.boolean,
    anyCells,
  )
  .chain((cells) =>
    fc.array(
      fc.option(fc.oneof({ weight: 9, arbitrary: cells }, { weight: 1, arbitrary: anyCells })),
      {
        maxLength: 8,
      },
    ),
  );

function infer(cells: readonly Cell[], initial?: ColumnType, fixed = false): TypeInference {
  const inference = new TypeInference(() => ({ initial, fixed }));
  if (cells.length > 0) inference.observe(batchOf(cells.map((cell) => [cell])));
  return inference;
}

/** undefined: no values. */
function typeOf(cells: readonly Cell[]): ColumnType | undefined {
  const [result] = infer(cells).result(1);
  return result.reason === 'no values' ? undefined : result.type;
}

/** The first type, narrowest first, whose every cell it is. */
function modelType(cells: readonly Cell[]): ColumnType {
  const values = cells.filter((cell) => cell !== null);
  if (values.length === 0) return 'text';
  const order = ['boolean', 'integer', 'decimal', 'float', 'date', 'timestamp'] as const;
  const containers = values.every((value) => /^[[{]/.test(value) && /[\]}]$/.test(value));
  return (
    order.find((type) => values.every((value) => fitsModel(type, value))) ??
    (containers && values.every((value) => fitsModel('json', value)) ? 'json' : 'text')
  );
}

describe('inference', () => {
  test('finds the narrowest type that takes every cell', () => {
    fc.assert(
      fc.property(columns, (cells) => {
        expect(infer(cells).result(1)[0].type).toBe(modelType(cells));
      }),
      { numRuns: 2000 },
    );
  });

  test('of A then B is the join of A and of B, in one batch or two', () => {
    fc.assert(
      fc.property(columns, columns, (a, b) => {
        const [x, y] = [typeOf(a), typeOf(b)];
        const join = x === undefined || y === undefined ? (x ?? y) : joinTypes(x, y);
        expect(typeOf([...a, ...b])).toBe(join);
        const apart = infer(a);
        if (b.length > 0)
          apart.observe(
            batchOf(
              b.map((cell) => [cell]),
              'joined',
              100,
            ),
          );
        expect(apart.result(1)[0].type).toBe(join ?? 'text');
      }),
      { numRuns: 1000 },
    );
  });

  test('sees each column by itself, however the batch is laid out', () => {
    fc.assert(
      fc.property(columns, columns, layouts, (a, b, layout) => {
        const rows = Array.from({ length: Math.min(a.length, b.length) }, (_, i) => [a[i], b[i]]);
        if (rows.length === 0) return;
        const inference = new TypeInference();
        inference.observe(batchOf(rows, layout));
        const expected = [0, 1].map((column) => modelType(rows.map((row) => row[column])));
        expect(inference.result().map(({ type }) => type)).toEqual(expected);
      }),
    );
  });

  test('a remembered type takes what fits and widens for what does not, saying for which cell', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...(Object.keys(cellsOf) as ColumnType[])),
        columns,
        (initial, cells) => {
          const inference = infer(cells, initial);
          const [{ type }] = inference.result(1);
          for (const cell of cells) expect(cell === null || fits(type, cell)).toBe(true);
          const misfit = cells.some((cell) => cell !== null && !fits(initial, cell));
          expect(type !== initial).toBe(misfit);
          const widenings = inference.widenings();
          expect(widenings).toHaveLength(misfit ? 1 : 0);
          for (const { from, to, line, value } of widenings) {
            expect([from, to]).toEqual([initial, type]);
            expect(cells[line - 1]).toBe(value);
            expect(fits(from, value)).toBe(false);
          }
        },
      ),
      { numRuns: 1000 },
    );
  });

  test('a given type stays, and its first misfit is told', () => {
    const inference = infer(['1', null, 'x', 'y'], 'integer', true);
    expect(inference.result()[0]).toMatchObject({ type: 'integer' });
    expect(inference.widenings()).toEqual([]);
    expect(inference.misfits()).toEqual([{ column: 0, type: 'integer', line: 3, value: 'x' }]);
    expect(infer(['1'], 'integer', true).misfits()).toEqual([]);
  });

  test('columns may appear later, and need no rows', () => {
    const inference = new TypeInference((column) => (column === 2 ? { initial: 'date' } : {}));
    inference.observe(batchOf([['1']]));
    inference.observe(batchOf([['2', 'true']]));
    expect(inference.result(3).map(({ type }) => type)).toEqual(['integer', 'boolean', 'date']);
  });

  test.each<[ColumnType, string, Cell[]]>([
    ['integer', '3 values, all whole numbers', ['1', null, '20', '-3']],
    ['decimal', '1 value, all decimal numbers', ['1.5']],
    ['text', "line 2: '007' has a leading zero", ['1', '007']],
    ['text', "line 2: 'Paris' is plain text", [null, 'Paris']],
    ['text', "line 3: 'x' is not a decimal number", ['1', '1.5', 'x']],
    ['text', "line 2: '2024-02-30' is a day that does not exist", ['2024-02-29', '2024-02-30']],
    ['text', 'no values', [null, null]],
    ['json', '2 values, all JSON', ['{}', '[1]']],
  ])('%s: %s', (type, reason, cells) => {
    expect(infer(cells).result()[0]).toMatchObject({ type, reason });
  });

  test('a thousand values are counted, a long cell is cut', () => {
    const numbers = Array.from({ length: 1000 }, (_, i) => String(i));
    expect(infer(numbers).result()[0].reason).toBe('1,000 values, all whole numbers');
    const [{ reason }] = infer(['1', 'x'.repeat(100)]).result();
    expect(reason).toBe(`line 2: '${'x'.repeat(40)}...' is not a whole number`);
    expect(infer(['1'], 'integer').result()[0].reason).toBe('remembered');
  });
});
