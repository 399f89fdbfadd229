/**
 * No room: a file system of a few megabytes that is full (where this process may make one),
 * and a limit on the size of files, which needs no rights. Afterwards all is as before, and
 * with room the same command works.
 */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { add } from '../../src/porcelain/add.ts';
import { commit } from '../../src/porcelain/commit.ts';
import { exportFile } from '../../src/porcelain/export.ts';
import { importFile } from '../../src/porcelain/import-file.ts';
import { fsck } from '../../src/porcelain/maintain.ts';
import { initRepository } from '../../src/porcelain/open-repository.ts';
import type { Repository } from '../../src/porcelain/repository.ts';
import { reset } from '../../src/porcelain/reset.ts';
import { DV, runDv, runProgram } from '../support/cli.ts';
import { testEnvironment } from '../support/repository.ts';
import { expectError, setScene, takeSnapshot, withRepository } from './scene.ts';

let outside: string;
beforeEach(() => {
  outside = mkdtempSync(join(tmpdir(), 'dv-bad-'));
});
afterEach(() => rmSync(outside, { recursive: true, force: true }));

/** Text that no compression makes much smaller. */
const randomText = (bytes: number): string => randomBytes(bytes).toString('base64');

function noise(rows: number): string {
  const lines = Array.from({ length: rows }, (_, i) => `${i},${randomText(45)}`);
  return `id,noise\n${lines.join('\n')}\n`;
}

/** A scene whose last commit has a large table, the file of which is gone. */
async function setLargeScene(directory: string): Promise<void> {
  await setScene(directory);
  const file = join(directory, 'large.csv');
  writeFileSync(file, noise(5000));
  await withRepository(directory, async (repo) => {
    await add(repo, [file]);
    await commit(repo, { message: 'large' });
  });
  writeFileSync(join(directory, 'noise.csv'), noise(5000));
  rmSync(file);
}

async function expectSound(directory: string): Promise<void> {
  await withRepository(directory, async (repo) => {
    for await (const problem of fsck(repo)) expect(problem).toBeUndefined();
  });
}

describe('a full disk', () => {
  let disk: string | undefined;
  afterEach(() => {
    if (disk !== undefined) spawnSync('umount', ['-l', disk]);
    disk = undefined;
  });

  /** False where this process may not mount. */
  function mountDisk(size: string): boolean {
    const path = join(outside, 'disk');
    mkdirSync(path);
    const command = ['-t', 'tmpfs', '-o', `size=${size}`, 'dv-test', path];
    if (process.platform === 'linux' && spawnSync('mount', command).status === 0) disk = path;
    return disk !== undefined;
  }

  /** Takes what is left of the disk, but for about `room` bytes. */
  function fill(path: string, room: number): void {
    const file = openSync(path, 'w');
    let size = 0;
    try {
      for (;;) size += writeSync(file, Buffer.alloc(4096));
    } catch {
      truncateSync(path, Math.max(0, size - room));
    } finally {
      closeSync(file);
    }
  }

  const ACTS: Record<string, (repo: Repository) => Promise<unknown>> = {
    add: (repo) => add(repo, ['noise.csv']),
    commit: (repo) => commit(repo, { message: randomText(30_000), allowEmpty: true }),
    'import, stored by a thread of its own': (repo) =>
      importFile(repo, 'orders', join(outside, 'orders.csv')),
    export: (repo) => exportFile(repo, 'HEAD:large.csv', { output: 'copy.csv' }),
    'reset --hard': (repo) => reset(repo, 'HEAD', 'hard'),
  };
  const ROOMS: Record<string, number[]> = {
    commit: [0, 8192],
    default: [0, 60_000, 180_000],
    import: [4_000_000],
  };

  for (const [name, act] of Object.entries(ACTS)) {
    test(name, async (context) => {
      if (!mountDisk('24m') || disk === undefined) return context.skip('no right to mount');
      const directory = join(disk, 'repository');
      mkdirSync(directory);
      await setLargeScene(directory);
      if (name.startsWith('import')) writeFileSync(join(outside, 'orders.csv'), noise(80_000));
      const before = await takeSnapshot(directory);
      for (const room of ROOMS[name.split(',')[0]] ?? ROOMS.default) {
        fill(join(disk, 'filler'), room);
        const error = await withRepository(directory, act).catch((reason: unknown) => reason);
        expectError(error, {
          code: 'disk-full',
          exit: 3,
          message: /^no space left to write '[^']+'/,
          hint: /free some space and try again/,
        });
        rmSync(join(disk, 'filler'));
        expect(await takeSnapshot(directory)).toEqual(before);
      }
      await expectSound(directory);
      await withRepository(directory, act);
    });
  }

  test('init', async (context) => {
    if (!mountDisk('1m') || disk === undefined) return context.skip('no right to mount');
    fill(join(disk, 'filler'), 4096);
    const error = await initRepository(join(disk, 'new'), testEnvironment()).catch((e) => e);
    expectError(error, { code: 'disk-full', exit: 3, message: /^no space left/, hint: /free/ });
    rmSync(join(disk, 'filler'));
    const { repository, created } = await initRepository(join(disk, 'new'), testEnvironment());
    expect(created).toBe(true);
    await repository.close();
  });
});

describe.skipIf(process.platform === 'win32')('a limit on the size of files', () => {
  const COMMANDS = [
    ['add', 'noise.csv'],
    ['export', 'HEAD:large.csv', '-o', 'copy.csv'],
    ['reset', '--hard'],
  ];

  /** In units of 512 bytes: from less than SQLite needs to open a store to what fails late. */
  test.each([8, 80, 400])('of %d blocks', async (blocks) => {
    const directory = join(outside, 'repository');
    mkdirSync(directory);
    await setLargeScene(directory);
    const before = await takeSnapshot(directory);
    for (const command of COMMANDS) {
      const script = `ulimit -f ${blocks} && exec '${DV}' --json ${command.join(' ')}`;
      const { status, stdout } = await runProgram('sh', ['-c', script], { cwd: directory });
      expect({ command, status }).toEqual({ command, status: 3 });
      const { error } = JSON.parse(stdout);
      expect(['disk-full', 'file-unwritable']).toContain(error.code);
      expect(error.message).toMatch(/^[^\n]*'[^'\n]+'[^\n]*$/);
      expect(error.hint).toMatch(/ulimit|free some space/);
      expect(await takeSnapshot(directory)).toEqual(before);
    }
    await expectSound(directory);
    for (const command of COMMANDS) {
      expect((await runDv(command, { cwd: directory })).status).toBe(0);
    }
  });
});
