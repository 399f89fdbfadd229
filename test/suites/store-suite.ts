/** What every store promises (src/store/contract.ts), whatever it keeps its chunks in. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { bug } from '../../src/errors.ts';
import { type Hash, hashOf } from '../../src/hash.ts';
import { MAX_CHUNK_BYTES, type Store } from '../../src/store/contract.ts';
import type { Maintenance } from '../../src/store/maintenance.ts';
import { chunkOf, editBytes, leafBytes } from '../support/store-chunks.ts';
import type { StorePlace } from '../support/store-places.ts';
import { feedSuite } from './store-feed-suite.ts';
import { gcSuite } from './store-gc-suite.ts';
import { storeModelTest } from './store-model.ts';
import { transferSuite } from './store-transfer-suite.ts';

const LOG = { actor: 'Ada <ada@example.org>', time: 1_700_000_000_123, message: 'commit: one' };
const MAIN = 'refs/heads/main';

const hash = (text: string): Hash => hashOf(Buffer.from(text));

export function storeSuite(name: string, makePlace: () => StorePlace): void {
  describe(`${name} store`, () => {
    let place: StorePlace;
    let store: Store & Maintenance;
    beforeEach(async () => {
      place = makePlace();
      store = await place.open();
    });
    afterEach(async () => {
      await store.close();
      place.remove();
    });

    describe('chunks', () => {
      it('come back as they were put, in the order asked for', async () => {
        const chunks = [leafBytes(1), Buffer.alloc(0), Buffer.from('x'), leafBytes(2)].map((b) =>
          chunkOf(b),
        );
        await store.putMany(chunks);
        const asked = [chunks[3], chunks[1], chunks[0], chunks[2], chunks[0]];
        const got = await store.getMany(asked.map((chunk) => chunk.hash));
        expect(got.map((bytes) => Buffer.from(bytes ?? []))).toEqual(asked.map((c) => c.bytes));
      });

      it('are undefined and not had where absent', async () => {
        const [a, b] = [chunkOf('a'), chunkOf('b')];
        await store.putMany([a]);
        expect(await store.getMany([b.hash, a.hash])).toEqual([undefined, Buffer.from('a')]);
        expect(await store.hasMany([b.hash, a.hash, b.hash])).toEqual([false, true, false]);
        expect(await store.getMany([])).toEqual([]);
        expect(await store.hasMany([])).toEqual([]);
        await store.putMany([]);
      });

      it('are stored once however often they are put', async () => {
        const chunk = chunkOf(leafBytes(3));
        await store.putMany([chunk, chunk]);
        await store.putMany([chunk]);
        await store.transact({}, [chunk]);
        expect((await everything(store)).map((object) => object.hash)).toEqual([chunk.hash]);
      });

      it('are stored once by handles that put them at the same time', async () => {
        const other = await place.open();
        const base = chunkOf(leafBytes(11));
        const chunks = [base, chunkOf(editBytes(base.bytes, 1), base)];
        await Promise.all([store, other, store, other].map((each) => each.putMany(chunks)));
        await Promise.all([store, other].map((each) => each.transact({}, [chunkOf('x')])));
        expect(await everything(store)).toHaveLength(3);
        await other.close();
      });

      it('do not change when the caller reuses the buffer it put', async () => {
        const bytes = leafBytes(4);
        const chunk = chunkOf(bytes);
        const original = Buffer.from(bytes);
        const edited = chunkOf(editBytes(bytes, 1), chunk);
        await store.putMany([chunk, edited]);
        bytes.fill(0);
        expect(await read(store, chunk.hash)).toEqual(original);
        expect(await read(store, edited.hash)).toEqual(edited.bytes);
      });

      it('may be as large as the limit, and no larger', async () => {
        const largest = chunkOf(Buffer.alloc(MAX_CHUNK_BYTES, 'largest'));
        await store.putMany([largest]);
        expect(await read(store, largest.hash)).toEqual(largest.bytes);
        const over = chunkOf(Buffer.alloc(MAX_CHUNK_BYTES + 1));
        await expect(store.putMany([over])).rejects.toMatchObject({ code: 'bug' });
        await expect(store.transact({}, [over])).rejects.toMatchObject({ code: 'bug' });
      });

      it('with `like` come back whatever `like` names', async () => {
        const base = chunkOf(leafBytes(5));
        const absent = chunkOf(leafBytes(6));
        const first = chunkOf(editBytes(base.bytes, 1), base);
        const second = chunkOf(editBytes(first.bytes, 2), first);
        const chunks = [
          base,
          first,
          second,
          chunkOf(leafBytes(7), absent),
          chunkOf('short', base),
          chunkOf(leafBytes(8), chunkOf('short')),
        ];
        await store.putMany(chunks.slice(0, 2));
        await store.putMany(chunks.slice(2));
        for (const chunk of chunks) expect(await read(store, chunk.hash)).toEqual(chunk.bytes);
      });

      it('are found by the start of their hash, in order', async () => {
        const chunks = Array.from({ length: 600 }, (_, i) => chunkOf(`chunk ${i}`));
        await store.putMany(chunks);
        const hashes = chunks.map((chunk) => chunk.hash).sort();
        for (const start of [hashes[0], hashes[300], hashes[599]]) {
          for (const digits of [4, 5, 11, 12, 13, 63, 64]) {
            const prefix = start.slice(0, digits);
            const expected = hashes.filter((other) => other.startsWith(prefix));
            expect(await store.findHashes(prefix, 1000)).toEqual(expected);
            expect(await store.findHashes(prefix, 1)).toEqual(expected.slice(0, 1));
          }
        }
        expect(await store.findHashes('f'.repeat(64), 10)).toEqual([]);
      });
    });

    describe('refs', () => {
      it('change by compare-and-swap', async () => {
        const [a, b] = [hash('a'), hash('b')];
        expect(await store.getRef(MAIN)).toBeUndefined();
        expect(await move(store, MAIN, a, b)).toEqual({ done: false, name: MAIN });
        expect(await move(store, MAIN, null, a)).toEqual({ done: true });
        expect(await move(store, MAIN, null, b)).toEqual({ done: false, name: MAIN });
        expect(await store.getRef(MAIN)).toBe(a);
        expect(await move(store, MAIN, a, b)).toEqual({ done: true });
        expect(await store.getRef(MAIN)).toBe(b);
        expect(await move(store, MAIN, b, null)).toEqual({ done: true });
        expect(await store.getRef(MAIN)).toBeUndefined();
      });

      it('and state change all together or not at all', async () => {
        await store.transact({
          refs: [{ name: MAIN, old: null, new: hash('a') }],
          state: [{ key: 'HEAD', value: Buffer.from(MAIN) }],
        });
        const chunk = chunkOf('carried');
        const refs = [{ name: 'refs/heads/new', old: null, new: hash('b') }];
        const moved = { name: MAIN, old: hash('b'), new: hash('c') };
        const losing = [
          { transaction: { refs: [...refs, moved] }, name: MAIN },
          { transaction: { refs, state: [stateOf('HEAD', 'x', 'y')] }, name: 'HEAD' },
          { transaction: { refs, state: [stateOf('HEAD', 'x', null)] }, name: 'HEAD' },
          {
            transaction: { refs, state: [stateOf('a', '1'), stateOf('no', 'x', 'y')] },
            name: 'no',
          },
        ];
        for (const { transaction, name: loser } of losing) {
          const result = await store.transact({ ...transaction, log: LOG }, [chunk]);
          expect(result).toEqual({ done: false, name: loser });
        }
        expect(await store.getRef('refs/heads/new')).toBeUndefined();
        expect(await store.getState('a')).toBeUndefined();
        expect(await store.readLog('refs/heads/new', 10)).toEqual([]);
      });

      it('are listed by prefix in the order of their bytes', async () => {
        const names = [
          'refs/heads/b',
          'refs/heads/a',
          'refs/heads/a/b',
          'refs/heads',
          'refs/tags/a',
        ];
        const odd = ['refs/heads/\u{1f600}', 'refs/heads/\uffff', 'refs/heads/é', 'refs/headsx'];
        const all = [...names, ...odd];
        await store.transact({
          refs: all.map((n) => ({ name: n, old: null, new: hash(n) })),
        });
        const inOrder = all.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
        for (const prefix of ['', 'refs/', 'refs/heads/', 'refs/heads', 'refs/heads/a', 'none']) {
          const expected = inOrder.filter((n) => n.startsWith(prefix));
          expect(await store.listRefs(prefix)).toEqual(
            expected.map((n) => ({ name: n, hash: hash(n) })),
          );
        }
      });

      it('leave a trail in the feed, newest first', async () => {
        const hashes = ['a', 'b', 'c'].map(hash);
        await move(store, MAIN, null, hashes[0]);
        await move(store, 'refs/heads/other', null, hashes[0]);
        await move(store, MAIN, hashes[0], hashes[1]);
        await move(store, MAIN, hashes[2], null);
        await move(store, MAIN, hashes[1], null);
        const log = await store.readLog(MAIN, 10);
        expect(log).toMatchObject([
          { name: MAIN, old: hashes[1], new: null, ...LOG },
          { name: MAIN, old: hashes[0], new: hashes[1], ...LOG },
          { name: MAIN, old: null, new: hashes[0], ...LOG },
        ]);
        const [other] = await store.readLog('refs/heads/other', 10);
        const sequences = [log[2], other, log[1], log[0]].map((entry) => entry.sequence);
        expect(sequences).toEqual(sequences.toSorted((a, b) => a - b));
        expect(new Set(sequences).size).toBe(4);
        expect(await store.readLog(MAIN, 1)).toEqual(log.slice(0, 1));
      });

      it('whose old and new are the same are only compared', async () => {
        const a = hash('a');
        await move(store, MAIN, null, a);
        expect(await move(store, MAIN, a, a)).toEqual({ done: true });
        expect(await move(store, 'refs/heads/none', null, null)).toEqual({ done: true });
        expect(await move(store, MAIN, null, null)).toEqual({ done: false, name: MAIN });
        expect(await store.readLog(MAIN, 10)).toHaveLength(1);
        expect(await store.readLog('refs/heads/none', 10)).toEqual([]);
      });

      it('let exactly one of many racers win', async () => {
        const other = await place.open();
        const racers = Array.from({ length: 20 }, (_, i) =>
          move(i % 2 === 0 ? store : other, MAIN, null, hash(`${i}`)),
        );
        const won = (await Promise.all(racers)).filter((result) => result.done);
        expect(won).toHaveLength(1);
        await other.close();
      });
    });

    describe('state', () => {
      it('is set, replaced, compared and deleted', async () => {
        expect(await store.getState('k')).toBeUndefined();
        expect(await set(store, 'k', 'one')).toBe(true);
        expect(await set(store, 'k', 'two', 'one')).toBe(true);
        expect(await set(store, 'k', 'three', 'one')).toBe(false);
        expect(await set(store, 'k', 'three', null)).toBe(false);
        expect(Buffer.from((await store.getState('k')) ?? [])).toEqual(Buffer.from('two'));
        expect(await set(store, 'k', null, 'two')).toBe(true);
        expect(await store.getState('k')).toBeUndefined();
        expect(await set(store, 'k', '', null)).toBe(true);
        expect(Buffer.from((await store.getState('k')) ?? [1])).toEqual(Buffer.alloc(0));
      });

      it('is listed by prefix in order', async () => {
        for (const key of ['file/b', 'file/a', 'HEAD', 'file']) await set(store, key, key);
        const listed = await store.listState('file/');
        expect(listed.map(({ key, value }) => [key, Buffer.from(value).toString()])).toEqual([
          ['file/a', 'file/a'],
          ['file/b', 'file/b'],
        ]);
        expect(await store.listState('')).toHaveLength(4);
      });
    });

    describe('contents', () => {
      it('are seen by another handle at once', async () => {
        const other = await place.open();
        const chunk = chunkOf(leafBytes(9));
        await store.putMany([chunk]);
        expect(await read(other, chunk.hash)).toEqual(chunk.bytes);
        const next = chunkOf(editBytes(chunk.bytes, 1), chunk);
        await other.transact({ refs: [{ name: MAIN, old: null, new: next.hash }] }, [next]);
        expect(await store.getRef(MAIN)).toBe(next.hash);
        expect(await read(store, next.hash)).toEqual(next.bytes);
        await store.putMany([next, chunk]);
        expect(await everything(other)).toHaveLength(2);
        await other.close();
      });

      it('are there after closing and opening', async () => {
        const chunk = chunkOf(leafBytes(10));
        const edited = chunkOf(editBytes(chunk.bytes, 1), chunk);
        await store.putMany([chunk]);
        await store.transact(
          {
            refs: [{ name: MAIN, old: null, new: edited.hash }],
            state: [{ key: 'HEAD', value: Buffer.from(MAIN) }],
            log: LOG,
          },
          [edited],
        );
        const log = await store.readLog(MAIN, 5);
        await store.close();
        await store.close();
        store = await place.open();
        expect(await read(store, chunk.hash)).toEqual(chunk.bytes);
        expect(await read(store, edited.hash)).toEqual(edited.bytes);
        expect(await store.getRef(MAIN)).toBe(edited.hash);
        expect(await store.readLog(MAIN, 5)).toEqual(log);
        expect(await store.listState('')).toHaveLength(1);
      });

      it('are scanned once each, with their sizes and kinds', async () => {
        const chunks = Array.from({ length: 3000 }, (_, i) => chunkOf(`${i % 7} chunk ${i}`));
        await store.putMany(chunks);
        const objects = await everything(store);
        expect(objects.map((object) => object.hash).sort()).toEqual(
          chunks.map((chunk) => chunk.hash).sort(),
        );
        const sizes = new Map(chunks.map((chunk) => [chunk.hash, chunk.bytes]));
        for (const object of objects) {
          const bytes = sizes.get(object.hash) ?? Buffer.alloc(0);
          expect(object).toMatchObject({ kind: bytes[0], rawSize: bytes.length, base: null });
        }
        expect(await store.check()).toEqual([]);
      });
    });

    feedSuite(makePlace);
    transferSuite(makePlace);
    gcSuite(makePlace);
    storeModelTest(makePlace);
  });
}

function stateOf(key: string, value: string, expected?: string | null) {
  const base = { key, value: Buffer.from(value) };
  if (expected === undefined) return base;
  return { ...base, expect: expected === null ? null : Buffer.from(expected) };
}

async function set(store: Store, key: string, value: string | null, expected?: string | null) {
  const update = { ...stateOf(key, value ?? '', expected), ...(value === null && { value }) };
  return (await store.transact({ state: [update] })).done;
}

function move(store: Store, name: string, old: Hash | null, to: Hash | null) {
  return store.transact({ refs: [{ name, old, new: to }], log: LOG });
}

/** @throws DvError `bug` when the store has no such chunk */
export async function read(store: Store, wanted: Hash): Promise<Buffer> {
  const [bytes] = await store.getMany([wanted]);
  if (bytes === undefined) throw bug(`no chunk ${wanted}`);
  return Buffer.from(bytes);
}

export async function everything(store: Maintenance) {
  const objects = [];
  for await (const batch of store.scan()) objects.push(...batch);
  return objects;
}
