import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  dayNumber,
  instantNanos,
  instantSeconds,
  NO_DAY,
  parseInstant,
} from '../../src/tuple/calendar.ts';
import {
  checkType,
  fits,
  joinTypes,
  misfitReason,
  narrowestType,
} from '../../src/tuple/cell-type.ts';
import { isJson } from '../../src/tuple/json-scan.ts';
import { COLUMN_TYPES } from '../../src/tuple/schema.ts';
import { fitsModel } from '../support/type-model.ts';
import { anyCells, cellsOf, instantOf } from '../support/typed-cells.ts';

function narrowest(text: string) {
  // Among other bytes, as in a batch: the test must not look past the cell.
  const bytes = Buffer.from(`-1${text}0.5e9`);
  return narrowestType(bytes, 2, 2 + Buffer.byteLength(text));
}

describe('types', () => {
  test.each(COLUMN_TYPES)('%s takes its cells and what the model takes', (type) => {
    fc.assert(fc.property(cellsOf[type], (cell) => fits(type, cell)));
    fc.assert(
      fc.property(anyCells, (cell) => {
        expect(fits(type, cell)).toBe(fitsModel(type, cell));
      }),
      { numRuns: 2000 },
    );
  });

  test('the narrowest type of a cell takes it, and no narrower one does', () => {
    const order = ['boolean', 'integer', 'decimal', 'float', 'date', 'timestamp'] as const;
    fc.assert(
      fc.property(anyCells, (cell) => {
        const container = /^[[{]/.test(cell) && /[\]}]$/.test(cell) && fitsModel('json', cell);
        const model = order.find((type) => fitsModel(type, cell)) ?? (container ? 'json' : 'text');
        expect(narrowest(cell)).toBe(model);
      }),
      { numRuns: 3000 },
    );
  });

  test('joining is a join: commutative, associative, idempotent, and accepts both', () => {
    const types = fc.constantFrom(...COLUMN_TYPES);
    fc.assert(
      fc.property(types, types, types, (a, b, c) => {
        expect(joinTypes(a, a)).toBe(a);
        expect(joinTypes(a, b)).toBe(joinTypes(b, a));
        expect(joinTypes(joinTypes(a, b), c)).toBe(joinTypes(a, joinTypes(b, c)));
      }),
    );
    const two = fc.tuple(types, types).chain(([a, b]) => fc.tuple(fc.constant([a, b]), cellsOf[a]));
    fc.assert(
      fc.property(two, ([[a, b], cell]) => {
        expect(fits(joinTypes(a, b), cell)).toBe(true);
      }),
    );
  });

  test.each([
    ['integer', '007', 'has a leading zero'],
    ['integer', '+5', 'has a plus sign'],
    ['integer', '9223372036854775808', 'is beyond 64 bits'],
    ['decimal', '', 'is empty'],
    ['float', ' 1', 'has white space around it'],
    ['date', '2023-02-29', 'is a day that does not exist'],
    ['boolean', 'TRUE', 'is not true or false'],
    ['timestamp', '2023-02-28T24:00', 'is not a date-time'],
  ] as const)('%s "%s" %s', (type, text, reason) => {
    expect(misfitReason(type, text)).toBe(reason);
    expect(() => checkType(type, text)).toThrow(`"${text}" ${reason}`);
  });
});

describe('calendar', () => {
  test('every day of years 0000 to 9999 has the number Date gives it', () => {
    const first = Date.UTC(2000, 0, 1) / 86_400_000 - 730_485;
    for (let day = first; day < first + 3_652_425; day += 97) {
      const text = new Date(day * 86_400_000).toISOString().slice(0, 10);
      expect(dayNumber(Buffer.from(text), 0)).toBe(day);
    }
    for (const text of ['2023-02-29', '1900-02-29', '2024-00-01', '2024-04-31', '2024-1-011']) {
      expect(dayNumber(Buffer.from(text), 0)).toBe(NO_DAY);
    }
  });

  test('instants are those that Date gives, with nanoseconds', () => {
    fc.assert(
      fc.property(cellsOf.timestamp, (text) => {
        const bytes = Buffer.from(text);
        expect(parseInstant(bytes, 0, bytes.length)).toBe(true);
        expect(BigInt(instantSeconds) * 1_000_000_000n + BigInt(instantNanos)).toBe(
          instantOf(text),
        );
      }),
      { numRuns: 1000 },
    );
  });
});

describe('JSON', () => {
  const spaced = fc
    .tuple(fc.constantFrom(' ', '\n', '\t '), fc.json())
    .map((parts) => parts.join(''));
  const texts = fc.oneof(
    fc.json(),
    spaced,
    fc.string({ unit: fc.constantFrom(...'{}[],:"\\u0a1e-+. tn'), maxLength: 12 }),
    fc.constantFrom(
      '"\\ud800"',
      '"\u0001"',
      '1.',
      '-',
      '01',
      '1e',
      '[1,]',
      '{"a":1,}',
      'nul',
      'true ',
    ),
  );

  test('is what JSON.parse takes, also after a change of one character', () => {
    const changed = fc
      .tuple(texts, fc.nat(), fc.constantFrom('', '"', '{', ']', ',', '\\', '0', 'e', ' ', '\n'))
      .map(([text, place, by]) => {
        const at = place % (text.length + 1);
        return text.slice(0, at) + by + text.slice(at + 1);
      });
    fc.assert(
      fc.property(fc.oneof(texts, changed), (text) => {
        const bytes = Buffer.from(`[${text}]`);
        expect(isJson(bytes, 1, bytes.length - 1)).toBe(fitsModel('json', text));
      }),
      { numRuns: 5000 },
    );
  });

  test('may be nested deep', () => {
    const deep = Buffer.from('['.repeat(100_000) + ']'.repeat(100_000));
    expect(isJson(deep, 0, deep.length)).toBe(true);
    expect(isJson(deep, 1, deep.length)).toBe(false);
  });
});
