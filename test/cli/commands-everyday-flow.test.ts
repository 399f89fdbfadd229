/** The everyday commands as people use them, who know git: what they read, and what they find. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CITIES, Shell } from '../support/everyday.ts';

test('edit, look, stage, unstage, discard', async () => {
  const shell = await Shell.openCommitted();
  shell.write('cities.csv', `${CITIES.replace('Bern', 'Berne')}4,Chur,1\n`);
  shell.write('new.csv', 'id\n1\n');
  expect(await shell.ok('status')).toBe(`On branch main

Changes not staged for commit:
  (use "dv add FILE..." to update what will be committed)
  (use "dv restore FILE..." to throw changes away)
        modified:    cities.csv

Untracked files:
  (use "dv add FILE..." to include in what will be committed)
        new.csv

no changes added to commit (use "dv add" and/or "dv commit -a")
`);
  expect(await shell.ok('add', '-A')).toBe(`cities.csv: 1 row added, 1 modified
new.csv: 1 row added
  key id: "id" is unique and looks like a key (--key names another)
`);
  expect(await shell.ok('status')).toBe(`On branch main

Changes to be committed:
  (use "dv restore --staged FILE..." to unstage)
        modified:    cities.csv  (1 row added, 1 modified)
        new table:   new.csv     (1 row added)
`);
  await shell.ok('restore', '--staged', 'new.csv');
  shell.write('cities.csv', CITIES);
  expect(await shell.ok('status', '-sb')).toBe('## main\nMM cities.csv\n?? new.csv\n');
  await shell.ok('restore', 'cities.csv');
  expect(readFileSync(join(shell.directory, 'cities.csv'), 'utf8')).toContain('4,Chur');
  await shell.ok('reset', '--hard');
  expect(await shell.ok('status', '-uno')).toBe(
    'On branch main\n\nnothing to commit, working tree clean\n',
  );
});

test('status where one stands, and directories that hold nothing tracked', async () => {
  const shell = await Shell.openCommitted();
  await shell.ok('mv', 'cities.csv', 'data/');
  shell.write('data/more.csv', 'id\n1\n');
  shell.write('top.csv', 'id\n1\n');
  const inside = new Shell(join(shell.directory, 'data'));
  expect(await inside.ok('status', '--short')).toBe(
    'D  ../cities.csv\nA  cities.csv\n?? more.csv\n?? ../top.csv\n',
  );
  await shell.ok('reset', '-q', '--hard');
  shell.write('data/more.csv', 'id\n1\n');
  expect(await shell.ok('status', '-s')).toBe('?? data/\n?? top.csv\n');
  expect(await shell.ok('status', '-s', '-u')).toBe('?? data/more.csv\n?? top.csv\n');
});

test('branch, switch, and back', async () => {
  const shell = await Shell.openCommitted();
  const file = join(shell.directory, 'cities.csv');
  await shell.ok('switch', '-c', 'fix');
  await shell.commit('cities.csv', CITIES.replace('Bern', 'Berne'), 'On fix');
  const { stderr } = await shell.run(['switch', 'main']);
  expect(stderr).toBe("Switched to branch 'main'\n");
  expect(readFileSync(file, 'utf8')).toBe(CITIES);
  await shell.ok('switch', '-');
  expect(readFileSync(file, 'utf8')).toContain('Berne');
  await shell.ok('switch', '--detach', 'main');
  expect(await shell.ok('branch', '-v')).toMatch(
    /^\* \(HEAD detached at [0-9a-f]{7}\)\n {2}fix {2}[0-9a-f]{7} On fix\n {2}main [0-9a-f]{7} First\n$/,
  );
  await shell.ok('switch', '-');
  expect(await shell.ok('branch', '--show-current')).toBe('fix\n');
  shell.write('cities.csv', CITIES.replace('Basel', 'Bâle'));
  const refused = await shell.run(['switch', 'main']);
  expect([refused.status, refused.stderr]).toEqual([
    3,
    "error: unsaved changes to 'cities.csv' would be lost\n" +
      'hint: dv commit or dv stash keeps them; dv restore throws them away\n',
  ]);
  await shell.ok('switch', '--discard-changes', 'main');
  expect(readFileSync(file, 'utf8')).toBe(CITIES);
  expect((await shell.run(['branch', '-d', 'fix'])).status).toBe(3);
  expect(await shell.ok('branch', '-D', 'fix')).toMatch(/^Deleted branch fix \(was .{7}\)\n$/);
});

test('the three ways to reset', async () => {
  const shell = await Shell.openCommitted();
  const changed = CITIES.replace('Bern', 'Berne');
  await shell.commit('cities.csv', changed, 'Second');
  await shell.ok('reset', '--soft', 'HEAD~1');
  expect(await shell.ok('status', '-s')).toBe('M  cities.csv\n');
  await shell.ok('commit', '-qm', 'Second again');
  expect(await shell.ok('reset', 'HEAD~1')).toBe('Unstaged changes after reset:\nM\tcities.csv\n');
  expect(await shell.ok('status', '-s')).toBe(' M cities.csv\n');
  expect(await shell.ok('reset', '--hard', 'main@{1}')).toMatch(
    /^HEAD is now at [0-9a-f]{7} Second again\n$/,
  );
  expect(readFileSync(join(shell.directory, 'cities.csv'), 'utf8')).toBe(changed);
  await shell.ok('restore', '--source', 'HEAD~1', '--staged', 'cities.csv');
  expect(await shell.ok('status', '-s')).toBe('MM cities.csv\n');
});

test('amend, empty commits, authors and messages', async () => {
  const shell = await Shell.openCommitted();
  await shell.ok('commit', '--amend', '-m', 'Better', '-m', 'And a body');
  expect(await shell.ok('log', '--format=%s|%b|%an')).toBe('Better|And a body|Test Author\n');
  await shell.run(['commit', '--allow-empty', '-F', '-'], { input: 'From a pipe\n' });
  const author = ['--author', 'Ada <ada@example.org>', '--date', '2020-02-29T12:00Z'];
  await shell.ok('commit', '--amend', '--no-edit', ...author);
  expect(await shell.ok('log', '-1', '--format=%s %an %ae %aI %cn')).toBe(
    'From a pipe Ada ada@example.org 2020-02-29T12:00:00+00:00 Test Author\n',
  );
  expect((await shell.run(['commit', '--allow-empty', '-qm', 'Quiet'])).stdout).toBe('');
});

test('commit -a says what gave way, and stages nothing for a bad author', async () => {
  const shell = await Shell.openCommitted();
  shell.write('cities.csv', CITIES.replace('133883', 'many'));
  const bad = await shell.run(['commit', '-am', 'x', '--author', 'nobody']);
  expect([bad.status, await shell.ok('status', '-s')]).toEqual([2, ' M cities.csv\n']);
  expect((await shell.ok('commit', '-am', 'Second')).replace(/ .{7}\]/, ']')).toBe(`cities.csv:
  ~ column population: integer → text, because line 3 has 'many'
[main] Second
 cities.csv | 1 row modified
`);
});

test('names for revisions', async () => {
  const shell = await Shell.openCommitted();
  const second = await shell.commit('cities.csv', `${CITIES}4,Chur,1\n`, 'Second');
  await shell.ok('tag', 'v1', 'HEAD^');
  await shell.commit('cities.csv', `${CITIES}4,Chur,1\n5,Thun,2\n`, 'Third');
  const subject = (revision: string) => shell.ok('log', '-1', '--format=%s', revision);
  expect(await subject('HEAD~2')).toBe('First\n');
  expect(await subject('v1')).toBe('First\n');
  expect(await subject(second.slice(0, 8))).toBe('Second\n');
  expect(await subject('main@{1}')).toBe('Second\n');
  expect(await subject('main@{2100-01-01 12:00}^')).toBe('Second\n');
  expect(await shell.ok('show', 'v1:cities.csv')).toBe(CITIES);
  expect(await shell.ok('log', '--format=%s', 'v1..main')).toBe('Third\nSecond\n');
});

test('a table comes back as it was written, in its own dialect', async () => {
  const shell = await Shell.open();
  const text = '\ufeff"k";"v"\r\n"1";"a"\r\n"2";""\r\n';
  await shell.commit('semi.csv', text, 'First');
  expect(await shell.ok('show', ':semi.csv')).toBe(text);
  expect(await shell.ok('show', 'HEAD:semi.csv')).toBe(text);
});

test('several tables move together, into a directory or with one', async () => {
  const shell = await Shell.openCommitted();
  await shell.commit('towns.csv', 'id\n1\n', 'Second');
  expect(await shell.ok('mv', 'cities.csv', 'towns.csv', 'data/')).toBe(
    "renamed 'cities.csv' to 'data/cities.csv'\nrenamed 'towns.csv' to 'data/towns.csv'\n",
  );
  await shell.ok('mv', '-q', 'data', 'old');
  expect(await shell.ok('status', '-s')).toBe(
    'D  cities.csv\nA  old/cities.csv\nA  old/towns.csv\nD  towns.csv\n',
  );
  expect(readFileSync(join(shell.directory, 'old/cities.csv'), 'utf8')).toBe(CITIES);
  const { status, stderr } = await shell.run(['mv', 'old/cities.csv', 'old/towns.csv']);
  expect([status, stderr]).toEqual([3, "error: 'old/towns.csv' exists already\n"]);
});
