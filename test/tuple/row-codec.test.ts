import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ByteWriter } from '../../src/bytes.ts';
import { DvError } from '../../src/errors.ts';
import { hashOf, hashToBytes } from '../../src/hash.ts';
import { checkEntry } from '../../src/tuple/check-entry.ts';
import { encodeKey } from '../../src/tuple/key-codec.ts';
import { RowBatchBuilder, rowsOf } from '../../src/tuple/row-batch-builder.ts';
import {
  decodeRow,
  MAX_INLINE_CELL,
  MAX_TUPLE,
  needsBlobs,
  outgoingBlobs,
  readRow,
  readWholeValue,
} from '../../src/tuple/row-codec.ts';
import { encodeRow, RowEncoder, rowError } from '../../src/tuple/row-encoder.ts';
import type { Cell, Row, Schema } from '../../src/tuple/schema.ts';
import { BlobMap } from '../support/blob-map.ts';
import { batchOf, layouts, nullableTexts, texts } from '../support/row-batches.ts';

/** Columns a, b, c... of text; `key` are indices. */
function textSchema(columns: number, key: readonly number[]): Schema {
  const names = Array.from({ length: columns }, (_, i) => ({
    name: `c${i}`,
    type: 'text' as const,
  }));
  return { columns: names, key };
}

/** Mostly short; now and then around the sizes where the encoding changes. */
const cells: fc.Arbitrary<Cell> = fc.oneof(
  { weight: 20, arbitrary: nullableTexts },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom(125, 126, 127, MAX_INLINE_CELL, MAX_INLINE_CELL + 1, 20_000)
      .map((size) => 'é'.repeat(size / 2) + (size % 2 === 0 ? '' : 'x')),
  },
);

/** A schema with one or two key columns anywhere in it, and rows. */
const tables = fc
  .tuple(fc.integer({ min: 1, max: 12 }), fc.nat(11), fc.nat(11))
  .chain(([columns, first, second]) => {
    const key = [...new Set([first % columns, second % columns])];
    const row = fc.tuple(
      ...Array.from({ length: columns }, (_, i) => (key.includes(i) ? texts : cells)),
    );
    return fc.tuple(
      fc.constant(textSchema(columns, key)),
      fc.array(row, { minLength: 1, maxLength: 6 }),
    );
  });

/** The value of a row, the slow and obvious way. */
function modelValue(schema: Schema, row: Row): Buffer {
  const tuple = row.filter((_, i) => !schema.key.includes(i));
  while (tuple.length > 0 && tuple.at(-1) === null) tuple.pop();
  const parts = (outside: boolean) => tuple.map((cell) => modelCell(cell, outside));
  const inline = Buffer.concat(parts(true));
  if (inline.length > MAX_TUPLE)
    return Buffer.concat([Buffer.of(5), ref(Buffer.concat(parts(false)))]);
  const refers = tuple.some((cell) => Buffer.byteLength(cell ?? '') > MAX_INLINE_CELL);
  return Buffer.concat([Buffer.of(refers ? 1 : 0), inline]);
}

function modelCell(cell: Cell, outside: boolean): Buffer {
  if (cell === null) return Buffer.of(0);
  const bytes = Buffer.from(cell);
  if (outside && bytes.length > MAX_INLINE_CELL) return Buffer.concat([Buffer.of(1), ref(bytes)]);
  return Buffer.concat([new ByteWriter().varint(bytes.length + 2).take(), bytes]);
}

function ref(blob: Buffer): Buffer {
  return Buffer.concat([hashToBytes(hashOf(blob)), new ByteWriter().varint(blob.length).take()]);
}

function keyOf(schema: Schema, row: Row): Buffer {
  return encodeKey(
    schema.key.map((i) => row[i] ?? ''),
    schema.key.map(() => 'text'),
  );
}

/** Each row as an entry, by way of batches. */
function encodeAll(schema: Schema, rows: readonly Row[], blobs: BlobMap, layout = 'separated') {
  const sources = schema.columns.map((_, i) => i);
  const encoder = new RowEncoder(schema, sources, blobs.store);
  const batch = batchOf(rows, layout as 'separated');
  return rows.map((_, row) => {
    const out = new ByteWriter(1);
    expect(encoder.encode(batch, row, out)).toBe(true);
    const bytes = out.take();
    const split = encoder.keyLength;
    return { key: bytes.subarray(0, split), value: bytes.subarray(split) };
  });
}

describe('rows', () => {
  test('are encoded as the format says, however the batch is laid out', () => {
    fc.assert(
      fc.property(tables, layouts, ([schema, rows], layout) => {
        const entries = encodeAll(schema, rows, new BlobMap(), layout);
        for (const [i, { key, value }] of entries.entries()) {
          expect(key).toEqual(keyOf(schema, rows[i]));
          expect(value).toEqual(modelValue(schema, rows[i]));
          checkEntry(schema, key, value);
        }
      }),
      { numRuns: 400 },
    );
  });

  test('come back, whole from the blobs or as references', async () => {
    await fc.assert(
      fc.asyncProperty(tables, async ([schema, rows]) => {
        const blobs = new BlobMap();
        for (const row of rows) {
          const { key, value } = encodeRow(schema, row, blobs.store);
          expect(await readRow(schema, key, value, blobs.read)).toEqual(row);
          expect(outgoingBlobs(value).every(({ blob }) => blobs.blobs.has(blob))).toBe(true);
          expect(needsBlobs(value)).toBe(outgoingBlobs(value).length > 0);
          if (value[0] === 5) continue;
          const shown = decodeRow(schema, key, value).map((cell) =>
            cell === null || typeof cell === 'string'
              ? cell
              : blobs.blobs.get(cell.blob)?.toString(),
          );
          expect(shown).toEqual(row);
        }
      }),
      { numRuns: 200 },
    );
  });

  test('come back as a batch', async () => {
    await fc.assert(
      fc.asyncProperty(tables, async ([schema, rows]) => {
        const blobs = new BlobMap();
        const builder = new RowBatchBuilder(schema);
        for (const { key, value } of encodeAll(schema, rows, blobs)) {
          expect(builder.append(key, await readWholeValue(value, blobs.read))).toBe(true);
        }
        const batch = builder.take();
        expect(rowsOf(batch)).toEqual(rows);
        expect([...batch.lines.subarray(0, batch.rows)]).toEqual(rows.map((_, i) => i + 1));
      }),
      { numRuns: 200 },
    );
  });

  test('fill batch after batch, a long row alone', () => {
    const schema = textSchema(2, [0]);
    const rows = Array.from({ length: 300 }, (_, i) => [String(i), 'x'.repeat(i * 50)]);
    const builder = new RowBatchBuilder(schema);
    const batches: Row[][] = [];
    for (const { key, value } of encodeAll(schema, rows, new BlobMap())) {
      while (!builder.append(key, value)) batches.push(rowsOf(builder.take()));
    }
    batches.push(rowsOf(builder.take()));
    expect(batches.length).toBeGreaterThan(1);
    expect(batches.flat()).toEqual(rows);
  });

  test('a column added at the end changes no bytes', () => {
    fc.assert(
      fc.property(tables, ([schema, rows]) => {
        const blobs = new BlobMap();
        const wider = textSchema(schema.columns.length + 1, schema.key);
        for (const row of rows) {
          const entry = encodeRow(schema, row, blobs.store);
          expect(encodeRow(wider, [...row, null], blobs.store)).toEqual(entry);
        }
      }),
      { numRuns: 50 },
    );
  });

  test('of 5,000 columns: whole tuples go out of line and come back', async () => {
    const schema = textSchema(5000, [0]);
    const blobs = new BlobMap();
    const row = schema.columns.map((_, i) => (i % 7 === 3 ? null : `a cell in column ${i}`));
    row[4321] = 'y'.repeat(20_000);
    const { key, value } = encodeRow(schema, row, blobs.store);
    expect(value[0]).toBe(5);
    checkEntry(schema, key, value);
    expect(outgoingBlobs(value)).toHaveLength(1);
    expect(blobs.blobs.size).toBe(1);
    expect(await readRow(schema, key, value, blobs.read)).toEqual(row);
    expect(() => decodeRow(schema, key, value)).toThrow(/not read first/);
  });

  test('are inline up to the limit, out of line one byte beyond', () => {
    const schema = textSchema(6, [0]);
    // Every mark takes two bytes; the fifth cell takes what is left.
    const rest = MAX_TUPLE - 4 * (2 + 16_000) - 2;
    const row = (extra: number) => [
      'k',
      ...Array.from({ length: 4 }, () => 'x'.repeat(16_000)),
      'y'.repeat(rest + extra),
    ];
    const flags = [0, 1].map((extra) => {
      const { key, value } = encodeRow(schema, row(extra), new BlobMap().store);
      checkEntry(schema, key, value);
      expect(value).toEqual(modelValue(schema, row(extra)));
      return [value[0], value.length];
    });
    expect(flags).toEqual([
      [0, 1 + MAX_TUPLE],
      [5, 1 + 32 + 3],
    ]);
  });

  test('only from the columns they have: others are null', () => {
    const schema = textSchema(3, [1]);
    const encoder = new RowEncoder(schema, [-1, 1, 0], new BlobMap().store);
    const out = new ByteWriter();
    expect(encoder.encode(batchOf([['x', 'k']]), 0, out)).toBe(true);
    const bytes = out.take();
    expect(decodeRow(schema, bytes.subarray(0, 1), bytes.subarray(1))).toEqual([null, 'k', 'x']);
  });

  test('without a valid key are named by column and cell', () => {
    const schema: Schema = {
      columns: [
        { name: 'note', type: 'text' },
        { name: 'day', type: 'date' },
        { name: 'no', type: 'integer' },
      ],
      key: [2, 1],
    };
    const encoder = new RowEncoder(schema, [0, 1, 2], new BlobMap().store);
    const out = new ByteWriter();
    const problemOf = (row: Row) => {
      expect(encoder.encode(batchOf([row]), 0, out)).toBe(false);
      return encoder.problem!;
    };
    const misfit = problemOf(['a', '2023-02-29', '1']);
    expect(misfit).toEqual({ kind: 'misfit', column: 1, text: '2023-02-29' });
    expect(rowError(schema, misfit, { line: 4 })).toMatchObject({
      code: 'type-mismatch',
      message: '"2023-02-29" in the key column "day" is a day that does not exist',
      data: { line: 4, name: 'day', value: '2023-02-29' },
    });
    const missing = problemOf(['a', '2023-02-28', null]);
    expect(missing).toEqual({ kind: 'null-key', column: 2, text: null });
    expect(rowError(schema, missing).code).toBe('null-key');
    expect(out.length).toBe(0);
  });
});

describe('hostile entries', () => {
  const schema = textSchema(4, [0]);
  const valid = fc.tuple(texts, nullableTexts, nullableTexts, nullableTexts);
  const mutations = fc.array(fc.tuple(fc.nat(), fc.nat(255), fc.nat(3)), {
    minLength: 1,
    maxLength: 4,
  });

  test('are refused, or are what encoding gives: never read past', () => {
    fc.assert(
      fc.property(valid, mutations, (row, changes) => {
        const blobs = new BlobMap();
        const { key, value } = encodeRow(schema, row, blobs.store);
        let bytes: Buffer = value;
        for (const [place, byte, kind] of changes) {
          const at = place % Math.max(1, bytes.length);
          if (kind === 0) bytes = bytes.subarray(0, at);
          else if (kind === 1) bytes = Buffer.concat([bytes, Buffer.of(byte)]);
          else if (bytes.length > 0) bytes[at] = byte;
        }
        const steps = [
          () => checkEntry(schema, key, bytes),
          () => outgoingBlobs(bytes),
          () => needsBlobs(bytes) || new RowBatchBuilder(schema).append(key, bytes),
          () => (bytes[0] & 4) !== 0 || decodeRow(schema, key, bytes),
        ];
        const passed = steps.map((step) => survives(step));
        if (passed[0] && bytes[0] === 0) {
          const again = decodeRow(schema, key, bytes) as Row;
          expect(encodeRow(schema, again, blobs.store).value).toEqual(bytes);
        }
      }),
      { numRuns: 2000 },
    );
  });

  const hash = 'ab'.repeat(32);
  test.each([
    ['nothing at all', '', /empty/],
    ['unknown flags', '08', /unknown flags/],
    ['flag 4 without flag 1', `04${hash}8080800400`, /contradicting/],
    ['a count where there is a key', '0201', /whether there is a key/],
    ['a null at the end', '000361' + '00', /ends with a null/],
    ['an overlong size', '00830061', /shortest form/],
    ['a cell too many', '00036103610361' + '0361', /more cells/],
    ['a cell cut off', '000561', /too early/],
    ['a reference without its flag', `0001${hash}818004`, /hides/],
    ['a flag without a reference', '010361', /hides/],
    ['a reference for a short cell', `0101${hash}10`, /short cell/],
    ['a tuple out of line for no reason', `05${hash}10`, /no reason/],
    ['bytes behind a reference', `05${hash}80800800`, /behind its end/],
    ['bytes that are not UTF-8', '0003ff', /UTF-8/],
  ])('%s', (_, hex, message) => {
    const check = () => checkEntry(schema, Buffer.from('k'), Buffer.from(hex, 'hex'));
    expect(check).toThrow(DvError);
    expect(check).toThrow(message);
  });

  test('a long cell inline, a tuple too large', () => {
    const cell = modelCell('x'.repeat(MAX_INLINE_CELL + 1), false);
    const wide = textSchema(9, [0]);
    const many = Array.from({ length: 5 }, () => modelCell('x'.repeat(MAX_INLINE_CELL), false));
    const check = (cells: Buffer[]) =>
      checkEntry(wide, Buffer.from('k'), Buffer.concat([Buffer.of(0), ...cells]));
    expect(() => check([cell])).toThrow(/long cell is inline/);
    expect(() => check(many)).toThrow(/too large/);
    expect(() => check(many.slice(2))).not.toThrow();
  });

  test('a blob of another size than its row says', async () => {
    const blobs = new BlobMap();
    const row = ['k', 'x'.repeat(20_000), null, null];
    const { value } = encodeRow(schema, row, blobs.store);
    const shorter = async () => Buffer.from('x');
    await expect(readWholeValue(value, shorter)).rejects.toThrow(
      /1 bytes, where its row says 20000/,
    );
  });

  test('a tuple in a blob that itself refers to blobs', async () => {
    const tuple = Buffer.concat([Buffer.of(1), ref(Buffer.from('x'))]);
    const value = Buffer.concat([Buffer.of(5), ref(tuple)]);
    const read = readRow(schema, Buffer.from('k'), value, async () => tuple);
    await expect(read).rejects.toThrow(/refers to a blob where none/);
    const whole = await readWholeValue(value, async () => tuple);
    const builder = new RowBatchBuilder(schema);
    expect(() => builder.append(Buffer.from('k'), whole)).toThrow(/refers to a blob where none/);
  });
});

/** Whether `step` ends well; only a DvError about stored bytes may come out of it. */
function survives(step: () => unknown): boolean {
  try {
    step();
    return true;
  } catch (error) {
    if (error instanceof DvError && error.kind === 'corrupt') return false;
    throw error;
  }
}
