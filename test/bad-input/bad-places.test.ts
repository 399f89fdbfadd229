/** Files that are not there, are no files, or do not hold still; a store that is too new. */
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { add } from '../../src/porcelain/add.ts';
import { diffFiles } from '../../src/porcelain/diff-files.ts';
import { exportFile } from '../../src/porcelain/export.ts';
import { importFile } from '../../src/porcelain/import-file.ts';
import { openRepository } from '../../src/porcelain/open-repository.ts';
import type { Repository } from '../../src/porcelain/repository.ts';
import { runProgram } from '../support/cli.ts';
import { testEnvironment } from '../support/repository.ts';
import {
  expectError,
  expectRefusal,
  type Refusal,
  setScene,
  takeSnapshot,
  withFile,
  withRepository,
} from './scene.ts';

let directory: string;
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'dv-bad-'));
  await setScene(directory);
  mkdirSync(join(directory, 'folder.csv'));
  await runProgram('mkfifo', [join(directory, 'pipe.csv')]);
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

interface Case extends Refusal {
  readonly name: string;
  readonly act: (repo: Repository) => Promise<unknown>;
}

const missing = { code: 'file-missing', exit: 3 } as const;
const isDirectory = { code: 'file-is-directory', exit: 3, hint: 'name a file in it' } as const;

const CASES: readonly Case[] = [
  {
    name: 'add, no such file',
    act: (repo) => add(repo, ['nope.csv']),
    ...missing,
    message: "there is no file 'nope.csv'",
    data: { file: 'nope.csv' },
  },
  {
    name: 'import, no such file',
    act: (repo) => importFile(repo, 'orders', 'nope.csv'),
    ...missing,
    message: "there is no file 'nope.csv'",
    data: { file: 'nope.csv' },
  },
  {
    name: 'diff of files, one not there',
    act: ({ env, cwd }) =>
      diffFiles(env, 'cities.csv', 'nope.csv', { cwd, temporaryDirectory: tmpdir() }),
    ...missing,
    message: "there is no file 'nope.csv'",
    data: { file: 'nope.csv' },
  },
  {
    name: 'import, a directory',
    act: (repo) => importFile(repo, 'orders', 'folder.csv'),
    ...isDirectory,
    message: "'folder.csv' is a directory",
    data: { file: 'folder.csv' },
  },
  {
    name: 'diff of files, one a directory',
    act: ({ env, cwd }) =>
      diffFiles(env, 'cities.csv', 'folder.csv', { cwd, temporaryDirectory: tmpdir() }),
    ...isDirectory,
    message: "'folder.csv' is a directory",
    data: { file: 'folder.csv' },
  },
  {
    name: 'export to a directory',
    act: (repo) => exportFile(repo, 'cities.csv', { output: 'folder.csv' }),
    ...isDirectory,
    message: /^'.*folder\.csv' is a directory$/,
  },
  {
    name: 'export to below a file',
    act: (repo) => exportFile(repo, 'cities.csv', { output: 'notes.txt/out.csv' }),
    code: 'file-unwritable',
    exit: 3,
    message: /^cannot write '.*notes\.txt\/out\.csv': /,
  },
];

describe('refused, and nothing changed:', () => {
  test.each(CASES)('$name', async ({ act, name: _, ...refusal }) => {
    await expectRefusal(directory, () => withRepository(directory, act), refusal);
  });

  test('add, a pipe', async (context) => {
    const { status } = await runProgram('test', ['-p', join(directory, 'pipe.csv')]);
    if (status !== 0) context.skip('there are no pipes here');
    const act = () => withRepository(directory, (repo) => add(repo, ['pipe.csv']));
    await expectRefusal(directory, act, {
      code: 'file-unreadable',
      exit: 3,
      message: "'pipe.csv' is not a regular file",
      hint: 'dv import reads a table from a pipe',
      data: { file: 'pipe.csv' },
    });
  });
});

test('a directory with nothing in it adds nothing', async () => {
  const before = await takeSnapshot(directory);
  const { tables } = await withRepository(directory, (repo) => add(repo, ['folder.csv']));
  expect(tables).toEqual([]);
  expect(await takeSnapshot(directory)).toEqual(before);
});

describe('a file that changes while it is read', () => {
  const ROWS = `id,x\n${Array.from({ length: 200_000 }, (_, i) => `${i},abc`).join('\n')}\n`;
  const changes: [name: string, change: (path: string) => void][] = [
    ['grows', (path) => appendFileSync(path, '200000,abc\n')],
    ['shrinks', (path) => truncateSync(path, ROWS.indexOf('\n150000,') + 1)],
    ['is written again', (path) => writeFileSync(path, ROWS.replaceAll('abc', 'xyz'))],
    [
      'is replaced by another',
      (path) => {
        writeFileSync(`${path}.new`, ROWS);
        renameSync(`${path}.new`, path);
      },
    ],
  ];
  // The first block, and one of the last of a file of four.
  const moments = [1, 3];
  const cases = changes.flatMap(([name, change]) => [
    { file: 'big.csv', name, change },
    { file: 'big.txt', name, change },
  ]);

  test.each(cases)('$file $name', async ({ file, change }) => {
    for (const moment of moments) {
      const before = await takeSnapshot(directory);
      await withFile(directory, file, ROWS, async (path) => {
        let reports = 0;
        const report = () => {
          reports += 1;
          if (reports === moment) change(path);
        };
        const act = () => withRepository(directory, (repo) => add(repo, [path]), { report });
        expectError(await act().catch((error: unknown) => error), {
          code: 'file-changed',
          exit: 3,
          message: `'${file}' changed while it was read`,
          hint: 'try again when nothing writes to it',
          data: { file },
        });
        expect(reports).toBeGreaterThanOrEqual(moment);
      });
      expect(await takeSnapshot(directory)).toEqual(before);
    }
  });
});

describe('a repository', () => {
  test('of a newer dv is refused with the version it needs', async () => {
    const path = join(directory, '.dv', 'store.db');
    const setFormat = (format: number, needs: string) => {
      const db = new Database(path);
      db.pragma(`user_version = ${format}`);
      db.prepare("UPDATE meta SET value = ? WHERE key = 'needs'").run(needs);
      db.close();
    };
    const needsNow = '0.2.0';
    const before = await takeSnapshot(directory);
    setFormat(3, '3.4.0');
    const act = () => withRepository(directory, (repo) => add(repo, ['cities.csv']));
    expectError(await act().catch((error: unknown) => error), {
      code: 'newer-format',
      exit: 5,
      message: `'${path}' has store format 3, this dv reads up to 2: it needs dv 3.4.0 or newer`,
      hint: 'install dv 3.4.0 or newer',
      data: { path, format: 3, supported: 2, needs: '3.4.0' },
    });
    setFormat(2, needsNow);
    expect(await takeSnapshot(directory)).toEqual(before);
  });

  test('whose store is something else', async () => {
    const other = mkdtempSync(join(tmpdir(), 'dv-bad-'));
    mkdirSync(join(other, '.dv'));
    writeFileSync(join(other, '.dv', 'store.db'), 'no database, but as long as one'.repeat(100));
    const error = await openRepository(other, testEnvironment()).catch((reason) => reason);
    expectError(error, {
      code: 'corrupt',
      exit: 5,
      message: /^'.*store\.db' is damaged or not a dv store/,
      hint: 'dv fsck',
    });
    rmSync(other, { recursive: true });
  });

  test('that is not there', async () => {
    const other = mkdtempSync(join(tmpdir(), 'dv-bad-'));
    const error = await openRepository(other, testEnvironment()).catch((reason) => reason);
    expectError(error, {
      code: 'not-a-repository',
      exit: 2,
      message: `no dv repository here or above: '${other}'`,
      hint: 'dv init makes one',
    });
    rmSync(other, { recursive: true });
  });
});
