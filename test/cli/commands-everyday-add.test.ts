/** `dv add`: what it finds in files, what it says of that, and staging some rows. */
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { CITIES, Shell } from '../support/everyday.ts';

describe('add', () => {
  test('shows with --dry-run what it would do and why, and does nothing', async () => {
    const shell = await Shell.open();
    shell.write('shops.csv', 'zip;name;price\r\n01234;A;1.5\r\n04321;B;2\r\n');
    const run = await shell.run(['add', '-n', '--type', 'price=text,name=text', 'shops.csv']);
    expect(run.stdout).toBe(`shops.csv: 2 rows added
  2 rows, csv, delimiter ';', lines end in CR LF
  key zip: "zip" is unique and looks like a key (--key names another)

  column  type  why
  zip     text  line 2: '01234' is plain text
  name    text  given
  price   text  given

`);
    expect(run.stderr).toBe('nothing is staged: this was a dry run\n');
    expect(await shell.ok('status', '-s')).toBe('?? shops.csv\n');
  });

  test('says what it chose once, and what had to give way later', async () => {
    const shell = await Shell.openCommitted();
    shell.write('cities.csv', CITIES.replace('133883', '133883.5').replace('name,', 'city,'));
    expect(await shell.ok('add', 'cities.csv')).toBe(`cities.csv: 1 row modified
  + column city text
  - column name text
  ~ column population: integer → decimal, because line 3 has '133883.5'
`);
    expect(await shell.ok('add', 'cities.csv')).toBe('');
    expect(await shell.json('add', 'cities.csv')).toMatchObject({
      tables: [{ table: 'cities.csv', change: 'unchanged' }],
    });
  });

  test('takes a key of several columns, or none', async () => {
    const shell = await Shell.open();
    shell.write('gdp.csv', 'country,year,gdp\nCH,2024,1\nCH,2025,2\n');
    expect(await shell.ok('add', '--key', 'country,year', 'gdp.csv')).toBe(
      'gdp.csv: 2 rows added\n',
    );
    shell.write('log.csv', 'line\na\na\n');
    expect(await shell.ok('add', '-v', '--key', '', 'log.csv')).toContain('  no key: given\n');
    expect(await shell.json('status')).toMatchObject({
      staged: [{ table: 'gdp.csv' }, { rows: { added: 2, removed: 0, modified: 0 } }],
    });
  });

  test('stages everything, or only what is tracked, and what is gone', async () => {
    const shell = await Shell.openCommitted();
    shell.write('README', 'plain, and without an extension');
    shell.write('secret.csv', 'id\n1\n');
    shell.write('.dvignore', 'secret.*\n');
    await shell.ok('add', '-A');
    expect(await shell.ok('status', '-s')).toBe('A  .dvignore\nA  README\n');
    await shell.ok('commit', '-qm', 'Second');
    shell.remove('README');
    shell.remove('cities.csv');
    shell.write('other.csv', 'id\n1\n');
    await shell.ok('add', '-u');
    expect(await shell.ok('status', '-s')).toBe('D  README\nD  cities.csv\n?? other.csv\n');
    const refused = await shell.run(['add', 'secret.csv']);
    expect([refused.status, refused.stderr]).toEqual([
      2,
      "error: 'secret.csv' is ignored by .dvignore\nhint: dv add --force takes it all the same\n",
    ]);
    expect(await shell.ok('add', '-f', 'secret.csv')).toContain('secret.csv: 1 row added');
  });
});

describe('add of some rows', () => {
  const changed = 'id,name,population\n1,Zurich,415367\n2,Berne,133883\n4,Chur,1\n';
  const staged = (shell: Shell) => shell.ok('show', ':cities.csv');

  test('by a condition, judged by what a removed row was', async () => {
    const shell = await Shell.openCommitted();
    shell.write('cities.csv', changed);
    expect(await shell.ok('add', '--where', "name like 'Z%' or id = 3", 'cities.csv')).toBe(
      'cities.csv: 1 row removed, 1 modified\n',
    );
    expect(await staged(shell)).toBe('id,name,population\n1,Zurich,415367\n2,Bern,133883\n');
    expect(await shell.ok('status', '-s')).toBe('MM cities.csv\n');
    await shell.ok('add', 'cities.csv');
    expect(await staged(shell)).toBe(changed);
  });

  test('by a list of keys, from a file or standard input', async () => {
    const shell = await Shell.openCommitted();
    shell.write('cities.csv', changed);
    shell.write('keys.txt', '2\r\n"4"\r\n99\r\n\r\n');
    expect(await shell.ok('add', '--key-in', 'keys.txt', 'cities.csv')).toBe(
      'cities.csv: 1 row added, 1 modified\n',
    );
    const more = await shell.run(['add', '--key-in', '-', 'cities.csv'], { input: '3' });
    expect(more.stdout).toBe('cities.csv: 1 row removed\n');
    expect(await staged(shell)).toBe(changed.replace('Zurich', 'Zürich'));
  });

  test('by keys of several columns', async () => {
    const shell = await Shell.open();
    shell.write('t.csv', 'a,b,v\nx,1,1\n"x,y",2,2\nz,3,3\n');
    shell.write('keys.csv', '"x,y",2\n');
    await shell.ok('add', '--key', 'a,b', '--key-in', 'keys.csv', 't.csv');
    expect(await shell.ok('show', ':t.csv')).toBe('a,b,v\n"x,y",2,2\n');
  });

  test.each([
    [['--where', 'nope = 1'], 2, 'nope'],
    [['--where', 'id = 1', '--key-in', 'keys.txt'], 2, "'--where' and '--key-in' exclude"],
    [['--key-in', 'no-such-file'], 3, "there is no file 'no-such-file'"],
    [['--key-in', 'keys.txt'], 2, '"1,2" is not a key'],
  ] as const)('refuses %j', async (flags, status, message) => {
    const shell = await Shell.openCommitted();
    shell.write('cities.csv', changed);
    shell.write('keys.txt', '1,2\n');
    const run = await shell.run(['add', ...flags, 'cities.csv']);
    expect([run.status, run.stderr]).toEqual([status, expect.stringContaining(message)]);
    expect(await shell.ok('status', '-s', '-uno')).toBe(' M cities.csv\n');
  });
});

test('the library behind a command does not see where it is called from', async () => {
  const shell = await Shell.openCommitted();
  const { stdout } = await shell.run(['-C', shell.directory, 'status', '-s'], {
    cwd: join(shell.directory, '..'),
  });
  expect(stdout).toBe('');
});
