import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { json, ndjson } from '../../src/formats/json.ts';
import { cellToJson } from '../../src/tuple/json-value.ts';
import { COLUMN_TYPES } from '../../src/tuple/schema.ts';
import { readLossless, readTable, schemaOf, writeTable } from '../support/format-rows.ts';
import { string, text } from '../support/json-arbitrary.ts';

const LAYOUTS = new URL('../../fixtures/json/layouts/', import.meta.url);

function formatOf(file: string) {
  return file.endsWith('.ndjson') ? ndjson : json;
}

/** Whole file in, whole file out. */
async function rewrite(file: string, bytes: Buffer): Promise<Buffer> {
  const table = await readLossless(formatOf(file), bytes);
  return writeTable(
    formatOf(file),
    schemaOf(table.columns, table.types),
    table.rows,
    table.dialect,
  );
}

describe('what other programs wrote comes back byte for byte', () => {
  test.each(readdirSync(LAYOUTS))('%s', async (file) => {
    const bytes = readFileSync(new URL(file, LAYOUTS));
    expect((await rewrite(file, bytes)).toString()).toBe(bytes.toString());
  });

  test.each([1, 2, 3, 4, 7, 10, '\t', '\t\t'])('JSON.stringify with %j', async (indent) => {
    const rows = [
      { id: 1, deep: [[], {}, [{ a: [1, [2, { b: null }]] }]], s: '[1, 2]' },
      { id: 2, deep: {}, s: '' },
    ];
    const bytes = Buffer.from(JSON.stringify(rows, null, indent));
    expect((await rewrite('x.json', bytes)).toString()).toBe(bytes.toString());
  });
});

test('members keep their order where the file has one', async () => {
  const lines = '{"a":1,"z":1}\n{"a":1,"m":1,"z":1}\n{"b":1,"m":1}\n{"m":1,"x":1,"z":1}\n';
  const table = await readTable(ndjson, lines);
  expect(table.columns).toEqual(['a', 'z', 'm', 'b', 'x']);
  expect(table.dialect.members).toEqual(['a', 'b', 'm', 'x', 'z']);
  expect((await rewrite('x.ndjson', Buffer.from(lines))).toString()).toBe(lines);
  const schema = schemaOf(['new', ...table.columns], Array(6).fill('integer'));
  const row = ['1', '2', '3', '4', '5', '6'];
  const written = await writeTable(ndjson, schema, [row], table.dialect);
  expect(written.toString()).toBe('{"a":2,"b":5,"m":4,"x":6,"z":3,"new":1}\n');
});

test('a file in no order falls back to that of first appearance', async () => {
  const table = await readTable(ndjson, '{"a":1,"b":1}\n{"b":1,"a":1}\n');
  expect(table.dialect.members).toBeUndefined();
});

test('what a file does with absent cells is remembered, by majority', async () => {
  const nullsOf = async (lines: string) => (await readTable(ndjson, lines)).dialect.nulls;
  expect(await nullsOf('{"a":1}\n{"a":2}')).toBeUndefined();
  expect(await nullsOf('{"a":1}\n{"a":null}')).toBe('null');
  expect(await nullsOf('{"a":1}\n{"b":1}\n{"a":null,"b":2}')).toBe('absent');
  expect(await nullsOf('{"a":null,"b":null}\n{"a":1}\n{"b":2,"a":3}')).toBe('null');
});

describe('without rows', () => {
  const schema = schemaOf(['a'], ['text']);
  test('an empty array, an empty file', async () => {
    expect((await writeTable(json, schema, [], { format: 'json' })).toString()).toBe('[]\n');
    expect((await writeTable(ndjson, schema, [], { format: 'ndjson' })).length).toBe(0);
  });
});

describe('a cell is written as tuple/json-value.ts says', () => {
  const cells = fc.oneof(
    text,
    string.map(({ compact }) => compact),
    fc.constantFrom(
      '1',
      '-0',
      '1.50',
      '1e5',
      '1e1234567890',
      '007',
      '+1',
      '.5',
      'NaN',
      '-Infinity',
    ),
    fc.constantFrom(
      'true',
      'false',
      'null',
      '{"a":[1,"x"]}',
      '[]',
      '{',
      '"',
      '9223372036854775808',
    ),
  );
  test('for every type', async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...COLUMN_TYPES), cells, async (type, cell) => {
        const compact = type === 'json' ? cell.replace(/, /g, ',') : cell;
        const written = await writeTable(ndjson, schemaOf(['c'], [type]), [[compact]], {
          format: 'ndjson',
        });
        expect(written.toString()).toBe(`{"c":${cellToJson(type, compact)}}\n`);
      }),
      { numRuns: 500 },
    );
  });

  test('a JSON cell with line breaks stays on its line', async () => {
    const cell = '{\n  "a": [1, 2],\r\n "b" : " x "\n}';
    const written = await writeTable(ndjson, schemaOf(['c'], ['json']), [[cell]], {
      format: 'ndjson',
    });
    expect(written.toString()).toBe('{"c":{"a":[1,2],"b":" x "}}\n');
  });
});

test('escapes beyond ASCII only where asked for', async () => {
  const schema = schemaOf(['é/'], ['text']);
  const row = ['ü/😀\u0000\u007f\u2028'];
  const plain = await writeTable(ndjson, schema, [row], { format: 'ndjson' });
  expect(plain.toString()).toBe(`${JSON.stringify({ 'é/': row[0] })}\n`);
  const ascii = await writeTable(ndjson, schema, [row], {
    format: 'ndjson',
    ascii: true,
    slashes: true,
  });
  expect(ascii.toString()).toBe('{"\\u00e9\\/":"\\u00fc\\/\\ud83d\\ude00\\u0000\u007f\\u2028"}\n');
});
