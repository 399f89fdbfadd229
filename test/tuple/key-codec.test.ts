import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ByteWriter } from '../../src/bytes.ts';
import { DvError } from '../../src/errors.ts';
import { fits } from '../../src/tuple/cell-type.ts';
import { checkKey } from '../../src/tuple/check-key.ts';
import { decodeKey, encodeKey, KeyEncoder, MAX_KEY_BYTES } from '../../src/tuple/key-codec.ts';
import { COLUMN_TYPES, type ColumnType } from '../../src/tuple/schema.ts';
import { batchOf, layouts } from '../support/row-batches.ts';
import { anyCells, cellsOf, compareCells } from '../support/typed-cells.ts';

const folder = new URL('../../fixtures/keys/', import.meta.url);

/** Key types, and two keys of them. */
const keyPairs = fc
  .array(fc.constantFrom(...COLUMN_TYPES), { minLength: 1, maxLength: 3 })
  .chain((types) => {
    const key = fc.tuple(...types.map((type) => cellsOf[type]));
    // Keys that start alike are where composite keys go wrong.
    const pair = fc
      .tuple(key, key, fc.nat(types.length))
      .map(([a, b, same]) => [a, b.map((cell, i) => (i < same ? a[i] : cell))]);
    return fc.tuple(fc.constant(types), pair);
  });

function compareKeys(types: readonly ColumnType[], a: readonly string[], b: readonly string[]) {
  for (const [i, type] of types.entries()) {
    const order = compareCells(type, a[i], b[i]);
    if (order !== 0) return Math.sign(order);
  }
  return 0;
}

/** Runs `decode`; only a DvError `corrupt` may come out of it. */
function survives(decode: () => unknown): boolean {
  try {
    decode();
    return true;
  } catch (error) {
    if (!(error instanceof DvError) || error.code !== 'corrupt') throw error;
    return false;
  }
}

describe('golden keys, in ascending order', () => {
  for (const file of readdirSync(folder)) {
    const types = file.replace(/\.txt$/, '').split('+') as ColumnType[];
    test(types.join(' + '), () => {
      const lines = readFileSync(new URL(file, folder), 'utf8').trimEnd().split('\n');
      const vectors = lines.map((line) => line.match(/^(\S*) (.*)$/)!);
      for (const [, hex, json] of vectors) {
        const cells = JSON.parse(json) as string[];
        expect(encodeKey(cells, types).toString('hex')).toBe(hex);
        expect(decodeKey(Buffer.from(hex, 'hex'), types)).toEqual(cells);
      }
      const keys = vectors.map(([, hex]) => hex);
      expect(keys).toEqual([...keys].sort());
    });
  }
});

describe('keys', () => {
  test('decode to the cells they were made of, and are canonical', () => {
    fc.assert(
      fc.property(keyPairs, ([types, [cells]]) => {
        const key = encodeKey(cells, types);
        expect(decodeKey(key, types)).toEqual(cells);
        checkKey(key, types);
      }),
      { numRuns: 1000 },
    );
  });

  test('sort as their cells do', () => {
    fc.assert(
      fc.property(keyPairs, ([types, [a, b]]) => {
        const order = Buffer.compare(encodeKey(a, types), encodeKey(b, types));
        expect(order).toBe(compareKeys(types, a, b));
      }),
      { numRuns: 3000 },
    );
  });

  test.each(COLUMN_TYPES)('take a cell as %s exactly when it is one', (type) => {
    fc.assert(
      fc.property(anyCells, fc.boolean(), (cell, last) => {
        const types: ColumnType[] = last ? [type] : [type, 'text'];
        const encoder = new KeyEncoder(types, last ? [1] : [1, 2]);
        // What stands beside the cell must not matter.
        const batch = batchOf([['-2024', cell, 'Infinity']], 'joined');
        const accepted = encoder.append(batch, 0, new ByteWriter());
        const strict = type !== 'text' && type !== 'json' && type !== 'bytes';
        expect(accepted).toBe(!strict || fits(type, cell));
        if (!accepted) expect(encoder.problem).toEqual({ kind: 'misfit', component: 0 });
      }),
    );
  });

  test('come from a batch as from text, whatever stood in the buffer before', () => {
    fc.assert(
      fc.property(keyPairs, layouts, ([types, keys], layout) => {
        const encoder = new KeyEncoder(
          types,
          types.map((_, i) => i),
        );
        const out = new ByteWriter(1).u8(7);
        const batch = batchOf(keys, layout);
        for (const row of keys.keys()) expect(encoder.append(batch, row, out)).toBe(true);
        const both = keys.map((cells) => encodeKey(cells, types));
        expect(out.take()).toEqual(Buffer.concat([Buffer.of(7), ...both]));
      }),
      { numRuns: 2000 },
    );
  });

  test('a cell before "Infinity" is itself', () => {
    const out = new ByteWriter();
    const encoder = new KeyEncoder(['float'], [0]);
    encoder.append(batchOf([['0', 'Infinity']], 'joined'), 0, out);
    expect(out.take()).toEqual(encodeKey(['0'], ['float']));
  });

  test('null and too long are refused, and nothing stays behind', () => {
    const out = new ByteWriter().u8(7);
    const encoder = new KeyEncoder(['integer', 'text'], [1, 0]);
    const long = 'x'.repeat(MAX_KEY_BYTES - 1);
    const rows = [
      [null, '1'],
      ['a', null],
      [long, '1'],
      [long.slice(1), '1'],
    ];
    const batch = batchOf(rows);
    const problems = rows.map((_, row) =>
      encoder.append(batch, row, out) ? null : encoder.problem,
    );
    expect(problems).toEqual([
      { kind: 'null-key', component: 1 },
      { kind: 'null-key', component: 0 },
      { kind: 'key-too-long', component: 1 },
      null,
    ]);
    expect(out.length).toBe(1 + MAX_KEY_BYTES);
    expect(new KeyEncoder(['text'], [-1]).append(batch, 0, out)).toBe(false);
    expect(() => encodeKey([`${long}xx`], ['text'])).toThrow(/takes 8193 bytes/);
    expect(() => encodeKey(['x'], ['integer'])).toThrow(/"x" is not a whole number/);
  });

  test('hostile bytes are refused or decoded, never read past', () => {
    const mutation = fc.tuple(fc.nat(), fc.nat(255), fc.nat(3));
    fc.assert(
      fc.property(keyPairs, fc.array(mutation, { maxLength: 4 }), ([types, [cells]], mutations) => {
        let key = encodeKey(cells, types);
        for (const [place, byte, kind] of mutations) {
          const at = key.length === 0 ? 0 : place % key.length;
          if (kind === 0) key = key.subarray(0, at);
          else if (kind === 1) key = Buffer.concat([key, Buffer.of(byte)]);
          else if (key.length > 0) key[at] = byte;
        }
        // What passes the check is what encoding gives: one cell text, one key.
        if (survives(() => checkKey(key, types))) {
          expect(encodeKey(decodeKey(key, types), types)).toEqual(key);
        }
        survives(() => decodeKey(key, types));
      }),
      { numRuns: 2000 },
    );
  });

  test.each([
    ['integer with a leading zero byte', 'integer', '820001'],
    ['integer beyond int64', 'integer', '88ffffffffffffffff'],
    ['integer below int64', 'integer', '787ffffffffffffffe'],
    ['integer of nine bytes', 'integer', '89010000000000000000'],
    ['decimal whose text is not its value', 'decimal', '048101100031'],
    ['decimal without digits', 'decimal', '04810131'],
    ['boolean 2', 'boolean', '02'],
    ['date that does not exist', 'date', '323032332d30322d3239'],
    ['text that is not UTF-8', 'text', 'ff'],
    ['timestamp at another instant', 'timestamp', '00000000000000000000323032332d30322d3038'],
  ] as const)('%s is corrupt', (_, type, hex) => {
    expect(() => checkKey(Buffer.from(hex, 'hex'), [type])).toThrow(DvError);
  });
});
