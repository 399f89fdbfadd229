/**
 * The laws of CSV: what is written reads back the same in any dialect, what was written
 * once is written the same again, how a stream is cut does not matter, and a second, slow
 * reader agrees on any soup of bytes.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ByteSource, Dialect, ReadOptions } from '../../src/formats/contract.ts';
import { csv } from '../../src/formats/csv.ts';
import { openCsvReader } from '../../src/formats/csv-reader.ts';
import type { Row } from '../../src/tuple/schema.ts';
import { readReference } from '../support/csv-reference.ts';
import { readTable, schemaOf, sourceOf, writeTable } from '../support/format-rows.ts';

/** Blocks so small that nearly every record lies across a seam. */
const smallBlocks = {
  ...csv,
  openReader: (source: ByteSource, options: ReadOptions) =>
    openCsvReader('csv', source, options, { blockBytes: 8, recordBytes: 65_536, batchCells: 7 }),
};

const marks = fc.constantFrom(
  '"',
  '""',
  ',',
  ';',
  '\t',
  '\n',
  '\r',
  '\r\n',
  ' ',
  '\ufeff',
  'é',
  'a',
);

function cellsOf(latin1: boolean): fc.Arbitrary<string | null> {
  const unit: fc.Arbitrary<string> | 'binary' = latin1
    ? fc.integer({ min: 1, max: 255 }).map((n) => String.fromCharCode(n))
    : 'binary';
  const text = fc.string({ unit, maxLength: 8 });
  const soup = fc.array(marks, { maxLength: 6 }).map((parts) => parts.join(''));
  return fc
    .oneof(
      { arbitrary: fc.constant(null), weight: 1 },
      { arbitrary: text, weight: 3 },
      { arbitrary: soup, weight: 3 },
    )
    .map((cell) => (cell === null ? null : cell.replaceAll(latin1 ? /[^\x01-\xff]/gu : '\0', '')));
}

interface Case {
  readonly names: readonly string[];
  readonly rows: readonly Row[];
  readonly dialect: Dialect;
}

const cases: fc.Arbitrary<Case> = fc
  .record({ width: fc.integer({ min: 1, max: 4 }), latin1: fc.boolean() })
  .chain(({ width, latin1 }) => {
    const cell = cellsOf(latin1);
    const name = cell.map((text) => text ?? '').filter((text) => text !== '');
    const names = fc.uniqueArray(name, { minLength: width, maxLength: width });
    return fc.record({
      names,
      rows: fc.array(fc.array(cell, { minLength: width, maxLength: width }), { maxLength: 6 }),
      dialect: fc.record({
        format: fc.constant('csv' as const),
        delimiter: fc.constantFrom(',', ';', '\t', '|', ' ', 'a', '\u0001', '~'),
        quoting: fc.oneof(
          fc.constantFrom('minimal' as const, 'all' as const),
          names.map((list) => list.slice(1)),
        ),
        quotedHeader: fc.boolean(),
        quotedEdges: fc.boolean(),
        newline: fc.constantFrom('\n' as const, '\r\n' as const, '\r' as const),
        finalNewline: fc.boolean(),
        bom: fc.boolean(),
        header: fc.boolean(),
        encoding: fc.constant(latin1 ? ('latin1' as const) : ('utf-8' as const)),
      }),
    });
  })
  .map(({ names, rows, dialect }) => {
    const quoting = Array.isArray(dialect.quoting) ? names.slice(1) : dialect.quoting;
    return { names, rows, dialect: { ...dialect, quoting } };
  })
  // Without header and rows there is no file to read.
  .filter(({ rows, dialect }) => dialect.header || rows.length > 0);

function write({ names, rows, dialect }: Case, rowsInBatch = 2): Promise<Buffer> {
  const types = names.map(() => 'text' as const);
  return writeTable(csv, schemaOf(names, types), rows, dialect, rowsInBatch);
}

/** What a reader has to be told; the rest it finds. */
function told({ delimiter, header, encoding }: Dialect): ReadOptions {
  return { dialect: { delimiter, header, encoding } };
}

describe('what is written', () => {
  test('reads back the same, and is written the same again', async () => {
    await fc.assert(
      fc.asyncProperty(cases, fc.integer({ min: 1, max: 9 }), async (table, chunk) => {
        const bytes = await write(table);
        const found = await readTable(smallBlocks, sourceOf(bytes, chunk), told(table.dialect));
        expect(found.rows).toEqual(table.rows);
        if (table.dialect.header) expect(found.columns).toEqual(table.names);
        const again = await write(
          { names: found.columns, rows: found.rows, dialect: found.dialect },
          3,
        );
        expect(again.toString('latin1')).toBe(bytes.toString('latin1'));
      }),
      { numRuns: 1000 },
    );
  });

  test('reads back the same in blocks of the usual size', async () => {
    await fc.assert(
      fc.asyncProperty(cases, async (table) => {
        const found = await readTable(csv, await write(table, 100), told(table.dialect));
        expect(found.rows).toEqual(table.rows);
      }),
      { numRuns: 300 },
    );
  });

  test('does not depend on the batches', async () => {
    await fc.assert(
      fc.asyncProperty(cases, async (table) => {
        expect(await write(table, 1)).toEqual(await write(table, 100));
      }),
      { numRuns: 300 },
    );
  });
});

describe('any soup of bytes', () => {
  const units = ['"', '"', '""', ',', ',', '\n', '\n', '\r', '\r\n', 'a', 'b', 'é', ' ', ';'];
  const soup = fc
    .array(fc.constantFrom(...units), { maxLength: 24 })
    .map((parts) => parts.join(''));

  test.each([true, false])('reads as the reference reads it (header: %s)', async (header) => {
    let accepted = 0;
    await fc.assert(
      fc.asyncProperty(soup, fc.integer({ min: 1, max: 9 }), async (text, chunk) => {
        const expected = readReference(text, ',', header);
        const reading = readTable(smallBlocks, sourceOf(text, chunk), {
          dialect: { delimiter: ',', header },
        });
        const found = await reading.then(
          ({ columns, rows, lines }) => ({ columns, rows, lines }),
          (error) => ({ error: error.code }),
        );
        expect(found).toEqual(expected);
        if (!('error' in expected)) accepted += 1;
      }),
      { numRuns: 4000 },
    );
    expect(accepted).toBeGreaterThan(200);
  });
});

describe('how the stream is cut does not matter', () => {
  const text = '\ufeffid,"na""me",ü\r\n1,"a\r\nb ""x""",\r\n\r\n22,é🦉,""\r\n3,x,"y"';
  const bytes = Buffer.from(text);

  test('cut in two at every byte, in blocks of every size', async () => {
    const whole = await readTable(csv, bytes);
    expect(whole.rows).toEqual([
      ['1', 'a\r\nb "x"', null],
      ['22', 'é🦉', ''],
      ['3', 'x', 'y'],
    ]);
    for (let cut = 0; cut <= bytes.length; cut++) {
      const source: ByteSource = {
        name: 'rows',
        size: undefined,
        async *stream() {
          yield bytes.subarray(0, cut);
          yield bytes.subarray(cut);
        },
      };
      const limits = { blockBytes: 4 + cut, recordBytes: 1024, batchCells: 6 };
      const found = await readTable(
        { ...csv, openReader: (from, options) => openCsvReader('csv', from, options, limits) },
        source,
      );
      expect(found).toEqual(whole);
    }
  });

  test('a reader can be read twice', async () => {
    const reader = await csv.openReader(sourceOf(bytes), {});
    for (let i = 0; i < 2; i++) {
      let rows = 0;
      for await (const batch of reader.batches()) rows += batch.rows;
      expect(rows).toBe(3);
    }
    expect(reader.dialect()).toMatchObject({ bom: true, newline: '\r\n', finalNewline: false });
  });
});
