/** What a store on disk keeps in memory of its objects is what is there. */
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Store } from '../../src/store/contract.ts';
import { chunkOf, leafBytes } from '../support/store-chunks.ts';
import { sqlitePlace } from '../support/store-places.ts';

function place() {
  const made = sqlitePlace();
  onTestFinished(() => made.remove());
  return made;
}

const put = (store: Store, ...chunks: ReturnType<typeof chunkOf>[]) =>
  store.transact({ state: [{ key: 'k', value: Buffer.from('v') }] }, chunks);

describe('objects that are known', () => {
  it.each(['by itself', 'by another connection'])(
    'are gone when they are swept %s',
    async (who) => {
      const files = place();
      const store = await files.open();
      const other = await files.open();
      const [kept, doomed] = [chunkOf(leafBytes(1)), chunkOf(leafBytes(2))];
      await put(store, kept, doomed);
      expect((await store.getMany([doomed.hash]))[0]).toEqual(doomed.bytes);
      files.time += 1000;
      const marker = await (who === 'by itself' ? store : other).startMarking();
      await marker.mark([kept.hash]);
      const { objects } = await marker.sweep({ keepSince: files.time, dryRun: false });
      expect(objects).toBe(1);
      expect(await store.getMany([doomed.hash, kept.hash])).toEqual([undefined, kept.bytes]);
      expect(await store.hasMany([doomed.hash, kept.hash])).toEqual([false, true]);
      // A delta must not rest on it either.
      const like = chunkOf(Buffer.concat([doomed.bytes, Buffer.from('more')]), doomed);
      await put(store, like, doomed);
      expect(await other.getMany([like.hash, doomed.hash])).toEqual([like.bytes, doomed.bytes]);
      expect(await other.check()).toEqual([]);
      await store.close();
      await other.close();
    },
  );

  it('are not those of a transaction that failed, whose numbers are given out again', async () => {
    const files = place();
    const store = await files.open();
    const failed = chunkOf(leafBytes(3));
    const ref = { name: 'refs/heads/main', old: null, new: failed.hash };
    const log = { actor: {} as string, time: 1, message: '' };
    await expect(store.transact({ refs: [ref], log }, [failed])).rejects.toThrow();
    expect(await store.getMany([failed.hash])).toEqual([undefined]);
    const next = chunkOf(leafBytes(4));
    await put(store, next);
    expect(await store.getMany([failed.hash, next.hash])).toEqual([undefined, next.bytes]);
    await put(store, failed);
    expect(await store.getMany([failed.hash, next.hash])).toEqual([failed.bytes, next.bytes]);
    await store.close();
  });
});
