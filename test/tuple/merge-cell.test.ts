/** Laws of the rules that decide a cell: both sides alike, exactly, in any order of merges. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type CellSides, mergeCell } from '../../src/tuple/merge-cell.ts';
import {
  type Cell,
  COLUMN_RULES,
  COLUMN_TYPES,
  type ColumnRule,
  type ColumnType,
} from '../../src/tuple/schema.ts';
import { anyCells, cellsOf, compareCells } from '../support/typed-cells.ts';

const SIDED: readonly ColumnRule[] = ['ours', 'theirs'];
const FAIR = COLUMN_RULES.filter((rule) => !SIDED.includes(rule));

const merge = (rule: ColumnRule, type: ColumnType, base: Cell, ours: Cell, theirs: Cell) =>
  mergeCell(rule, type, { base, ours, theirs });

/** The cell, where there is one. */
function decided(rule: ColumnRule, type: ColumnType, sides: CellSides): Cell | undefined {
  const merged = mergeCell(rule, type, sides);
  return typeof merged === 'string' ? undefined : merged.cell;
}

const types = fc.constantFrom(...COLUMN_TYPES);
const anyCell = fc.option(anyCells, { freq: 8 });
const typedSides = types.chain((type) => {
  const cell = fc.option(fc.oneof({ weight: 5, arbitrary: cellsOf[type] }, anyCells), { freq: 8 });
  return fc.record({ type: fc.constant(type), base: cell, ours: cell, theirs: cell, other: cell });
});

test('swapping the sides changes nothing, except for ours and theirs', () => {
  fc.assert(
    fc.property(typedSides, fc.constantFrom(...FAIR), ({ type, base, ours, theirs }, rule) => {
      expect(merge(rule, type, base, theirs, ours)).toEqual(merge(rule, type, base, ours, theirs));
    }),
  );
});

test('ours, theirs, latest and conflict say which', () => {
  fc.assert(
    fc.property(types, anyCell, anyCell, anyCell, (type, base, ours, theirs) => {
      expect(merge('ours', type, base, ours, theirs)).toEqual({ cell: ours });
      expect(merge('theirs', type, base, ours, theirs)).toEqual({ cell: theirs });
      expect(merge('latest', type, base, ours, theirs)).toBe('latest');
      expect(merge('conflict', type, base, ours, theirs)).toBe('conflict');
    }),
  );
});

describe('max and min', () => {
  test.each(COLUMN_TYPES)('%s: by value, then by text; null loses', (type) => {
    const cell = fc.option(cellsOf[type], { freq: 8 });
    fc.assert(
      fc.property(cell, cell, cell, (base, ours, theirs) => {
        const sorted = [ours, theirs]
          .filter((text): text is string => text !== null)
          .sort((a, b) => compareCells(type, a, b));
        const [least = null] = sorted;
        expect(merge('min', type, base, ours, theirs)).toEqual({ cell: least });
        expect(merge('max', type, base, ours, theirs)).toEqual({ cell: sorted.at(-1) ?? null });
      }),
    );
  });

  test('a chain of merges may be made in any order', () => {
    fc.assert(
      fc.property(typedSides, fc.constantFrom('max', 'min'), (sides, rule) => {
        const { type, base, ours, theirs, other } = sides;
        const then = (a: Cell | undefined, b: Cell | undefined) =>
          a === undefined || b === undefined
            ? undefined
            : decided(rule as ColumnRule, type, { base, ours: a, theirs: b });
        expect(then(then(ours, theirs), other)).toBe(then(ours, then(theirs, other)));
      }),
    );
  });

  test('a cell that is not of the type has no order', () => {
    expect(merge('max', 'integer', '1', '2', '007')).toBe('conflict');
    expect(merge('min', 'date', null, '2026-02-30', null)).toBe('conflict');
  });
});

describe('sum', () => {
  const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });

  test('integers: both differences, or a conflict beyond 64 bits', () => {
    fc.assert(
      fc.property(int64, int64, int64, (base, ours, theirs) => {
        const sum = ours + theirs - base;
        const fits = BigInt.asIntN(64, sum) === sum;
        expect(merge('sum', 'integer', `${base}`, `${ours}`, `${theirs}`)).toEqual(
          fits ? { cell: `${sum}` } : 'conflict',
        );
      }),
    );
  });

  test('decimals: exact, with the most places of the three', () => {
    const cents = fc.tuple(fc.bigInt({ min: -(10n ** 40n), max: 10n ** 40n }), fc.nat(6));
    const written = ([digits, places]: [bigint, number]) => {
      const text = (digits < 0n ? -digits : digits).toString().padStart(places + 1, '0');
      const cut = text.length - places;
      const point = places === 0 ? text : `${text.slice(0, cut)}.${text.slice(cut)}`;
      return digits < 0n ? `-${point}` : point;
    };
    fc.assert(
      fc.property(cents, cents, cents, (base, ours, theirs) => {
        const places = Math.max(base[1], ours[1], theirs[1]);
        const scaled = ([digits, own]: [bigint, number]) => digits * 10n ** BigInt(places - own);
        const sum = scaled(ours) + scaled(theirs) - scaled(base);
        expect(merge('sum', 'decimal', written(base), written(ours), written(theirs))).toEqual({
          cell: written([sum, places]),
        });
      }),
    );
  });

  test('floats: exact where a double is, in one spelling', () => {
    const small = fc.integer({ min: -1_000_000, max: 1_000_000 }).map((n) => n / 64);
    fc.assert(
      fc.property(small, small, small, (base, ours, theirs) => {
        const text = (n: number) => (Object.is(n, -0) ? '0' : String(n));
        expect(merge('sum', 'float', text(base), text(ours), text(theirs))).toEqual({
          cell: text(ours + theirs - base),
        });
      }),
    );
  });

  test.each([
    ['float', '1e300', '2e300', '3.5E+300', '4.5e300'],
    ['float', '0.1', '0.2', '0.30', '0.4'],
    ['float', null, '1e5000', '2e5000', '3e5000'],
    ['float', '0', '1e-9', '-0', '1e-9'],
    ['float', '1', '1e-999999999', '2', undefined],
    ['float', '0', '1e999999999', '9e999999999', undefined],
    ['float', '1', 'NaN', '2', undefined],
    ['float', '1', '2', 'Infinity', undefined],
    ['integer', null, '2', '3', '5'],
    ['integer', '5', null, '7', '2'],
    ['integer', '5', '1.5', '7', undefined],
    ['decimal', '10.00', '10.50', '11', '11.50'],
    ['decimal', '1.00', '0.50', '0.50', '0.00'],
    ['text', '1', '2', '3', undefined],
    ['date', '2026-01-01', '2026-01-02', '2026-01-03', undefined],
  ] as const)('%s %s: %s and %s make %s', (type, base, ours, theirs, sum) => {
    const expected = sum === undefined ? 'conflict' : { cell: sum };
    expect(merge('sum', type, base, ours, theirs)).toEqual(expected);
  });
});

test('rules that a column cannot have are conflicts, whatever the cells are', () => {
  for (const type of COLUMN_TYPES.filter((one) => one !== 'json')) {
    expect(merge('union', type, '[]', '[1]', '[2]')).toBe('conflict');
    expect(merge('json', type, '{}', '{"a":1}', '{"b":1}')).toBe('conflict');
  }
  expect(merge('text', 'json', '"a b c"', '"x b c"', '"a b y"')).toBe('conflict');
});
