/** Chunks on their way into the store: found all the time, and not lost when storing fails. */
import { describe, expect, it } from 'vitest';
import { DvError } from '../../src/errors.ts';
import { fetchInto } from '../../src/sync/fetch-into.ts';
import { ReceivedChunks } from '../../src/sync/received-chunks.ts';
import { chunkOf, leafBytes } from '../support/store-chunks.ts';
import { overlay } from '../support/store-counting.ts';
import { memoryPlace } from '../support/store-places.ts';
import { problems, RETRY, remoteOver, rows, Scene } from '../support/sync-scene.ts';

const CHUNKS = Array.from({ length: 5 }, (_, i) => chunkOf(leafBytes(i)));

/** Its `putReceived` waits for `release`, or fails as often as it is told. */
async function slowStore(failures: number) {
  const inner = await memoryPlace().open();
  const gate = Promise.withResolvers<void>();
  let left = failures;
  const store = overlay(inner, {
    putReceived: async (transfer, chunks) => {
      await gate.promise;
      if (left-- > 0) throw new DvError('locked', 'somebody else writes');
      await inner.putReceived(transfer, chunks);
    },
  });
  return { inner, store, release: () => gate.resolve() };
}

describe('chunks that the store is taking', () => {
  it('are found before they are there', async () => {
    const { inner, store, release } = await slowStore(0);
    const received = new ReceivedChunks(store, 't', undefined);
    for (const chunk of CHUNKS) received.keep(chunk);
    await received.startSpilling();
    const later = chunkOf('later');
    received.keep(later);
    const hashes = [...CHUNKS, later].map(({ hash }) => hash);
    expect(await inner.getMany(hashes)).toEqual(hashes.map(() => undefined));
    for (const { hash, bytes } of CHUNKS) expect(await received.get(hash)).toEqual(bytes);
    const all = received.overlay();
    expect(await all.getMany(hashes)).toEqual([...CHUNKS, later].map(({ bytes }) => bytes));
    expect(await all.hasMany(hashes)).toEqual(hashes.map(() => true));
    expect(received.inMemory()).toEqual([later]);
    release();
    await received.settle();
    expect(await inner.listTransfers()).toEqual(['t']);
    expect(await all.getMany(hashes)).toEqual([...CHUNKS, later].map(({ bytes }) => bytes));
  });

  it('are kept when it fails, and put there the next time', async () => {
    const { inner, store, release } = await slowStore(1);
    release();
    const received = new ReceivedChunks(store, 't', undefined);
    for (const chunk of CHUNKS) received.keep(chunk);
    await received.startSpilling();
    await expect(received.settle()).rejects.toMatchObject({ code: 'locked' });
    expect(received.inMemory()).toEqual(CHUNKS);
    await received.spill();
    expect(received.inMemory()).toEqual([]);
    const hashes = CHUNKS.map(({ hash }) => hash);
    expect(await inner.presence(hashes)).toEqual(hashes.map(() => 'incomplete'));
  });
});

it('a fetch of much into a store that is locked for a moment is whole', async () => {
  const scene = new Scene();
  const long = (id: number) => `${id} `.repeat(40);
  await scene.commit({ tables: { 'a.csv': rows(0, 40_000, long) } });
  const { inner, store, release } = await slowStore(1);
  release();
  const wants = [(await scene.head()) as never];
  const fetched = await fetchInto(remoteOver(scene.store), store, { wants }, RETRY);
  expect(fetched.reception.rawBytes).toBeGreaterThan(9_000_000);
  expect(fetched.reception.packs).toBe(1);
  const refs = [{ name: 'refs/heads/main', old: null, new: wants[0] }];
  expect(await fetched.commit({ refs })).toEqual({ done: true });
  expect(await inner.listTransfers()).toEqual([]);
  expect(await problems(inner)).toEqual([]);
});
