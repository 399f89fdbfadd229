/** `dv hash`, `ls-tree`, `cat-object`, `fsck`, `gc` and `store stat`. */
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import {
  CITIES,
  CITIES_EDITED,
  type DataRepository,
  openDataRepository,
  parseLines,
} from '../support/cli-data.ts';

const HASH = /^[0-9a-f]{64}$/;

async function openCities(): Promise<DataRepository> {
  const repo = await openDataRepository();
  await repo.commit('one', { 'cities.csv': CITIES, 'README.md': 'hello\n' });
  await repo.commit('two', { 'cities.csv': CITIES_EDITED });
  return repo;
}

const errorOf = (stdout: string) =>
  (parseLines(stdout).at(-1) as { error: { code: string } }).error.code;

test('a hash alone on a line, the same for the same rows', async () => {
  const { dv, run, commit, write } = await openCities();
  const [first, second, file] = (
    await dv('hash', 'HEAD~1:cities.csv', 'cities.csv', 'HEAD:README.md')
  )
    .trimEnd()
    .split('\n');
  for (const hash of [first, second, file]) expect(hash).toMatch(HASH);
  expect(first).not.toBe(second);
  const [head, ...rows] = CITIES.trimEnd().split('\n');
  write('shuffled.csv', [head, ...rows.reverse(), ''].join('\n'));
  await dv('import', 'elsewhere', 'shuffled.csv');
  expect(await dv('hash', 'elsewhere')).toBe(`${first}\n`);
  await commit('three', { 'cities.csv': CITIES });
  expect(await dv('hash', 'HEAD:cities.csv')).toBe(`${first}\n`);
  expect(await dv('hash', 'HEAD:cities.csv', '--json')).toBe(
    `${JSON.stringify({ table: 'cities.csv', hash: first })}\n`,
  );
  const missing = await run(['hash', 'HEAD:nothing.csv', '--json']);
  expect([missing.status, errorOf(missing.stdout)]).toEqual([2, 'unknown-table']);
});

test('what a revision holds', async () => {
  const { dv, json } = await openCities();
  const hash = (await dv('hash', 'HEAD~1:cities.csv')).trim();
  expect(await json('ls-tree', 'HEAD~1', '--json')).toEqual([
    { table: 'README.md', kind: 'file', hash: expect.stringMatching(HASH), bytes: 6 },
    { table: 'cities.csv', kind: 'table', hash, rows: 3, columns: 3, key: ['id'] },
  ]);
  const lines = (await dv('ls-tree', 'HEAD~1')).split('\n');
  expect(lines[0]).toMatch(/^file {6}6 B {2}[0-9a-f]{12} {2}README\.md$/);
  expect(lines[1]).toBe(`table  3 rows  ${hash.slice(0, 12)}  cities.csv`);
  expect(await dv('ls-tree', '--no-abbrev', 'HEAD~1')).toContain(`${hash}  cities.csv\n`);
  expect(await dv('ls-tree', '--name-only')).toBe('README.md\ncities.csv\n');
});

test('objects, by hash, prefix, revision and table', async () => {
  const { dv, json, run } = await openCities();
  const [commit] = (await json('cat-object', 'HEAD', '--json')) as {
    hash: string;
    kind: string;
    content: { parents: string[]; message: string; root: string };
  }[];
  expect(commit).toMatchObject({ kind: 'commit', content: { message: 'two' } });
  expect(await json('cat-object', commit.hash.slice(0, 10), '--json')).toEqual([commit]);
  const [table] = (await json('cat-object', 'HEAD:cities.csv', '--json')) as {
    kind: string;
    content: { schema: string; tree: string };
  }[];
  expect(table.kind).toBe('table');
  expect(await json('cat-object', table.content.schema, '--json')).toMatchObject([
    { kind: 'schema', content: { key: [0] } },
  ]);
  expect(await json('cat-object', table.content.tree, '--json')).toMatchObject([
    { kind: 'node', content: { level: 0, rows: 3 } },
  ]);
  expect(await dv('cat-object', '-t', 'HEAD:README.md')).toBe('blob\n');
  expect(Number(await dv('cat-object', '-s', 'HEAD'))).toBeGreaterThan(50);
  expect(await dv('cat-object', 'HEAD')).toMatch(/^commit [0-9a-f]{64} \d+ bytes\n\{\n/);
  expect((await run(['cat-object', 'f'.repeat(64)])).status).toBe(5);
  expect((await run(['cat-object', 'nothing'])).status).toBe(2);
});

test('gc removes what nothing reaches, and nothing else', async () => {
  const { dv, json, run } = await openCities();
  for (let i = 0; i < 3; i++) {
    const input = `${CITIES}${i + 10},Chur,${i}\n`;
    await run(['import', 'scratch', '--format', 'csv'], { input });
  }
  await dv('rm', '-q', '--cached', 'scratch');
  const hashes = await dv('hash', 'HEAD~1:cities.csv', 'HEAD:cities.csv');
  const young = (await json('gc', '--json'))[0];
  expect(young).toMatchObject({ dryRun: false, objects: 0 });
  const [dry] = await json('gc', '--dry-run', '--prune=now', '--json');
  expect(dry).toMatchObject({ dryRun: true });
  const { objects } = dry as { objects: number };
  expect(objects).toBeGreaterThan(3);
  const stat = async () => ((await json('store', 'stat', '--json'))[0] as Stat).total.objects;
  const before = await stat();
  expect(await dv('gc', '-n', '--grace', '0')).toMatch(/^would remove \d+ objects, /);
  expect(await stat()).toBe(before);
  expect(await json('gc', '--prune=now', '--json')).toMatchObject([{ objects }]);
  expect(await stat()).toBe(before - objects);
  expect(await dv('fsck')).toBe(`checked ${before - objects} objects: sound\n`);
  expect(await dv('hash', 'HEAD~1:cities.csv', 'HEAD:cities.csv')).toBe(hashes);
  expect(await dv('export', 'HEAD~1:cities.csv')).toBe(CITIES);
  for (const args of [['--prune=soon'], ['--grace', '-1'], ['--prune=now', '--grace', '1']]) {
    expect((await run(['gc', ...args])).status, args.join(' ')).toBe(2);
  }
});

interface Stat {
  readonly kinds: readonly Record<string, unknown>[];
  readonly total: { readonly objects: number; readonly rawBytes: number };
  readonly fileBytes: number;
}

test('what the store holds', async () => {
  const { dv, json } = await openCities();
  const [stat] = (await json('store', 'stat', '--json')) as Stat[];
  const kinds = stat.kinds.map(({ kind }) => kind);
  expect(kinds).toEqual(expect.arrayContaining(['node', 'schema', 'table', 'commit', 'blob']));
  const sum = stat.kinds.reduce((all, { objects }) => all + Number(objects), 0);
  expect(sum).toBe(stat.total.objects);
  const text = await dv('store', 'stat');
  expect(text).toMatch(/^kind +objects +raw +stored +of it deltas\n/);
  expect(text).toMatch(/\ncommit +2 /);
  expect(text).toMatch(/\nfile [\d.]+ kB, of which [\d.]+ k?B are free\n$/);
});

test('fsck finds bytes that changed and objects that are gone, and says what they affect', async () => {
  const { directory, dv, run, json } = await openCities();
  expect(await dv('fsck')).toMatch(/^checked \d+ objects: sound\n$/);
  const [table] = (await json('cat-object', 'HEAD:cities.csv', '--json')) as {
    content: { tree: string };
  }[];
  const database = new Database(join(directory, '.dv', 'store.db'));
  database
    .prepare('DELETE FROM objects WHERE hash = ?')
    .run(Buffer.from(table.content.tree, 'hex'));
  database.close();
  const head = (await dv('cat-object', 'HEAD', '--json')).slice(9, 73);
  const { status, stdout } = await run(['fsck']);
  expect(status).toBe(5);
  expect(stdout).toContain(table.content.tree);
  expect(stdout).toContain(`commit ${head}, 'cities.csv'`);
  expect(stdout.trimEnd().split('\n').at(-1)).toMatch(/^checked \d+ objects: 1 problem$/);
  const machine = await run(['fsck', '--json']);
  expect(machine.status).toBe(5);
  const lines = parseLines(machine.stdout);
  expect(lines[0]).toMatchObject({
    object: table.content.tree,
    affects: expect.stringContaining('cities.csv'),
  });
  expect(lines.at(-1)).toMatchObject({ problems: 1, sound: false });
  // gc would make it worse, and so does nothing.
  const gc = await run(['gc', '--prune=now', '--json']);
  expect([gc.status, errorOf(gc.stdout)]).toEqual([5, 'missing-object']);
});
