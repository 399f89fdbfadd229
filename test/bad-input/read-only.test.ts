/**
 * Places that cannot be written, and working files that cannot be put where they belong.
 * Root may write anywhere, so as root dv runs as another user here.
 */
import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, type TestContext, test } from 'vitest';
import { add } from '../../src/porcelain/add.ts';
import { commit } from '../../src/porcelain/commit.ts';
import { remove } from '../../src/porcelain/remove.ts';
import { reset } from '../../src/porcelain/reset.ts';
import { restore } from '../../src/porcelain/restore.ts';
import { switchTo } from '../../src/porcelain/switch.ts';
import { DV, testEnvironment } from '../support/cli.ts';
import { CITIES, expectRefusal, setScene, takeSnapshot, withRepository } from './scene.ts';

const NOBODY = 65534;

let directory: string;
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'dv-bad-'));
  await setScene(directory);
});
afterEach(() => {
  setModes(directory, 0o755, 0o644);
  rmSync(directory, { recursive: true, force: true });
});

interface Answer {
  readonly status: number | null;
  readonly stdout: string;
}

/** Runs dv as somebody whom modes bind. */
function runBound(args: readonly string[]): Promise<Answer> {
  const other = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
  const env = testEnvironment(directory);
  const child = spawn(DV, ['--json', ...args], { cwd: directory, env, ...other });
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    stdout += text;
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status) => resolve({ status, stdout }));
  });
}

async function requireBound(context: TestContext): Promise<void> {
  chmodSync(directory, 0o755);
  const answer = await runBound(['version']).catch(() => undefined);
  if (answer?.status !== 0) context.skip('dv cannot be run as another user here');
}

function setModes(below: string, forDirectories: number, forFiles: number): void {
  chmodSync(below, 0o755);
  for (const entry of readdirSync(below, { withFileTypes: true })) {
    const path = join(below, entry.name);
    if (entry.isDirectory()) setModes(path, forDirectories, forFiles);
    else chmodSync(path, forFiles);
  }
  chmodSync(below, forDirectories);
}

/** Looks with all rights, which this process itself may lack, and takes them away again. */
async function snapshotBetween(lock: () => void): Promise<Record<string, unknown>> {
  setModes(directory, 0o755, 0o644);
  const snapshot = await takeSnapshot(directory);
  lock();
  return snapshot;
}

const WRITERS = [
  ['add', 'cities.csv'],
  ['commit', '-m', 'third'],
  ['branch', 'more'],
  ['tag', 'v2'],
  ['switch', 'work', '--discard-changes'],
  ['reset', '--hard'],
  ['restore', 'cities.csv'],
  ['export', 'HEAD:cities.csv', '-o', 'copy.csv'],
  ['config', 'user.name', 'Somebody'],
  ['gc'],
];
const READERS = [
  ['status'],
  ['log'],
  ['diff', 'v1', 'HEAD'],
  ['show'],
  ['export', 'HEAD:cities.csv'],
  ['hash', 'HEAD:cities.csv'],
  ['ls-tree', 'HEAD'],
  ['branch'],
];

test('a directory and a store that may only be read', async (context) => {
  await requireBound(context);
  const lock = () => setModes(directory, 0o555, 0o444);
  const before = await snapshotBetween(lock);
  for (const command of WRITERS) {
    const { status, stdout } = await runBound(command);
    expect({ command, status, stdout }).toMatchObject({ command, status: 3 });
    const { error } = JSON.parse(stdout);
    expect(error).toMatchObject({
      code: 'read-only',
      message: expect.stringMatching(/^[^\n]*'[^']+'[^\n]*$/),
      hint: 'check the permissions of the directory and the files in it',
    });
  }
  for (const command of READERS) {
    expect({ command, ...(await runBound(command)) }).toMatchObject({ command, status: 0 });
  }
  expect(await snapshotBetween(lock)).toEqual(before);
});

test('a file that may not be read', async (context) => {
  await requireBound(context);
  const lock = () => {
    setModes(directory, 0o777, 0o666);
    chmodSync(join(directory, 'untracked.csv'), 0);
  };
  const before = await snapshotBetween(lock);
  const { status, stdout } = await runBound(['add', 'untracked.csv']);
  expect(status).toBe(3);
  expect(JSON.parse(stdout).error).toMatchObject({
    code: 'file-unreadable',
    message: expect.stringMatching(/^cannot read 'untracked\.csv': /),
    data: { file: 'untracked.csv' },
  });
  expect(await snapshotBetween(lock)).toEqual(before);
});

describe('working files that cannot be put in place leave HEAD where it is:', () => {
  test('a working directory that may only be read', async (context) => {
    await requireBound(context);
    const lock = () => {
      setModes(join(directory, '.dv'), 0o777, 0o666);
      chmodSync(directory, 0o555);
    };
    const before = await snapshotBetween(lock);
    for (const command of [
      ['switch', 'work', '--discard-changes'],
      ['reset', '--hard', 'v1'],
      ['restore', 'cities.csv'],
      ['rm', '--force', 'cities.csv'],
      ['mv', 'notes.txt', 'more.txt'],
    ]) {
      const { status, stdout } = await runBound(command);
      expect({ command, status }).toEqual({ command, status: 3 });
      expect(JSON.parse(stdout).error).toMatchObject({
        code: 'read-only',
        message: expect.stringMatching(/^may not write '(cities\.csv|notes\.txt|more\.txt)'$/),
      });
      expect(await snapshotBetween(lock)).toEqual(before);
    }
    expect((await runBound(['status'])).status).toBe(0);
  });

  test('a directory where the file belongs', async () => {
    await withRepository(directory, async (repo) => {
      await restore(repo, ['.'], { staged: true, worktree: true });
      await switchTo(repo, 'bare', { create: true });
      await remove(repo, ['cities.csv'], { force: true });
      await commit(repo, { message: 'without cities' });
    });
    mkdirSync(join(directory, 'cities.csv'));
    writeFileSync(join(directory, 'cities.csv', 'of-mine.txt'), 'kept');
    const acts = [
      () => withRepository(directory, (repo) => switchTo(repo, 'main')),
      () => withRepository(directory, (repo) => reset(repo, 'main', 'hard')),
      () => withRepository(directory, (repo) => restore(repo, ['cities.csv'], { source: 'main' })),
    ];
    for (const act of acts) {
      await expectRefusal(directory, act, {
        code: 'file-is-directory',
        exit: 3,
        message: "'cities.csv' is a directory",
        hint: 'move it out of the way, then try again',
        data: { file: 'cities.csv' },
      });
    }
    rmSync(join(directory, 'cities.csv'), { recursive: true });
    for (const act of acts) await act();
  });

  test('a file where a directory belongs', async () => {
    await withRepository(directory, async (repo) => {
      await restore(repo, ['.'], { staged: true, worktree: true });
      await switchTo(repo, 'deep', { create: true });
      mkdirSync(join(directory, 'data'));
      writeFileSync(join(directory, 'data', 'more.csv'), CITIES);
      await add(repo, ['data']);
      await commit(repo, { message: 'with data' });
      await switchTo(repo, 'main');
    });
    writeFileSync(join(directory, 'data'), 'in the way');
    const act = () => withRepository(directory, (repo) => switchTo(repo, 'deep'));
    await expectRefusal(directory, act, {
      code: 'bad-name',
      exit: 2,
      message: "'data/more.csv' lies behind 'data', which is a file",
      hint: /./,
    });
    rmSync(join(directory, 'data'));
    await act();
  });
});
