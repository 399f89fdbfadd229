/**
 * `dv resolve -i` in a real terminal: keys in, screen read back. Needs tmux; where there is
 * none, only what needs no terminal is tested.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  type Item,
  pressKey,
  pressKeys,
  type ResolveState,
  startState,
} from '../../src/cli/screens/resolve-model.ts';
import { DV } from '../support/cli.ts';
import { Shell } from '../support/everyday.ts';
import { HAS_TERMINAL, Terminal } from '../support/terminal.ts';

const HEADER = 'id,name,pop';
const rows = (...lines: string[]): string => `${[HEADER, ...lines].join('\n')}\n`;
const BASE = rows('1,Bern,10', '2,Chur,20', '3,Genf,30', '4,Zug,40');

/** A merge that waits: two rows clash in `pop`, one in both cells, one is gone on one side. */
async function waiting(): Promise<Shell> {
  const shell = await Shell.open();
  await shell.commit('c.csv', BASE, 'base');
  await shell.ok('switch', '-c', 'side');
  await shell.commit('c.csv', rows('1,Bern,15', '2,Chur,22', '3,Genève,33'), 'side');
  await shell.ok('switch', 'main');
  const ours = rows('1,Bern,12', '2,Chur,21', '3,Genava,31', '4,Zug,41');
  await shell.commit('c.csv', ours, 'main');
  expect((await shell.run(['merge', 'side'])).status).toBe(1);
  return shell;
}

const open = (shell: Shell, columns?: number): Promise<Terminal> =>
  Terminal.open(`'${DV}' resolve -i`, { cwd: shell.directory, columns });

const file = (shell: Shell): string => readFileSync(join(shell.directory, 'c.csv'), 'utf8');

test.skipIf(!HAS_TERMINAL)('a conflict at a time, an edit, undo, and all alike', async () => {
  const shell = await waiting();
  await using terminal = await open(shell);
  const first = await terminal.until(/result/);
  expect(first).toMatch(/dv resolve {2}c\.csv {2}merge of side +1 of 4, 4 open/);
  expect(first).toMatch(/id 1: both changed it/);
  expect(first).toMatch(/> \* pop +10 +12 +15 +\?/);
  await terminal.press('e');
  await terminal.until(/Enter/);
  await terminal.press('C-u');
  await terminal.type('1x');
  await terminal.press('Enter');
  await terminal.until(/that is no integer: 1x/);
  await terminal.press('BSpace');
  await terminal.type('3');
  await terminal.press('Enter');
  expect(await terminal.until(/2 of 4, 3 open/)).toMatch(/> \* pop +20 +21 +22 +\?/);
  await terminal.press('t');
  await terminal.until(/3 of 4, 2 open/);
  await terminal.press('u');
  await terminal.until(/3 open/);
  await terminal.press('p');
  expect(await terminal.until(/2 of 4/)).toMatch(/> \* pop +20 +21 +22 +\?/);
  await terminal.press('o');
  await terminal.until(/3 of 4, 2 open/);
  await terminal.press('a');
  expect(await terminal.until(/decided alike/)).toMatch(/> \* name +Genf +Genava +Genève +\?/);
  await terminal.press('T');
  expect(await terminal.until(/4 of 4, 1 open/)).toMatch(
    /id 4: theirs removed it, ours changed it/,
  );
  await terminal.press('o');
  await terminal.until(/all are decided/);
  await terminal.press('q');
  await terminal.until(/no conflicts are left[\s\S]*ended with 0/);
  await shell.ok('commit', '--quiet');
  expect(file(shell)).toBe(rows('1,Bern,13', '2,Chur,21', '3,Genève,33', '4,Zug,41'));
});

test.skipIf(!HAS_TERMINAL)('as a list, left and come back to, on a narrow screen', async () => {
  const shell = await waiting();
  {
    await using terminal = await open(shell, 60);
    await terminal.until(/result/);
    await terminal.press('Tab');
    const list = await terminal.until(/id 4/);
    expect(list).toMatch(/> \* c\.csv id 1 {2}pop: 12 \| 15/);
    expect(list).toMatch(/ {2}\* c\.csv id 3/);
    await terminal.press('Down', 'Down', 't');
    await terminal.until(/3 open/);
    await terminal.press('?');
    await terminal.until(/Any key goes back/);
    await terminal.press('x', 'q');
    await terminal.until(/3 conflicts left[\s\S]*ended with 0/);
  }
  expect(file(shell)).toContain('3,Genève,33');
  expect((await shell.run(['conflicts', '--stat'])).stdout).toBe(' c.csv | 3 conflicts\n');
  await using terminal = await open(shell);
  await terminal.until(/1 of 3, 3 open/);
  await terminal.press('t');
  await terminal.until(/2 open/);
  await terminal.press('C-c');
  await terminal.until(/3 conflicts left[\s\S]*ended with/);
  await shell.ok('merge', '--abort');
  expect(file(shell)).toContain('3,Genava,31');
});

test.skipIf(!HAS_TERMINAL)('a first page says that others follow', async () => {
  const shell = await Shell.open();
  const many = (pop: string) => rows(...Array.from({ length: 2001 }, (_, i) => `${i},n,${pop}`));
  await shell.commit('c.csv', many('1'), 'base');
  await shell.ok('switch', '-c', 'side');
  await shell.commit('c.csv', many('2'), 'side');
  await shell.ok('switch', 'main');
  await shell.commit('c.csv', many('3'), 'main');
  await shell.run(['merge', 'side']);
  await using terminal = await open(shell);
  await terminal.until(/the first 2,000 of 2,001: the others come when these are saved/);
  await terminal.press('t');
  await terminal.until(/2 of 2000, 1999 open/);
  await terminal.press('a');
  await terminal.until(/all are decided/);
  await terminal.press('s');
  await terminal.until(/1 of 1, 1 open/);
  await terminal.press('q');
  await terminal.until(/1 conflict left[\s\S]*ended with 0/);
});

test('what is written into a cell fits its column; nothing is null where no text is empty', () => {
  const columns = [
    { name: 'id', type: 'integer' },
    { name: 'name', type: 'text' },
    { name: 'pop', type: 'integer' },
  ] as const;
  const item: Item = {
    kind: 'row',
    table: 'c.csv',
    schema: { columns, key: [0] },
    encodedKey: new Uint8Array(),
    key: ['1'],
    conflict: 'both-modified',
    columns: ['name', 'pop'],
    sides: { base: ['1', 'a', '1'], ours: ['1', 'b', '2'], theirs: ['1', 'c', '3'] },
  };
  const type = (state: ResolveState, text: string) =>
    pressKeys(pressKey(pressKey(state, { input: 'e' }), { input: 'u', ctrl: true }), {
      input: text,
    });
  const named = type(startState([item]), '\r\r');
  expect(named.decisions.get(item)).toEqual(new Map([['name', { kind: 'text', cell: '' }]]));
  const wrong = type(named, '1.5\r');
  expect(wrong).toMatchObject({ edit: { text: '1.5' }, note: 'that is no integer' });
  expect(wrong.decisions).toBe(named.decisions);
  expect(pressKey(wrong, { input: '0' })).toMatchObject({ edit: { text: '1.50' }, note: '' });
  const empty = type(named, '').edit;
  expect(empty).toEqual({ text: '', cursor: 0 });
  const ended = pressKey(type(named, ''), { input: '', return: true });
  expect(ended.decisions.get(item)?.get('pop')).toEqual({ kind: 'text', cell: null });
});

test('without a terminal it says what to do instead', async () => {
  const shell = await waiting();
  const { status, stderr } = await shell.run(['resolve', '-i']);
  expect(status).toBe(2);
  expect(stderr).toMatch(/^error: dv resolve -i needs a terminal\nhint: dv resolve --ours/);
});
