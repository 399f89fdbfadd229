/**
 * Transfers that are cut: a fetch or a push completes by trying again, sends nearly nothing
 * twice, and what came of an unfinished one never counts, after a restart either.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DvError } from '../../src/errors.ts';
import type { Store } from '../../src/store/contract.ts';
import { fetchInto, fetchTransfer } from '../../src/sync/fetch-into.ts';
import type { FetchRequest, Remote } from '../../src/sync/protocol.ts';
import { pushFrom } from '../../src/sync/push-from.ts';
import { dropStaleTransfers } from '../../src/sync/transfer-lease.ts';
import { memoryPlace, type StorePlace, sqlitePlace } from '../support/store-places.ts';
import { NOW, problems, RETRY, remoteOver, rows, Scene } from '../support/sync-scene.ts';

const lost = () => new DvError('connection-lost', 'the cable was cut');

/** A history of some hundred KB with everything in it. */
async function history(): Promise<Scene> {
  const scene = new Scene();
  const long = (id: number) => (id % 100 === 0 ? `${id} `.repeat(20_000) : `name ${id}`);
  await scene.commit({
    tables: { 'a.csv': rows(0, 6000), 'b.csv': rows(0, 300, long) },
    files: { 'f.bin': Buffer.from(Array.from({ length: 400_000 }, (_, i) => (i * i * 31) >>> 7)) },
  });
  for (let n = 1; n < 6; n++) {
    await scene.commit({ tables: { 'a.csv': rows(n * 700, n * 700 + 40, (id) => `${n} ${id}`) } });
  }
  await scene.commit({
    branch: 'other',
    parents: [(await scene.head()) as never],
    tables: { 'c.csv': rows(0, 2000, (id) => `c ${id}`) },
  });
  await scene.commit({ tables: { 'b.csv': null } });
  return scene;
}

/** Cuts the n-th fetch behind `cuts[n]` bytes; counts what went through. */
function cutting(remote: Remote, cuts: readonly number[]) {
  const seen = { bytes: 0, requests: [] as FetchRequest[] };
  const cut: Remote = Object.assign(Object.create(remote), {
    async *fetch(request: FetchRequest) {
      const limit = cuts[seen.requests.length] ?? Number.POSITIVE_INFINITY;
      seen.requests.push(request);
      let sent = 0;
      for await (const piece of remote.fetch(request)) {
        const part = piece.subarray(0, Math.max(0, limit - sent));
        sent += part.length;
        seen.bytes += part.length;
        if (part.length > 0) yield part;
        if (part.length < piece.length) throw lost();
      }
    },
  });
  return { cut, seen };
}

const headsOf = async (scene: Scene) =>
  (await scene.store.listRefs('refs/heads/')).map(({ hash }) => hash);

async function finish(scene: Scene, store: Store, fetched: Awaited<ReturnType<typeof fetchInto>>) {
  const refs = await scene.store.listRefs('refs/heads/');
  const moves = refs.map(({ name, hash }) => ({ name, old: null, new: hash }));
  expect(await fetched.commit({ refs: moves })).toEqual({ done: true });
  expect(await store.listTransfers()).toEqual([]);
}

const places: readonly [string, () => StorePlace, number][] = [
  ['in memory', memoryPlace, 60],
  ['in SQLite', () => sqlitePlace(), 16],
];

describe.each(places)('a fetch %s', (_, place, count) => {
  it('that is cut at any byte completes, and sends little twice', async () => {
    const scene = await history();
    const wants = await headsOf(scene);
    const whole = cutting(remoteOver(scene.store), []);
    await fetchInto(whole.cut, (await memoryPlace().open()) as Store, { wants }, RETRY);
    const { bytes } = whole.seen;
    expect(bytes).toBeGreaterThan(100_000);
    for (let at = 1; at < bytes; at += Math.ceil(bytes / count)) {
      const here = place();
      const store = await here.open();
      const { cut, seen } = cutting(remoteOver(scene.store), [at]);
      const fetched = await fetchInto(cut, store, { wants }, RETRY);
      expect(seen.requests.length).toBe(2);
      // a header again, and the chunk that was cut
      expect(seen.bytes).toBeLessThan(bytes + 135_000);
      // a schema that two tables share
      expect(fetched.reception.ignored).toBeLessThan(2);
      await finish(scene, store, fetched);
      expect(await problems(store)).toEqual([]);
      await store.close();
      here.remove();
    }
  });

  it('goes on after a restart, and counts for nothing before', async () => {
    const scene = await history();
    const wants = await headsOf(scene);
    const arbitrary = fc.array(fc.integer({ min: 1, max: 300_000 }), {
      minLength: 1,
      maxLength: 5,
    });
    await fc.assert(
      fc.asyncProperty(arbitrary, async (cuts) => {
        const here = place();
        for (const at of cuts) {
          const store = await here.open();
          const { cut } = cutting(remoteOver(scene.store), [at]);
          const run = fetchInto(cut, store, { wants }, { ...RETRY, attempts: 1 });
          const error = await run.then(
            () => undefined,
            (caught: unknown) => caught,
          );
          if (error !== undefined) {
            expect(error).toMatchObject({ code: 'connection-lost' });
            for await (const batch of store.scan()) {
              const present = await store.hasMany(batch.map(({ hash }) => hash));
              expect(present).not.toContain(true);
            }
            expect([[], [fetchTransfer('test', { wants })]]).toContainEqual(
              await store.listTransfers(),
            );
          }
          await store.close();
        }
        const store = await here.open();
        const fetched = await fetchInto(remoteOver(scene.store), store, { wants }, RETRY);
        expect(fetched.reception.ignored).toBe(0);
        await finish(scene, store, fetched);
        expect(await problems(store)).toEqual([]);
        await store.close();
        here.remove();
      }),
      { numRuns: Math.ceil(count / 8), examples: [[[128_272, 162_308, 241_579]]] },
    );
  });
});

describe('a fetch with a limit of bytes', () => {
  it('asks for the rest, and every chunk comes once', async () => {
    const scene = await history();
    const wants = await headsOf(scene);
    const store = await memoryPlace().open();
    const remote = remoteOver(scene.store);
    const limited: Remote = Object.assign(Object.create(remote), {
      fetch: (request: FetchRequest) => remote.fetch({ ...request, maxBytes: 20_000 }),
    });
    const fetched = await fetchInto(limited, store, { wants }, RETRY);
    expect(fetched.reception.packs).toBeGreaterThan(5);
    expect(fetched.reception.ignored).toBe(0);
    await finish(scene, store, fetched);
    expect(await problems(store)).toEqual([]);
  });

  it('goes on where a run that was given up had come to, when the remote has moved on', async () => {
    const scene = await history();
    const store = await memoryPlace().open();
    const { cut } = cutting(remoteOver(scene.store), [200_000]);
    const wants = await headsOf(scene);
    await expect(fetchInto(cut, store, { wants }, { ...RETRY, attempts: 1 })).rejects.toThrow();
    const kept = await count(store);
    expect(kept).toBeGreaterThan(10);
    await scene.commit({ tables: { 'a.csv': rows(0, 3) } });
    const all = cutting(remoteOver(scene.store), []);
    const moved = await headsOf(scene);
    const fetched = await fetchInto(all.cut, store, { wants: moved }, RETRY);
    await finish(scene, store, fetched);
    expect(await problems(store)).toEqual([]);
    const whole = cutting(remoteOver(scene.store), []);
    await fetchInto(whole.cut, await memoryPlace().open(), { wants: moved }, RETRY);
    expect(all.seen.bytes).toBeLessThan(whole.seen.bytes);
  });
});

describe('what an earlier run left', () => {
  const DAY = 24 * 60 * 60 * 1000;

  async function leaveSome(store: Store, scene: Scene, now: number): Promise<void> {
    const left = await scene.commit({ branch: 'gone', tables: { z: rows(0, 9000) } });
    const { cut } = cutting(remoteOver(scene.store), [30_000]);
    const options = { ...RETRY, attempts: 1, now: () => now };
    await expect(fetchInto(cut, store, { wants: [left] }, options)).rejects.toThrow();
    expect(await store.listTransfers()).toHaveLength(1);
    await scene.store.transact({ refs: [{ name: 'refs/heads/gone', old: left, new: null }] });
  }

  it('is given up a day later, and never counts', async () => {
    const scene = await history();
    const store = await memoryPlace().open();
    await leaveSome(store, scene, NOW + 5 * DAY);
    const before = await count(store);
    const wants = await headsOf(scene);
    for (const [now, transfers] of [
      [NOW + 6 * DAY - 1, 1],
      [NOW + 6 * DAY, 0],
    ] as const) {
      const options = { ...RETRY, now: () => now };
      const fetched = await fetchInto(remoteOver(scene.store), store, { wants }, options);
      const refs = (await store.getRef('refs/heads/x'))
        ? []
        : [{ name: 'refs/heads/x', old: null, new: wants[0] }];
      expect(await fetched.commit({ refs })).toEqual({ done: true });
      expect(await store.listTransfers()).toHaveLength(transfers);
      expect(await problems(store)).toEqual([]);
    }
    expect(before).toBeGreaterThan(0);
  });

  it('cannot be completed by a run that was taken for dead', async () => {
    const scene = await history();
    const store = await memoryPlace().open();
    const wants = await headsOf(scene);
    const { cut } = cutting(remoteOver(scene.store), [100_000]);
    const options = { ...RETRY, now: () => NOW + 5 * DAY };
    const slow = await fetchInto(cut, store, { wants }, options);
    expect(await dropStaleTransfers(store, 'fetch:', NOW + 7 * DAY)).toHaveLength(1);
    const result = await slow.commit({
      refs: [{ name: 'refs/heads/x', old: null, new: wants[0] }],
    });
    expect(result.done).toBe(false);
    expect(await store.listRefs('')).toEqual([]);
  });
});

async function count(store: Awaited<ReturnType<StorePlace['open']>>): Promise<number> {
  let found = 0;
  for await (const batch of store.scan()) found += batch.length;
  return found;
}

describe('a push', () => {
  it('whose n-th request fails, before or behind its work, completes all the same', async () => {
    const scene = await history();
    for (const large of [false, true]) {
      for (const isBehind of [false, true]) {
        for (let n = 1; n < 20; n++) {
          const store = await memoryPlace().open();
          const limits = large
            ? { inlinePackBytes: 540_000, segmentBytes: 600_000 }
            : { inlinePackBytes: 1 << 24 };
          const remote = remoteOver(store, { limits });
          const { failing, calls } = failingAt(remote, n, isBehind);
          const updates = (await scene.store.listRefs('refs/heads/')).map(({ name, hash }) => ({
            ref: name,
            old: null,
            new: hash,
            strategy: 'ff-only' as const,
          }));
          const info = await remote.info();
          const pushed = await pushFrom(
            failing,
            scene.store,
            { updates, atomic: true },
            { ...RETRY, limits: info.limits },
          );
          expect(pushed.outcomes.map(({ status }) => status)).toEqual(['ok', 'ok']);
          expect(await store.listRefs('')).toEqual(await scene.store.listRefs(''));
          expect(await problems(store)).toEqual([]);
          if (calls() < n) break;
          expect(await store.listTransfers()).toEqual([]);
        }
      }
    }
  });
});

/** Fails the n-th call, without doing it or behind it. */
function failingAt(remote: Remote, n: number, isBehind: boolean) {
  let calls = 0;
  const names = ['refs', 'push', 'openPush', 'getPush', 'putSegment', 'commitPush'] as const;
  const failing = Object.create(remote);
  for (const name of names) {
    failing[name] = async (...given: unknown[]) => {
      calls += 1;
      if (calls === n && !isBehind) throw lost();
      const result = await (remote[name] as (...all: unknown[]) => Promise<unknown>).apply(
        remote,
        given,
      );
      if (calls === n) throw lost();
      return result;
    };
  }
  return { failing: failing as Remote, calls: () => calls };
}
