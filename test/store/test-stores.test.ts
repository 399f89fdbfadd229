/** The counting and the failing store do what they say, over any store. */
import { describe, expect, it } from 'vitest';
import { createMemoryStore } from '../../src/store/memory.ts';
import { everything } from '../suites/store-suite.ts';
import { chunkOf } from '../support/store-chunks.ts';
import { countingStore } from '../support/store-counting.ts';
import { failingStore, InjectedFailure } from '../support/store-failing.ts';

const [a, b] = [chunkOf('a'), chunkOf('b')];

describe('a counting store', () => {
  it('counts calls, chunks and kinds, and passes everything on', async () => {
    const { store, counts, reset } = countingStore(createMemoryStore());
    await store.putMany([a, b]);
    await store.transact({}, [chunkOf('another')]);
    await store.getMany([a.hash, a.hash, chunkOf('absent').hash]);
    await store.hasMany([b.hash]);
    expect(counts).toMatchObject({ putCalls: 1, puts: 3, putBytes: 9, transactCalls: 1 });
    expect(counts).toMatchObject({ getCalls: 1, gets: 3, hasCalls: 1, has: 1 });
    expect([...counts.getsByKind]).toEqual([[97, 2]]);
    expect([...counts.putsByKind]).toEqual([
      [97, 2],
      [98, 1],
    ]);
    expect(await everything(store)).toHaveLength(3);
    reset();
    expect(counts).toMatchObject({ puts: 0, gets: 0, getCalls: 0 });
    expect(counts.getsByKind.size + counts.putsByKind.size).toBe(0);
  });
});

describe('a failing store', () => {
  const attempt = async (afterwards: boolean, forGood: boolean) => {
    const inner = createMemoryStore();
    const { store, writes, failed } = failingStore(inner, { failAt: 2, afterwards, forGood });
    await store.putMany([a]);
    expect(failed()).toBe(false);
    await expect(store.transact({}, [b])).rejects.toThrow(InjectedFailure);
    expect(failed()).toBe(true);
    const third = await store.putMany([chunkOf('c')]).then(
      () => true,
      () => false,
    );
    expect(writes()).toBe(3);
    const hashes = [a, b, chunkOf('c')].map(({ hash }) => hash);
    expect(await store.hasMany(hashes)).toEqual([true, afterwards, third]);
    return third;
  };

  it('fails the write asked for, before or after it happens, once or for good', async () => {
    expect(await attempt(false, true)).toBe(false);
    expect(await attempt(true, true)).toBe(false);
    expect(await attempt(false, false)).toBe(true);
    expect(await attempt(true, false)).toBe(true);
  });
});
