import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DvError } from '../../src/errors.ts';
import type { ByteSource, Dialect } from '../../src/formats/contract.ts';
import { parquet } from '../../src/formats/parquet.ts';
import type { Cell, ColumnType, Row } from '../../src/tuple/schema.ts';
import { batchOf, readTable, schemaOf, sourceOf, writeTable } from '../support/format-rows.ts';
import { text } from '../support/json-arbitrary.ts';

const FIXTURES = new URL('../../fixtures/parquet/', import.meta.url);

function fixture(name: string): Buffer {
  return readFileSync(new URL(name, FIXTURES));
}

/** Declared types in the first line, then one object of cell texts a row. */
function expectedOf(name: string) {
  const lines = fixture(`${name}.ndjson`).toString().trimEnd().split('\n');
  const [types, ...rows] = lines.map((line) => Object.entries<Cell>(JSON.parse(line)));
  return {
    columns: types.map(([column]) => column),
    declared: types.map(([, type]) => type),
    rows: rows.map((row) => row.map(([, cell]) => cell)),
  };
}

describe('files of other programs', () => {
  const names = readdirSync(FIXTURES).filter((file) => file.endsWith('.parquet'));
  for (const name of names.map((file) => file.replace(/\.parquet$/, ''))) {
    test(`${name}: read as expected, streamed or at random`, async () => {
      const bytes = fixture(`${name}.parquet`);
      for (const ranges of [true, false]) {
        const { columns, declared, rows } = await readTable(parquet, sourceOf(bytes, 100, ranges));
        expect({ columns, declared, rows }).toEqual(expectedOf(name));
      }
    });

    test(`${name}: written again with the same types and cells`, async () => {
      const before = await readTable(parquet, fixture(`${name}.parquet`));
      const schema = schemaOf(before.columns, before.types);
      const bytes = await writeTable(parquet, schema, before.rows, before.dialect);
      const after = await readTable(parquet, bytes);
      const { columns, declared, rows } = after;
      expect({ columns, declared, rows }).toEqual(expectedOf(name));
      if (NOT_WRITTEN_ALIKE.includes(name)) return;
      expect(after.dialect).toEqual(before.dialect);
    });
  }
});

/** Codec lz4, timestamps of 96 bits, years of five digits, and a codec nobody can know. */
const NOT_WRITTEN_ALIKE = ['flat-lz4', 'int96', 'far-dates', 'no-rows'];

/** Texts that belong to each type, some spelled in ways that Parquet cannot store. */
const TYPICAL: Readonly<Record<ColumnType, fc.Arbitrary<string>>> = {
  text,
  integer: fc.oneof(
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String),
    fc.integer().map(String),
  ),
  decimal: fc.oneof(
    fc.integer().map((n) => (n / 100).toFixed(2)),
    fc.stringMatching(/^-?(0|[1-9][0-9]{0,39})(\.[0-9]{1,9})?$/),
  ),
  float: fc.oneof(fc.double().map(String), fc.constantFrom('1.0', '1e5', '-0', '0', 'NaN')),
  boolean: fc.constantFrom('true', 'false'),
  date: fc
    .date({ min: new Date('0000-01-01'), max: new Date('9999-12-31'), noInvalidDate: true })
    .map((date) => date.toISOString().slice(0, 10)),
  timestamp: fc.oneof(
    fc
      .date({ min: new Date(0), noInvalidDate: true, max: new Date('9999-12-31') })
      .chain((date) => fc.constantFrom(date.toISOString(), date.toISOString().replace('.000', ''))),
    fc.constantFrom('2026-01-02T03:04:05Z', '2026-01-02T03:04:05.000001Z', '2026-01-02 03:04'),
  ),
  json: fc.oneof(fc.json(), fc.constantFrom('[1, 2]', '{"a":1e400}', '{"b":1,"a":{}}')),
  bytes: fc.uint8Array({ maxLength: 9 }).map((bytes) => Buffer.from(bytes).toString('base64')),
};

const columnOf = (rows: number) =>
  fc
    .constantFrom(...(Object.keys(TYPICAL) as ColumnType[]))
    .chain((type) =>
      fc.tuple(
        fc.constant(type),
        fc.array(
          fc.option(fc.oneof({ arbitrary: TYPICAL[type], weight: 30 }, text), { nil: null }),
          { minLength: rows, maxLength: rows },
        ),
      ),
    );

const tables = fc
  .nat(8)
  .chain((rows) =>
    fc.tuple(
      fc.constant(rows),
      fc.array(columnOf(rows), { minLength: 1, maxLength: 5 }),
      fc.boolean(),
    ),
  );

describe('writing and reading again', () => {
  test('gives every cell of every type back, null beside the empty string', async () => {
    await fc.assert(
      fc.asyncProperty(tables, async ([count, columns, surveys]) => {
        const names = columns.map((_, i) => `c${i}`);
        const types = columns.map(([type]) => type);
        const rows: Row[] = Array.from({ length: count }, (_, r) => columns.map(([, c]) => c[r]));
        const bytes = await writeRows(names, types, rows, { format: 'parquet' }, surveys);
        const table = await readTable(parquet, bytes);
        expect(table.rows).toEqual(rows);
        expect(table.declared).toEqual(types);
      }),
      { numRuns: 300 },
    );
  });

  test('stores cells by their type where that keeps their text', async () => {
    const columns: readonly (readonly [ColumnType, Cell[], string])[] = [
      ['integer', ['1', null, '-9223372036854775808'], 'integer'],
      ['decimal', ['1.50', '-0.05', null], 'decimal'],
      ['decimal', ['1.50', '1.5', null], 'text'],
      ['float', ['0.1', '1e-7', 'NaN'], 'float'],
      ['float', ['0.1', '1.0', null], 'text'],
      ['boolean', ['true', 'false', null], 'boolean'],
      ['date', ['0000-01-01', '9999-12-31', null], 'date'],
      ['timestamp', ['2026-01-02T03:04:05Z', '2026-01-02T03:04:05.123456Z', null], 'timestamp'],
      ['timestamp', ['2026-01-02T03:04:05Z', '2026-01-02T03:04:05', null], 'text'],
      ['json', ['[1, 2]', '"x"', null], 'json'],
      ['bytes', ['AAE=', '', null], 'bytes'],
      ['text', ['', '1', null], 'text'],
    ];
    const names = columns.map((_, i) => `c${i}`);
    const types = columns.map(([type]) => type);
    const rows = [0, 1, 2].map((row) => columns.map(([, cells]) => cells[row]));
    const bytes = await writeRows(names, types, rows, { format: 'parquet' }, true);
    const table = await readTable(parquet, bytes);
    expect(table.rows).toEqual(rows);
    expect(table.declared).toEqual(types);
    expect(table.dialect.parquet?.columns.map(({ kind }) => kind)).toEqual(
      columns.map(([, , kind]) => kind),
    );
    expect(table.dialect.parquet?.columns[1]).toMatchObject({ precision: 3, scale: 2 });
  });

  test('0 and -0 stay apart among many', async () => {
    const rows = Array.from({ length: 300 }, (_, i) => [['0', '-0', 'NaN', null][i % 4]]);
    const bytes = await writeRows(['f'], ['float'], rows, { format: 'parquet' }, false);
    const table = await readTable(parquet, bytes);
    expect(table.rows).toEqual(rows);
    expect(table.dialect.parquet?.columns[0]).toMatchObject({ kind: 'float', bits: 64 });
  });

  test('a new spelling in an old column falls back without losing it', async () => {
    const before = await readTable(parquet, fixture('flat-plain.parquet'));
    const rows = before.rows.map((row) => [...row]);
    rows[3][before.columns.indexOf('i8')] = '128';
    rows[4][before.columns.indexOf('u32')] = '-1';
    const bytes = await writeRows(before.columns, before.types, rows, before.dialect, true);
    const after = await readTable(parquet, bytes);
    expect(after.rows).toEqual(rows);
    expect(after.dialect.parquet?.columns[0]).toMatchObject({ kind: 'integer', bits: 64 });
  });

  test('nested cells that a person has rewritten are kept as they are', async () => {
    const before = await readTable(parquet, fixture('nested.parquet'));
    const rows = before.rows.map((row) => [...row]);
    rows[0][before.columns.indexOf('st')] = '{"b":"x","a":1}';
    const bytes = await writeRows(before.columns, before.types, rows, before.dialect, true);
    const after = await readTable(parquet, bytes);
    expect(after.rows).toEqual(rows);
    const kinds = after.dialect.parquet?.columns.map(({ kind }) => kind);
    expect(kinds?.filter((kind) => kind === 'nested').length).toBe(6);
  });

  test('in row groups, and rows that come in any batches', async () => {
    const fat = 'x'.repeat(1 << 20);
    const rows = Array.from({ length: 70 }, (_, i) => [`${i}`, i % 3 === 0 ? null : fat, '']);
    const bytes = await writeTable(
      parquet,
      schemaOf(['id', 'fat', 'empty'], ['integer', 'text', 'text']),
      rows,
      { format: 'parquet' },
      3,
    );
    const table = await readTable(parquet, sourceOf(bytes, 65_536, true));
    expect(table.rows).toEqual(rows);
    expect(table.lines).toEqual(rows.map((_, i) => i + 1));
    expect(bytes.length).toBeLessThan(1 << 20);
  });

  test('a late misfit is refused, unless the rows were surveyed', async () => {
    const fat = 'x'.repeat(2 << 20);
    const rows = Array.from({ length: 40 }, (_, i) => [i < 39 ? `${i}` : '1.5', fat]);
    const names = ['n', 'fat'];
    const types: ColumnType[] = ['integer', 'text'];
    const unsurveyed = writeRows(names, types, rows, { format: 'parquet' }, false);
    await expect(unsurveyed).rejects.toMatchObject({ code: 'type-mismatch' });
    const bytes = await writeRows(names, types, rows, { format: 'parquet' }, true);
    expect((await readTable(parquet, bytes)).rows).toEqual(rows);
  });
});

async function writeRows(
  names: readonly string[],
  types: readonly ColumnType[],
  rows: readonly Row[],
  dialect: Dialect,
  surveys: boolean,
): Promise<Buffer> {
  const writer = parquet.createWriter(schemaOf(names, types), dialect);
  const batches = rows.map((row, i) => batchOf([row], names.length, i + 1));
  if (surveys) for (const batch of batches) writer.survey?.(batch);
  const parts: (Uint8Array | undefined)[] = [];
  for (const batch of batches) parts.push(await writer.write(batch));
  parts.push(await writer.end());
  return Buffer.concat(parts.filter((part) => part !== undefined));
}

async function outcomeOf(source: ByteSource | Uint8Array): Promise<string> {
  try {
    await readTable(parquet, source);
    return 'read';
  } catch (error) {
    if (error instanceof DvError) return error.code;
    throw error;
  }
}

describe('damaged files', () => {
  const REFUSALS = ['bad-parquet', 'invalid-utf8', 'bad-header', 'file-empty', 'record-too-large'];

  test.each(['flat-plain', 'flat-gzip', 'flat-zstd', 'duckdb', 'nested-pages-v1', 'time'])(
    '%s: a changed byte is noticed or read, never a crash',
    async (name) => {
      const bytes = fixture(`${name}.parquet`);
      await fc.assert(
        fc.asyncProperty(
          fc.nat(bytes.length - 1),
          fc.integer({ min: 1, max: 255 }),
          async (at, by) => {
            const damaged = Buffer.from(bytes);
            damaged[at] ^= by;
            expect(['read', ...REFUSALS]).toContain(await outcomeOf(damaged));
          },
        ),
        { numRuns: 150 },
      );
    },
  );

  test('a file cut anywhere is refused', async () => {
    const bytes = fixture('flat-snappy.parquet');
    for (let size = 1; size < bytes.length; size += 37) {
      expect(await outcomeOf(bytes.subarray(0, size))).toBe('bad-parquet');
    }
    expect(await outcomeOf(Buffer.alloc(0))).toBe('file-empty');
  });

  test('a page that fails its checksum is refused', async () => {
    const bytes = Buffer.from(fixture('flat-plain.parquet'));
    bytes[bytes.indexOf('zeile 1')] ^= 1;
    await expect(readTable(parquet, bytes)).rejects.toMatchObject({
      code: 'bad-parquet',
      data: { file: 'rows', column: 't' },
    });
  });

  test('encrypted files and files of other kinds say so', async () => {
    const bytes = Buffer.from(fixture('time.parquet'));
    bytes.write('PARE', 0);
    await expect(readTable(parquet, bytes)).rejects.toThrow(/encrypted/);
    await expect(readTable(parquet, 'a,b\n1,2\n')).rejects.toThrow(/not a Parquet file/);
  });

  test('a source that cannot be sought in is kept only up to a limit', async () => {
    const source: ByteSource = {
      name: 'rows',
      size: undefined,
      async *stream() {
        const chunk = Buffer.alloc(64 << 20);
        for (;;) yield chunk;
      },
    };
    await expect(readTable(parquet, source)).rejects.toMatchObject({
      code: 'bad-parquet',
      hint: expect.stringContaining('file'),
    });
  });
});

describe('what another writer may do', () => {
  const leaf = { type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'OPTIONAL' } as const;

  async function fileOf(names: string[], data: unknown[]): Promise<Uint8Array> {
    const { ByteWriter, ParquetWriter } = await import('hyparquet-writer');
    const writer = new ByteWriter();
    const schema = [
      { name: 'root', num_children: names.length },
      ...names.map((name) => ({ ...leaf, name })),
    ];
    const file = new ParquetWriter({ writer, schema, statistics: false });
    file.write({ columnData: names.map((name) => ({ name, data })) });
    file.finish();
    return writer.getBytes();
  }

  test('names twice or empty are refused', async () => {
    expect(await outcomeOf(await fileOf(['a', 'a'], ['x']))).toBe('bad-header');
    expect(await outcomeOf(await fileOf([''], ['x']))).toBe('bad-header');
    expect(await outcomeOf(await fileOf([], []))).toBe('file-empty');
  });

  test('text that is not UTF-8 is refused, with row and column', async () => {
    const half = [new Uint8Array([0x61, 0xc3]), new Uint8Array([0xa9, 0x62])];
    for (const [cells, line] of [
      [['x', new Uint8Array([0xff])], 2],
      [['é', ...half], 2],
      [[...half], 1],
    ] as const) {
      await expect(readTable(parquet, await fileOf(['a'], [...cells]))).rejects.toMatchObject({
        code: 'invalid-utf8',
        data: { line, column: 'a' },
      });
    }
  });
});
