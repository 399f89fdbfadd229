/**
 * The edges of CSV: records and headers larger than a block, limits, bytes that are not
 * text, and what the writer refuses.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ByteSource, Dialect, ReadOptions } from '../../src/formats/contract.ts';
import { csv } from '../../src/formats/csv.ts';
import { openCsvReader, type ReaderLimits } from '../../src/formats/csv-reader.ts';
import { readTable, schemaOf, sourceOf, writeTable } from '../support/format-rows.ts';

function within(limits: Partial<ReaderLimits>) {
  const all = { blockBytes: 64, recordBytes: 1024, batchCells: 100, ...limits };
  return {
    ...csv,
    openReader: (source: ByteSource, options: ReadOptions) =>
      openCsvReader('csv', source, options, all),
  };
}

function write(names: readonly string[], rows: readonly (string | null)[][], dialect: Dialect) {
  return writeTable(
    csv,
    schemaOf(
      names,
      names.map(() => 'text'),
    ),
    rows,
    dialect,
  );
}

describe('large records', () => {
  test('a record of many blocks is read, quoted and escaped', async () => {
    const cell = `${'x'.repeat(300_000)}"\n,${'é'.repeat(300_000)}`;
    const rows = [
      ['1', cell],
      ['2', 'small'],
      ['3', cell],
    ];
    const bytes = await write(['id', 'text'], rows, { format: 'csv' });
    const found = await readTable(csv, bytes);
    expect(found.rows).toEqual(rows);
    expect(found.lines).toEqual([2, 4, 5]);
  });

  test('a record at the limit is read, one over it is not', async () => {
    for (const size of [121, 122]) {
      const text = `a,b\n1,2\n\n1,"${'\n'.repeat(size - 5)}"\n3,4\n`;
      const reading = readTable(within({ recordBytes: 121 }), sourceOf(text, 7));
      if (size === 121) expect((await reading).rows).toHaveLength(3);
      else {
        await expect(reading).rejects.toMatchObject({
          code: 'record-too-large',
          data: { file: 'rows', line: 4, limit: 121 },
        });
      }
    }
  });

  test('a quote that is never closed does not fill the memory', async () => {
    const source: ByteSource = {
      name: 'endless',
      size: undefined,
      async *stream() {
        yield Buffer.from('a,b\n1,"');
        for (;;) yield Buffer.alloc(1000, 'x');
      },
    };
    await expect(readTable(within({ recordBytes: 100_000 }), source)).rejects.toMatchObject({
      code: 'record-too-large',
      data: { line: 2 },
    });
  });

  test('a header larger than the sample still tells the delimiter', async () => {
    const names = Array.from({ length: 9000 }, (_, i) => `column ${i}`);
    const found = await readTable(csv, `${names.join(';')}\n${names.join(';')}\n`);
    expect(found.columns).toEqual(names);
    expect(found.rows).toEqual([names]);
  });

  test('16,384 columns are read, one more is not', async () => {
    const names = Array.from({ length: 16_384 }, (_, i) => `c${i}`);
    const found = await readTable(csv, `${names}\n${names}\n${names}\n`);
    expect(found.rows).toEqual([names, names]);
    await expect(readTable(csv, `${names},last\n`)).rejects.toMatchObject({
      code: 'too-many-columns',
      data: { file: 'rows', line: 1, found: 16_385, limit: 16_384 },
    });
  });

  test('rows of one cell fill several batches', async () => {
    const rows = Array.from({ length: 70_000 }, (_, i) => [i % 3 === 0 ? null : `${i % 10}`]);
    const bytes = await write(['n'], rows, { format: 'csv', newline: '\r\n' });
    const found = await readTable(csv, bytes);
    expect(found.rows).toEqual(rows);
    expect(found.lines.at(-1)).toBe(70_001);
  });
});

describe('bytes that are not text', () => {
  const text = 'id,name\n1,Zoë\n2,"é\n\n🦉"\n33,日本\n4,x\n'.repeat(3).replace(/\nid,name/g, '');
  const places = fc.integer({ min: 0, max: text.length - 1 });

  function lineAt(before: string): number {
    return before.split('\n').length;
  }

  test.each([
    ['invalid-utf8', [0xff]],
    ['invalid-utf8', [0x80]],
    ['invalid-utf8', [0xe2, 0x82]],
    ['invalid-utf8', [0xc0, 0xaf]],
    ['nul-byte', [0]],
  ])('%s %j is found where it stands', async (code, bytes) => {
    await fc.assert(
      fc.asyncProperty(places, fc.integer({ min: 1, max: 9 }), async (index, chunk) => {
        // not inside a surrogate pair
        const before = text.slice(0, index).replace(/[\ud800-\udbff]$/, '');
        const after = text.slice(before.length);
        const file = Buffer.concat([Buffer.from(before), Buffer.from(bytes), Buffer.from(after)]);
        const offset = Buffer.byteLength(before);
        await expect(readTable(within({}), sourceOf(file, chunk))).rejects.toMatchObject({
          code,
          data: { file: 'rows', line: lineAt(before), offset },
        });
      }),
      { numRuns: 150 },
    );
  });

  test('in a block behind the first, too', async () => {
    const rows = '1,é\n'.repeat(100_000);
    const file = Buffer.concat([Buffer.from(`a,b\n${rows}2,`), Buffer.from([0xe9, 0x0a])]);
    await expect(readTable(csv, file)).rejects.toMatchObject({
      code: 'invalid-utf8',
      data: { line: 100_002, offset: file.length - 2 },
    });
  });
});

describe('the writer refuses what a reader would refuse', () => {
  const one = { format: 'csv' } as const;

  test.each<[string, string, readonly string[], string | null, Dialect]>([
    ['a NUL byte', 'nul-byte', ['a'], 'x\0y', one],
    ['a NUL byte in a quoted cell', 'nul-byte', ['a'], '"\0', one],
    ['a nameless column', 'bad-header', ['a', ''], null, one],
    ['a name twice', 'bad-header', ['a', 'a'], null, one],
    ['a delimiter of two characters', 'bad-option', ['a'], 'x', { ...one, delimiter: '::' }],
    ['a quote as delimiter', 'bad-option', ['a'], 'x', { ...one, delimiter: '"' }],
    [
      'a character that Latin-1 has not',
      'unmappable-character',
      ['a'],
      'x€',
      { ...one, encoding: 'latin1' },
    ],
    ['such a name', 'unmappable-character', ['日'], 'x', { ...one, encoding: 'latin1' }],
  ])('%s', async (_, code, names, cell, dialect) => {
    const writing = async () => write(names, [names.map(() => cell)], dialect);
    await expect(writing()).rejects.toMatchObject({ code });
  });

  test('names do not matter in a file without a header', async () => {
    const bytes = await write(['a', 'a'], [['1', null]], { ...one, header: false });
    expect(bytes.toString()).toBe('1,\n');
  });
});
