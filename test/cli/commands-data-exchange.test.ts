/** `dv import` and `dv export`: tables of any name from anywhere, and back out. */
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { DV, runProgram } from '../support/cli.ts';
import { CITIES, CITIES_EDITED, openDataRepository, parseLines } from '../support/cli-data.ts';

const DATA = fileURLToPath(new URL('../../fixtures/data', import.meta.url));
const errorOf = (stdout: string) =>
  (parseLines(stdout).at(-1) as { error: { code: string; hint?: string } }).error;

describe('import', () => {
  test('from standard input, compressed or not', async () => {
    const { dv, run } = await openDataRepository();
    const first = await run(['import', 'cities', '--format', 'csv', '--json'], {
      input: gzipSync(CITIES),
    });
    expect(first).toMatchObject({ status: 0, stderr: '' });
    expect(parseLines(first.stdout)).toMatchObject([
      {
        table: 'cities',
        change: 'added',
        rows: { added: 3 },
        total: 3,
        key: ['id'],
        dryRun: false,
      },
    ]);
    // Format, key and types are remembered: a script needs them once.
    const second = await run(['import', 'cities', '-', '--json'], {
      input: zstdCompressSync(CITIES_EDITED),
    });
    expect(parseLines(second.stdout)).toMatchObject([
      { change: 'modified', rows: { added: 1, removed: 1, modified: 2 } },
    ]);
    const third = await run(['import', 'cities'], { input: CITIES_EDITED });
    expect(third).toEqual({ status: 0, stdout: '', stderr: 'nothing changed in cities\n' });
    expect(await dv('export', 'cities')).toBe(CITIES_EDITED);
    await dv('commit', '-m', 'one');
    expect(await dv('status', '--json')).toContain('"clean":true');
  });

  test('from a file, with the options of add', async () => {
    const { dv, run, write, json } = await openDataRepository();
    write('in.txt', 'Zürich;007\nGenève;010\n');
    write('latin.txt', Buffer.from('Zürich;007\n', 'latin1'));
    const args = ['--format', 'csv', '--delimiter', ';', '--no-header', '--type', 'c2=text'];
    const [tried] = await json('import', 'codes', 'in.txt', ...args, '--json', '--dry-run');
    expect(tried).toMatchObject({
      dryRun: true,
      key: ['c1'],
      columns: [{ name: 'c1' }, { name: 'c2', type: 'text', reason: 'given' }],
    });
    expect(await dv('ls-tree')).toBe('');
    await dv('import', 'codes', 'in.txt', ...args, '--key', 'c2,c1');
    expect(await json('ls-tree', '--json')).toMatchObject([{ key: ['c2', 'c1'], rows: 2 }]);
    await dv('import', 'codes', 'latin.txt', ...args, '--encoding', 'latin1');
    expect(await dv('export', 'codes', '--format', 'ndjson')).toBe('{"c1":"Zürich","c2":"007"}\n');
    const wrong = await run(['import', 'codes', 'latin.txt', '--json', '--encoding', 'utf-8']);
    expect(errorOf(wrong.stdout).code).toBe('invalid-utf8');
    const bare = await run(['import', 'more', 'in.txt', '--json']);
    expect({ ...errorOf(bare.stdout), status: bare.status }).toMatchObject({
      code: 'unknown-format',
      status: 2,
    });
  });

  test('into a table with a working file', async () => {
    const { directory, dv, run, commit, write } = await openDataRepository();
    await commit('one', { 'cities.csv': CITIES.replaceAll('\n', '\r\n') });
    const records = parseLines(await dv('export', 'cities.csv', '--json'));
    records[0] = { id: 1, name: 'Zurich', population: 421878 };
    const input = records.map((record) => JSON.stringify(record)).join('\n');
    expect((await run(['import', 'cities.csv', '--format', 'ndjson'], { input })).status).toBe(0);
    // The file is written in the form it had.
    expect(readFileSync(join(directory, 'cities.csv'), 'utf8')).toBe(
      CITIES.replace('Zürich,415367', 'Zurich,421878').replaceAll('\n', '\r\n'),
    );
    expect(await dv('diff', '--name-only')).toBe('');
    expect(await dv('diff', '--cached', '--name-only')).toBe('cities.csv\n');
    write('cities.csv', CITIES_EDITED);
    const refused = await run(['import', 'cities.csv', '--format', 'ndjson', '--json'], { input });
    expect(refused.status).toBe(3);
    expect(errorOf(refused.stdout).code).toBe('unsaved-changes');
    expect(readFileSync(join(directory, 'cities.csv'), 'utf8')).toBe(CITIES_EDITED);
    const forced = await run(['import', '-f', 'cities.csv', '--format', 'ndjson'], { input });
    expect(forced.status).toBe(0);
    await run(['import', 'new.ndjson', '-', '--format', 'csv'], { input: CITIES });
    expect(readFileSync(join(directory, 'new.ndjson'), 'utf8')).toMatch(/^\{"id":1,/);
  });

  test('what it refuses, and that nothing changes then', async () => {
    const { dv, run } = await openDataRepository();
    await run(['import', 'cities', '--format', 'csv'], { input: CITIES });
    const before = await dv('hash', 'cities');
    const codeOf = async (args: string[], input = CITIES) => {
      const { status, stdout } = await run(['import', '--json', ...args], { input });
      return `${status} ${errorOf(stdout).code}`;
    };
    expect(await codeOf(['cities'], `${CITIES}1,again,2\n`)).toBe('3 duplicate-key');
    expect(await codeOf(['cities'], 'id,name\n1\n')).toBe('3 ragged-line');
    expect(await codeOf(['cities'], 'name\nx\n')).toBe('3 column-vanished');
    expect(await codeOf(['cities'], '')).toBe('3 file-empty');
    expect(await codeOf(['Cities', '--format', 'csv'])).toBe('3 name-collision');
    expect(await codeOf(['../x', '--format', 'csv'])).toBe('2 bad-name');
    expect(await codeOf(['a:b', '--format', 'csv'])).toBe('2 bad-name');
    expect(await codeOf(['x', 'gone.csv'])).toBe('3 file-missing');
    expect(await codeOf(['x', '.', '--format', 'csv'])).toBe('3 file-is-directory');
    expect(await codeOf(['x', '--format', 'xlsx'])).toBe('2 unknown-format');
    expect(await codeOf(['x', '--type', 'a', '--format', 'csv'])).toBe('2 bad-option');
    expect(await dv('hash', 'cities')).toBe(before);
    expect(await dv('ls-tree', '--name-only')).toBe('cities\n');
  });
});

describe('export', () => {
  test('in every format, at any revision', async () => {
    const { directory, dv, commit } = await openDataRepository();
    await commit('one', { 'cities.csv': CITIES });
    await commit('two', { 'cities.csv': CITIES_EDITED });
    expect(await dv('export', 'HEAD~1:cities.csv')).toBe(CITIES);
    expect(await dv('export', 'cities.csv')).toBe(CITIES_EDITED);
    expect(await dv('export', 'HEAD~1:cities.csv', '--format', 'tsv')).toBe(
      CITIES.replaceAll(',', '\t'),
    );
    const first = { id: 1, name: 'Zürich', population: 415367 };
    const lines = await dv('export', 'HEAD~1:cities.csv', '--format', 'ndjson');
    expect(parseLines(lines)[0]).toEqual(first);
    expect(await dv('export', 'HEAD~1:cities.csv', '--json')).toBe(lines);
    expect(JSON.parse(await dv('export', 'HEAD~1:cities.csv', '--format', 'json'))[0]).toEqual(
      first,
    );
    await dv('export', 'HEAD~1:cities.csv', '-o', 'old.csv.gz');
    expect(gunzipSync(readFileSync(join(directory, 'old.csv.gz'))).toString()).toBe(CITIES);
    expect(await dv('export', 'HEAD~1:cities.csv', '-o', 'old.parquet', '--json')).toBe(
      '{"table":"HEAD~1:cities.csv","file":"old.parquet"}\n',
    );
    await dv('import', 'again', 'old.parquet');
    expect(await dv('export', 'again', '--format', 'csv')).toBe(CITIES);
  });

  test.each(['crawlers/1.45.0.ndjson', 'tzdb/6.198.0.json', 'tzdb/6.198.0.csv'])(
    'gives real data back: %s',
    async (name) => {
      const { dv } = await openDataRepository();
      await dv('import', 'data', join(DATA, name));
      const cells = await dv('export', 'data', '--format', 'csv');
      for (const format of ['csv.zst', 'tsv', 'ndjson.gz', 'json', 'parquet']) {
        const table = format.split('.')[0];
        await dv('export', 'data', '-o', `out.${format}`);
        await dv('import', table, `out.${format}`);
        expect(await dv('export', table, '--format', 'csv'), format).toBe(cells);
      }
    },
  );

  test('to files that exist, through links, and not over directories', async () => {
    const { directory, dv, run, commit, write } = await openDataRepository();
    await commit('one', { 'cities.csv': CITIES });
    write('private.csv', 'old');
    chmodSync(join(directory, 'private.csv'), 0o600);
    symlinkSync('private.csv', join(directory, 'link.csv'));
    mkdirSync(join(directory, 'folder'));
    await dv('export', 'HEAD:cities.csv', '-o', 'link.csv');
    expect(readFileSync(join(directory, 'private.csv'), 'utf8')).toBe(CITIES);
    expect(statSync(join(directory, 'private.csv')).mode & 0o777).toBe(0o600);
    expect((await run(['export', 'cities.csv', '-o', 'folder'])).status).toBe(3);
    expect((await run(['export', 'cities.csv', '-o', '/dev/full'])).status).toBe(3);
    expect((await run(['export', 'cities.csv', '-o', '/dev/null'])).status).toBe(0);
    expect(existsSync('/dev/null') && statSync('/dev/null').isCharacterDevice()).toBe(true);
  });

  test('names from below, and names that are not there', async () => {
    const { directory, dv, run, write } = await openDataRepository();
    mkdirSync(join(directory, 'data'));
    write('data/cities.csv', CITIES);
    await dv('add', '-A');
    await run(['import', 'rates', '--format', 'csv'], { input: 'a\n1\n' });
    await dv('commit', '-m', 'one');
    const below = { cwd: join(directory, 'data') };
    for (const text of ['cities.csv', 'HEAD:data/cities.csv', 'HEAD:./cities.csv']) {
      expect((await run(['export', text], below)).stdout, text).toBe(CITIES);
    }
    expect((await run(['export', 'rates'], below)).stdout).toBe('a\n1\n');
    const codeOf = async (...args: string[]) => {
      const { status, stdout } = await run(['export', '--json', ...args]);
      return `${status} ${errorOf(stdout).code}`;
    };
    expect(await codeOf('gone.csv')).toBe('2 unknown-table');
    expect(await codeOf('HEAD:gone.csv')).toBe('2 unknown-table');
    expect(await codeOf('nowhere:cities.csv')).toBe('2 bad-revision');
    expect(await codeOf('rates', '--format', 'csv')).toBe('2 bad-option');
  });

  test.skipIf(!existsSync('/usr/bin/script'))(
    'cells cannot act on a terminal, and a pipe gets them as they are',
    async () => {
      const { directory, dv, commit } = await openDataRepository();
      const hostile = 'id,text\n1,\u001b]0;title\u0007\u001b[31mred\u009b2J\u202e\n';
      await commit('one', { 'a.csv': 'id,text\n1,plain\n' });
      await commit('two', { 'a.csv': hostile });
      expect(await dv('export', 'a.csv')).toBe(hostile);
      const formats = ['text', 'ndjson', 'csv', 'sql', 'patch'];
      const commands = ['export a.csv', ...formats.map((name) => `diff HEAD~1 --format ${name}`)];
      for (const command of commands) {
        const typed = ['-qec', `"${DV}" --no-color ${command}`, '/dev/null'];
        const { stdout } = await runProgram('script', typed, { cwd: directory });
        expect(stdout, command).toContain('red');
        expect(stdout, command).not.toMatch(/[\u001b\u009b\u202e\u0007]/);
      }
    },
  );
});
