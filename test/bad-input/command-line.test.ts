/** How a refusal looks on the command line: one sentence, a hint, the exit status of its kind. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RunOptions, runDv } from '../support/cli.ts';
import { setScene, takeSnapshot } from './scene.ts';

let directory: string;
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'dv-bad-'));
  await setScene(directory);
  const files: Record<string, string | Uint8Array> = {
    'duplicate.csv': 'id,x\n1,a\n1,b\n',
    'null.csv': 'id,x\n,a\n',
    'ragged.csv': 'id,x\n1\n',
    'latin1.csv': Buffer.from('id,x\n1,café\n', 'latin1'),
    'hostile.csv': 'id,x\n\u001b[2J,a\n\u001b[2J,b\n',
    'empty.csv': '',
  };
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(join(directory, name), content);
  }
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

interface Case {
  readonly args: readonly string[];
  readonly status: 2 | 3;
  readonly error: string;
  readonly hint?: string;
  readonly env?: RunOptions['env'];
}

const CASES: readonly Case[] = [
  {
    args: ['add', '--key', 'id', 'duplicate.csv'],
    status: 3,
    error: `lines 2 and 3 of 'duplicate.csv' have the same key (id): "1"`,
    hint: "--key names a unique column, or several: --key a,b; --key '' keeps rows without a key",
  },
  {
    args: ['add', '--key', 'id', 'null.csv'],
    status: 3,
    error: `the key column "id" has no value (line 2 of 'null.csv')`,
    hint: "--key names other columns; --key '' keeps rows without a key",
  },
  {
    args: ['import', 'orders', 'ragged.csv'],
    status: 3,
    error: '"ragged.csv" has 1 cell on line 2, expected 2',
    hint: 'is it the right delimiter? --delimiter sets another',
  },
  {
    args: ['diff', '--no-index', 'latin1.csv', 'cities.csv', '--key', 'id'],
    status: 3,
    error: '"latin1.csv" is not UTF-8: byte 0xe9 at offset 10, on line 2',
    hint: 'if it is Latin-1, add --encoding latin1; else convert it to UTF-8',
  },
  {
    args: ['add', '--key', 'id', 'hostile.csv'],
    status: 3,
    error: `lines 2 and 3 of 'hostile.csv' have the same key (id): "\\u001b[2J"`,
    hint: "--key names a unique column, or several: --key a,b; --key '' keeps rows without a key",
  },
  {
    args: ['add', '-A'],
    status: 3,
    error: '"empty.csv" is empty',
    hint: 'a table without rows still has a header line',
  },
  { args: ['add', 'nope.csv'], status: 3, error: "there is no file 'nope.csv'" },
  {
    args: ['import', 'CITIES.csv', 'untracked.csv'],
    status: 3,
    error: "'CITIES.csv' and 'cities.csv' differ only by case",
    hint: 'on many file systems they are one file; rename one of them',
  },
  { args: ['branch', 'a..b'], status: 2, error: `branch name "a..b" has '..'` },
  { args: ['tag', 'a\u001bb'], status: 2, error: 'tag name "a\\u001bb" has a control character' },
  {
    args: ['commit', '-m', 'x'],
    status: 2,
    error: 'dv does not know your name',
    hint: 'dv config --global user.name "Your Name" && dv config --global user.email you@example.org',
    env: { DV_AUTHOR_NAME: undefined, DV_AUTHOR_EMAIL: undefined },
  },
  {
    args: ['switch', '--detach', 'nope'],
    status: 2,
    error: '"nope" names no commit',
    hint: 'dv log --oneline, dv branch and dv tag list what there is',
  },
];

describe('refused, and nothing changed:', () => {
  test.each(CASES)('dv $args', async ({ args, status, error, hint, env }) => {
    const before = await takeSnapshot(directory);
    const lines = [`error: ${error}`, ...(hint === undefined ? [] : [`hint: ${hint}`]), ''];
    expect(await runDv(args, { cwd: directory, env })).toEqual({
      status,
      stdout: '',
      stderr: lines.join('\n'),
    });
    const asJson = await runDv([...args, '--json'], { cwd: directory, env });
    expect(asJson).toMatchObject({ status, stderr: '' });
    expect(JSON.parse(asJson.stdout).error).toMatchObject({ message: error });
    expect(await takeSnapshot(directory)).toEqual(before);
  });

  test('the place is in the JSON form', async () => {
    const { stdout } = await runDv(['add', 'ragged.csv', '--json'], { cwd: directory });
    expect(JSON.parse(stdout)).toEqual({
      error: {
        code: 'ragged-line',
        message: '"ragged.csv" has 1 cell on line 2, expected 2',
        hint: 'is it the right delimiter? --delimiter sets another',
        data: { file: 'ragged.csv', line: 2, expected: 2, found: 1 },
      },
    });
  });
});
