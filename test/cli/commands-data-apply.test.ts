/** `dv apply`: patches made here, applied there, taken back, refused. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import {
  CITIES,
  CITIES_EDITED,
  type DataRepository,
  openDataRepository,
  parseLines,
} from '../support/cli-data.ts';

const RATES = 'code,rate\nCHF,1.00\nEUR,0.93\n';

/** Two commits: a table edited, one new, one gone, a plain file edited. Stands at the first. */
async function openTwoCommits(): Promise<DataRepository> {
  const repo = await openDataRepository();
  await repo.commit('one', { 'cities.csv': CITIES, 'old.csv': RATES, 'README.md': 'one\n' });
  await repo.dv('rm', '-q', 'old.csv');
  await repo.commit('two', { 'cities.csv': CITIES_EDITED, 'new.csv': RATES, 'README.md': 'two\n' });
  await repo.dv('switch', '-q', '-c', 'first', 'main~1');
  return repo;
}

const contents = ({ directory }: DataRepository, name: string) => {
  const path = join(directory, name);
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
};
const files = (repo: DataRepository) =>
  ['cities.csv', 'old.csv', 'new.csv'].map((name) => contents(repo, name));

const FORMS = [
  ['patch', ['--format', 'patch']],
  ['NDJSON', ['--complete', '--json']],
] as const;

test.each(FORMS)('a diff as %s leads there and back', async (_, form) => {
  const repo = await openTwoCommits();
  const { dv, run } = repo;
  const patch = await dv('diff', 'main~1', 'main', ...form);
  const applied = await run(['apply', '--json'], { input: patch });
  expect(applied).toMatchObject({ status: 0, stderr: '' });
  expect(parseLines(applied.stdout)).toEqual([
    {
      tables: [
        { table: 'cities.csv', added: 1, removed: 1, modified: 2 },
        { table: 'new.csv', added: 2, removed: 0, modified: 0 },
        { table: 'old.csv', added: 0, removed: 2, modified: 0 },
      ],
    },
  ]);
  expect(files(repo)).toEqual([CITIES_EDITED, undefined, RATES]);
  // The files changed, nothing is staged, and what they hold is what the second commit has.
  expect(await dv('diff', '--cached', '--name-only')).toBe('');
  await dv('add', '-A');
  expect(await dv('hash', 'cities.csv', 'new.csv')).toBe(
    await dv('hash', 'main:cities.csv', 'main:new.csv'),
  );
  const zipped = gzipSync(patch);
  expect((await run(['apply', '-R', '-'], { input: zipped })).status).toBe(0);
  expect(files(repo)).toEqual([CITIES, RATES, undefined]);
});

test('only what is staged, or both', async () => {
  const repo = await openTwoCommits();
  const { dv, run, write } = repo;
  await dv('diff', 'main~1', 'main', '-o', 'two.patch', '--', 'cities.csv');
  await dv('apply', '--cached', 'two.patch');
  expect(contents(repo, 'cities.csv')).toBe(CITIES);
  expect(await dv('hash', 'cities.csv')).toBe(await dv('hash', 'main:cities.csv'));
  // The file is not what is staged now: applying to both would stage the difference.
  const refused = await run(['apply', '--index', '-R', 'two.patch', '--json']);
  expect(refused.status).toBe(3);
  expect(parseLines(refused.stdout)).toMatchObject([{ error: { code: 'unsaved-changes' } }]);
  write('cities.csv', CITIES_EDITED);
  await dv('apply', '--index', '-R', 'two.patch');
  expect(contents(repo, 'cities.csv')).toBe(CITIES);
  expect(await dv('status', '--json')).toContain('"staged":[]');
  expect((await run(['apply', '--index', '--cached', 'two.patch'])).status).toBe(2);
});

test('--check and --stat change nothing', async () => {
  const repo = await openTwoCommits();
  const { dv, run } = repo;
  await dv('diff', 'main~1', 'main', '-o', 'two.patch');
  await dv('apply', '--check', '--quiet', 'two.patch');
  expect(await dv('apply', '--stat', 'two.patch')).toBe(
    ' cities.csv | 1 row added, 1 removed, 2 modified\n' +
      ' new.csv    | 2 rows added\n' +
      ' old.csv    | 2 rows removed\n',
  );
  expect(files(repo)).toEqual([CITIES, RATES, undefined]);
  const inverse = await run(['apply', '--check', '-R', 'two.patch']);
  expect(inverse.status).toBe(3);
  expect(inverse.stderr).toMatch(
    /^error: the patch does not fit 'cities.csv', key "1": "name" is "Zürich", /,
  );
});

test('what does not fit changes nothing', async () => {
  const repo = await openTwoCommits();
  const { dv, run, write } = repo;
  const patch = await dv('diff', 'main~1', 'main', '--format', 'patch');
  const before = files(repo);
  write('cities.csv', CITIES.replace('173863', '1'));
  const codeOf = async (input: string, ...args: string[]) => {
    const { status, stdout } = await run(['apply', '--json', ...args], { input });
    const { code } = (parseLines(stdout).at(-1) as { error: { code: string } }).error;
    return `${status} ${code}`;
  };
  expect(await codeOf(patch)).toBe('3 patch-mismatch');
  write('cities.csv', CITIES);
  expect(await codeOf(patch.slice(0, -10))).toBe('3 bad-patch');
  expect(await codeOf(patch.replace('patch 1', 'patch 9'))).toBe('5 newer-format');
  expect(await codeOf(patch.replace('"new.csv"', '"../new.csv"'))).toBe('2 bad-name');
  expect(await codeOf('', 'gone.patch')).toBe('3 file-missing');
  expect(await codeOf('', '.')).toBe('3 file-is-directory');
  expect(files(repo)).toEqual(before);
  expect(await dv('diff', '--cached', '--name-only')).toBe('');
});

test('a table that lives in the store alone', async () => {
  const { dv, run } = await openDataRepository();
  await run(['import', 'rates', '--format', 'csv'], { input: RATES });
  await dv('commit', '-m', 'one');
  await run(['import', 'rates'], { input: RATES.replace('0.93', '0.95') });
  await dv('commit', '-m', 'two');
  const patch = await dv('diff', 'HEAD~1', 'HEAD', '--format', 'patch');
  expect((await run(['apply', '-R'], { input: patch })).status).toBe(0);
  expect(await dv('hash', 'rates')).toBe(await dv('hash', 'HEAD~1:rates'));
  const fresh = await dv('diff', '--format', 'patch', 'HEAD', '--cached');
  expect(fresh).toContain('~ {"code":"EUR","rate":["0.95","0.93"]}');
});

test('columns that come and go, and keys that narrow', async () => {
  const repo = await openDataRepository();
  const { dv, commit } = repo;
  const wide = 'id,name,mayor,population\nx,Zurich,Mauch,421878\n1,Bern,,134794\n';
  const narrow = 'id,name,population\n1,Bern,134794\n7,Chur,37424\n';
  await commit('one', { 'cities.csv': narrow });
  await commit('two', { 'cities.csv': wide });
  for (const [_, form] of FORMS) {
    await dv('diff', 'HEAD~1', 'HEAD', ...form, '-o', 'up.txt');
    await dv('diff', 'HEAD', 'HEAD~1', ...form, '-o', 'down.txt');
    await dv('apply', 'down.txt');
    expect(contents(repo, 'cities.csv')).toBe(narrow);
    await dv('apply', '-R', 'down.txt');
    await dv('apply', '-R', 'up.txt');
    await dv('add', 'cities.csv');
    expect(await dv('hash', 'cities.csv')).toBe(await dv('hash', 'HEAD~1:cities.csv'));
    await dv('apply', 'up.txt');
    await dv('add', 'cities.csv');
    expect(await dv('hash', 'cities.csv')).toBe(await dv('hash', 'HEAD:cities.csv'));
  }
});
