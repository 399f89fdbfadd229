import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { renderDiffNdjson } from '../../src/cli/render/diff-ndjson.ts';
import { DvError } from '../../src/errors.ts';
import type { TableDiff } from '../../src/model/change.ts';
import {
  formatPatch,
  invertPatch,
  type PatchCells,
  type PatchTable,
  parsePatch,
  toPatch,
  writePatch,
} from '../../src/porcelain/patch.ts';
import type { Schema } from '../../src/tuple/schema.ts';
import { tablePairs } from '../support/table-arbitrary.ts';
import {
  cellsByName,
  collect,
  inPieces,
  schema,
  slowDiff,
  tableDiff,
  textOf,
  type WholeTable,
} from '../support/table-diffs.ts';

const CITIES = schema('id:integer name population:integer', 'id');

const cities = (): TableDiff =>
  tableDiff('cities.csv', CITIES, CITIES, [
    [
      ['1', 'Zürich', '415367'],
      ['1', 'Zurich', null],
    ],
    [['7', 'Geneva', null], null],
    [null, ['12', '', '133883']],
  ]);

/** A patch with its rows, comparable; line numbers are for messages. */
async function contents(patch: AsyncIterable<PatchTable>) {
  const tables = [];
  for await (const { table, fromSchema, toSchema, changes } of patch) {
    const rows = (await collect(changes())).flat();
    tables.push({ table, fromSchema, toSchema, rows: rows.map((row) => ({ ...row, line: 0 })) });
  }
  return tables;
}

const parse = (text: string) => parsePatch(inPieces(text, [1000]));

/** The slow, obvious way to apply: rows as sets of cells, found by scanning. */
async function applySlowly(table: WholeTable | null, patch: PatchTable) {
  const rows = (table?.rows ?? []).map((row) => cellsByName(table!.schema, row));
  for (const batch of await collect(patch.changes())) {
    for (const { from, to } of batch) {
      const at = from === null ? -1 : rows.findIndex((row) => holds(row, from));
      if (from !== null && at < 0) throw new Error('no such row');
      const row = at < 0 ? new Map() : new Map(rows[at]);
      for (const [name, cell] of [...(from ?? []), ...(to ?? [])]) {
        if (cell === null || !to?.has(name)) row.delete(name);
        else row.set(name, cell);
      }
      rows.splice(at < 0 ? rows.length : at, at < 0 ? 0 : 1, ...(to === null ? [] : [row]));
    }
  }
  return rows.map((row) => JSON.stringify([...row].sort())).sort();
}

function holds(row: ReadonlyMap<string, string | null>, cells: PatchCells): boolean {
  return [...cells].every(([name, cell]) => (row.get(name) ?? null) === cell);
}

function sortedRows({ schema, rows }: WholeTable): string[] {
  return rows.map((row) => JSON.stringify([...cellsByName(schema, row)].sort())).sort();
}

describe('the text of a patch', () => {
  it('reads as documented', async () => {
    expect(await textOf(writePatch([cities()]))).toBe(
      [
        'dv patch 1',
        'table "cities.csv"',
        'schema {"columns":{"id":"integer","name":"text","population":"integer"},"key":["id"]}',
        '~ {"id":"1","name":["Zürich","Zurich"],"population":["415367",null]}',
        '- {"id":"7","name":"Geneva"}',
        '+ {"id":"12","name":"","population":"133883"}',
        'end 1 added, 1 removed, 1 modified',
        'done 1 table',
        '',
      ].join('\n'),
    );
  });

  it('says it all: parse(write(diff)) is the diff', async () => {
    await fc.assert(
      fc.asyncProperty(tablePairs({ rekey: true, retype: true }), async ({ from, to }) => {
        const diffs = () => [slowDiff('t', from, to), slowDiff('new', null, to), cities()];
        const text = await textOf(writePatch(diffs()));
        expect(await contents(parse(text))).toEqual(await contents(toPatch(diffs())));
      }),
    );
  });

  it('turns the from-table into the to-table, and inverted back', async () => {
    await fc.assert(
      fc.asyncProperty(tablePairs({ retype: true }), async ({ from, to }) => {
        const text = await textOf(writePatch([slowDiff('t', from, to)]));
        const [patch] = await collectOpen(parse(text), from);
        expect(patch).toEqual(sortedRows(to));
        const [inverse] = await collectOpen(invertPatch(parse(text)), to);
        expect(inverse).toEqual(sortedRows(from));
      }),
    );
  });

  it('inverted twice is the same text', async () => {
    await fc.assert(
      fc.asyncProperty(tablePairs({ rekey: true, retype: true }), async ({ from, to }) => {
        const text = await textOf(writePatch([slowDiff('t', from, to), slowDiff('u', from, null)]));
        const once = await textOf(formatPatch(invertPatch(parse(text))));
        expect(await textOf(formatPatch(invertPatch(parse(once))))).toBe(text);
      }),
    );
  });

  it('may come in any pieces, with either line end, with comments', async () => {
    const text = await textOf(writePatch([cities(), cities()]));
    const expected = await contents(parse(text));
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }),
        async (sizes) => {
          const dressed = text.replaceAll('\n', '\r\n').replace('table', '# a note\r\n\r\ntable');
          expect(await contents(parsePatch(inPieces(dressed, sizes)))).toEqual(expected);
        },
      ),
      { numRuns: 20 },
    );
  });

  it('may be read table by table, without the rows, and one behind the other', async () => {
    const text = (await textOf(writePatch([cities(), cities()]))).repeat(2);
    const tables = [];
    for await (const { table, line } of parse(text)) tables.push([table, line]);
    expect(tables).toEqual([2, 8, 16, 22].map((line) => ['cities.csv', line]));
  });

  it('of nothing is nothing', async () => {
    expect(await textOf(writePatch([]))).toBe('dv patch 1\ndone 0 tables\n');
    expect(await contents(parse('dv patch 1\ndone 0 tables\n'))).toEqual([]);
    expect(await contents(parse(''))).toEqual([]);
  });
});

async function collectOpen(patch: AsyncIterable<PatchTable>, table: WholeTable) {
  const results = [];
  for await (const one of patch) results.push(await applySlowly(table, one));
  return results;
}

describe('a diff in NDJSON as a patch', () => {
  it('is the same patch', async () => {
    await fc.assert(
      fc.asyncProperty(tablePairs({ rekey: true, retype: true }), async ({ from, to }) => {
        const diff = () => slowDiff('t', from, to);
        const types = (s: Schema) => new Map(s.columns.map(({ name, type }) => [name, type]));
        const known = types(to.schema);
        const ndjson = await textOf(renderDiffNdjson([diff()], { complete: true }));
        const patch = parsePatch(inPieces(ndjson, [7, 300]), {
          typeOf: (_table, column) => known.get(column),
        });
        const [expected] = await contents(toPatch([diff()]));
        const silent = expected.rows.length === 0 && diff().schema.length === 0;
        const [parsed = silent ? expected : undefined] = await contents(patch);
        expect(parsed?.rows).toEqual(expected.rows);
        if (diff().schema.length > 0) expect(parsed).toEqual(expected);
      }),
    );
  });

  it('keeps every digit', async () => {
    const table = schema('id:integer price:decimal size:float flag:boolean data:json', 'id');
    const row = ['9007199254740993', '1.50', '1e5', 'true', '{"a": [1.10, "x"]}'];
    const to = ['9007199254740993', '123456789012345678901234567890', 'NaN', null, '[]'];
    const diff = () => tableDiff('t', table, table, [[row, to]]);
    const text = await textOf(renderDiffNdjson([diff()]));
    expect(text).toContain('"price":1.50,"size":1e5');
    const [patch] = await contents(parse(text));
    expect([...patch.rows[0].from!.values()]).toEqual(row);
    expect([...patch.rows[0].to!.values()]).toEqual(to);
  });

  it('tells text from JSON where the type is known', async () => {
    const line = '{"table":"t","change":"added","key":{"id":"1"},"from":null,"to":{"id":"1"}}\n';
    const cell = async (type: 'json' | undefined) => {
      const [{ rows }] = await contents(parsePatch(inPieces(line, [9]), { typeOf: () => type }));
      return rows[0].to!.get('id');
    };
    expect([await cell('json'), await cell(undefined)]).toEqual(['"1"', '1']);
  });
});

describe('a damaged patch', () => {
  it('is refused wherever it was cut', async () => {
    const text = await textOf(writePatch([cities(), cities()]));
    const last = text.lastIndexOf('done');
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: last + 'done 2 tabl'.length }), async (at) => {
        await expect(contents(parse(text.slice(0, at)))).rejects.toMatchObject({
          code: 'bad-patch',
          data: { line: expect.any(Number) },
        });
      }),
    );
  });

  it('never causes anything but a DvError', async () => {
    const text = await textOf(writePatch([cities()]));
    const ndjson = await textOf(renderDiffNdjson([cities()]));
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(text, ndjson),
        fc.array(fc.tuple(fc.nat(text.length), fc.constantFrom(...'{}[]",:~+-\n1x\\\u00ff')), {
          minLength: 1,
          maxLength: 4,
        }),
        async (sound, edits) => {
          let broken = sound;
          for (const [at, char] of edits)
            broken = broken.slice(0, at) + char + broken.slice(at + 1);
          try {
            await contents(parse(broken));
          } catch (error) {
            expect(error).toBeInstanceOf(DvError);
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  const head =
    'dv patch 1\ntable "t"\nschema {"columns":{"id":"integer","x":"text"},"key":["id"]}\n';
  it.each([
    ['dv patch\n', 1, 'is not the head of a patch'],
    ['hello\n', 1, 'is not the head of a patch'],
    ['dv patch 1\ntabel "t"\n', 2, 'starts no table'],
    ['dv patch 1\ntable t\n', 2, 'holds no JSON'],
    ['dv patch 1\ntable "t"\nschema {"columns":{"id":"int"},"key":[]}\n', 3, 'names a type'],
    ['dv patch 1\ntable "t"\nschema {"columns":{"id":"text"},"key":["x"]}\n', 3, 'has a key'],
    ['dv patch 1\ntable "t"\nschema null\n', 3, 'holds no schema'],
    ['dv patch 1\ntable "t"\nfrom null\nend 0 added\n', 4, 'comes where "to" must be'],
    ['dv patch 1\ntable "t"\nfrom null\nto null\n- {"id":"1"}\n', 5, 'does not exist'],
    [`${head}~ {"x":["a","b"]}\n`, 4, 'lacks the key column "id"'],
    [`${head}+ {"id":"1","y":"a"}\n`, 4, 'names a column'],
    [`${head}+ {"id":1}\n`, 4, 'has a cell that is neither text nor null'],
    [`${head}+ {"id":["1","2"]}\n`, 4, 'has a cell that is neither text nor null'],
    [`${head}+ {"id":"1","id":"2"}\n`, 4, 'is not a row'],
    [`${head}* {"id":"1"}\n`, 4, 'is not a row'],
    [`${head}+ {"id":"1"}\nend 2 added, 0 removed, 0 modified\n`, 5, 'does not match the rows'],
    [`${head}end 0 added, 0 removed, 0 modified\ndone 2 tables\n`, 5, 'speaks of 2 tables'],
    ['{"table":"t"}\n', 1, 'is not a line of a diff'],
    ['{"table":"t","change":"added","key":null,"from":null,"to":null}\n', 1, 'has sides'],
    ['{"table":"t","change":"added","key":null,"from":null,"to":[1]}\n', 1, 'has a side'],
    [
      '{"table":"t","change":"modified","key":{"id":1},"from":{"x":1},"to":{"x":2}}\n',
      1,
      'lacks the key column "id"',
    ],
  ])('%j says what is wrong with its line', async (text, line, message) => {
    await expect(contents(parse(text))).rejects.toMatchObject({
      code: 'bad-patch',
      message: expect.stringContaining(message),
      data: { line },
    });
  });

  it('that is not UTF-8 is refused', async () => {
    const bytes = [Buffer.from('dv patch 1\n'), Buffer.from([0xff, 0xfe])];
    const patch = parsePatch(ReadableStream.from(bytes));
    await expect(contents(patch)).rejects.toMatchObject({ code: 'bad-patch' });
  });

  it('of a later version is refused as such', async () => {
    await expect(contents(parse('dv patch 2\n'))).rejects.toMatchObject({ code: 'newer-format' });
  });
});
