/** Group commit: what pending transactions share, and what they do not. */
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Hash, hashOf, hashToBytes } from '../../src/hash.ts';
import type { Store } from '../../src/store/contract.ts';
import { chunkOf, editBytes, leafBytes } from '../support/store-chunks.ts';
import { type SqlitePlace, sqlitePlace } from '../support/store-places.ts';

const nextTurn = () => new Promise((resume) => setImmediate(resume));
const hash = (text: string): Hash => hashOf(Buffer.from(text));

let place: SqlitePlace;
let store: Store;
beforeEach(async () => {
  place = sqlitePlace();
  store = await place.open({ lockTimeoutMs: 60_000 });
});
afterEach(async () => {
  await store.close();
  place.remove();
});

function create(name: string, more: { wait?: boolean } = {}) {
  return store.transact({ refs: [{ name, old: null, new: hash(name) }], ...more });
}

/** How many transactions SQLite had to write to disk so far. */
function writes(): number {
  const db = new Database(place.path, { readonly: true });
  const count = db.prepare('SELECT flushes FROM counters').pluck().get();
  db.close();
  return Number(count);
}

function holdLock(): () => void {
  const db = new Database(place.path);
  db.exec('BEGIN IMMEDIATE');
  return () => {
    db.exec('ROLLBACK');
    db.close();
  };
}

describe('transactions', () => {
  it('that are pending together are one write', async () => {
    const before = writes();
    await Promise.all(Array.from({ length: 32 }, (_, i) => create(`refs/heads/${i}`)));
    expect(writes()).toBe(before + 1);
    expect(await store.listRefs('refs/heads/')).toHaveLength(32);
  });

  it('of many who go on at once are about one write a round', async () => {
    const rounds = 20;
    const before = writes();
    await Promise.all(
      Array.from({ length: 32 }, async (_, who) => {
        for (let i = 0; i < rounds; i++) {
          for (let pause = 0; pause < who % 5; pause++) await store.getRef('refs/heads/none');
          await create(`refs/heads/${who}/${i}`);
        }
      }),
    );
    expect(writes() - before).toBeLessThanOrEqual(2 * rounds);
  });

  it('that come alone wait for nothing', async () => {
    await nextTurn();
    await nextTurn();
    let turned = false;
    setImmediate(() => {
      turned = true;
    });
    await create('refs/heads/alone');
    expect(turned).toBe(false);
  });

  it('that do not wait for a lock do not wait for those who do', async () => {
    const release = holdLock();
    const patient = [create('refs/heads/a'), create('refs/heads/b')];
    await nextTurn();
    await expect(create('refs/heads/c', { wait: false })).rejects.toMatchObject({ code: 'locked' });
    release();
    expect(await Promise.all(patient)).toEqual([{ done: true }, { done: true }]);
    expect(await create('refs/heads/c', { wait: false })).toEqual({ done: true });
  });

  it('all fail when the lock does not come, and leave nothing', async () => {
    await store.close();
    store = await place.open({ lockTimeoutMs: 30 });
    const release = holdLock();
    const results = await Promise.allSettled(['a', 'b', 'c'].map((name) => create(name)));
    for (const result of results) {
      expect(result).toMatchObject({ status: 'rejected', reason: { code: 'locked' } });
    }
    release();
    expect(await store.listRefs('')).toEqual([]);
    expect(await create('a')).toEqual({ done: true });
  });

  it('do not suffer from a damaged base of one', async () => {
    const leaf = chunkOf(leafBytes(1));
    await store.putMany([leaf]);
    await store.close();
    const db = new Database(place.path);
    db.prepare('UPDATE objects SET data = ? WHERE hash = ?').run(
      Buffer.alloc(50),
      hashToBytes(leaf.hash),
    );
    db.close();
    store = await place.open();
    const edit = chunkOf(editBytes(leaf.bytes, 1), leaf);
    const refs = [{ name: 'refs/heads/b', old: null, new: edit.hash }];
    const results = await Promise.allSettled([
      create('refs/heads/a'),
      store.transact({ refs }, [edit]),
      create('refs/heads/b'),
    ]);
    expect(results).toMatchObject([
      { value: { done: true } },
      { reason: { code: 'corrupt' } },
      { value: { done: true } },
    ]);
  });

  it('under way are waited for when the store closes', async () => {
    const pending = ['a', 'b'].map((name) => create(name));
    await store.close();
    expect(await Promise.all(pending)).toEqual([{ done: true }, { done: true }]);
  });
});
