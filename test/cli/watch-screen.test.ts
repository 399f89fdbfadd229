/** The watch screen in a real terminal of 80 x 24. Skipped, and told so, where tmux is absent. */
import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { displayWidth } from '../../src/cli/render/width.ts';
import {
  KEPT,
  type Key,
  keysOf,
  pressKey,
  START,
  shownArrivals,
  takeEvents,
} from '../../src/cli/screens/watch-model.ts';
import { viewOf } from '../../src/cli/screens/watch-view.ts';
import type { CommitEvent } from '../../src/live/contract.ts';
import { DV, runDv, temporaryRepository } from '../support/cli.ts';
import { HAS_TERMINAL, Terminal } from '../support/terminal.ts';

async function commit(cwd: string, message: string, row: string): Promise<void> {
  appendFileSync(join(cwd, 'cities.csv'), `${row}\n`);
  await runDv(['add', 'cities.csv'], { cwd });
  const { status, stderr } = await runDv(['commit', '-m', message], { cwd });
  expect(stderr).toBe('');
  expect(status).toBe(0);
}

/** The lines of a screen; it ends with a line end. */
const linesOf = (screen: string): string[] => screen.split('\n').slice(0, -1);

async function scene(): Promise<string> {
  const cwd = await temporaryRepository();
  writeFileSync(join(cwd, 'cities.csv'), 'id,name\n');
  await commit(cwd, 'begin', '1,Ulm');
  return cwd;
}

describe.skipIf(!HAS_TERMINAL)('dv watch on a terminal (needs tmux)', () => {
  test('shows commits as they arrive, their rows, a filter and a pause', async () => {
    const cwd = await scene();
    await using terminal = await Terminal.open(`${DV} watch`, { cwd, columns: 80 });
    await terminal.until(/live \(this repository\)/);
    await commit(cwd, 'the second city', '2,Bonn');
    await commit(cwd, 'a third one', '3,Kiel');
    const lines = linesOf(await terminal.until(/a third one/));
    expect(lines).toHaveLength(24);
    expect(lines[1]).toMatch(/^2 commits {2}\d+\.\d\/s {2}lag \d+ ms$/);
    expect(lines[3]).toMatch(
      /^> \d\d:\d\d:\d\d {2}main {2}Test Author {2}a third one +cities\.csv \+1$/,
    );
    expect(lines[4]).toMatch(
      /^ {2}\d\d:\d\d:\d\d {2}main {2}Test Author {2}the second city +cities\.csv \+1$/,
    );
    await terminal.press('Down', 'Enter');
    const rows = linesOf(await terminal.until(/\+ 2/));
    expect(rows[3]).toMatch(/^[0-9a-f]{10} {2}the second city$/);
    expect(rows.join('\n')).toContain('name: Bonn');
    await terminal.press('q');
    await terminal.until(/a third one/);
    await terminal.type('/THIRD');
    await terminal.until((screen) => !screen.includes('the second city'));
    await terminal.press('Escape');
    await terminal.until(/the second city/);
    await terminal.press('Space');
    await terminal.until(/paused, 0 new/);
    await commit(cwd, 'unseen for now', '4,Trier');
    expect(await terminal.until(/paused, 1 new/)).not.toContain('unseen for now');
    await terminal.press('Space');
    await terminal.until(/unseen for now/);
    await terminal.type('?');
    await terminal.until(/Any key goes back/);
    await terminal.type('xq');
    await terminal.until(/ended with 0/);
  });

  test('shows text from the repository, and obeys none of it', async () => {
    const cwd = await scene();
    await using terminal = await Terminal.open(`${DV} watch`, { cwd, columns: 80 });
    await terminal.until(/live \(this repository\)/);
    await commit(cwd, '\u001b[2J\u001b[31mgone', '2,Bonn');
    const lines = linesOf(await terminal.until(/gone/));
    expect(lines[0]).toMatch(/^dv watch/);
  });
});

describe('the watch screen', () => {
  const event = (i: number): CommitEvent => ({
    type: 'commit',
    id: `0123456789abcdef.${i}`,
    ref: `refs/heads/${i % 2 === 0 ? 'main' : '城市'}`,
    old: null,
    new: i.toString(16).padStart(64, '0') as CommitEvent['new'],
    actor: 'Ada',
    time: 1_700_000_000_000 + i,
    message: `commit number ${i} 城市`,
    author: { name: 'Ada Lovelace', email: 'ada@example.org' },
    committed: 0,
    parents: [],
    generation: 1,
    clock: { ms: 0, counter: 0, node: 'a' },
    tables: Array.from({ length: i % 4 }, (_, n) => ({
      table: `table${n}`,
      added: i,
      removed: 1,
      modified: 0,
    })),
    skipped: i % 3,
  });
  const arrivals = (count: number) =>
    Array.from({ length: count }, (_, i) => ({ event: event(i), at: 1_700_000_000_005 + i }));

  test.each([
    [80, 23],
    [40, 10],
    [20, 5],
    [200, 50],
  ])('is %i columns wide and %i lines high at most', (width, height) => {
    let state = takeEvents(START, arrivals(100));
    const window = {
      width,
      height,
      title: 'origin main',
      now: 1_700_000_001_000,
      zone: 0,
      shownLine: (t: string) => t,
    };
    for (const input of ['', '?', 'x', '/', 'm', 'a']) {
      state = pressKey(state, { input } as Key, 5);
      const lines = viewOf(state, window);
      expect(lines).toHaveLength(Math.max(height, 5));
      for (const line of lines) {
        expect(line.reduce((sum, { text }) => sum + displayWidth(text), 0)).toBeLessThanOrEqual(
          width,
        );
      }
    }
  });

  test('takes keys that come together one by one, Enter among them', () => {
    let state = takeEvents(START, arrivals(10));
    for (const key of keysOf({ input: '/sage 2\r' } as Key)) state = pressKey(state, key, 5);
    expect(state).toMatchObject({ mode: 'list', filter: 'sage 2' });
    expect(keysOf({ input: '', upArrow: true } as Key)).toHaveLength(1);
  });

  test('keeps the newest commits and no more, paused or not', () => {
    let state = takeEvents(START, arrivals(10));
    state = pressKey(state, { input: ' ' } as Key, 5);
    for (let i = 0; i < 5; i++) state = takeEvents(state, arrivals(1000));
    expect(state.arrivals).toHaveLength(KEPT);
    expect(state.total).toBe(5010);
    expect(shownArrivals(state)).toHaveLength(0);
    state = pressKey(state, { input: ' ' } as Key, 5);
    expect(shownArrivals(state)).toHaveLength(KEPT);
  });
});
