import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkEntry } from '../../src/tuple/check-entry.ts';
import { combineKeyless, keylessCount, withKeylessCount } from '../../src/tuple/keyless.ts';
import { RowBatchBuilder, rowsOf } from '../../src/tuple/row-batch-builder.ts';
import { decodeRow, readRow } from '../../src/tuple/row-codec.ts';
import { encodeRow } from '../../src/tuple/row-encoder.ts';
import type { Row, Schema } from '../../src/tuple/schema.ts';
import { BlobMap } from '../support/blob-map.ts';
import { nullableTexts } from '../support/row-batches.ts';

const columns = ['a', 'b', 'c'].map((name) => ({ name, type: 'text' as const }));
const schema: Schema = { columns, key: [] };
const rows = fc.tuple(nullableTexts, nullableTexts, nullableTexts);

function entryOf(row: Row, of: Schema = schema) {
  return encodeRow(of, row, new BlobMap().store);
}

/** Null first, then by bytes; cell after cell. */
function compareRows(a: Row, b: Row): number {
  for (const [i, cell] of a.entries()) {
    const other = b[i];
    if (cell === other) continue;
    if (cell === null || other === null) return cell === null ? -1 : 1;
    return Buffer.compare(Buffer.from(cell), Buffer.from(other));
  }
  return 0;
}

function encodedSize(row: Row): number {
  return row.reduce((sum, cell) => sum + 2 * Buffer.byteLength(cell ?? '') + 2, 2);
}

describe('keyless rows', () => {
  test('come back with their count', () => {
    fc.assert(
      fc.property(rows, fc.integer({ min: 1, max: 1000 }), (row, count) => {
        const { key, value } = entryOf(row);
        expect(keylessCount(value)).toBe(1);
        const many = withKeylessCount(value, count);
        expect(keylessCount(many)).toBe(count);
        checkEntry(schema, key, many);
        expect(decodeRow(schema, key, many)).toEqual(row);
        expect(keylessCount(combineKeyless(many, value))).toBe(count + 1);
      }),
    );
  });

  test('have the same key exactly when they are equal, and sort by content', () => {
    fc.assert(
      fc.property(rows, rows, (a, b) => {
        const order = Buffer.compare(entryOf(a).key, entryOf(b).key);
        expect(order === 0).toBe(compareRows(a, b) === 0);
        if (Math.max(encodedSize(a), encodedSize(b)) > 64) return;
        expect(order).toBe(Math.sign(compareRows(a, b)));
      }),
      { numRuns: 2000 },
    );
  });

  test('keep key and value when a column is added at the end', () => {
    const wider: Schema = { columns: [...columns, { name: 'd', type: 'text' }], key: [] };
    fc.assert(
      fc.property(rows, (row) => {
        expect(entryOf([...row, null], wider)).toEqual(entryOf(row));
      }),
    );
  });

  test('with cells out of line have a short key and come back', async () => {
    for (const row of [
      ['x'.repeat(20_000), 'b', null],
      ['z'.repeat(16_000), 'y'.repeat(16_000), 'x'.repeat(16_000)],
    ]) {
      const blobs = new BlobMap();
      const { key, value } = encodeRow(schema, row, blobs.store);
      expect(key).toHaveLength(80);
      checkEntry(schema, key, value);
      expect(await readRow(schema, key, value, blobs.read)).toEqual(row);
    }
    const many: Schema = {
      columns: Array.from({ length: 5 }, (_, i) => ({ name: `c${i}`, type: 'text' })),
      key: [],
    };
    const blobs = new BlobMap();
    const row = many.columns.map(({ name }) => name.repeat(8000));
    const { key, value } = encodeRow(many, row, blobs.store);
    expect(value[0]).toBe(7);
    checkEntry(many, key, value);
    expect(await readRow(many, key, withKeylessCount(value, 300), blobs.read)).toEqual(row);
  });

  test('are written as often as they count, over several batches', () => {
    const builder = new RowBatchBuilder(schema);
    const once = entryOf(['once', null, '']);
    const often = entryOf(['often', 'b', 'c']);
    const thrice = entryOf(['thrice', '', null]);
    const entries = [
      { key: often.key, value: withKeylessCount(often.value, 100_000) },
      once,
      { key: thrice.key, value: withKeylessCount(thrice.value, 3) },
    ];
    const counts = new Map<string | null, number>();
    const count = () => {
      for (const [first] of rowsOf(builder.take())) counts.set(first, (counts.get(first) ?? 0) + 1);
    };
    let batches = 1;
    for (const { key, value } of entries) {
      while (!builder.append(key, value)) {
        count();
        batches += 1;
      }
    }
    count();
    expect(Object.fromEntries(counts)).toEqual({ often: 100_000, once: 1, thrice: 3 });
    expect(batches).toBeGreaterThan(1);
  });

  test('under a key that is not theirs are corrupt', () => {
    const { key, value } = entryOf(['a', 'b', 'c']);
    const wrong = [entryOf(['a', 'b', 'd']).key, key.subarray(1), Buffer.alloc(0)];
    for (const other of wrong)
      expect(() => checkEntry(schema, other, value)).toThrow(/not that of/);
    expect(() => withKeylessCount(value, 0) && keylessCount(withKeylessCount(value, 0))).toThrow();
    expect(() => combineKeyless(value, entryOf(['x', 'b', 'c']).value)).toThrow(/same key/);
    expect(() => keylessCount(Buffer.of(0))).toThrow(/no count/);
  });
});
