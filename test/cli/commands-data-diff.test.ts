/** `dv diff` as a person and as a script use it. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { DV, runDv, runProgram, temporaryDirectory } from '../support/cli.ts';
import {
  CITIES,
  CITIES_EDITED,
  type DataRepository,
  openDataRepository,
  parseLines,
} from '../support/cli-data.ts';

async function openCities(): Promise<DataRepository> {
  const repo = await openDataRepository();
  await repo.commit('one', { 'cities.csv': CITIES });
  await repo.commit('two', { 'cities.csv': CITIES_EDITED });
  return repo;
}

const row = (id: number, name: string, population: number) => ({ id, name, population });
const line = (change: string, id: number, from: unknown, to: unknown) => ({
  table: 'cities.csv',
  change,
  key: { id },
  from,
  to,
});
const CHANGES = [
  line('modified', 1, row(1, 'Zürich', 415367), row(1, 'Zurich', 421878)),
  line('removed', 2, row(2, 'Geneva', 203856), null),
  line('modified', 3, row(3, 'Basel', 173863), row(3, 'Basel', 177595)),
  line('added', 4, null, row(4, 'Bern', 134794)),
];
const STAT = {
  table: 'cities.csv',
  added: 1,
  removed: 1,
  modified: 2,
  cells: 3,
  columns: { name: 1, population: 2 },
  schema: [],
};

test('the contract for scripts', async () => {
  const { dv } = await openCities();
  const expected = CHANGES.map((change) => `${JSON.stringify(change)}\n`).join('');
  expect(await dv('diff', 'HEAD~1', 'HEAD', '--json')).toBe(expected);
  expect(await dv('diff', 'HEAD~1', '--format', 'ndjson')).toBe(expected);
  expect(await dv('diff', 'HEAD~1..HEAD', '--stat', '--json')).toBe(
    `${JSON.stringify({ tables: [STAT] })}\n`,
  );
  expect(await dv('diff', 'HEAD', 'HEAD', '--stat', '--json')).toBe('{"tables":[]}\n');
  expect(await dv('diff', '--json')).toBe('');
  expect(await dv('diff', '..HEAD~1', '--summary', '--json')).toBe(
    '{"summary":{"tables":1,"added":1,"removed":1,"modified":2,"cells":3}}\n',
  );
  expect(await dv('diff', 'HEAD~1', '--name-only', '--json')).toBe('{"table":"cities.csv"}\n');
});

test('what is compared with what', async () => {
  const { dv, run, write, json } = await openCities();
  write('cities.csv', CITIES);
  await dv('add', 'cities.csv');
  write('cities.csv', CITIES_EDITED.replace('134794', '140000'));
  const keys = async (...args: string[]) => {
    const lines = (await json('diff', ...args, '--json')) as { key: { id: number } }[];
    return lines.map(({ key }) => key.id);
  };
  expect(await keys()).toEqual([1, 2, 3, 4]); // stage to files
  expect(await keys('--cached')).toEqual([1, 2, 3, 4]); // HEAD to stage
  expect(await keys('--staged', 'HEAD~1')).toEqual([]); // the first commit to stage
  expect(await keys('HEAD')).toEqual([4]); // HEAD to files
  expect(await keys('HEAD~1', 'HEAD')).toEqual([1, 2, 3, 4]);
  const tooMany = await run(['diff', 'HEAD', 'HEAD~1', 'HEAD']);
  expect(tooMany.status).toBe(2);
  expect((await run(['diff', '--cached', 'HEAD', 'HEAD~1'])).status).toBe(2);
});

test('the exit status', async () => {
  const { run } = await openCities();
  const status = async (...args: string[]) => (await run(['diff', ...args])).status;
  expect(await status('HEAD~1', 'HEAD')).toBe(0);
  expect(await status('HEAD~1', 'HEAD', '--exit-code')).toBe(1);
  expect(await status('HEAD', '--exit-code')).toBe(0);
  expect(await status('HEAD~1', '--exit-code', '--where', 'id = 2')).toBe(1);
  expect(await status('HEAD~1', '--exit-code', '--where', 'id = 9')).toBe(0);
  expect(await status('HEAD~1', '--exit-code', '--ignore-columns', 'name,population')).toBe(1);
  expect(await status('HEAD~1', '--exit-code', '--schema')).toBe(0);
  const quiet = await run(['diff', '--quiet', 'HEAD~1']);
  expect(quiet).toEqual({ status: 1, stdout: '', stderr: '' });
  expect(await status('-q', 'HEAD')).toBe(0);
});

test('which rows count', async () => {
  const repo = await openCities();
  const ids = async (...args: string[]) => {
    const lines = await repo.json('diff', 'HEAD~1', 'HEAD', '--json', ...args);
    return (lines as { key: { id: number } }[]).map(({ key }) => key.id);
  };
  expect(await ids('--where', 'to_population > from_population')).toEqual([1, 3]);
  expect(await ids('--where', "name = 'Geneva'")).toEqual([2]);
  expect(await ids('--columns', 'name')).toEqual([1, 2, 4]);
  expect(await ids('--ignore-columns', 'name')).toEqual([1, 2, 3, 4]);
  expect(await ids('--tolerance', '5000')).toEqual([1, 2, 4]);
  expect(await ids('--limit', '2')).toEqual([1, 2]);
  // Of row 1 the name alone is left; the population is within the tolerance.
  const [first] = await repo.json('diff', 'HEAD~1', 'HEAD', '--json', '--tolerance', '1e4');
  expect(first).toMatchObject({ to: row(1, 'Zurich', 415367) });
  const [narrow] = await repo.json('diff', 'HEAD~1', 'HEAD', '--json', '--columns', 'name');
  expect(narrow).toMatchObject({ from: { id: 1, name: 'Zürich' }, to: { id: 1, name: 'Zurich' } });
  const stat = await repo.json('diff', 'HEAD~1', '--stat', '--json', '--columns', 'name');
  expect(stat).toMatchObject([{ tables: [{ modified: 1, cells: 1, columns: { name: 1 } }] }]);
});

test('filters that fit no table, and tables that a filter does not fit', async () => {
  const repo = await openCities();
  await repo.commit('three', { 'prices.csv': 'sku,price\na,1.10\n' });
  await repo.commit('four', { 'prices.csv': 'sku,price\na,1.20\n', 'cities.csv': CITIES });
  const tables = async (...args: string[]) => {
    const lines = await repo.json('diff', 'HEAD~1', '--name-only', '--json', ...args);
    return lines.map((entry) => (entry as { table: string }).table);
  };
  expect(await tables()).toEqual(['cities.csv', 'prices.csv']);
  expect(await tables('--where', 'price > 1')).toEqual(['prices.csv']);
  expect(await tables('--columns', 'population')).toEqual(['cities.csv']);
  expect(await tables('--ignore-columns', 'price')).toEqual(['cities.csv']);
  expect(await tables('--tolerance', '0.1')).toEqual(['cities.csv']);
  const codes = async (...args: string[]) => {
    const { stdout } = await repo.run(['diff', 'HEAD~1', '--json', ...args]);
    return (parseLines(stdout).at(-1) as { error: { code: string } }).error.code;
  };
  expect(await codes('--columns', 'nonsense')).toBe('unknown-column');
  expect(await codes('--where', 'nonsense > 1')).toBe('bad-condition');
  expect(await codes('--tolerance', 'x')).toBe('bad-option');
  expect(await codes('--stat', '--schema')).toBe('bad-option');
  expect(await codes('--format', 'html')).toBe('bad-option');
  expect(await codes('--format', 'xml')).toBe('unknown-format');
});

test('revisions are told from paths', async () => {
  const repo = await openCities();
  mkdirSync(join(repo.directory, 'data'));
  await repo.commit('three', { 'data/a.csv': 'id\n1\n', 'cities.csv': CITIES });
  await repo.dv('branch', 'data');
  const names = async (...args: string[]) =>
    (await repo.dv('diff', '--name-only', ...args)).split('\n').filter((name) => name !== '');
  expect(await names('HEAD~1', 'cities.csv')).toEqual(['cities.csv']);
  expect(await names('HEAD~1', 'HEAD', 'data/a.csv')).toEqual(['data/a.csv']);
  expect(await names('HEAD~1', '--', 'data')).toEqual(['data/a.csv']);
  expect(await names('HEAD~1', 'data', '--')).toEqual(['cities.csv', 'data/a.csv']);
  const refused = async (...args: string[]) => {
    const { status, stderr } = await repo.run(['diff', ...args]);
    return `${status} ${stderr}`;
  };
  expect(await refused('data')).toMatch(/^2 error: 'data' is both a revision and a path\n/);
  expect(await refused('dta')).toMatch(/^2 error: 'dta' is neither a revision nor a table/);
  expect(await refused('--', 'nosuch.csv')).toMatch(/^2 error: there is no table 'nosuch.csv'/);
  expect(await refused('nosuch', '--')).toMatch(/^2 error: "nosuch" names no commit/);
  const below = await repo.run(['diff', 'HEAD~1', '--name-only', 'a.csv'], {
    cwd: join(repo.directory, 'data'),
  });
  expect(below.stdout).toBe('data/a.csv\n');
});

test('two tables of any name and revision', async () => {
  const { dv, json, run } = await openCities();
  await run(['import', 'other', '--format', 'csv'], { input: CITIES });
  expect(await dv('diff', 'HEAD~1:cities.csv', ':other', '--json')).toBe('');
  const lines = await json('diff', 'HEAD~1:cities.csv', 'HEAD:cities.csv', '--json');
  expect(lines).toEqual(CHANGES);
  expect(await dv('diff', ':other', 'HEAD:cities.csv', '--limit', '0')).toMatch(
    /^:other → HEAD:cities\.csv {2}key id\n/,
  );
  expect((await run(['diff', 'HEAD:gone.csv', 'HEAD:cities.csv'])).status).toBe(2);
});

test('plain files, and tables of which only the writing changed', async () => {
  const { commit, dv, json } = await openDataRepository();
  await commit('one', { 'cities.csv': CITIES, 'README.md': 'one\n' });
  await commit('two', { 'cities.csv': CITIES.replaceAll('\n', '\r\n'), 'README.md': 'two!\n' });
  expect(await dv('diff', 'HEAD~1', 'HEAD')).toBe(
    'cities.csv  same rows, written differently: newline\n' +
      'README.md  plain file modified, 4 B → 5 B\n',
  );
  expect(await json('diff', 'HEAD~1', 'HEAD', '--json')).toEqual([
    {
      table: 'cities.csv',
      change: 'dialect',
      from: expect.not.objectContaining({ newline: '\r\n' }),
      to: expect.objectContaining({ newline: '\r\n' }),
    },
    { file: 'README.md', change: 'modified', from: 4, to: 5 },
  ]);
  expect(await json('diff', 'HEAD~1', 'HEAD', '--stat', '--json')).toEqual([
    { tables: [], files: [{ file: 'README.md', change: 'modified', from: 4, to: 5 }] },
  ]);
  expect(await dv('diff', 'HEAD~1', 'HEAD', '--name-only')).toBe('README.md\ncities.csv\n');
  expect(await dv('diff', 'HEAD~1', 'HEAD', '--format', 'html')).toContain(
    '<p>README.md  plain file modified, 4 B → 5 B</p>',
  );
  const patch = await dv('diff', 'HEAD~1', 'HEAD', '--format', 'patch');
  expect(patch).toMatch(/^# not in this patch: cities\.csv .*\n# not in this patch: README\.md /);
});

test('formats, to standard output and to a file', async () => {
  const { directory, dv, run } = await openCities();
  const read = (name: string) => readFileSync(join(directory, name), 'utf8');
  const before = readdirSync(directory);
  expect(await dv('diff', 'HEAD~1', 'HEAD', '-o', 'out.html')).toBe('');
  expect(read('out.html')).toMatch(/^<!doctype html>[\s\S]*HEAD~1 → HEAD[\s\S]*<\/html>\s*$/i);
  await dv('diff', 'HEAD~1', 'HEAD', '-o', 'out.csv');
  expect(read('out.csv')).toContain('cities.csv,modified,1,Zürich,Zurich,415367,421878\n');
  await dv('diff', 'HEAD~1', 'HEAD', '-o', 'out.sql');
  expect(read('out.sql')).toContain(`DELETE FROM "cities" WHERE "id" = 2;`);
  await dv('diff', 'HEAD~1', 'HEAD', '-o', 'out.ndjson.gz');
  const unpacked = gunzipSync(readFileSync(join(directory, 'out.ndjson.gz'))).toString();
  expect(parseLines(unpacked)).toEqual(CHANGES);
  expect(await dv('diff', 'HEAD~1', 'HEAD', '-o', 'out.txt', '--json')).toBe(
    '{"file":"out.txt","different":true}\n',
  );
  expect(await dv('diff', 'HEAD~1', '--format', 'patch')).toBe(
    await (async () => {
      await dv('diff', 'HEAD~1', '-o', 'out.patch');
      return read('out.patch');
    })(),
  );
  expect((await run(['diff', 'HEAD~1', '-o', '/dev/full'])).status).toBe(3);
  expect((await run(['diff', 'HEAD~1', '-o', '.'])).status).toBe(3);
  expect(readdirSync(directory).filter((name) => name.includes('tmp'))).toEqual([]);
  expect(before.length + 6).toBe(readdirSync(directory).length);
});

test('a reader that goes away is no error', async () => {
  const { commit, directory } = await openDataRepository();
  const rows = Array.from({ length: 20_000 }, (_, i) => `${i},${'x'.repeat(40)}\n`).join('');
  await commit('one', { 'big.csv': 'id,text\n' });
  await commit('two', { 'big.csv': `id,text\n${rows}` });
  for (const format of ['text', 'ndjson', 'patch']) {
    const line = `"${DV}" diff HEAD~1 HEAD --format ${format} | head -1; echo "\${PIPESTATUS[0]}"`;
    const { stdout, stderr } = await runProgram('bash', ['-c', line], { cwd: directory });
    expect(stderr).toBe('');
    expect(stdout.trimEnd().split('\n').at(-1)).toBe('0');
  }
});

describe('--no-index', () => {
  const old = 'sku,price\na,1.10\nb,2.50\n';
  const fresh = 'sku,price\nb,2.75\nc,0.30\n';

  function twoFiles(): {
    directory: string;
    diff: (...args: string[]) => ReturnType<typeof runDv>;
  } {
    const directory = temporaryDirectory();
    const write = (name: string, text: string | Uint8Array) =>
      runProgram('bash', ['-c', `cat > '${name}'`], { cwd: directory, input: text });
    const ready = Promise.all([
      write('old.csv', old),
      write('new.csv', fresh),
      write('new.csv.gz', gzipSync(fresh)),
      write('new', fresh),
      write('new.ndjson', '{"sku":"b","price":2.75}\n{"sku":"c","price":0.30}\n'),
    ]);
    return {
      directory,
      diff: async (...args) => {
        await ready;
        return runDv(['diff', ...args], { cwd: directory });
      },
    };
  }
  const changes = ['removed', 'modified', 'added'];
  const changesOf = (text: string) =>
    parseLines(text).map((entry) => (entry as { change: string }).change);

  test('compares files in no repository', async () => {
    const { diff, directory } = twoFiles();
    const result = await diff('--no-index', 'old.csv', 'new.csv', '--key', 'sku', '--json');
    expect(result).toMatchObject({ status: 0, stderr: '' });
    expect(parseLines(result.stdout)[1]).toEqual({
      table: 'new.csv',
      change: 'modified',
      key: { sku: 'b' },
      from: { sku: 'b', price: 2.5 },
      to: { sku: 'b', price: 2.75 },
    });
    expect(result.stdout).toContain('"price":2.50');
    expect(changesOf(result.stdout)).toEqual(changes);
    // Two files where there is no repository, and no word of what to do with them.
    expect(changesOf((await diff('old.csv', 'new.csv', '--json')).stdout)).toEqual(changes);
    expect(readdirSync(directory).sort()).toEqual(
      ['new', 'new.csv', 'new.csv.gz', 'new.ndjson', 'old.csv'].sort(),
    );
  });

  test('in other formats, compressed, and from a pipe', async () => {
    const { diff, directory } = twoFiles();
    for (const args of [
      ['old.csv', 'new.csv.gz'],
      ['old.csv', 'new', '--input-format', 'csv'],
      ['old.csv', 'new.ndjson'],
    ]) {
      const { status, stdout, stderr } = await diff('--no-index', '--json', ...args);
      expect({ status, stderr }, args.join(' ')).toEqual({ status: 0, stderr: '' });
      expect(changesOf(stdout)).toEqual(changes);
    }
    const options = { cwd: directory, input: gzipSync(fresh) };
    const args = ['diff', '--no-index', 'old.csv', '-', '--input-format', 'csv', '--json'];
    expect(changesOf((await runDv(args, options)).stdout)).toEqual(changes);
    const piped = `"${DV}" diff --no-index old.csv <(cat new.csv) --input-format csv --json`;
    const { stdout } = await runProgram('bash', ['-c', piped], { cwd: directory });
    expect(changesOf(stdout)).toEqual(changes);
  });

  test('refuses what it cannot compare', async () => {
    const { diff } = twoFiles();
    const error = async (...args: string[]) => {
      const { status, stdout } = await diff('--no-index', '--json', ...args);
      const { code } = (parseLines(stdout).at(-1) as { error: { code: string } }).error;
      return `${status} ${code}`;
    };
    expect(await error('old.csv')).toBe('2 bad-option');
    expect(await error('old.csv', 'gone.csv')).toBe('3 file-missing');
    expect(await error('old.csv', 'new')).toBe('2 unknown-format');
    expect(await error('old.csv', '.')).toMatch(/^[23] (?:unknown-format|file-is-directory)$/);
    expect(await error('old.csv', 'new.csv', '--key', 'none')).toBe('2 unknown-column');
    expect(await error('old.csv', 'new.csv', '--where', 'nonsense')).toBe('2 bad-condition');
  });

  test('leaves nothing behind, whatever its size', async () => {
    const directory = temporaryDirectory();
    for (const mark of ['a', 'b']) {
      const rows = Array.from({ length: 200_000 }, (_, i) => `${i},${mark.repeat(40)}\n`);
      writeFileSync(join(directory, `big-${mark}.csv`), `id,text\n${rows.join('')}`);
    }
    const temporary = temporaryDirectory();
    const big = await runDv(['diff', '--no-index', 'big-a.csv', 'big-b.csv', '--stat', '--json'], {
      cwd: directory,
      env: { TMPDIR: temporary },
    });
    expect(parseLines(big.stdout)).toMatchObject([{ tables: [{ modified: 200_000 }] }]);
    expect(readdirSync(temporary).filter((name) => name.startsWith('dv-'))).toEqual([]);
  });
});
