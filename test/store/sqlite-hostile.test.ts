/** A database that was damaged, forged or made by somebody else. */
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DvError } from '../../src/errors.ts';
import { hashToBytes } from '../../src/hash.ts';
import { openSqliteStore } from '../../src/store/sqlite.ts';
import { chunkOf, editBytes, leafBytes } from '../support/store-chunks.ts';
import { type SqlitePlace, sqlitePlace } from '../support/store-places.ts';

const leaf = chunkOf(leafBytes(1));
const edited = chunkOf(editBytes(leaf.bytes, 1), leaf);
const second = chunkOf(editBytes(edited.bytes, 2), edited);
const small = chunkOf('small');
const ALL = [leaf, edited, second, small];

let place: SqlitePlace;
beforeEach(async () => {
  place = sqlitePlace();
  const store = await place.open();
  await store.putMany(ALL);
  await store.close();
});
afterEach(() => place.remove());

/** Runs statements on the database behind the store's back. */
function forge(sql: string, ...values: unknown[]): void {
  const db = new Database(place.path);
  db.prepare(sql).run(...values);
  db.close();
}

describe('a forged row', () => {
  const [L, E, S, T] = [leaf, edited, second, small].map(({ hash }) => hashToBytes(hash));
  const cases: readonly [string, string, readonly unknown[]][] = [
    ['other bytes', 'UPDATE objects SET data = ?, encoding = 0 WHERE hash = ?', [T, E]],
    ['a frame cut short', 'UPDATE objects SET data = substr(data, 1, 20) WHERE hash = ?', [E]],
    ['another size', 'UPDATE objects SET raw_size = raw_size + 1 WHERE hash = ?', [E]],
    ['an immense size', 'UPDATE objects SET raw_size = 1 << 50 WHERE hash = ?', [E]],
    ['a negative size', 'UPDATE objects SET raw_size = -1 WHERE hash = ?', [E]],
    ['no base', 'UPDATE objects SET base = NULL WHERE hash = ?', [E]],
    ['a base that is absent', 'UPDATE objects SET base = 99 WHERE hash = ?', [E]],
    ['itself as its base', 'UPDATE objects SET base = id WHERE hash = ?', [E]],
    [
      'a base that is a delta',
      'UPDATE objects SET base = (SELECT id FROM objects WHERE hash = ?) WHERE hash = ?',
      [S, E],
    ],
    [
      'another base',
      'UPDATE objects SET base = (SELECT id FROM objects WHERE hash = ?) WHERE hash = ?',
      [T, E],
    ],
    ['an unknown dictionary', 'UPDATE objects SET encoding = 9, base = NULL WHERE hash = ?', [E]],
    ['another hash', 'UPDATE objects SET hash = ? WHERE hash = ?', [E, L]],
  ];

  for (const [name, sql, values] of cases) {
    it(`with ${name} is corrupt when read, and no other is`, async () => {
      if (name === 'another hash') forge('DELETE FROM objects WHERE hash = ?', E);
      forge(sql, ...values);
      const store = await place.open();
      await expect(store.getMany([edited.hash])).rejects.toMatchObject({
        code: 'corrupt',
        data: { hash: edited.hash },
      });
      expect(await store.getMany([small.hash])).toEqual([small.bytes]);
      await store.close();
    });
  }

  it('that breaks the rules of bases and transfers is named by the check', async () => {
    const base = '(SELECT id FROM objects WHERE hash = ?)';
    forge(`UPDATE objects SET base = ${base} WHERE hash = ?`, E, S);
    forge(`UPDATE objects SET base = ${base} WHERE hash = ?`, L, E);
    forge(`UPDATE objects SET base = ${base} WHERE hash = ?`, T, L);
    forge('UPDATE objects SET base = 99 WHERE hash = ?', T);
    forge('INSERT INTO incoming (transfer, id) VALUES (1, 77)');
    const store = await place.open();
    const complaints = (await store.check()).join('\n');
    expect(complaints).toContain(`${second.hash} is in a chain of more than two deltas`);
    expect(complaints).toContain(`${small.hash} has no base`);
    expect(complaints).toContain('a transfer has object 77, which is missing');
    await store.close();
  });

  it('as base of a new chunk is not built upon', async () => {
    forge('UPDATE objects SET data = ? WHERE hash = ?', Buffer.alloc(50), L);
    const store = await place.open();
    const next = chunkOf(editBytes(leaf.bytes, 3), leaf);
    await expect(store.putMany([next])).rejects.toMatchObject({ code: 'corrupt' });
    await store.close();
  });
});

describe('a file', () => {
  const open = async () => {
    const store = await place.open();
    await store.close();
  };

  it('that is no database is corrupt', async () => {
    writeFileSync(place.path, Buffer.alloc(5000, 'no database '));
    await expect(open()).rejects.toMatchObject({ code: 'corrupt' });
  });

  it('that is a database of something else is corrupt, and stays as it was', async () => {
    place.remove();
    place = sqlitePlace();
    const db = new Database(place.path);
    db.exec('CREATE TABLE mine (x); INSERT INTO mine VALUES (1)');
    db.close();
    await expect(open()).rejects.toMatchObject({
      code: 'corrupt',
      message: expect.stringContaining('is not a dv store'),
    });
    const again = new Database(place.path);
    expect(again.prepare('SELECT x FROM mine').pluck().all()).toEqual([1]);
    expect(again.pragma('journal_mode', { simple: true })).toBe('delete');
    again.close();
  });

  it('of a newer format says which dv it needs', async () => {
    const db = new Database(place.path);
    db.pragma('user_version = 7');
    db.prepare("UPDATE meta SET value = '3.1.0' WHERE key = 'needs'").run();
    db.close();
    await expect(open()).rejects.toMatchObject({
      code: 'newer-format',
      message: expect.stringContaining('it needs dv 3.1.0 or newer'),
      data: { format: 7, supported: 2, needs: '3.1.0' },
    });
  });

  it('that is empty, or is left half made, becomes a store', async () => {
    place.remove();
    place = sqlitePlace();
    writeFileSync(place.path, '');
    await open();
    place.remove();
    place = sqlitePlace();
    const db = new Database(place.path);
    db.pragma('page_size = 1024');
    db.pragma('journal_mode = WAL');
    db.close();
    expect(statSync(place.path).size).toBeGreaterThan(0);
    await open();
  });

  it('in a directory that does not exist is missing', async () => {
    const path = join(`${place.path}-no`, 'store.db');
    await expect(openSqliteStore(path, { now: () => 0 })).rejects.toMatchObject({
      code: 'file-missing',
    });
  });

  it('with damage anywhere gives right chunks or errors of dv, never others', async () => {
    const store = await place.open();
    await store.putMany(Array.from({ length: 30 }, (_, i) => chunkOf(leafBytes(i))));
    await store.close();
    const sound = readFileSync(place.path);
    const places = fc.nat(sound.length - 1);
    const bytes = fc.uint8Array({ minLength: 1, maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(places, bytes, (at, damaged) => damage(sound, at, damaged)),
      // The second of a later version of SQLite's format.
      {
        numRuns: 100,
        examples: [
          [18, Uint8Array.of(5)],
          [19, Uint8Array.of(5)],
        ],
      },
    );
  });

  async function damage(sound: Buffer, at: number, bytes: Uint8Array): Promise<void> {
    const file = Buffer.from(sound);
    file.set(bytes.subarray(0, file.length - at), at);
    writeFileSync(place.path, file);
    for (const beside of ['-wal', '-shm']) rmSync(place.path + beside, { force: true });
    try {
      const store = await place.open();
      try {
        for (const chunk of ALL) {
          const [got] = await store.getMany([chunk.hash]);
          if (got !== undefined) expect(Buffer.from(got)).toEqual(chunk.bytes);
        }
        await store.check();
      } finally {
        await store.close();
      }
    } catch (error) {
      expect(error).toBeInstanceOf(DvError);
    }
  }
});
