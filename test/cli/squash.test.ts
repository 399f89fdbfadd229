/** `dv squash` as a process. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runDv, temporaryDirectory } from '../support/cli.ts';

test('thins by hour, says so, and the reflog has the way back', async () => {
  const cwd = temporaryDirectory();
  const dv = (...args: string[]) => runDv(args, { cwd });
  await dv('init');
  for (let i = 0; i < 3; i++) {
    writeFileSync(join(cwd, 't.csv'), `id,n\n1,${i}\n`);
    await dv('add', 't.csv');
    expect((await dv('commit', '-m', `commit ${i}`)).status).toBe(0);
  }
  const old = (await dv('hash', 'HEAD:t.csv')).stdout;
  const nothing = await dv('squash', '--older-than', '1h', '--by', 'hour');
  expect(nothing.stdout).toBe('main: nothing to thin\n');
  const dry = JSON.parse(
    (await dv('squash', '--older-than', '0m', '--by', 'week', '-n', '--json')).stdout,
  );
  expect(dry).toMatchObject({ dryRun: true, branch: 'main', before: 3, moved: 0 });
  const done = await dv('squash', '--older-than', '0m', '--by', 'week');
  expect(done.status).toBe(0);
  expect(done.stdout).toMatch(/^main: 3 commits became 1, 0 newer commits on top\n/);
  expect(done.stdout).toContain('dv reset --hard main@{1}');
  expect((await dv('hash', 'HEAD:t.csv')).stdout).toBe(old);
  expect((await dv('status')).stdout).toContain('clean');
  expect((await dv('log', '--oneline')).stdout.trim().split('\n')).toHaveLength(1);
  expect((await dv('reset', '--hard', 'main@{1}')).status).toBe(0);
  expect((await dv('log', '--oneline')).stdout.trim().split('\n')).toHaveLength(3);
  for (const [args, code] of [
    [['--older-than', 'soon', '--by', 'hour'], 'bad-option'],
    [['--older-than', '1h', '--by', 'year'], 'bad-option'],
    [['none', '--older-than', '1h', '--by', 'day'], 'unknown-ref'],
  ] as const) {
    const refused = await dv('squash', ...args, '--json');
    expect(JSON.parse(refused.stdout || refused.stderr).error?.code ?? refused.stderr).toContain(
      code,
    );
    expect(refused.status).toBe(2);
  }
}, 60_000);
