import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { json, ndjson } from '../../src/formats/json.ts';
import { readLossless, readTable, schemaOf, sourceOf, writeTable } from '../support/format-rows.ts';
import { type JsonRecord, record, safeRecord, tableOf } from '../support/json-arbitrary.ts';

const newline = fc.constantFrom('\n', '\r\n', '\n\n', ' \n');

/** The same records in both formats. */
function filesOf(one: fc.Arbitrary<JsonRecord>) {
  const records = fc
    .array(one, { minLength: 1, maxLength: 12 })
    .filter((some) => some.some(({ members }) => members.size > 0));
  return fc.tuple(records, newline, fc.boolean()).map(([some, line, last]) => ({
    records: some,
    lines: some.map(({ loose }) => loose).join(line) + (last ? line : ''),
    array: `${line}[${line}${some.map(({ loose }) => loose).join(`${line},`)} ]${last ? line : ''}`,
  }));
}

const files = filesOf(record);
const safeFiles = filesOf(safeRecord);

describe('reading', () => {
  test('cells are the text, numbers as written, nested values without white space', async () => {
    await fc.assert(
      fc.asyncProperty(files, fc.integer({ min: 1, max: 40 }), async (file, chunk) => {
        const expected = tableOf(file.records);
        const fromLines = await readTable(ndjson, sourceOf(file.lines, chunk));
        const fromArray = await readTable(json, sourceOf(file.array, chunk));
        expect({ columns: fromLines.columns, rows: fromLines.rows }).toEqual(expected);
        expect({ columns: fromArray.columns, rows: fromArray.rows }).toEqual(expected);
      }),
    );
  });

  test('agrees with JSON.parse', async () => {
    await fc.assert(
      fc.asyncProperty(safeFiles, async ({ array }) => {
        const model = JSON.parse(array) as Record<string, unknown>[];
        const table = await readTable(json, array);
        model.forEach((object, row) => {
          table.columns.forEach((name, column) => {
            const cell = table.rows[row][column];
            const value = Object.hasOwn(object, name) ? object[name] : null;
            if (cell === null || typeof value === 'string') expect(cell).toBe(value);
            else expect(JSON.parse(cell)).toEqual(value);
          });
        });
      }),
    );
  });

  test('a stream cut anywhere gives the same', async () => {
    const lines = Buffer.from(
      '\ufeff{"a":1.50,"bé":"x\\ud83d\\ude00\\n€","n":[ 1 , {"k" : "\\u0041" } ]}\r\n\r\n{"c":true}\r\n{"a":-1e+5,"c":null}',
    );
    const array = Buffer.from(
      ' [ {"a":1.50,"bé":"x\\ud83d\\ude00\\n€","n":[ 1 , {"k" : "\\u0041" } ]} ,\n{"c":true},{"a":-1e+5,"c":null} ] ',
    );
    for (const [format, bytes] of [[ndjson, lines] as const, [json, array] as const]) {
      const whole = await readTable(format, bytes);
      expect(whole.rows).toEqual([
        ['1.50', 'x😀\n€', '[1,{"k":"\\u0041"}]', null],
        [null, null, null, 'true'],
        ['-1e+5', null, null, null],
      ]);
      for (let cut = 1; cut < bytes.length; cut++) {
        const parts = [bytes.subarray(0, cut), bytes.subarray(cut)];
        const stream = async function* () {
          yield* parts;
        };
        const source = { name: 'rows', size: undefined, stream };
        expect(await readTable(format, source)).toEqual(whole);
      }
      expect(await readTable(format, sourceOf(bytes, 1))).toEqual(whole);
    }
  });

  test('records larger than any chunk, and many rows', async () => {
    const big = 'x'.repeat(700_000);
    const rows = Array.from({ length: 9000 }, (_, i) => ({ id: i, s: i % 4000 === 7 ? big : 'y' }));
    const table = await readTable(json, sourceOf(JSON.stringify(rows), 1000));
    expect(table.rows.length).toBe(9000);
    expect(table.rows[8007]).toEqual(['8007', big]);
    expect(table.rows[8999]).toEqual(['8999', 'y']);
  });

  test('new columns in any record, and wide ones in many', async () => {
    const objects = Array.from({ length: 300 }, (_, i) => ({ id: i, [`c${i}`]: `v${i}` }));
    const table = await readTable(ndjson, objects.map((o) => JSON.stringify(o)).join('\n'));
    expect(table.columns.length).toBe(301);
    table.rows.forEach((row, i) => {
      expect(row.filter((cell) => cell !== null)).toEqual([`${i}`, `v${i}`]);
      expect(row[i + 1]).toBe(`v${i}`);
    });
  });

  test('while a batch is at hand the columns are its own', async () => {
    await fc.assert(
      fc.asyncProperty(files, fc.integer({ min: 1, max: 40 }), async (file, chunk) => {
        for (const [format, bytes] of [
          [ndjson, file.lines] as const,
          [json, file.array] as const,
        ]) {
          const reader = await format.openReader(sourceOf(bytes, chunk), {});
          for await (const batch of reader.batches()) {
            expect(reader.columns.length).toBe(batch.columns);
            expect(reader.declaredTypes.length).toBe(batch.columns);
          }
        }
      }),
    );
  });

  test('lines are those of the file, or record numbers where there are none', async () => {
    const lines = '\n{"a":1}\n\n{"a":2}\n{"a":3}';
    expect((await readTable(ndjson, lines)).lines).toEqual([2, 4, 5]);
    expect((await readTable(json, '[{"a":1},{"a":2}, {"a":3}]')).lines).toEqual([1, 2, 3]);
    expect((await readTable(json, '[\n{"a"\n:1},\n{"a":2}, {"a":3}]')).lines).toEqual([2, 4, 4]);
  });

  test('a reader can be read again', async () => {
    const reader = await ndjson.openReader(sourceOf('{"a":1}\n{"b":2}\n'), {});
    for (let round = 0; round < 2; round++) {
      let rows = 0;
      for await (const batch of reader.batches()) rows += batch.rows;
      expect([rows, reader.columns]).toEqual([2, ['a', 'b']]);
    }
  });
});

describe('kinds of value', () => {
  test('declare types, and strings beside others need JSON text', async () => {
    const rows = [
      { s: '1', n: 1, b: true, o: {}, mix: 1, bn: 1, no: [], empty: null },
      { s: '2', n: 1.5, b: false, o: [], mix: '1', bn: true, no: 7, empty: null },
    ];
    const table = await readTable(json, JSON.stringify(rows));
    expect(table.declared).toEqual([
      'text',
      undefined,
      undefined,
      'json',
      'text',
      'json',
      'json',
      undefined,
    ]);
    expect(table.mixed).toEqual(['mix']);
    const raw = await readTable(json, JSON.stringify(rows), { rawJson: new Set(['mix']) });
    expect(raw.declared[4]).toBe('json');
    expect(raw.mixed).toEqual([]);
    expect(raw.rows.map((row) => row[4])).toEqual(['1', '"1"']);
  });

  test('what text cannot hold is kept as JSON text', async () => {
    const lines =
      '{"lone":"\\ud800x","fine":"\\ud83d\\ude00","huge":1e0000000001}\n{"fine":"NaN"}\n' +
      '{"low":"\\udc00","broken":"\\ud83d\\u0041","twice":"\\ud83d\\ud83d\\ude00"}';
    const table = await readTable(ndjson, lines);
    expect(table.mixed).toEqual(['lone', 'huge', 'low', 'broken', 'twice']);
    expect(table.rows[0].slice(0, 3)).toEqual(['\ufffdx', '😀', '1e0000000001']);
    expect(table.rows[2].slice(3)).toEqual(['\ufffd', '\ufffdA', '\ufffd😀']);
    const raw = await readLossless(ndjson, lines);
    expect(raw.rows[0].slice(0, 3)).toEqual(['"\\ud800x"', '😀', '1e0000000001']);
    expect(raw.rows[1][1]).toBe('NaN');
    expect(raw.rows[2].slice(3)).toEqual([
      '"\\udc00"',
      '"\\ud83d\\u0041"',
      '"\\ud83d\\ud83d\\ude00"',
    ]);
  });

  test('raw columns give the JSON text of every cell', async () => {
    await fc.assert(
      fc.asyncProperty(files, fc.subarray(['a', 'b', 'ab', '"']), async (file, names) => {
        const raw = new Set(names);
        const table = await readTable(json, file.array, { rawJson: raw });
        expect(table.rows).toEqual(tableOf(file.records, raw).rows);
      }),
    );
  });
});

describe('reading, writing and reading again', () => {
  test('gives the same values, whatever the layout', async () => {
    const layout = fc.record(
      {
        indent: fc.nat(4),
        tabs: fc.boolean(),
        spaced: fc.boolean(),
        ascii: fc.boolean(),
        slashes: fc.boolean(),
        bom: fc.boolean(),
        nulls: fc.constantFrom('absent' as const, 'null' as const),
        newline: fc.constantFrom('\n' as const, '\r\n' as const),
        finalNewline: fc.boolean(),
      },
      { requiredKeys: [] },
    );
    await fc.assert(
      fc.asyncProperty(safeFiles, layout, async ({ array }, fields) => {
        const table = await readLossless(json, array);
        const schema = schemaOf(table.columns, table.types);
        for (const [format, name] of [[json, 'json'] as const, [ndjson, 'ndjson'] as const]) {
          const bytes = await writeTable(
            format,
            schema,
            table.rows,
            { format: name, ...fields },
            5,
          );
          const text = bytes.toString().replace(/^\ufeff/, '');
          const list = name === 'json' ? text : `[${text.trimEnd().replace(/\r?\n/g, ',')}]`;
          expect(withoutNulls(list)).toEqual(withoutNulls(array));
          if (fields.ascii)
            expect(text.replace(/"[^"]*":/g, '')).not.toMatch(/\\u00[8-f][0-9a-f]{5}/);
        }
      }),
    );
  });
});

/** Members that are null and members that are absent are the same cells. */
function withoutNulls(text: string): unknown {
  const rows = JSON.parse(text) as Record<string, unknown>[];
  return rows.map((row) =>
    Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null)),
  );
}
