/** Both ways to see that another process wrote, each without the other. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SqliteWatch } from '../../src/store/sqlite-watch.ts';

/** Longer than any test. */
const NEVER_MS = 1_000_000_000;

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'dv-watch-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

describe('a watch', () => {
  it.each(['-owner', '-wal'])('looks when the %s file changes', async (suffix) => {
    const path = join(directory, 'store.db');
    const { promise, resolve } = Promise.withResolvers<void>();
    const watch = new SqliteWatch(path, resolve, NEVER_MS);
    watch.start();
    writeFileSync(path + suffix, 'x');
    await promise;
    watch.close();
  });

  it('does not look for other files, nor after it was closed', async () => {
    let looks = 0;
    const path = join(directory, 'store.db');
    const watch = new SqliteWatch(path, () => (looks += 1), NEVER_MS);
    const other = new SqliteWatch(path, () => (looks += 100), NEVER_MS);
    const { promise, resolve } = Promise.withResolvers<void>();
    const last = new SqliteWatch(join(directory, 'last.db'), resolve, NEVER_MS);
    for (const each of [watch, other, last]) each.start();
    other.close();
    writeFileSync(join(directory, 'config'), 'x');
    writeFileSync(join(directory, 'last.db-wal'), 'x');
    await promise;
    expect(looks).toBe(0);
    for (const each of [watch, last]) each.close();
  });

  it('looks now and then where changes are not reported', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    let looks = 0;
    const watch = new SqliteWatch(
      join(directory, 'no such directory', 'store.db'),
      () => {
        looks += 1;
        if (looks === 3) resolve();
      },
      1,
    );
    watch.start();
    // Waiting for it keeps no process alive, so something else must.
    const alive = setInterval(() => undefined, 1000);
    await promise;
    clearInterval(alive);
    watch.close();
  });
});
