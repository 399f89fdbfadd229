/** `dv watch` without a screen: what it writes, from where, and what it refuses. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runDv, temporaryDirectory, temporaryRepository } from '../support/cli.ts';

const CITIES = [
  'id,name,population\n1,Ulm,126000\n',
  'id,name,population\n1,Ulm,126000\n2,Bonn,330000\n',
  'id,name,population\n1,Ulm,126000\n2,Bonn,331000\n',
];

async function scene(): Promise<string> {
  const cwd = await temporaryRepository();
  for (const [i, text] of CITIES.entries()) {
    writeFileSync(join(cwd, 'cities.csv'), text);
    await runDv(['add', 'cities.csv'], { cwd });
    await runDv(['commit', '-m', `version ${i}`], { cwd });
  }
  writeFileSync(join(cwd, 'other.csv'), 'id\n1\n');
  await runDv(['add', 'other.csv'], { cwd });
  await runDv(['commit', '-m', 'another table'], { cwd });
  return cwd;
}

async function watch(cwd: string, ...args: readonly string[]) {
  const run = await runDv(['watch', '--once', ...args], { cwd });
  return { ...run, lines: run.stdout.split('\n').slice(0, -1) };
}

const messages = (lines: readonly string[]): string[] =>
  lines.map((line) => (JSON.parse(line) as { message: string }).message);

describe('dv watch --once', () => {
  test('tells commits since a revision, a time or a cursor', async () => {
    const cwd = await scene();
    const { lines, stderr, status } = await watch(cwd, '--since', 'main~3');
    expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
    expect(messages(lines)).toEqual(['version 1', 'version 2', 'another table']);
    const event = JSON.parse(lines[0]);
    expect(event).toMatchObject({
      type: 'commit',
      ref: 'refs/heads/main',
      author: { name: 'Test Author', email: 'test@example.org' },
      skipped: 0,
      tables: [{ table: 'cities.csv', added: 1, removed: 0, modified: 0 }],
    });
    expect(messages((await watch(cwd, '--since', event.id)).lines)).toHaveLength(2);
    expect(messages((await watch(cwd, '--since', '2000-01-01')).lines)).toHaveLength(4);
    expect((await watch(cwd)).lines).toEqual([]);
  });

  test('tells only branches, tables and rows that are wanted', async () => {
    const cwd = await scene();
    const all = ['--since', '2000-01-01'];
    expect((await watch(cwd, 'release/*', ...all)).lines).toEqual([]);
    expect(messages((await watch(cwd, 'ma*', '--table', 'other.csv', ...all)).lines)).toEqual([
      'another table',
    ]);
    const { lines } = await watch(cwd, ...all, '--where', 'population > 330000');
    expect(messages(lines)).toEqual(['version 2']);
    const fallen = await watch(cwd, ...all, '--where', 'to_population < from_population');
    expect(fallen.lines).toEqual([]);
  });

  test('writes rows, and text', async () => {
    const cwd = await scene();
    const rows = await watch(cwd, '--since', 'main~2', '--format', 'rows', '--table', 'cities.csv');
    expect(rows.lines.map((line) => JSON.parse(line))).toMatchObject([
      {
        ref: 'refs/heads/main',
        table: 'cities.csv',
        change: 'modified',
        key: { id: 2 },
        from: { population: 330000 },
        to: { population: 331000 },
      },
    ]);
    const text = await watch(cwd, '--since', 'main~2', '--format', 'text');
    expect(text.lines[0]).toMatch(
      /^[0-9a-f]{10} {2}main {2}Test Author {2}version 2 {2}cities\.csv ~1$/,
    );
  });

  test('goes on where its cursor file says, whatever --since says', async () => {
    const cwd = await scene();
    const args = ['--since', 'main~2', '--cursor-file', 'cursor'];
    expect(messages((await watch(cwd, ...args)).lines)).toEqual(['version 2', 'another table']);
    expect((await watch(cwd, ...args)).lines).toEqual([]);
    await runDv(['commit', '--allow-empty', '-m', 'nothing'], { cwd });
    expect(messages((await watch(cwd, ...args)).lines)).toEqual(['nothing']);
  });

  test('stops at a command that fails, and runs it again for the same commit', async () => {
    const cwd = await scene();
    const exec = (command: string) =>
      watch(cwd, '--since', 'main~3', '--cursor-file', 'cursor', '--exec', command);
    const failed = await exec('cat >> got; test "$(wc -l < got)" -lt 2');
    expect(failed.status).toBe(3);
    expect(failed.stderr).toMatch(
      /^error: '.*' failed for commit [0-9a-f]{12}: it ended with 1\nhint: /,
    );
    expect((await exec('cat >> got; echo "$DV_EVENT_ID" >> ids')).status).toBe(0);
    const got = readFileSync(join(cwd, 'got'), 'utf8').trim().split('\n');
    expect(messages(got)).toEqual(['version 1', 'version 2', 'version 2', 'another table']);
    expect(readFileSync(join(cwd, 'ids'), 'utf8').trim().split('\n')).toHaveLength(2);
  });

  test('tells of a new beginning when the cursor is of another repository', async () => {
    const cwd = await scene();
    const { lines } = await watch(cwd, '--since', 'fedcba9876543210.7');
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0])).toMatchObject({
      type: 'reset',
      heads: [{ ref: 'refs/heads/main' }],
    });
  });

  test.each([
    [['--since', 'no such thing'], 3, 'bad-cursor'],
    [['--where', 'population >'], 2, 'bad-condition'],
    [['--exec', ' '], 2, 'bad-option'],
    [['--follow'], 2, 'bad-option'],
    [['http://user:secret@127.0.0.1:1/x'], 2, 'bad-name'],
    [['http://127.0.0.1:1/x'], 4, 'remote-unreachable'],
  ])('refuses %j', async (args, status, code) => {
    const cwd = await scene();
    const run = await watch(cwd, '--json', ...args);
    expect(run.status).toBe(status);
    const { error } = JSON.parse(run.lines.at(-1) ?? '{}') as { error: { code: string } };
    expect(error.code).toBe(code);
    expect(JSON.stringify(error)).not.toContain('secret');
  });

  test('refuses a cursor file that is none, and leaves it', async () => {
    const cwd = await scene();
    writeFileSync(join(cwd, 'cursor'), 'not a cursor\n');
    const run = await watch(cwd, '--cursor-file', 'cursor');
    expect(run.status).toBe(3);
    expect(readFileSync(join(cwd, 'cursor'), 'utf8')).toBe('not a cursor\n');
    const outside = temporaryDirectory();
    expect((await watch(outside)).status).toBe(2);
    expect(existsSync(join(outside, '.dv'))).toBe(false);
  });
});
