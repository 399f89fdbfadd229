/**
 * Law: a diff applied to where it starts gives where it ends, and inverted leads back;
 * what does not fit changes nothing.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { renderDiffNdjson } from '../../src/cli/render/diff-ndjson.ts';
import { DvError } from '../../src/errors.ts';
import type { Hash } from '../../src/hash.ts';
import { getRootEntry } from '../../src/model/root.ts';
import { diffTables } from '../../src/model/table-diff.ts';
import { apply } from '../../src/porcelain/apply.ts';
import { writePatch } from '../../src/porcelain/patch.ts';
import type { Repository } from '../../src/porcelain/repository.ts';
import { stageEntries, workingSet } from '../../src/porcelain/staging.ts';
import type { ColumnRule } from '../../src/tuple/schema.ts';
import { temporaryRepository } from '../support/repository.ts';
import { storeTable } from '../support/stored-tables.ts';
import { tablePairs } from '../support/table-arbitrary.ts';
import { schema, textOf, type WholeTable } from '../support/table-diffs.ts';

const RUNS = Number(process.env.DV_RUNS ?? 100);

async function stage(repo: Repository, table: Hash | undefined): Promise<void> {
  const entry = table === undefined ? null : { kind: 'table' as const, table, dialect: undefined };
  await stageEntries(repo, new Map([['t', entry]]));
}

async function stagedTable(repo: Repository): Promise<Hash | undefined> {
  const entry = await getRootEntry(repo.nodes, (await workingSet(repo)).staged, 't');
  return entry?.kind === 'table' ? entry.table : undefined;
}

async function* inOnePiece(text: string): AsyncGenerator<string> {
  yield text;
}

const FORMS = {
  patch: (repo: Repository, from: Hash | undefined, to: Hash | undefined) => async () => {
    const diff = await diffTables(repo.nodes, 't', from, to, { complete: true });
    return textOf(writePatch([diff]));
  },
  ndjson: (repo: Repository, from: Hash | undefined, to: Hash | undefined) => async () => {
    const diff = await diffTables(repo.nodes, 't', from, to, { complete: true });
    return textOf(renderDiffNdjson([diff], { complete: true }));
  },
};

describe.each(['patch', 'ndjson'] as const)('a diff as %s', (form) => {
  test('leads to its end, and inverted back', async () => {
    await using temporary = await temporaryRepository();
    const { repo } = temporary;
    await fc.assert(
      fc.asyncProperty(
        tablePairs({ retype: true, rules: true, rekey: form === 'patch' }),
        fc.constantFrom('both', 'new', 'gone'),
        async (pair, sides) => {
          const from = sides === 'new' ? undefined : await storeTable(repo.nodes, pair.from);
          const to = sides === 'gone' ? undefined : await storeTable(repo.nodes, pair.to);
          const text = await FORMS[form](repo, from, to)();
          await stage(repo, from);
          await apply(repo, inOnePiece(text));
          expect(await stagedTable(repo)).toBe(to);
          await apply(repo, inOnePiece(text), { reverse: true });
          expect(await stagedTable(repo)).toBe(from);
        },
      ),
      { numRuns: RUNS },
    );
  });
});

describe('a patch that does not fit', () => {
  const base = {
    schema: schema('id:integer name n:integer', 'id'),
    rows: [
      ['1', 'a', '10'],
      ['2', 'b', null],
    ],
  };
  const head = '{"table":"t",';
  const cases: readonly (readonly [name: string, line: string, told: RegExp])[] = [
    [
      'a cell that is something else',
      `${head}"change":"modified","key":{"id":1},"from":{"id":1,"name":"x"},"to":{"id":1,"name":"y"}}`,
      /key "1": "name" is "a", the patch starts from "x"/,
    ],
    [
      'a row that is there',
      `${head}"change":"added","key":{"id":2},"from":null,"to":{"id":2,"name":"b","n":null}}`,
      /key "2": the row it adds is there already/,
    ],
    [
      'a row that is not',
      `${head}"change":"removed","key":{"id":9},"from":{"id":9,"name":"b","n":null},"to":null}`,
      /key "9": the row is not there/,
    ],
    [
      'a table that is not there',
      '{"table":"u","change":"removed","key":{"id":9},"from":{"id":9},"to":null}',
      /'u': there is no such table/,
    ],
    [
      'a name that leads out',
      '{"table":"../u","change":"removed","key":{"id":9},"from":{"id":9},"to":null}',
      /has a part '\.\.'/,
    ],
    ['no diff at all', '{"hello":1}', /is not a line of a diff/],
    ['text', 'hello', /is not the head of a patch/],
  ];
  test.each(cases)('%s', async (_, line, told) => {
    await using temporary = await temporaryRepository();
    const { repo } = temporary;
    const table = await storeTable(repo.nodes, base);
    await stage(repo, table);
    const good = `${head}"change":"removed","key":{"id":1},"from":{"id":1,"name":"a","n":10},"to":null}`;
    for (const text of [line, `${good}\n${line}`, `${good}\n${good}`]) {
      const failure = await apply(repo, inOnePiece(`${text}\n`)).catch((error) => error);
      expect(failure).toBeInstanceOf(DvError);
      if (text === line) expect(failure.message).toMatch(told);
      expect(await stagedTable(repo)).toBe(table);
    }
  });

  test('merge rules that the table has besides stay; one that it has otherwise refuses', async () => {
    await using temporary = await temporaryRepository();
    const { repo } = temporary;
    const ruled = (columns: Readonly<Record<string, ColumnRule>>) =>
      storeTable(repo.nodes, { ...base, schema: { ...base.schema, rules: { columns } } });
    const diff = await diffTables(
      repo.nodes,
      't',
      await ruled({ n: 'max' }),
      await ruled({ n: 'sum' }),
    );
    const text = await textOf(writePatch([diff]));
    await stage(repo, await ruled({ n: 'max', name: 'text' }));
    await apply(repo, inOnePiece(text));
    expect(await stagedTable(repo)).toBe(await ruled({ n: 'sum', name: 'text' }));
    const other = await ruled({ n: 'min' });
    await stage(repo, other);
    await expect(apply(repo, inOnePiece(text))).rejects.toMatchObject({ code: 'patch-mismatch' });
    expect(await stagedTable(repo)).toBe(other);
  });

  test('what a cell of JSON says is taken as it stands', async () => {
    await using temporary = await temporaryRepository();
    const { repo } = temporary;
    const json = { schema: schema('id:integer data:json', 'id'), rows: [['1', '"x"']] };
    await stage(repo, await storeTable(repo.nodes, json));
    const line = `${head}"change":"modified","key":{"id":1},"from":{"id":1,"data":"x"},"to":{"id":1,"data":[1.50]}}\n`;
    await apply(repo, inOnePiece(line));
    const expected = await storeTable(repo.nodes, { ...json, rows: [['1', '[1.50]']] });
    expect(await stagedTable(repo)).toBe(expected);
  });

  test('a diff that leaves rows out is refused', async () => {
    await using temporary = await temporaryRepository();
    const { repo } = temporary;
    const to = {
      schema: schema('id:integer name n:integer more', 'id'),
      rows: [['1', 'a', '10', 'x']],
    };
    const hashes = [await storeTable(repo.nodes, base), await storeTable(repo.nodes, to)];
    const diff = await diffTables(repo.nodes, 't', hashes[0], hashes[1]);
    const text = await textOf(renderDiffNdjson([diff]));
    await stage(repo, hashes[0]);
    await expect(apply(repo, inOnePiece(text))).rejects.toMatchObject({ code: 'bad-patch' });
    expect(await stagedTable(repo)).toBe(hashes[0]);
  });
});

describe('a table that differs elsewhere', () => {
  const columns = 'id:integer name n:integer';
  const mine = {
    schema: schema('id:integer name n', 'id'),
    rows: [
      ['1', 'a', '10'],
      ['2', 'b', 'x'],
    ],
  };

  async function applied(from: WholeTable, to: WholeTable): Promise<WholeTable | string> {
    await using temporary = await temporaryRepository();
    const { repo } = temporary;
    const text = await FORMS.patch(
      repo,
      await storeTable(repo.nodes, from),
      await storeTable(repo.nodes, to),
    )();
    await stage(repo, await storeTable(repo.nodes, mine));
    try {
      await apply(repo, inOnePiece(text));
    } catch (error) {
      return (error as Error).message;
    }
    const hash = await stagedTable(repo);
    const whole = await diffTables(repo.nodes, 't', undefined, hash);
    const rows = [];
    for await (const batch of whole.changes()) for (const { to: row } of batch) rows.push(row!);
    return { schema: whole.to!, rows };
  }
  const one = (spec: string, key: string, row: (string | null)[]) => ({
    schema: schema(spec, key),
    rows: [row],
  });

  test('keeps the wider types it has', async () => {
    const from = one(columns, 'id', ['1', 'a', '10']);
    expect(await applied(from, one(columns, 'id', ['1', 'a', '11']))).toEqual({
      schema: mine.schema,
      rows: [
        ['1', 'a', '11'],
        ['2', 'b', 'x'],
      ],
    });
    const narrower = one(columns, 'id', ['1', 'b', '10']);
    expect(await applied(one('id:integer name n', 'id', ['1', 'a', '10']), narrower)).toEqual({
      schema: mine.schema,
      rows: [
        ['1', 'b', '10'],
        ['2', 'b', 'x'],
      ],
    });
  });

  test('carries its other rows into new columns and a new key', async () => {
    const from = one('id:integer name n', 'id', ['1', 'a', '10']);
    expect(await applied(from, one('more id:integer n', 'id', ['!', '1', '10']))).toEqual({
      schema: schema('more id:integer n', 'id'),
      rows: [
        ['!', '1', '10'],
        [null, '2', 'x'],
      ],
    });
    expect(await applied(from, one('id:integer name n', 'name', ['1', 'a', '10']))).toEqual({
      schema: schema('id:integer name n', 'name'),
      rows: [
        ['1', 'a', '10'],
        ['2', 'b', 'x'],
      ],
    });
    expect(await applied(from, one('id:integer name n', 'name', ['1', 'b', '10']))).toMatch(
      /in a row that it does not speak of: two rows have the same key then$/,
    );
  });

  test('keeps a key that its other rows need', async () => {
    const gone = { schema: mine.schema, rows: [] };
    const from = one('id:integer name n', 'id', ['1', 'a', '10']);
    expect(await applied(from, gone)).toEqual({ schema: mine.schema, rows: [['2', 'b', 'x']] });
    expect(await applied(one('id name n', 'id', ['1', 'a', '10']), gone)).toEqual({
      schema: mine.schema,
      rows: [['2', 'b', 'x']],
    });
  });
});
