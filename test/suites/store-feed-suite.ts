/** What every store promises of the feed of all refs, and of transactions that come together. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Hash, hashOf } from '../../src/hash.ts';
import type { FeedEntry, RefUpdate, Store } from '../../src/store/contract.ts';
import { MAX_CHUNK_BYTES } from '../../src/store/contract.ts';
import { chunkOf, editBytes, leafBytes } from '../support/store-chunks.ts';
import type { StorePlace } from '../support/store-places.ts';

const MAIN = 'refs/heads/main';
const SIDE = 'refs/heads/side';
const hash = (text: string): Hash => hashOf(Buffer.from(text));
const [A, B, C] = ['a', 'b', 'c'].map(hash);
const NEVER = new AbortController().signal;

const step = (name: string, old: Hash | null, to: Hash | null): RefUpdate => ({
  name,
  old,
  new: to,
});
const moves = (entries: readonly FeedEntry[]): RefUpdate[] =>
  entries.map(({ name, old, new: to }) => step(name, old, to));

export function feedSuite(makePlace: () => StorePlace): void {
  let place: StorePlace;
  let store: Store;
  beforeEach(async () => {
    place = makePlace();
    store = await place.open();
  });
  afterEach(async () => {
    await store.close();
    place.remove();
  });

  describe('several updates of one ref', () => {
    it('are steps, and the feed keeps each', async () => {
      const refs = [
        step(MAIN, null, A),
        step(SIDE, null, C),
        step(MAIN, A, B),
        step(MAIN, B, null),
        step(MAIN, null, C),
      ];
      expect(await store.transact({ refs })).toEqual({ done: true });
      expect(await store.getRef(MAIN)).toBe(C);
      const { entries, first, last } = await store.readFeed(0, 10);
      expect(moves(entries)).toEqual(refs);
      expect([first, last]).toEqual([entries[0].sequence, entries[4].sequence]);
    });

    it('lose all together when one does not follow the other', async () => {
      await store.transact({ refs: [step(SIDE, null, A)] });
      for (const refs of [
        [step(MAIN, null, A), step(MAIN, B, C)],
        [step(MAIN, null, A), step(MAIN, null, B)],
        [step(SIDE, A, null), step(SIDE, A, B)],
        [step(SIDE, A, B), step(SIDE, A, B)],
      ]) {
        expect(await store.transact({ refs })).toEqual({ done: false, name: refs[0].name });
      }
      expect(moves((await store.readFeed(0, 10)).entries)).toEqual([step(SIDE, null, A)]);
    });
  });

  describe('the feed', () => {
    it('is read in pages of whole entries, oldest first', async () => {
      expect(await store.readFeed(0, 10)).toEqual({ entries: [], first: 0, last: 0 });
      const log = { actor: 'Ada', time: 1, message: 'm' };
      let old: Hash | null = null;
      for (let i = 0; i < 7; i++) {
        await store.transact({ refs: [step(MAIN, old, hash(`${i}`))], log });
        old = hash(`${i}`);
      }
      const all = await store.readFeed(0, 100);
      expect(all.entries).toHaveLength(7);
      expect(all.entries[6]).toMatchObject({ name: MAIN, new: old, ...log });
      const read: FeedEntry[] = [];
      for (let after = 0; ; ) {
        const page = await store.readFeed(after, 3);
        expect([page.first, page.last]).toEqual([all.first, all.last]);
        if (page.entries.length === 0) break;
        read.push(...page.entries);
        after = page.entries[page.entries.length - 1].sequence;
      }
      expect(read).toEqual(all.entries);
      expect((await store.readFeed(all.last + 5, 3)).entries).toEqual([]);
      expect((await store.readLog(MAIN, 100)).reverse()).toEqual(all.entries);
    });

    it('is waited for, until it has gone on', async () => {
      await store.waitForFeed(-1, NEVER);
      let woken = 0;
      const waiting = [0, 0, 1].map(async (after) => {
        await store.waitForFeed(after, NEVER);
        woken += 1;
      });
      await store.transact({ state: [{ key: 'k', value: Buffer.from('v') }] });
      expect(woken).toBe(0);
      await store.transact({ refs: [step(MAIN, null, A)] });
      await Promise.all(waiting.slice(0, 2));
      expect(woken).toBe(2);
      await store.waitForFeed(0, NEVER);
      await store.transact({ refs: [step(MAIN, A, B)] });
      await Promise.all(waiting);
    });

    it('is waited for through another handle', async () => {
      const other = await place.open();
      for (let i = 0; i < 5; i++) {
        const { last } = await store.readFeed(0, 0);
        const waiting = store.waitForFeed(last, NEVER);
        await other.transact({ refs: [step(`refs/heads/${i}`, null, A)] });
        await waiting;
        expect((await store.readFeed(last, 9)).entries).toHaveLength(1);
      }
      await other.close();
    });

    it('wakes who gives up', async () => {
      const controller = new AbortController();
      const waiting = store.waitForFeed(0, controller.signal);
      controller.abort();
      await waiting;
      await store.waitForFeed(0, controller.signal);
    });

    it('wakes everybody when the store closes', async () => {
      const waiting = [store.waitForFeed(0, NEVER), store.waitForFeed(7, NEVER)];
      await new Promise((resume) => setImmediate(resume));
      await store.close();
      await Promise.all(waiting);
    });
  });

  describe('transactions that come together', () => {
    it('are decided one by one, in their order', async () => {
      const results = await Promise.all([
        store.transact({ refs: [step(MAIN, null, A)] }),
        store.transact({ refs: [step(MAIN, null, B)] }, [chunkOf('loser')]),
        store.transact({ refs: [step(MAIN, A, B)], state: [put('k', '1', null)] }),
        store.transact({ state: [put('k', '2', null)] }),
        store.transact({ state: [put('k', '2', '1')] }),
        store.transact({ refs: [step(SIDE, null, C)] }, [chunkOf('winner')]),
      ]);
      const lost = results.map((result) => (result.done ? null : result.name));
      expect(lost).toEqual([null, MAIN, null, 'k', null, null]);
      expect(await store.getRef(MAIN)).toBe(B);
      expect(Buffer.from((await store.getState('k')) ?? []).toString()).toBe('2');
      expect(moves((await store.readFeed(0, 10)).entries)).toEqual([
        step(MAIN, null, A),
        step(MAIN, A, B),
        step(SIDE, null, C),
      ]);
      expect(await store.hasMany([chunkOf('winner').hash])).toEqual([true]);
    });

    it('may bring the same chunks, or chunks like those of each other', async () => {
      const leaf = chunkOf(leafBytes(1));
      const edits = Array.from({ length: 20 }, (_, i) => chunkOf(editBytes(leaf.bytes, i), leaf));
      const results = await Promise.all(
        edits.map((edit, i) =>
          store.transact({ refs: [step(`refs/heads/${i}`, null, edit.hash)] }, [leaf, edit]),
        ),
      );
      expect(results.every(({ done }) => done)).toBe(true);
      const got = await store.getMany(edits.map((edit) => edit.hash));
      expect(got.map((bytes) => Buffer.from(bytes ?? []))).toEqual(edits.map((e) => e.bytes));
    });

    it('do not suffer from one that fails', async () => {
      const over = chunkOf(Buffer.alloc(MAX_CHUNK_BYTES + 1));
      const results = await Promise.allSettled([
        store.transact({ refs: [step(MAIN, null, A)] }),
        store.transact({ refs: [step(MAIN, A, B)] }, [over]),
        store.transact({ refs: [step(MAIN, A, C)] }),
        store.transact({ refs: [step(MAIN, A, null)] }),
      ]);
      expect(results).toMatchObject([
        { value: { done: true } },
        { reason: { code: 'bug' } },
        { value: { done: true } },
        { value: { done: false, name: MAIN } },
      ]);
      expect(await store.getRef(MAIN)).toBe(C);
      expect(await store.hasMany([over.hash])).toEqual([false]);
    });
  });
}

function put(key: string, value: string, expected: string | null) {
  const expect = expected === null ? null : Buffer.from(expected);
  return { key, value: Buffer.from(value), expect };
}
