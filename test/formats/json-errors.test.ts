import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DvError } from '../../src/errors.ts';
import type { ByteSource, Format } from '../../src/formats/contract.ts';
import { json, ndjson } from '../../src/formats/json.ts';
import { readTable, sourceOf } from '../support/format-rows.ts';
import { safeRecord } from '../support/json-arbitrary.ts';

async function errorOf(format: Format, source: ByteSource | Uint8Array | string): Promise<DvError> {
  try {
    await readTable(format, source);
  } catch (error) {
    if (error instanceof DvError) return error;
    throw error;
  }
  throw new Error('expected an error');
}

/** Text, then code, line and column. */
type Case = readonly [text: string, code: string, line?: number, column?: number];

const LINES: readonly Case[] = [
  ['', 'file-empty'],
  ['\n \r\n', 'file-empty'],
  ['{}\n{}\n', 'file-empty'],
  ['\ufeff', 'file-empty'],
  ['{"a":1}\n[1]\n', 'bad-json', 2, 1],
  ['{"a":1}\n"x"\n', 'bad-json', 2, 1],
  ['{"a":1}\n null\n', 'bad-json', 2, 2],
  ['{"a":1}\nnonsense', 'bad-json', 2, 1],
  ['{"a":1} {"a":2}', 'bad-json', 1, 9],
  ['{"a":1},\n{"a":2}', 'bad-json', 1, 8],
  ['{"a":\n1}', 'bad-json', 1, 6],
  ['{"a":1\n{"a":2}', 'bad-json', 1, 7],
  ['{"a":1', 'bad-json', 1, 7],
  ['{"a":1,"a":2}', 'bad-json', 1, 8],
  ['{"a":1,"\\u0061":2}', 'bad-json', 1, 8],
  ['{"a":1}\n{"":1}', 'bad-header', 2, 3],
  ['{"\\ud800":1}', 'bad-json', 1, 3],
  ['{"a":01}', 'bad-json', 1, 7],
  ['{"a":1.}', 'bad-json', 1, 8],
  ['{"a":.5}', 'bad-json', 1, 6],
  ['{"a":+5}', 'bad-json', 1, 6],
  ['{"a":-}', 'bad-json', 1, 7],
  ['{"a":1e}', 'bad-json', 1, 8],
  ['{"a":NaN}', 'bad-json', 1, 6],
  ['{"a":nul}', 'bad-json', 1, 9],
  ['{"a":True}', 'bad-json', 1, 6],
  ["{'a':1}", 'bad-json', 1, 2],
  ['{a:1}', 'bad-json', 1, 2],
  ['{"a" 1}', 'bad-json', 1, 6],
  ['{"a":1,}', 'bad-json', 1, 8],
  ['{"a":"\t"}', 'bad-json', 1, 7],
  ['{"a":"\u0000"}', 'bad-json', 1, 7],
  ['{"a":"\\x"}', 'bad-json', 1, 8],
  ['{"a":"\\u12g4"}', 'bad-json', 1, 11],
  ['{"a":"x}', 'bad-json', 1, 9],
  ['{"a":[1,]}', 'bad-json', 1, 9],
  ['{"a":[1 2]}', 'bad-json', 1, 9],
  ['{"a":[1}}', 'bad-json', 1, 8],
  ['{"a":{"b"}}', 'bad-json', 1, 10],
  ['{"a":{"b":1,}}', 'bad-json', 1, 13],
  [`{"a":${'['.repeat(1001)}`, 'bad-json', 1, 1006],
  ['{"é":"é","x":}', 'bad-json', 1, 16],
];

const ARRAYS: readonly Case[] = [
  ['', 'file-empty'],
  [' \n ', 'file-empty'],
  ['[]', 'file-empty'],
  ['[{},{}]', 'file-empty'],
  ['{"a":1}', 'bad-json', 1, 1],
  ['7', 'bad-json', 1, 1],
  ['[', 'bad-json', 1, 2],
  ['[{"a":1}', 'bad-json', 1, 9],
  ['[{"a":1},', 'bad-json', 1, 10],
  ['[\n{"a":1},\n]', 'bad-json', 3, 1],
  ['[{"a":1} {"a":2}]', 'bad-json', 1, 10],
  ['[{"a":1},,{"a":2}]', 'bad-json', 1, 10],
  ['[,{"a":1}]', 'bad-json', 1, 2],
  ['[{"a":1}] x', 'bad-json', 1, 11],
  ['[{"a":1}]\n]', 'bad-json', 2, 1],
  ['[{"a":1},2]', 'bad-json', 1, 10],
  ['[{"a":1},[2]]', 'bad-json', 1, 10],
  ['[{"a"\n:1,\n"b":}]', 'bad-json', 3, 5],
  ['[{"a":1,\n"a":2}]', 'bad-json', 2, 1],
  ['[{"":2}]', 'bad-header', 1, 4],
];

describe.each<readonly [string, Format, readonly Case[]]>([
  ['ndjson', ndjson, LINES],
  ['json', json, ARRAYS],
])('%s', (_, format, cases) => {
  test.each(cases.map((it) => ({ it })))('$it', async ({ it: [text, code, line, column] }) => {
    const error = await errorOf(format, text);
    expect({ code: error.code, line: error.data.line, column: error.data.column }).toEqual({
      code,
      line,
      column,
    });
    expect(error.data.file).toBe('rows');
    expect(error.message).not.toMatch(/[\u0000-\u001f]/);
  });

  test('the same error wherever the stream is cut', async () => {
    for (const [text] of cases.filter(([some]) => some.length < 100)) {
      const whole = (await errorOf(format, text)).toJSON();
      for (const chunk of [1, 2, 3]) {
        expect((await errorOf(format, sourceOf(text, chunk))).toJSON()).toEqual(whole);
      }
    }
  });
});

test('the other layout gets a hint', async () => {
  expect((await errorOf(json, '{"a":1}\n{"a":2}')).hint).toMatch(/\.ndjson/);
  expect((await errorOf(ndjson, '[{"a":1}]')).hint).toMatch(/\.json/);
});

test('says what it found, and shows it without control characters', async () => {
  const error = await errorOf(ndjson, '{"a":1}\n{"b":"x\\n", "c": \u0007é}');
  expect(error.message).toBe(
    '"rows", line 2, column 18: expected a value, found a control character, near "{"b":"x\\n", "c":  é}"',
  );
});

describe('bytes that are not UTF-8', () => {
  test.each([
    ['a stray byte', [0xff], 6],
    ['an overlong form', [0xc0, 0x80], 6],
    ['half of a surrogate pair', [0xed, 0xa0, 0x80], 6],
    ['a character cut off', [0x61, 0xe2, 0x82], 7],
  ])('%s', async (_, bytes, offset) => {
    const file = Buffer.concat([Buffer.from('{"a":"'), Buffer.from(bytes), Buffer.from('"}\n')]);
    for (const chunk of [1, 2, 1000]) {
      const error = await errorOf(ndjson, sourceOf(file, chunk));
      expect([error.code, error.data.offset, error.data.line]).toEqual(['invalid-utf8', offset, 1]);
    }
    const cut = await errorOf(ndjson, file.subarray(0, 6 + bytes.length));
    expect([cut.code, cut.data.offset]).toEqual(['invalid-utf8', offset]);
  });

  test('UTF-16 gets a hint; an earlier fault comes first', async () => {
    const utf16 = Buffer.from('\ufeff{"a":1}', 'utf16le');
    expect((await errorOf(json, utf16)).hint).toMatch(/UTF-16/);
    const both = Buffer.concat([Buffer.from('{"a":1}\n[]\n{"a":"'), Buffer.from([0xff])]);
    for (const chunk of [1, 1000]) {
      expect((await errorOf(ndjson, sourceOf(both, chunk))).data.line).toBe(2);
    }
  });
});

test.each([
  ['ndjson', ndjson, '{"a":1}\n{"a":"', '"}\n'],
  ['json', json, '[{"a":1},\n{"a":"', '"}]'],
] as const)(
  'a record over 64 MiB is refused in %s, one just under it is read',
  async (_, format, before, behind) => {
    const sourceWith = (size: number): ByteSource => ({
      name: 'rows',
      size: undefined,
      async *stream() {
        yield Buffer.from(before);
        const part = Buffer.alloc(1 << 20, 'x');
        for (let left = size; left > 0; left -= part.length) yield part.subarray(0, left);
        yield Buffer.from(behind);
      },
    });
    const limit = 64 * 1024 * 1024;
    const fixed = Buffer.from('{"a":""}').length;
    const error = await errorOf(format, sourceWith(limit - fixed + 1));
    expect([error.code, error.data.line]).toEqual(['record-too-large', 2]);
    const endless = await errorOf(format, sourceWith(limit * 3));
    expect([endless.code, endless.data.line]).toEqual(['record-too-large', 2]);
    const table = await readTable(format, sourceWith(limit - fixed));
    expect(table.rows[1][0]?.length).toBe(limit - fixed);
  },
);

test('too many columns', async () => {
  const members = Array.from({ length: 16_385 }, (_, i) => `"c${i}":1`);
  const error = await errorOf(ndjson, `{${members.join(',')}}`);
  expect(error.code).toBe('too-many-columns');
  const table = await readTable(ndjson, `{${members.slice(1).join(',')}}`);
  expect(table.columns.length).toBe(16_384);
});

test('accepts exactly what JSON.parse accepts, whatever the damage', async () => {
  const damage = fc.tuple(fc.nat(), fc.constantFrom(...'{}[],:"\\0e-. \nnté', '\ud800', ''));
  await fc.assert(
    fc.asyncProperty(
      fc.array(safeRecord, { minLength: 1, maxLength: 3 }),
      fc.array(damage, { minLength: 1, maxLength: 2 }),
      fc.nat(2),
      async (records, damages, keep) => {
        const text = damages.reduce(
          (some, [where, what]) => {
            const at = where % (some.length + 1);
            return (some.slice(0, at) + what + some.slice(at + keep)).toWellFormed();
          },
          `[${records.map(({ loose }) => loose).join(',')}]`,
        );
        const outcome = await readTable(json, text).then(
          () => undefined,
          (error: DvError) => error,
        );
        const model = parsed(text);
        if (outcome === undefined) expect(model).toBe('an array of objects');
        else if (model === 'an array of objects') {
          // What JSON.parse does not mind: names twice or empty, rows without columns.
          expect(outcome.code + outcome.message).toMatch(
            /bad-header|file-empty|second time|half of/,
          );
        }
      },
    ),
    { numRuns: 500 },
  );
});

function parsed(text: string): string {
  try {
    const value: unknown = JSON.parse(text);
    const isObject = (item: unknown) =>
      typeof item === 'object' && item !== null && !Array.isArray(item);
    return Array.isArray(value) && value.every(isObject) ? 'an array of objects' : 'other JSON';
  } catch {
    return 'not JSON';
  }
}
