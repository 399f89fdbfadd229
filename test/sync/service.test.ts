/** The service beside restarts, gc, other pushes, time and people. */
import { describe, expect, it } from 'vitest';
import { DvError } from '../../src/errors.ts';
import type { Hash } from '../../src/hash.ts';
import { collectGarbage, gcRoots } from '../../src/model/gc.ts';
import type { Store } from '../../src/store/contract.ts';
import type { Maintenance } from '../../src/store/maintenance.ts';
import { createMemoryStore } from '../../src/store/memory.ts';
import type { Caller, RefCommand } from '../../src/sync/protocol.ts';
import { sendPack } from '../../src/sync/sender.ts';
import { bytesOf } from '../support/pack-frames.ts';
import { memoryPlace, sqlitePlace } from '../support/store-places.ts';
import {
  ANYBODY,
  counter,
  NOW,
  problems,
  rows,
  Scene,
  serviceOver,
} from '../support/sync-scene.ts';

const main = (to: Hash, old: Hash | null = null): RefCommand => ({
  ref: 'refs/heads/main',
  old,
  new: to,
  strategy: 'ff-only',
});
const one = (to: Hash, old: Hash | null = null) => ({ updates: [main(to, old)], atomic: true });

/** Removes everything that no ref reaches, whatever its age. */
async function collect(store: Store & Maintenance): Promise<void> {
  const roots = await gcRoots(store, [], Number.MAX_SAFE_INTEGER);
  const keepSince = Number.MAX_SAFE_INTEGER;
  await collectGarbage(store, roots, { keepSince, dryRun: false, onProgress: () => {} });
}

describe.each([
  ['in memory', memoryPlace],
  ['in SQLite', () => sqlitePlace()],
])('a push in segments, %s', (_, makePlace) => {
  it('goes on after a restart of the other side, at any segment', async () => {
    const scene = new Scene();
    await scene.commit({ tables: { a: rows(0, 5000) } });
    const head = await scene.commit({ tables: { a: rows(50, 51, () => 'x') } });
    const place = makePlace();
    let store = await place.open();
    const randomId = counter();
    let service = serviceOver(store, { randomId });
    let session = await service.openPush(ANYBODY, one(head));
    let segments = 0;
    while (session.pending.length > 0) {
      const request = { wants: [head], roots: session.pending, maxBytes: 15_000 };
      const pack = await bytesOf(sendPack(scene.store, request));
      session = await service.putSegment(ANYBODY, session.id, session.next, pack);
      segments += 1;
      await store.close();
      store = await place.open();
      service = serviceOver(store, { randomId });
      expect(await service.getPush(ANYBODY, session.id)).toMatchObject({ next: segments });
      expect(await store.hasMany([head])).toEqual([false]);
    }
    expect(segments).toBeGreaterThan(3);
    expect(await service.commitPush(ANYBODY, session.id)).toMatchObject({
      outcomes: [{ status: 'ok' }],
    });
    expect(await problems(store)).toEqual([]);
    expect(await store.listTransfers()).toEqual([]);
    await store.close();
    place.remove();
  });

  it('is not left dangling by a gc of what it counted on', async () => {
    const place = makePlace();
    const server = new Scene(await place.open());
    const base = await server.commit({ branch: 'base', tables: { a: rows(0, 3000) } });
    const scene = new Scene();
    await scene.commit({ tables: { a: rows(0, 3000) } });
    const head = await scene.commit({ tables: { a: rows(9, 10, () => 'x') } });
    const service = serviceOver(server.store);
    const { id } = await service.openPush(ANYBODY, one(head));
    // the rows are there, in a commit of another branch
    const pack = await bytesOf(sendPack(scene.store, { wants: [head] }));
    await service.putSegment(ANYBODY, id, 0, pack);
    const gone = { name: 'refs/heads/base', old: base, new: null };
    await server.store.transact({ refs: [gone] });
    await collect(server.store);
    for (let tries = 0; tries < 3; tries++) {
      const answer = await service.commitPush(ANYBODY, id);
      if (answer.kind === 'done') break;
      expect(await server.store.getRef('refs/heads/main')).toBeUndefined();
      const session = await service.getPush(ANYBODY, id);
      const roots = session?.pending ?? [];
      const more = await bytesOf(sendPack(scene.store, { wants: [head], roots }));
      await service.putSegment(ANYBODY, id, session?.next ?? 0, more);
    }
    expect(await server.store.getRef('refs/heads/main')).toBe(head);
    expect(await problems(server.store)).toEqual([]);
    await server.store.close();
    place.remove();
  });
});

describe('the service', () => {
  it('ends pushes that have expired, with what they brought', async () => {
    const scene = new Scene();
    const head = await scene.commit({ tables: { a: rows(0, 2000) } });
    const store = createMemoryStore();
    let time = NOW + 1_000_000;
    const service = serviceOver(store, { now: () => time, limits: { pushSessionMs: 1000 } });
    const { id } = await service.openPush(ANYBODY, one(head));
    const pack = await bytesOf(sendPack(scene.store, { wants: [head], maxBytes: 5000 }));
    await service.putSegment(ANYBODY, id, 0, pack);
    expect(await store.listTransfers()).toHaveLength(1);
    time += 1001;
    expect(await service.getPush(ANYBODY, id)).toBeUndefined();
    await service.openPush(ANYBODY, one(head));
    expect(await store.listTransfers()).toEqual([]);
  });

  it('shows a push to nobody else', async () => {
    const scene = new Scene();
    const head = await scene.commit({ tables: { a: rows(0, 5) } });
    const service = serviceOver(createMemoryStore());
    const { id } = await service.openPush(ANYBODY, one(head));
    const other: Caller = { actor: 'another', allow: () => {} };
    expect(await service.getPush(other, id)).toBeUndefined();
    const put = service.putSegment(other, id, 0, Buffer.alloc(0));
    await expect(put).rejects.toMatchObject({ code: 'unknown-session' });
    await expect(service.commitPush(other, id)).rejects.toMatchObject({ code: 'unknown-session' });
  });

  it('asks who may, before it moves anything, and stores nothing of who may not', async () => {
    const scene = new Scene();
    const head = await scene.commit({ tables: { a: rows(0, 5) } });
    const pack = await bytesOf(sendPack(scene.store, { wants: [head] }));
    const store = createMemoryStore();
    const forbidden = new DvError('forbidden', 'no');
    const nobody: Caller = {
      actor: 'nobody',
      allow: () => {
        throw forbidden;
      },
    };
    const service = serviceOver(store);
    expect(await service.push(nobody, one(head), pack)).toMatchObject({
      outcomes: [{ status: 'refused', code: 'forbidden' }],
    });
    await expect(service.openPush(nobody, one(head))).rejects.toBe(forbidden);
    const guarded = serviceOver(store, {
      mayUpdate: ({ ref }) => {
        throw new DvError('push-refused', `'${ref}' is checked out`);
      },
    });
    expect(await guarded.push(ANYBODY, one(head), pack)).toMatchObject({
      outcomes: [{ status: 'refused', code: 'push-refused' }],
    });
    for await (const batch of store.scan()) expect(batch).toEqual([]);
    expect(await store.listRefs('')).toEqual([]);
  });

  it('loses no push when another process moves the ref meanwhile', async () => {
    const store = createMemoryStore();
    const server = new Scene(store);
    await server.commit({ tables: { a: rows(0, 400) } });
    const base = (await server.head()) as Hash;
    // two services, so that no lock holds them apart
    const services = [serviceOver(store), serviceOver(store, { randomId: () => 'f'.repeat(16) })];
    const pushes = [];
    for (let n = 0; n < 12; n++) {
      const scene = new Scene();
      await scene.commit({ tables: { a: rows(0, 400) } });
      expect(await scene.head()).toBe(base);
      const edit = rows(n * 30, n * 30 + 1, () => `by ${n}`);
      const head = await scene.commit({ tables: { a: edit }, message: `${n}` });
      const pack = await bytesOf(sendPack(scene.store, { wants: [head], haves: [base] }));
      const update = { ...main(head, base), strategy: 'merge' as const };
      pushes.push(services[n % 2].push(ANYBODY, { updates: [update], atomic: false }, pack));
    }
    const answers = await Promise.all(pushes);
    for (const answer of answers) {
      expect(answer.kind === 'done' && answer.outcomes[0].status).toMatch(/^(ok|merged)$/);
    }
    expect(await problems(store)).toEqual([]);
  });
});
