/** A repository that another process is writing to: waited for, and then said who has it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { add } from '../../src/porcelain/add.ts';
import { createBranch } from '../../src/porcelain/branch.ts';
import { commit } from '../../src/porcelain/commit.ts';
import type { Repository } from '../../src/porcelain/repository.ts';
import { restore } from '../../src/porcelain/restore.ts';
import { status } from '../../src/porcelain/status.ts';
import { switchTo } from '../../src/porcelain/switch.ts';
import { expectRefusal, setScene, takeSnapshot, withRepository } from './scene.ts';

const HOLDER = fileURLToPath(new URL('./lock-holder.ts', import.meta.url));

let directory: string;
let store: string;
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'dv-bad-'));
  store = join(directory, '.dv', 'store.db');
  await setScene(directory);
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

async function holdLock(): Promise<ChildProcess> {
  const holder = spawn(process.execPath, [HOLDER, store, 'on desk, dv import'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const [line] = await once(holder.stdout.setEncoding('utf8'), 'data');
  expect(line).toBe('held\n');
  return holder;
}

async function release(holder: ChildProcess): Promise<void> {
  holder.stdin?.end();
  await once(holder, 'close');
}

const WRITERS: Record<string, (repo: Repository) => Promise<unknown>> = {
  add: (repo) => add(repo, [directory]),
  commit: (repo) => commit(repo, { message: 'third' }),
  branch: (repo) => createBranch(repo, 'more', 'HEAD'),
  switch: (repo) => switchTo(repo, 'work', { discard: true }),
  restore: (repo) => restore(repo, ['cities.csv']),
};

describe('a repository that another process writes to', () => {
  test('is read all the same, and who would write hears who has it', async () => {
    const before = await takeSnapshot(directory);
    const holder = await holdLock();
    try {
      for (const act of Object.values(WRITERS)) {
        const refused = () => withRepository(directory, act, { lockTimeout: 60 });
        await expectRefusal(directory, refused, {
          code: 'locked',
          exit: 3,
          message: new RegExp(
            `^'${store}' is locked by "${holder.pid} on desk, dv import" since 20[-0-9]+T[:.0-9]+Z$`,
          ),
          hint: 'wait until it is done, then try again',
          data: { path: store, owner: `${holder.pid} on desk, dv import` },
        });
      }
      // Waiting, even only to note what it found out, would be for ten minutes here.
      const read = (repo: Repository) => status(repo);
      const { staged } = await withRepository(directory, read, { lockTimeout: 600_000 });
      expect(staged.map(({ table }) => table)).toEqual(['cities.csv', 'staged.csv']);
    } finally {
      await release(holder);
    }
    expect(await takeSnapshot(directory)).toEqual(before);
  });

  test.each(Object.keys(WRITERS))('is waited for by %s', async (name) => {
    const holder = await holdLock();
    const waiting = withRepository(directory, WRITERS[name], { lockTimeout: 60_000 });
    let waited = true;
    waiting.finally(() => {
      waited = holder.exitCode !== null || holder.stdin?.writableEnded === true;
    });
    // A few turns of the event loop, in which it could have failed or gone ahead.
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
    await release(holder);
    await waiting;
    expect(waited).toBe(true);
  });
});
