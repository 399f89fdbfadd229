/** Input that looks wrong and is not: dv takes it, says what it made of it, and gives it back. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type AddOptions, add } from '../../src/porcelain/add.ts';
import { commit } from '../../src/porcelain/commit.ts';
import { diff } from '../../src/porcelain/diff.ts';
import { statTable, type TableStat } from '../../src/porcelain/diff-stat.ts';
import { exportBytes } from '../../src/porcelain/export.ts';
import type { ImportedTable } from '../../src/porcelain/import/table-import.ts';
import { fsck, gc } from '../../src/porcelain/maintain.ts';
import type { Repository } from '../../src/porcelain/repository.ts';
import { status } from '../../src/porcelain/status.ts';
import { type TestRepository, temporaryRepository } from '../support/repository.ts';

async function addText(
  { repo, directory }: TestRepository,
  content: string | Uint8Array,
  options: AddOptions = {},
): Promise<ImportedTable> {
  const path = join(directory, 't.csv');
  writeFileSync(path, content);
  const { tables } = await add(repo, [path], options);
  const [{ imported }] = tables;
  if (imported === undefined) throw new Error('it was not read as a table');
  return imported;
}

async function exported(repo: Repository, table = 't.csv'): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of await exportBytes(repo, table)) pieces.push(Buffer.from(piece));
  return Buffer.concat(pieces);
}

async function stagedStat(repo: Repository): Promise<TableStat[]> {
  const stats: TableStat[] = [];
  for await (const table of (await diff(repo, { cached: true })).tables) {
    stats.push(await statTable(table));
  }
  return stats;
}

test('a column that is no key and gone is reported as removed', async () => {
  await using temporary = await temporaryRepository();
  const { repo } = temporary;
  await addText(temporary, 'id,name,note\n1,a,x\n2,b,y\n');
  await commit(repo, { message: 'first' });
  await addText(temporary, 'id,name\n1,a\n2,c\n');
  expect(await stagedStat(repo)).toMatchObject([
    {
      table: 't.csv',
      added: 0,
      removed: 0,
      modified: 1,
      columns: { name: 1 },
      schema: [{ kind: 'column-removed', column: 'note' }],
    },
  ]);
});

describe('a table without rows', () => {
  test.each(['id,x\n', 'id,x', 'id;x\r\n'])('is %j', async (text) => {
    await using temporary = await temporaryRepository();
    const imported = await addText(temporary, text);
    expect(imported).toMatchObject({
      rows: 0,
      schema: { columns: [{ name: 'id' }, { name: 'x' }] },
    });
    expect((await exported(temporary.repo)).toString()).toBe(text);
  });

  test('takes the rows that come later, and their types', async () => {
    await using temporary = await temporaryRepository();
    await addText(temporary, 'id,x\n');
    await commit(temporary.repo, { message: 'empty' });
    const { schema } = await addText(temporary, 'id,x\n2,a\n10,b\n');
    expect(schema.columns).toEqual([
      { name: 'id', type: 'integer' },
      { name: 'x', type: 'text' },
    ]);
    expect(await stagedStat(temporary.repo)).toMatchObject([{ added: 2, removed: 0, modified: 0 }]);
    expect((await exported(temporary.repo)).toString()).toBe('id,x\n2,a\n10,b\n');
  });
});

describe('5,000 columns', () => {
  const NAMES = Array.from({ length: 5000 }, (_, i) => `column_number_${i}`);
  const line = (cell: (i: number) => string) => `${NAMES.map((_, i) => cell(i)).join(',')}\n`;

  test('come back as they were', async () => {
    await using temporary = await temporaryRepository();
    const text = `${NAMES.join(',')}\n${line((i) => `${i}`)}${line((i) => (i % 7 === 1 ? '' : `${i + 1}`))}`;
    const imported = await addText(temporary, text);
    expect(imported).toMatchObject({ rows: 2, schema: { key: [0] } });
    expect((await exported(temporary.repo)).toString()).toBe(text);
  });

  test('nine in ten of them quoted, which takes much to say, in several tables', async () => {
    await using temporary = await temporaryRepository();
    const { repo, directory } = temporary;
    const text = `${NAMES.join(',')}\n${line((i) => (i % 10 === 0 ? `${i}` : `"${i}"`))}`;
    for (const name of ['a.csv', 'b.csv', 't.csv']) writeFileSync(join(directory, name), text);
    await add(repo, [directory]);
    await commit(repo, { message: 'wide' });
    await gc(repo, { grace: 0 });
    for await (const problem of fsck(repo)) expect(problem).toBeUndefined();
    for (const name of ['a.csv', 'b.csv', 't.csv']) {
      expect((await exported(repo, `HEAD:${name}`)).toString()).toBe(text);
    }
    expect((await status(repo)).unstaged).toEqual([]);
  });
});

test('a cell of 20 MB', async () => {
  await using temporary = await temporaryRepository();
  const cell = 'Ünicöde, "quoted" '.repeat(1_000_000);
  const text = `id,x\n1,"${cell.replaceAll('"', '""')}"\n2,b\n`;
  await addText(temporary, text);
  expect((await exported(temporary.repo)).equals(Buffer.from(text))).toBe(true);
});

test('Latin-1, when it is said', async () => {
  await using temporary = await temporaryRepository();
  const bytes = Buffer.from('id,x\n1,café\n', 'latin1');
  await addText(temporary, bytes, { dialect: { encoding: 'latin1' } });
  expect(await exported(temporary.repo)).toEqual(bytes);
  // and it is remembered, also by the search for the lines of a duplicate
  await expect(addText(temporary, Buffer.from('id,x\n1,café\n1,ä\n', 'latin1'))).rejects.toThrow(
    `lines 2 and 3 of 't.csv' have the same key (id): "1"`,
  );
});

describe('without --key, a column that cannot be one is passed over', () => {
  const long = 'k'.repeat(65_536);
  const cases: [name: string, text: string, key: readonly number[]][] = [
    ['not unique', 'id,code\n1,a\n1,b\n', [1]],
    ['null in it', 'id,code\n1,a\n,b\n', [1]],
    ['64 KB in it', `id,code\n1,a\n${long},b\n`, [1]],
    ['none is left', 'id,code\n1,a\n1,a\n', []],
  ];
  test.each(cases)('%s', async (_, text, key) => {
    await using temporary = await temporaryRepository();
    const { schema, rows } = await addText(temporary, text);
    expect({ key: schema.key, rows }).toEqual({ key, rows: 2 });
    expect((await exported(temporary.repo)).length).toBe(text.length);
  });
});
