/** Several processes and one store: locks, kills, and stores that cannot be written. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DvError } from '../../src/errors.ts';
import { parseHash } from '../../src/hash.ts';
import { storeError } from '../../src/store/sqlite-errors.ts';
import { read } from '../suites/store-suite.ts';
import { chunkOf, leafBytes } from '../support/store-chunks.ts';
import { type SqlitePlace, sqlitePlace } from '../support/store-places.ts';

const OWNER = '4711@host dv import';
const WORKER = fileURLToPath(new URL('../support/store-worker.ts', import.meta.url));

let place: SqlitePlace;
beforeEach(() => {
  place = sqlitePlace();
});
afterEach(() => place.remove());

/** A store that has written once under `OWNER`. */
async function writtenStore() {
  const store = await place.open({ owner: OWNER, lockTimeoutMs: 60 });
  await store.putMany([chunkOf('first')]);
  return store;
}

describe('a lock', () => {
  /** Takes the write lock as another process would, and lets go of it on `release`. */
  function holdLock(tag?: string) {
    const db = new Database(place.path);
    db.exec('BEGIN IMMEDIATE');
    if (tag !== undefined) writeFileSync(`${place.path}-owner`, tag);
    return () => {
      db.exec('ROLLBACK');
      db.close();
    };
  }

  it('held too long is reported with its holder', async () => {
    const store = await writtenStore();
    const other = await place.open({ owner: '42@host dv gc', lockTimeoutMs: 40 });
    const tag = readFileSync(`${place.path}-owner`, 'latin1');
    expect(tag).toHaveLength(256);
    expect(tag.startsWith(`-${place.time}`)).toBe(true);
    expect(tag.slice(14).trim()).toBe(OWNER);
    const release = holdLock(`+${tag.slice(1)}`);
    await expect(other.putMany([chunkOf('x')])).rejects.toMatchObject({
      code: 'locked',
      message: expect.stringContaining(`"${OWNER}" since 2023-11-14T22:13:20.000Z`),
      data: { owner: OWNER, since: place.time },
    });
    expect(await other.getMany([chunkOf('first').hash])).toEqual([Buffer.from('first')]);
    release();
    await other.putMany([chunkOf('x')]);
    await other.close();
    await store.close();
  });

  it('names nobody who is gone, let go, or never said', async () => {
    const store = await writtenStore();
    const tag = readFileSync(`${place.path}-owner`, 'latin1');
    const cases = [`+${tag.slice(1)}`, tag, '', 'garbage'];
    for (const text of cases) {
      const other = await place.open({ isAlive: () => false, lockTimeoutMs: 1 });
      const release = holdLock(text);
      await expect(other.transact({})).rejects.toMatchObject({
        code: 'locked',
        message: expect.stringContaining('another process'),
      });
      release();
      await other.close();
    }
    await store.close();
  });

  it('is waited for, while the event loop goes on', async () => {
    const store = await place.open({ lockTimeoutMs: 60_000 });
    const release = holdLock();
    const put = store.putMany([chunkOf('x')]);
    let turns = 0;
    const turn = () => {
      turns += 1;
      if (turns < 5) setTimeout(turn, 1);
      else release();
    };
    turn();
    await put;
    expect(turns).toBe(5);
    expect(await store.hasMany([chunkOf('x').hash])).toEqual([true]);
    await store.close();
  });

  it('waited for is given up before the store closes', async () => {
    const store = await place.open({ lockTimeoutMs: 40 });
    const release = holdLock();
    const put = store.putMany([chunkOf('x')]).catch((error: DvError) => error.code);
    await store.close();
    expect(await put).toBe('locked');
    release();
  });
});

describe('a process that is killed', () => {
  it('leaves everything it said was done, and no half commit', async () => {
    for (const lines of [1, 30]) {
      const last = await commitUntilKilled(lines);
      const store = await place.open();
      const count = Number(Buffer.from((await store.getState('count')) ?? []).toString());
      expect(count).toBeGreaterThanOrEqual(last);
      const log = await store.readLog('refs/heads/main', 10_000);
      expect(log[0].message).toBe(`${count}`);
      expect(log[0].new).toBe(await store.getRef('refs/heads/main'));
      for (const entry of log) {
        const commit = await read(store, entry.new ?? parseHash(''));
        for (const line of commit.toString().split('\n')) await read(store, parseHash(line));
      }
      expect(await store.check()).toEqual([]);
      await store.close();
    }
  });

  /** The number of the last commit that a worker reported before it was killed. */
  async function commitUntilKilled(lines: number): Promise<number> {
    const worker = spawn(process.execPath, [WORKER, place.path], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    worker.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      if (output.split('\n').length > lines) worker.kill('SIGKILL');
    });
    await once(worker, 'close');
    return Number(output.trim().split('\n').at(-1));
  }
});

describe('closing', () => {
  it('leaves one file and the name tag', async () => {
    const store = await writtenStore();
    await store.putMany(Array.from({ length: 50 }, (_, i) => chunkOf(leafBytes(i))));
    expect(existsSync(`${place.path}-wal`)).toBe(true);
    await store.close();
    expect(existsSync(`${place.path}-wal`)).toBe(false);
    expect(existsSync(`${place.path}-shm`)).toBe(false);
  });

  it('is not needed for the log to stay short', async () => {
    const store = await place.open();
    let longest = 0;
    for (let i = 0; i < 40; i++) {
      await store.putMany(Array.from({ length: 100 }, (_, j) => chunkOf(leafBytes(100 * i + j))));
      longest = Math.max(longest, statSync(`${place.path}-wal`).size);
    }
    expect(longest).toBeLessThan(8 * 1024 * 1024);
    await store.close();
  });
});

/** Root may write anything, so there is nothing to try. */
describe.skipIf(process.getuid?.() === 0)('without write permission', () => {
  afterEach(() => chmodSync(dirname(place.path), 0o755));

  it('to the file, a store reads and does not write', async () => {
    await (await writtenStore()).close();
    chmodSync(place.path, 0o444);
    const store = await place.open();
    expect(await store.getMany([chunkOf('first').hash])).toEqual([Buffer.from('first')]);
    await expect(store.putMany([chunkOf('x')])).rejects.toMatchObject({ code: 'read-only' });
    await store.close();
  });

  it('to the directory, a store says so unless another has it open', async () => {
    const store = await writtenStore();
    chmodSync(dirname(place.path), 0o555);
    const other = await place.open();
    expect(await other.getMany([chunkOf('first').hash])).toEqual([Buffer.from('first')]);
    await other.close();
    await store.close();
  });
});

describe('what SQLite reports', () => {
  it('becomes an error of dv', () => {
    const db = new Database(':memory:');
    db.exec('CREATE TABLE t (x)');
    db.pragma('max_page_count = 2');
    let full: unknown;
    try {
      db.prepare('INSERT INTO t VALUES (zeroblob(100000))').run();
    } catch (error) {
      full = storeError(error, 'store.db');
    }
    expect(full).toMatchObject({ code: 'disk-full', data: { sqlite: 'SQLITE_FULL' } });
    const cases = [
      ['SQLITE_READONLY_DBMOVED', 'read-only'],
      ['SQLITE_CANTOPEN', 'read-only'],
      ['SQLITE_CORRUPT_INDEX', 'corrupt'],
      ['SQLITE_NOTADB', 'corrupt'],
      ['SQLITE_BUSY_SNAPSHOT', 'locked'],
      ['SQLITE_IOERR_READ', 'file-unreadable'],
    ] as const;
    for (const [code, expected] of cases) {
      const error = storeError(new Database.SqliteError('words', code), 'store.db');
      expect(error).toMatchObject({ code: expected, data: { path: 'store.db', sqlite: code } });
    }
    const mistake = new Database.SqliteError('near "SELEC": syntax error', 'SQLITE_ERROR');
    expect(storeError(mistake, 'store.db')).toBe(mistake);
    expect(storeError('text', 'store.db')).toBe('text');
    db.close();
  });
});
