import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DvError } from '../../src/errors.ts';
import { type Entries, EntryChecker } from '../../src/tuple/check-entry.ts';
import { decodeKey, encodeKey } from '../../src/tuple/key-codec.ts';
import { decodeRow } from '../../src/tuple/row-codec.ts';
import { encodeRow } from '../../src/tuple/row-encoder.ts';
import { COLUMN_TYPES, type ColumnType, type Row, type Schema } from '../../src/tuple/schema.ts';
import { BlobMap } from '../support/blob-map.ts';
import { nullableTexts } from '../support/row-batches.ts';
import { cellsOf } from '../support/typed-cells.ts';

interface Entry {
  readonly key: Buffer;
  readonly value: Buffer;
}

function together(entries: readonly Entry[]): Entries {
  const ends = (parts: readonly Buffer[], from: number): Uint32Array => {
    let at = from;
    return Uint32Array.from([at, ...parts.map(({ length }) => (at += length))]);
  };
  const [keys, values] = [entries.map(({ key }) => key), entries.map(({ value }) => value)];
  // as in a leaf, something that is no text lies before the values
  const before = Buffer.of(0xff, 0xc3);
  return {
    count: entries.length,
    bytes: Buffer.concat([before, ...values]),
    values: ends(values, before.length),
    keyRanges: { bytes: Buffer.concat(keys), offsets: ends(keys, 0) },
  };
}

/** Decoding one entry strictly and encoding the row again gives the same bytes. */
function isSound(schema: Schema, { key, value }: Entry): boolean {
  try {
    const types = schema.key.map((column) => schema.columns[column].type);
    const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
    if (value[0] !== 0) return false; // rows of the test have no cell out of line
    for (const cell of rawCells(value)) strict.decode(cell);
    const row = decodeRow(schema, key, value) as Row;
    if (!encodeKey(decodeKey(key, types), types).equals(key)) return false;
    return encodeRow(schema, row, new BlobMap().store).value.equals(value);
  } catch (error) {
    if (error instanceof DvError || error instanceof TypeError) return false;
    throw error;
  }
}

/** The inline cells of a tuple, naively. */
function rawCells(value: Buffer): Buffer[] {
  const cells: Buffer[] = [];
  for (let at = 1; at < value.length; ) {
    let mark = 0;
    for (let shift = 1; ; shift *= 128) {
      const byte = value[at++] ?? 0;
      mark += (byte & 0x7f) * shift;
      if (byte < 0x80) break;
    }
    if (mark < 2) continue;
    cells.push(value.subarray(at, at + mark - 2));
    at += mark - 2;
  }
  return cells;
}

/** Around the sizes where a mark takes another byte, with sequences of several bytes. */
const longTexts = fc
  .tuple(fc.integer({ min: 60, max: 70 }), fc.constantFrom('', 'x', 'ü', '€'))
  .map(([size, tail]) => 'é'.repeat(size) + tail);
const cells = fc.oneof(
  { weight: 4, arbitrary: nullableTexts },
  { weight: 1, arbitrary: longTexts },
);

const tables = fc
  .array(fc.constantFrom<ColumnType>(...COLUMN_TYPES), { minLength: 1, maxLength: 3 })
  .chain((types) => {
    const columns = [...types, 'text', 'text', 'text'].map((type, i) => ({
      name: `c${i}`,
      type: type as ColumnType,
    }));
    const schema: Schema = { columns, key: types.map((_, i) => i) };
    const row = fc.tuple(...types.map((type) => cellsOf[type]), cells, cells, cells);
    return fc.tuple(fc.constant(schema), fc.array(row, { minLength: 1, maxLength: 5 }));
  });

const changes = fc.array(
  fc.record({
    entry: fc.nat(),
    inKey: fc.boolean(),
    place: fc.nat(),
    byte: fc.oneof(fc.nat(255), fc.constantFrom(0, 1, 2, 0x80, 0x82, 0xc3, 0xa9, 0xff)),
    kind: fc.constantFrom('cut', 'append', 'set'),
  }),
  { maxLength: 2 },
);

describe('the entries of a leaf, checked together', () => {
  test('are refused exactly when one of them is not what encoding gives', () => {
    const seen = { sound: 0, refused: 0 };
    fc.assert(
      fc.property(tables, changes, ([schema, rows], mutations) => {
        const blobs = new BlobMap();
        const entries: Entry[] = rows.flatMap((row) => {
          try {
            const { key, value } = encodeRow(schema, row as Row, blobs.store);
            return [{ key: Buffer.from(key), value: Buffer.from(value) }];
          } catch (error) {
            if (error instanceof DvError) return []; // near misses of a type
            throw error;
          }
        });
        for (const { entry, inKey, place, byte, kind } of mutations) {
          if (entries.length === 0) continue;
          const i = entry % entries.length;
          const name = inKey ? 'key' : 'value';
          const old = entries[i][name];
          const at = place % Math.max(1, old.length);
          const changed =
            kind === 'cut'
              ? old.subarray(0, at)
              : Buffer.concat(
                  kind === 'append'
                    ? [old, Buffer.of(byte)]
                    : [old.subarray(0, at), Buffer.of(byte), old.subarray(at + 1)],
                );
          entries[i] = { ...entries[i], [name]: changed };
        }
        // what is out of line or keyless is held to its rules in row-codec and keyless
        if (entries.some(({ value }) => value.length > 0 && value[0] !== 0)) return;
        const expected = entries.every((entry) => isSound(schema, entry));
        let isAccepted = true;
        try {
          new EntryChecker(schema).check(together(entries));
        } catch (error) {
          expect(error).toBeInstanceOf(DvError);
          isAccepted = false;
        }
        expect(isAccepted).toBe(expected);
        seen[expected ? 'sound' : 'refused'] += 1;
      }),
      { numRuns: 4000 },
    );
    expect(Math.min(seen.sound, seen.refused)).toBeGreaterThan(200);
  });

  const schema: Schema = {
    columns: ['k', 'a', 'b'].map((name) => ({ name, type: 'text' })),
    key: [0],
  };
  const entry = (key: string, value: string): Entry => ({
    key: Buffer.from(key, 'hex'),
    value: Buffer.from(value, 'hex'),
  });

  test.each([
    ['in two cells of a row', [entry('61', '0003c303a9')]],
    ['in two rows', [entry('61', '0003c3'), entry('62', '00a9')]],
    ['in two keys', [entry('61c3', '00'), entry('a962', '00')]],
    ['before the values, and in the first', [entry('61', 'a9')]],
  ])('one sequence %s is no text', (_, entries) => {
    expect(() => new EntryChecker(schema).check(together(entries))).toThrow(DvError);
  });

  test('what one leaf was refused for does not count against the next', () => {
    const checker = new EntryChecker(schema);
    expect(() => checker.check(together([entry('ff', '00')]))).toThrow(/UTF-8/);
    const broken = [entry('ff', '00'), { key: Buffer.alloc(9000, 0x61), value: Buffer.of(0) }];
    expect(() => checker.check(together(broken))).toThrow(DvError);
    expect(() => checker.check(together([entry('61', '00')]))).not.toThrow();
  });
});
