/** Merge rules of a staged table: set, kept by everything that reads the file again, refused. */
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { getRootEntry } from '../../src/model/root.ts';
import { add } from '../../src/porcelain/add.ts';
import { commit } from '../../src/porcelain/commit.ts';
import { readFingerprint } from '../../src/porcelain/fingerprint.ts';
import { importFile } from '../../src/porcelain/import-file.ts';
import { stageEntries, workingSet } from '../../src/porcelain/staging.ts';
import { status } from '../../src/porcelain/status.ts';
import { switchTo } from '../../src/porcelain/switch.ts';
import { setTableRules, tableRules } from '../../src/porcelain/table-rules.ts';
import { type TestRepository, temporaryRepository } from '../support/repository.ts';

const CITIES = 'id,name,population,tags\n1,Bern,140000,"[""a""]"\n2,Basel,170000,"[""b""]"\n';

async function openCities(text = CITIES): Promise<TestRepository> {
  const opened = await temporaryRepository();
  writeFileSync(join(opened.directory, 'cities.csv'), text);
  await add(
    opened.repo,
    ['.'].map((path) => join(opened.directory, path)),
  );
  await commit(opened.repo, { message: 'one' });
  return opened;
}

const cities = ({ directory }: TestRepository) => join(directory, 'cities.csv');

async function rulesOf(opened: TestRepository): Promise<Record<string, string | null>> {
  const { columns } = await tableRules(opened.repo, cities(opened));
  return Object.fromEntries(columns.map(({ name, rule }) => [name, rule]));
}

async function stagedTable({ repo }: TestRepository): Promise<string> {
  const entry = await getRootEntry(repo.nodes, (await workingSet(repo)).staged, 'cities.csv');
  return entry?.kind === 'table' ? entry.table : '';
}

test('setting rules stages the table and leaves the file clean; taking them back is no change', async () => {
  await using opened = await openCities();
  const { repo } = opened;
  const before = await stagedTable(opened);
  const set = await setTableRules(repo, cities(opened), [
    'population=max',
    '*=text',
    'rows=update-wins',
  ]);
  expect(set).toEqual(await tableRules(repo, cities(opened)));
  expect(set).toEqual({
    table: 'cities.csv',
    columns: [
      { name: 'id', type: 'integer', rule: null, own: null },
      { name: 'name', type: 'text', rule: 'text', own: null },
      { name: 'population', type: 'integer', rule: 'max', own: 'max' },
      { name: 'tags', type: 'json', rule: 'conflict', own: null },
    ],
    others: 'text',
    rows: 'update-wins',
  });
  expect(await status(repo)).toMatchObject({
    staged: [{ table: 'cities.csv', change: 'modified', rows: { added: 0, modified: 0 } }],
    unstaged: [],
  });
  await setTableRules(repo, cities(opened), ['population=none', '*=', 'rows=none']);
  expect(await stagedTable(opened)).toBe(before);
  expect(await status(repo)).toMatchObject({ clean: true });
});

test('the rules outlive every other way to change the table', async () => {
  await using opened = await openCities();
  const { repo, directory } = opened;
  await setTableRules(repo, cities(opened), ['population=max', 'tags=union']);
  await commit(repo, { message: 'rules' });
  const ruled = { id: null, name: 'conflict', population: 'max', tags: 'union' };

  // 1. More rows, and a wider type that the rule suits too.
  writeFileSync(cities(opened), `${CITIES}3,Chur,1.5,[]\n`);
  await add(repo, [cities(opened)]);
  expect(await rulesOf(opened)).toEqual(ruled);

  // 2. A type it does not suit: not in force, but back when the type is.
  writeFileSync(cities(opened), `${CITIES}3,Chur,1,none\n`);
  await add(repo, [cities(opened)]);
  expect(await rulesOf(opened)).toEqual({ ...ruled, tags: 'conflict' });
  writeFileSync(cities(opened), CITIES);
  await add(repo, [cities(opened)], { types: new Map([['tags', 'json']]) });
  expect(await rulesOf(opened)).toEqual(ruled);

  // 3. An import of another file, and going to another branch and back.
  writeFileSync(join(directory, 'new.ndjson'), '{"id":7,"name":"x","population":1,"tags":[]}\n');
  await importFile(repo, cities(opened), join(directory, 'new.ndjson'));
  expect(await rulesOf(opened)).toEqual(ruled);
  await commit(repo, { message: 'imported' });
  await switchTo(repo, 'main~2', { detach: true });
  expect(await rulesOf(opened)).toMatchObject({ population: 'conflict' });
  await switchTo(repo, 'main');
  expect(await rulesOf(opened)).toEqual(ruled);

  // 4. A column that goes takes its rule along.
  writeFileSync(cities(opened), 'id,name,tags\n1,Bern,[]\n');
  await add(repo, [cities(opened)]);
  writeFileSync(cities(opened), CITIES);
  await add(repo, [cities(opened)]);
  expect(await rulesOf(opened)).toEqual({ ...ruled, population: 'conflict' });
});

test('a file with other changes keeps them unstaged, and gets the rules when it is added', async () => {
  await using opened = await openCities();
  const { repo } = opened;
  writeFileSync(cities(opened), `${CITIES}3,Chur,1,[]\n`);
  await setTableRules(repo, cities(opened), ['name=text']);
  const { staged, unstaged } = await status(repo);
  expect([staged.length, unstaged.length]).toEqual([1, 1]);
  await add(repo, [cities(opened)]);
  expect(await rulesOf(opened)).toMatchObject({ name: 'text' });

  // The same where dv has read the file already, but other rows are staged.
  const read = await readFingerprint(repo.store, 'cities.csv');
  const head = await getRootEntry(repo.nodes, (await workingSet(repo)).headRoot, 'cities.csv');
  await stageEntries(repo, new Map([['cities.csv', head ?? null]]));
  await setTableRules(repo, cities(opened), ['name=max']);
  expect((await status(repo)).unstaged).toHaveLength(1);
  await add(repo, [cities(opened)]);
  expect(await rulesOf(opened)).toMatchObject({ name: 'max' });
  expect(read?.entry).not.toEqual((await readFingerprint(repo.store, 'cities.csv'))?.entry);
});

test.each([
  [['id=max'], 'rule-mismatch'],
  [['name=sum'], 'rule-mismatch'],
  [['population=union'], 'rule-mismatch'],
  [['name=text', 'nope=max'], 'unknown-column'],
  [['name=text', 'nope=none'], 'unknown-column'],
  [['name=text', 'population=most'], 'unknown-rule'],
  [['name=text', 'population'], 'bad-option'],
])('%j changes nothing: %s', async (assignments, code) => {
  await using opened = await openCities();
  const before = await stagedTable(opened);
  const setting = setTableRules(opened.repo, cities(opened), assignments);
  await expect(setting).rejects.toMatchObject({ code });
  expect(await stagedTable(opened)).toBe(before);
});

test('a table without a key has rules for no cell', async () => {
  await using opened = await openCities('a,b\n1,2\n1,2\n');
  const { repo } = opened;
  await add(repo, [cities(opened)], { key: [] });
  expect((await tableRules(repo, cities(opened))).columns.map(({ rule }) => rule)).toEqual([
    null,
    null,
  ]);
  await expect(setTableRules(repo, cities(opened), ['b=max'])).rejects.toMatchObject({
    code: 'rule-mismatch',
  });
});

test('plain files, tables that are not there and history have no rules to set', async () => {
  await using opened = await openCities();
  const { repo, directory } = opened;
  renameSync(cities(opened), join(directory, 'README.txt'));
  await add(repo, [join(directory, 'README.txt')]);
  const code = (text: string, words: string[]) =>
    setTableRules(repo, text, words).then(
      () => undefined,
      (error) => error.code,
    );
  expect(await code(join(directory, 'README.txt'), ['a=max'])).toBe('unknown-table');
  expect(await code('nope.csv', ['a=max'])).toBe('unknown-table');
  expect(await code('HEAD:cities.csv', ['name=max'])).toBe('bad-option');
  expect((await tableRules(repo, 'HEAD:cities.csv')).rows).toBe('conflict');
});
