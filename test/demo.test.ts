/** `npm run demo` works without a terminal, tells its story, and leaves nothing behind. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { runProgram, temporaryDirectory } from './support/cli.ts';

const DEMO = fileURLToPath(new URL('../bin/demo.ts', import.meta.url));

/** Fifty processes: seconds on a free machine, minutes on a busy one. */
const PATIENCE_MS = 300_000;

test('the story, on real data', { timeout: PATIENCE_MS }, async () => {
  const temporary = temporaryDirectory();
  const env = { TMPDIR: temporary, DV_AUTHOR_NAME: undefined };
  const { status, stdout, stderr } = await runProgram(process.execPath, [DEMO], { env });
  const notes = [
    "Switched to a new branch 'https'",
    "Switched to branch 'main'",
    'hint: dv conflicts shows them, dv resolve settles them, dv commit ends the merge',
    'dv commit ends the merge',
    '',
  ].join('\n');
  expect({ status, stderr: stderr.slice(0, notes.length) }).toEqual({ status: 0, stderr: notes });
  expect(stderr.slice(notes.length)).toMatch(
    /^To http:\/\/127\.0\.0\.1:\d+\/crawlers\n \* \[new branch\] +main +-> main\n/,
  );
  for (const line of [
    "$ dv commit -am 'Version 1.0.76' --date 2019-12-11",
    ' crawlers.csv | 11 rows added, 1 removed, 23 modified',
    'nothing to commit',
    '~ BrandVerity               url: ∅ → http://www.brandverity.com/why-is-brandverity-visiting-me',
    '  + column tags json',
    'CONFLICT in crawlers.csv: 1 row',
    'crawlers.csv  pattern Googlebot\\/: both changed it',
    '1 conflict resolved; none is left',
    '    url: http://www.google.com/bot.html → https://developers.google.com/crawlers',
    '~ inoreader  url: http://inoreader.com → https://inoreader.com',
    '~ zgrab  url: https://zmap.io/ → https://github.com/zmap/zgrab2',
  ]) {
    expect(stdout.split('\n')).toContain(line);
  }
  expect(stdout).toContain('MIT licence');
  expect(stdout).toMatch(/checked \d+ objects: sound\n/);
  expect(stdout).toMatch(/[0-9a-f]{10} {2}main {2}Demo {2}A page about it {2}crawlers\.csv ~1\n$/);
  expect(readdirSync(temporary).filter((name) => name.startsWith('dv-'))).toEqual([]);
});

test('a failure is told by the exit status', async () => {
  const env = { TMPDIR: join(temporaryDirectory(), 'gone') };
  const { status, stderr } = await runProgram(process.execPath, [DEMO], { env });
  expect(status).toBe(1);
  expect(stderr).toMatch(/^the demo failed: /);
});
