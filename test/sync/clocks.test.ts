/** The clocks of commits that are pushed: taken in, unless they are from the future. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Hash } from '../../src/hash.ts';
import { createRowWriter } from '../../src/live/writer.ts';
import { clockUpdate, compareClocks, MAX_AHEAD_MS, readClock } from '../../src/model/clock.ts';
import { readCommit } from '../../src/model/object-reader.ts';
import { type Clock, encodeCommit, toChunk } from '../../src/model/objects.ts';
import type { ChunkToPut, Store, Transaction } from '../../src/store/contract.ts';
import { createMemoryStore } from '../../src/store/memory.ts';
import { fetchInto } from '../../src/sync/fetch-into.ts';
import type { PushAnswer, PushStrategy } from '../../src/sync/protocol.ts';
import { sendPack } from '../../src/sync/sender.ts';
import type { SyncService } from '../../src/sync/service.ts';
import { bytesOf } from '../support/pack-frames.ts';
import {
  ANYBODY,
  counter,
  NOW,
  problems,
  RETRY,
  remoteOver,
  rows,
  Scene,
  serviceOver,
} from '../support/sync-scene.ts';

/** The service's. */
const WALL = NOW + 1_000_000;

const command = (branch: string, to: Hash, strategy: PushStrategy = 'ff-only') => ({
  updates: [{ ref: `refs/heads/${branch}`, old: null, new: to, strategy }],
  atomic: false,
});

async function packOf(scene: Scene, head: Hash): Promise<Uint8Array> {
  return bytesOf(sendPack(scene.store, { wants: [head] }));
}

async function pushInline(
  service: SyncService,
  scene: Scene,
  branch: string,
  head: Hash,
  strategy?: PushStrategy,
): Promise<PushAnswer> {
  return service.push(ANYBODY, command(branch, head, strategy), await packOf(scene, head));
}

async function pushInSegments(service: SyncService, scene: Scene, branch: string, head: Hash) {
  const { id } = await service.openPush(ANYBODY, command(branch, head));
  await service.putSegment(ANYBODY, id, 0, await packOf(scene, head));
  return service.commitPush(ANYBODY, id);
}

describe.each([
  ['in one request', pushInline],
  ['in segments', pushInSegments],
])('a push %s', (_, push) => {
  it('is refused when one of its commits is from the future, and moves nothing', async () => {
    const scene = new Scene();
    const early = await scene.commit({
      tables: { a: rows(0, 5) },
      time: WALL + MAX_AHEAD_MS + 1,
    });
    const head = await scene.commit({ tables: { a: rows(5, 6) }, time: WALL });
    const store = createMemoryStore();
    const service = serviceOver(store);
    const answer = await push(service, scene, 'main', head);
    expect(answer).toMatchObject({
      kind: 'done',
      outcomes: [{ status: 'refused', code: 'clock-ahead', data: { commit: early }, head: null }],
    });
    expect(await store.listRefs('')).toEqual([]);
    expect(await store.hasMany([early, head])).toEqual([false, false]);
    expect(await readClock(store)).toBeUndefined();
  });

  it('brings its stamp with it, behind which the next commit here is', async () => {
    const scene = new Scene();
    const time = WALL + MAX_AHEAD_MS;
    const head = await scene.commit({ tables: { a: rows(0, 5) }, time });
    const store = createMemoryStore();
    const service = serviceOver(store);
    expect(await push(service, scene, 'main', head)).toMatchObject({
      outcomes: [{ status: 'ok' }],
    });
    const { clock } = await readCommit(store, head);
    expect(await readClock(store)).toMatchObject({ ms: clock.ms, counter: clock.counter });
    expect((await service.info()).clock).toMatchObject({ ms: time, counter: clock.counter + 1 });
    const base = await scene.commit({ branch: 'base', tables: { a: rows(0, 9) } });
    await pushInline(service, scene, 'another', base);
    const writer = createRowWriter(store, { now: () => WALL, randomId: counter() });
    const { commit } = await writer.write({
      branch: 'another',
      tables: [{ table: 't', key: ['id'], writes: [{ op: 'upsert', cells: { id: '1' } }] }],
      message: 'behind',
      author: { name: 'n', email: 'e' },
    });
    await writer.close();
    expect((await readCommit(store, commit)).clock).toMatchObject({
      ms: time,
      counter: clock.counter + 1,
    });
  });
});

it('a push of older commits leaves the clock', async () => {
  const [late, old] = [new Scene(), new Scene()];
  const store = createMemoryStore();
  const service = serviceOver(store);
  const head = await late.commit({ tables: { a: rows(0, 5) }, time: WALL });
  await pushInline(service, late, 'late', head);
  await pushInline(service, old, 'old', await old.commit({ tables: { a: rows(0, 5) } }));
  expect(await readClock(store)).toMatchObject({ ms: WALL, counter: 0 });
});

it('a stamp that could not be kept is kept as a later one that can', async () => {
  const store = createMemoryStore();
  const scene = new Scene();
  const before = await readCommit(scene.store, await scene.commit({ tables: { a: rows(0, 5) } }));
  const clock = { ms: WALL, counter: Number.MAX_SAFE_INTEGER, node: 'no. such\n' };
  const chunk = toChunk(encodeCommit({ ...before, clock }));
  await scene.store.putMany([chunk]);
  expect(await pushInline(serviceOver(store), scene, 'main', chunk.hash)).toMatchObject({
    outcomes: [{ status: 'ok' }],
  });
  expect(await readClock(store)).toEqual({ ms: WALL + 1, counter: 0, node: '0' });
});

it('pushes at once never set the clock back', async () => {
  const store = createMemoryStore();
  const service = serviceOver(store);
  const order = Array.from({ length: 16 }, (_, i) => (i * 7) % 16);
  await Promise.all(
    order.map(async (place) => {
      const scene = new Scene();
      const time = WALL + place * 1000;
      const head = await scene.commit({ tables: { a: rows(0, 5) }, time });
      return pushInline(service, scene, `b${place}`, head);
    }),
  );
  expect(await readClock(store)).toMatchObject({ ms: WALL + 15_000 });
  expect(await store.listRefs('')).toHaveLength(16);
});

it('a merge made here is stamped behind both, and taken in too', async () => {
  const [one, two] = [new Scene(), new Scene()];
  const base = await one.commit({ tables: { a: rows(0, 50) } });
  expect(await two.commit({ tables: { a: rows(0, 50) } })).toBe(base);
  const store = createMemoryStore();
  const service = serviceOver(store);
  const first = await one.commit({ tables: { a: rows(1, 2, () => 'x') }, time: WALL + 5000 });
  const second = await two.commit({ tables: { a: rows(40, 41, () => 'y') }, time: WALL });
  await pushInline(service, one, 'main', first);
  const answer = await pushInline(service, two, 'main', second, 'merge');
  expect(answer).toMatchObject({ outcomes: [{ status: 'merged' }] });
  const merged = (await store.getRef('refs/heads/main')) as Hash;
  const { clock } = await readCommit(store, merged);
  expect(clock.ms).toBe(WALL + 5000);
  expect(await readClock(store)).toMatchObject({ ms: clock.ms, counter: clock.counter });
  expect(await problems(store)).toEqual([]);
});

describe('a fetch', () => {
  const now = () => WALL;

  async function fetchAll(scene: Scene, store: Store, clock = now) {
    const refs = await scene.store.listRefs('refs/heads/');
    const wants = refs.map(({ hash }) => hash);
    const options = { ...RETRY, now: clock };
    const fetched = await fetchInto(remoteOver(scene.store), store, { wants }, options);
    const moves = refs.map(({ name, hash }) => ({ name, old: null, new: hash }));
    return fetched.commit({ refs: moves });
  }

  it('takes in the latest of all stamps that come, behind which the next commit here is', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.integer({ min: -3, max: 60 })), {
          minLength: 1,
          maxLength: 12,
        }),
        fc.integer({ min: -5, max: 70 }),
        async (commits, own) => {
          const scene = new Scene();
          const stamps: Clock[] = [];
          for (const [branch, seconds] of commits) {
            const time = WALL + seconds * 1000;
            const plan = { branch, tables: { t: rows(0, 3, () => `${stamps.length}`) }, time };
            stamps.push((await readCommit(scene.store, await scene.commit(plan))).clock);
          }
          const store = createMemoryStore();
          const before = { ms: WALL + own * 1000, counter: 3, node: 'ab' };
          await store.transact({ state: [clockUpdate(before)] });
          expect(await fetchAll(scene, store)).toEqual({ done: true });
          const writer = createRowWriter(store, { now, randomId: counter() });
          const { commit } = await writer.write({
            branch: 'main',
            tables: [{ table: 't', key: ['id'], writes: [{ op: 'upsert', cells: { id: '1' } }] }],
            message: 'behind',
            author: { name: 'n', email: 'e' },
          });
          await writer.close();
          const { clock } = await readCommit(store, commit);
          for (const stamp of [...stamps, before]) {
            expect(compareClocks(stamp, clock)).toBeLessThan(0);
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it('is refused when one of its commits is from the future, keeps what came, and passes later', async () => {
    const scene = new Scene();
    const time = WALL + MAX_AHEAD_MS + 1;
    const early = await scene.commit({ tables: { a: rows(0, 5) }, time });
    const head = await scene.commit({ tables: { a: rows(5, 6) }, time: WALL });
    const store = createMemoryStore();
    await expect(fetchAll(scene, store)).rejects.toMatchObject({
      code: 'clock-ahead',
      data: { commit: early },
    });
    expect(await store.listRefs('')).toEqual([]);
    expect(await store.hasMany([early, head])).toEqual([false, false]);
    expect(await readClock(store)).toBeUndefined();
    expect(await fetchAll(scene, store, () => WALL + 1)).toEqual({ done: true });
    expect(await store.getRef('refs/heads/main')).toBe(head);
    expect(await readClock(store)).toMatchObject({ ms: time });
  });

  it('does not set a clock back that moves meanwhile', async () => {
    const scene = new Scene();
    const head = await scene.commit({ tables: { a: rows(0, 5) }, time: WALL });
    const store = createMemoryStore();
    const later = { ms: WALL + 9000, counter: 0, node: 'ab' };
    const racing: Store = Object.assign(Object.create(store), {
      async transact(transaction: Transaction, chunks?: readonly ChunkToPut[]) {
        await store.transact({ state: [clockUpdate(later)] });
        return store.transact(transaction, chunks);
      },
    });
    const fetching = { wants: [head] };
    const options = { ...RETRY, now };
    const fetched = await fetchInto(remoteOver(scene.store), racing, fetching, options);
    const moves = { refs: [{ name: 'refs/heads/main', old: null, new: head }] };
    expect(await fetched.commit(moves)).toEqual({ done: false, name: 'clock' });
    expect(await fetched.commit(moves)).toEqual({ done: true });
    expect(await readClock(store)).toEqual(later);
  });
});
