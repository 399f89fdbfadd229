/** Merges and what follows from them on the command line: exit statuses, JSON, and refusals. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Shell } from '../support/everyday.ts';

const HEADER = 'id,name,pop';
const rows = (...lines: string[]): string => `${[HEADER, ...lines].join('\n')}\n`;
const BASE = rows('1,Bern,10', '2,Chur,20');
const OURS = rows('1,Bern,12', '2,Chur,20', '3,Zug,5');
const THEIRS = rows('1,Bern,15', '2,Coire,20');

/** `main` and `side` have parted: they clash in one cell. */
async function apart(): Promise<Shell> {
  const shell = await Shell.open();
  await shell.commit('c.csv', BASE, 'base');
  await shell.ok('switch', '-c', 'side');
  await shell.commit('c.csv', THEIRS, 'theirs');
  await shell.ok('switch', 'main');
  await shell.commit('c.csv', OURS, 'ours');
  return shell;
}

const read = (shell: Shell): string => readFileSync(join(shell.directory, 'c.csv'), 'utf8');

async function refused(shell: Shell, status: number, code: string, ...args: string[]) {
  const { status: got, stdout } = await shell.run([...args, '--json']);
  const last = JSON.parse(stdout.trimEnd().split('\n').at(-1)!);
  expect([args.join(' '), got, last.error?.code]).toEqual([args.join(' '), status, code]);
}

test('a merge with a conflict, from its refusal to its end', async () => {
  const shell = await apart();
  const dry = await shell.run(['merge', '--dry-run', 'side', '--json']);
  expect(dry.status).toBe(1);
  expect(JSON.parse(dry.stdout)).toMatchObject({
    outcome: 'conflicts',
    conflicts: [{ table: 'c.csv', kind: 'rows', rows: 1 }],
    dryRun: true,
  });
  await refused(shell, 3, 'no-merge', 'conflicts');
  await refused(shell, 3, 'no-merge', 'merge', '--abort');
  expect((await shell.run(['merge', 'side'])).status).toBe(1);
  expect(await shell.json('status')).toMatchObject({ branch: 'main' });
  const listed = await shell.run(['conflicts', '--json']);
  expect(listed.status).toBe(1);
  expect(JSON.parse(listed.stdout)).toEqual({
    table: 'c.csv',
    kind: 'both-modified',
    key: { id: '1' },
    columns: ['pop'],
    base: { id: '1', name: 'Bern', pop: '10' },
    ours: { id: '1', name: 'Bern', pop: '12' },
    theirs: { id: '1', name: 'Bern', pop: '15' },
  });
  await refused(shell, 3, 'merge-in-progress', 'merge', 'side');
  await refused(shell, 3, 'conflicts-left', 'merge', '--continue');
  await refused(shell, 3, 'conflicts-left', 'commit', '-m', 'too early');
  await refused(shell, 2, 'bad-option', 'resolve');
  await refused(shell, 2, 'bad-option', 'resolve', '--ours', '--theirs');
  await refused(shell, 2, 'bad-option', 'resolve', '--value', 'pop=1');
  await refused(shell, 2, 'unknown-rule', 'resolve', '--rule', 'best');
  await refused(shell, 3, 'no-such-conflict', 'resolve', '--ours', '--key', '2');
  await refused(shell, 3, 'merge-in-progress', 'stash');
  await refused(shell, 3, 'merge-in-progress', 'rollback', 'c.csv', '--to', 'HEAD~1');
  expect(await shell.json('resolve', '--rule', 'max')).toMatchObject({ resolved: 1, left: 0 });
  expect((await shell.run(['conflicts'])).status).toBe(0);
  const merged = (await shell.json('merge', '--continue')) as { commit: string };
  expect(merged).toMatchObject({ outcome: 'merged' });
  expect(read(shell)).toBe(rows('1,Bern,15', '2,Coire,20', '3,Zug,5'));
  expect(await shell.ok('merge', 'side')).toBe('Already up to date.\n');
  expect(await shell.ok('merge-base', 'main', 'side')).toBe(
    await shell.ok('log', '-1', 'side', '--pretty', '%H'),
  );
});

test('flags that exclude each other, and rules that are none', async () => {
  const shell = await apart();
  await refused(shell, 2, 'bad-option', 'merge');
  await refused(shell, 2, 'bad-option', 'merge', '--ff-only', '--no-ff', 'side');
  await refused(shell, 2, 'bad-option', 'merge', '--auto', '--squash', 'side');
  await refused(shell, 2, 'unknown-rule', 'merge', '--resolve', 'best', 'side');
  await refused(shell, 2, 'bad-revision', 'merge', 'nowhere');
  await refused(shell, 3, 'not-fast-forward', 'merge', '--ff-only', 'side');
  expect(read(shell)).toBe(OURS);
});

test('what a rule decides is in the merge commit, and log and show tell it', async () => {
  const shell = await apart();
  // The hint names a commit, so it comes with one.
  const hint = 'dv log --resolved -1';
  expect(await shell.ok('merge', '--dry-run', '--resolve', 'sum', 'side')).not.toContain(hint);
  expect(await shell.ok('merge', '--squash', '--resolve', 'sum', 'side')).toMatch(/by rule$/m);
  await shell.ok('reset', '--hard');
  expect(await shell.ok('merge', '--resolve', 'sum', 'side')).toContain(hint);
  await shell.ok('reset', '--hard', 'HEAD~1');
  const merged = await shell.json('merge', '--resolve', 'sum', '-m', 'both', 'side');
  expect(merged).toMatchObject({ outcome: 'merged', resolved: { count: 1 } });
  expect(read(shell)).toContain('1,Bern,17');
  expect(await shell.ok('log', '-1', '--resolved')).toContain(
    'c.csv 1 pop: 10 → 12 | 15 = 17 by sum',
  );
  expect(await shell.ok('show', '-s')).toContain('17 by sum');
  expect(await shell.lines('log', '-1', '--resolved')).toMatchObject([
    { resolved: { count: 1, decisions: [{ column: 'pop', rule: 'sum', result: '17' }] } },
  ]);
});

test('a rebase whose plan an editor writes', async () => {
  const shell = await Shell.open();
  await shell.commit('c.csv', BASE, 'base');
  for (const n of [1, 2, 3])
    await shell.commit('c.csv', BASE.replace('10', `${n}0`).replace('Chur', `C${n}`), `edit ${n}`);
  // The second commit goes into the first; the third gets another message.
  const script = join(shell.directory, 'editor.sh');
  shell.write(
    'editor.sh',
    [
      'case "$1" in *plan*|*todo*|*REBASE*) ;; esac',
      'if grep -q "^pick" "$1"; then',
      '  sed -e "2s/^pick/fixup/" -e "3s/^pick/reword/" "$1" > "$1.new" && mv "$1.new" "$1"',
      'else echo "in other words" > "$1"; fi',
    ].join('\n'),
  );
  const env = { EDITOR: `sh '${script}'`, VISUAL: undefined };
  const { status, stderr } = await shell.run(['rebase', '-i', 'HEAD~3'], { env });
  expect({ status, stderr }).toMatchObject({ status: 0 });
  expect(await shell.ok('log', '--pretty', '%s')).toBe('in other words\nedit 1\nbase\n');
  expect(read(shell)).toContain('1,Bern,30');
  expect(
    (await shell.run(['rebase', '--todo', '-', 'HEAD~2'], { input: 'nonsense\n' })).status,
  ).toBe(3);
  expect(await shell.ok('log', '--pretty', '%s')).toBe('in other words\nedit 1\nbase\n');
});

test('reverting a merge needs to know which side was before', async () => {
  const shell = await apart();
  await shell.ok('merge', '--resolve', 'ours', 'side');
  await refused(shell, 3, 'merge-commit', 'revert', 'HEAD');
  expect((await shell.run(['revert', 'HEAD'])).stderr).toMatch(/hint: .*-m 1/);
  await shell.ok('revert', '-m', '1', 'HEAD');
  expect(read(shell)).toBe(OURS);
  await refused(shell, 3, 'no-sequence', 'revert', '--continue');
});

test('undo warns of what was pushed, and redo does it again', async () => {
  const shell = await apart();
  const other = await Shell.open();
  await shell.ok('remote', 'add', 'origin', other.directory);
  await shell.ok('push', '--quiet', 'origin', 'main:published');
  expect(await shell.json('undo', '--dry-run')).toMatchObject({
    operation: 'commit: ours',
    pushed: ['origin/published'],
  });
  const { status, stderr } = await shell.run(['undo']);
  expect([status, stderr]).toEqual([
    0,
    'warning: origin/published has it already; others may build on it\n',
  ]);
  await shell.ok('redo');
  expect(read(shell)).toBe(OURS);
  await refused(shell, 3, 'nothing-to-undo', 'redo');
});

test('questions in JSON: history, blame, show --key, bisect, reflog', async () => {
  const shell = await apart();
  expect(await shell.lines('history', 'c.csv', '1')).toMatchObject([
    { change: 'modified', message: 'ours', cells: { pop: { from: '10', to: '12' } } },
    { change: 'added', message: 'base', row: { id: '1', name: 'Bern', pop: '10' } },
  ]);
  await refused(shell, 2, 'unknown-row', 'history', 'c.csv', '77');
  await refused(shell, 2, 'unknown-table', 'history', 'd.csv', '1');
  await refused(shell, 2, 'unknown-column', 'history', '-L', 'popp', 'c.csv', '1');
  expect(await shell.lines('blame', '--where', 'id = 3', 'c.csv')).toHaveLength(1);
  expect(await shell.ok('blame', '--cells', '--columns', 'pop', 'c.csv')).toMatch(
    /^[0-9a-f]{7} \(Test Author .*\) 1 {2}12 \[[0-9a-f]{7}\]$/m,
  );
  await refused(shell, 2, 'unknown-column', 'blame', '--columns', 'popp', 'c.csv');
  await refused(shell, 2, 'unknown-table', 'bisect', '--where', 'pop = 12', 'd.csv');
  expect(await shell.ok('show', 'side:c.csv', '--key', '2')).toMatch(/name +Coire/);
  const { stdout, stderr } = await shell.run(['show', 'side:c.csv', '--limit', '1']);
  expect([stdout.split('\n').length, stderr]).toEqual([
    3,
    'only the first 1 row; --limit or --full shows more\n',
  ]);
  await refused(shell, 2, 'bad-option', 'show', 'side:c.csv', '--where', 'id = 1');
  expect(await shell.json('bisect', '--where', 'pop = 12', 'c.csv')).toMatchObject({
    commit: await shell.ok('log', '-1', '--pretty', '%H').then((text) => text.trim()),
  });
  await refused(shell, 3, 'bad-bisect', 'bisect', '--where', 'pop = 99', 'c.csv');
  expect((await shell.lines('reflog')).length).toBe(5);
});

test('bisect by a program that looks at the file', async () => {
  const shell = await Shell.open();
  for (let n = 1; n <= 8; n++) await shell.commit('c.csv', rows(`1,Bern,${n}`), `commit ${n}`);
  await shell.ok('bisect', 'start', 'HEAD', 'HEAD~7');
  const found = await shell.ok('bisect', 'run', 'sh', '-c', '! grep -q ",[5-8]$" c.csv');
  expect(found).toMatch(/is the first bad commit[\s\S]*commit 5/);
  expect(await shell.ok('bisect', 'log')).toMatch(/^dv bisect start HEAD HEAD~7$/m);
  await shell.ok('bisect', 'reset');
  expect(read(shell)).toBe(rows('1,Bern,8'));
  await refused(shell, 3, 'no-bisect', 'bisect', 'reset');
});

test('conflicts out to a file and back, and a file that was edited into nonsense', async () => {
  const shell = await apart();
  await shell.run(['merge', 'side']);
  await shell.ok('conflicts', '--export', 'x.csv');
  const text = readFileSync(join(shell.directory, 'x.csv'), 'utf8');
  shell.write('bad.csv', text.replace('resolved', 'solved'));
  await refused(shell, 3, 'bad-resolution', 'resolve', '--from', 'bad.csv');
  shell.write('x.csv', text.replace(',resolved,,1,Bern,', ',resolved,,1,Bern,99'));
  expect(await shell.json('resolve', '--from', 'x.csv')).toMatchObject({ resolved: 1, left: 0 });
  await shell.ok('commit', '--quiet');
  expect(read(shell)).toContain('1,Bern,99');
});

test('conflicts on one line each, counted by condition, and what does not go into a file', async () => {
  const shell = await Shell.open();
  shell.write('notes.txt', 'a');
  await shell.ok('add', 'notes.txt');
  await shell.commit('c.csv', rows('1,"two\nlines",1', '2,b,2'), 'base');
  await shell.ok('switch', '-c', 'side');
  shell.write('notes.txt', 'b');
  await shell.ok('add', 'notes.txt');
  await shell.commit('c.csv', rows('1,"other\n\tlines",1', '2,c,2'), 'theirs');
  await shell.ok('switch', 'main');
  shell.write('notes.txt', 'c');
  await shell.ok('add', 'notes.txt');
  await shell.commit('c.csv', rows('1,one,1', '2,d,2'), 'ours');
  await shell.run(['merge', 'side']);
  expect(await shell.ok('status', '--short')).toBe('UU c.csv\nUU notes.txt\n');
  expect((await shell.run(['conflicts'])).stdout).toMatch(
    /^ {2}\* name {2}two⏎lines {2}one {3}other⏎⇥lines$/m,
  );
  expect((await shell.run(['conflicts', '--stat', '--where', "theirs_name = 'c'"])).stdout).toBe(
    ' c.csv | 1 conflict\n',
  );
  const { stdout, stderr } = await shell.run(['conflicts', '--where', 'id = 1', '--export', '-']);
  expect(stdout.startsWith('table,conflict,side,take,id,name,pop\nc.csv,name,base')).toBe(true);
  expect(stderr).toBe('1 conflict written to standard output\n');
  const { stderr: all } = await shell.run(['conflicts', '--export', 'x.csv']);
  expect(all).toMatch(/^2 conflicts written to x.csv\n'notes.txt' is not in it: dv resolve /);
  await refused(shell, 2, 'bad-option', 'resolve', 'c.csv', '--from', 'x.csv');
});

test('dv merge does not end, nor give up, what is no merge', async () => {
  const shell = await apart();
  await refused(shell, 2, 'bad-option', 'merge', '--abort', '--continue');
  shell.write('c.csv', OURS.replace('12', '13'));
  await shell.ok('add', 'c.csv');
  await refused(shell, 3, 'no-merge', 'merge', '--continue', '-m', 'No merge');
  await shell.ok('reset', '--hard');
  await shell.run(['cherry-pick', 'side']);
  await refused(shell, 3, 'no-merge', 'merge', '--abort');
  expect((await shell.run(['merge', 'side'])).stderr).toContain(
    'dv cherry-pick --continue ends it',
  );
  await shell.ok('resolve', '--theirs');
  await refused(shell, 3, 'no-merge', 'merge', '--continue');
  await shell.ok('cherry-pick', '--abort');
  expect(read(shell)).toBe(OURS);
});

test('status tells of what waits without conflicts', async () => {
  const shell = await apart();
  await shell.run(['cherry-pick', 'side']);
  expect(await shell.ok('status')).not.toContain('to go');
  await shell.ok('resolve', '--theirs');
  await shell.ok('commit', '-m', 'By hand');
  expect(await shell.ok('status')).toContain('You are picking; no commit is left.');
  expect(await shell.json('status')).toMatchObject({
    sequence: { operation: 'cherry-pick', isEdit: false, left: 0 },
  });
  await shell.ok('cherry-pick', '--continue');
  expect(await shell.json('status')).not.toHaveProperty('sequence');
  const plan = await shell.ok('log', '--reverse', '--pretty', 'edit %H', 'HEAD~2..');
  shell.write('plan', plan);
  await shell.ok('rebase', '--todo', 'plan', 'HEAD~2');
  expect(await shell.ok('status')).toMatch(
    /^You are rebasing, and stopped to edit [0-9a-f]{7}; 1 commit to go\.\n {2}\("dv rebase --cont/m,
  );
  await shell.ok('rebase', '--abort');
  await shell.ok('bisect', 'start', 'HEAD');
  expect(await shell.ok('status')).toContain('You are bisecting.');
  await shell.ok('bisect', 'reset');
  expect(await shell.ok('status')).not.toContain('You are');
});

test('rerere is told of, counted and forgotten', async () => {
  const shell = await apart();
  await shell.ok('config', 'rerere.enabled', 'true');
  await shell.run(['merge', 'side']);
  await shell.ok('resolve', '--theirs');
  await shell.ok('commit', '--quiet');
  await shell.ok('reset', '--hard', 'HEAD~1');
  const again = await shell.run(['merge', 'side', '--json']);
  expect(JSON.parse(again.stdout)).toMatchObject({ reused: { resolved: 1, partly: 0, left: 0 } });
  expect(again.status).toBe(1);
  await shell.ok('merge', '--abort');
  expect(await shell.json('rerere')).toEqual({ enabled: true, count: 1 });
  await refused(shell, 2, 'bad-option', 'rerere', 'c.csv');
  expect(await shell.json('rerere', '--forget', 'c.csv')).toEqual({ forgotten: 1 });
});

test('--as-of goes with every command that takes a revision to look at or go back to', async () => {
  const shell = await apart();
  for (const args of [
    ['restore', 'c.csv'],
    ['rollback', 'c.csv', '--to', 'HEAD'],
    ['reset', '--hard'],
    ['merge', 'side'],
    ['merge-base', 'HEAD', 'side'],
    ['cherry-pick', 'side'],
    ['revert', 'HEAD'],
    ['rebase', 'side'],
    ['bisect', '--where', 'id = 1', 'c.csv'],
    ['table', 'rules', 'HEAD:c.csv'],
    ['cat-object', 'HEAD'],
    ['history', 'c.csv', '1'],
    ['blame', 'c.csv'],
    ['log'],
    ['show'],
    ['diff', 'HEAD'],
    ['export', 'HEAD:c.csv'],
  ]) {
    await refused(shell, 2, 'bad-revision', ...args, '--as-of', '2001-01-01');
    await refused(shell, 2, 'bad-date', ...args, '--as-of', 'the day before');
  }
  expect(read(shell)).toBe(OURS);
  expect(await shell.ok('merge-base', '--as-of', 'now', 'HEAD', 'side')).toBe(
    await shell.ok('merge-base', 'HEAD', 'side'),
  );
});
