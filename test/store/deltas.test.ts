/** What a chunk costs when it is like another one, and that no chain is longer than two. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ChunkToPut, Store } from '../../src/store/contract.ts';
import type { Maintenance, StoredObject } from '../../src/store/maintenance.ts';
import { everything, read } from '../suites/store-suite.ts';
import { chunkOf, editBytes, leafBytes, numbers } from '../support/store-chunks.ts';
import { type SqlitePlace, sqlitePlace } from '../support/store-places.ts';

let place: SqlitePlace;
let store: Store & Maintenance;
beforeEach(async () => {
  place = sqlitePlace();
  store = await place.open();
});
afterEach(async () => {
  await store.close();
  place.remove();
});

/** Checks that chains are short, and answers with every stored object by its hash. */
async function stored(): Promise<Map<string, StoredObject>> {
  const objects = new Map((await everything(store)).map((o) => [o.hash as string, o]));
  for (const { base } of objects.values()) {
    const second = base === null ? null : objects.get(base)?.base;
    expect(second).toBeDefined();
    if (typeof second === 'string') expect(objects.get(second)?.base).toBeNull();
  }
  return objects;
}

function randomBytes(seed: number, size: number): Buffer {
  const next = numbers(seed);
  return Buffer.from(Array.from({ length: size }, () => next() >>> 8));
}

describe('a delta', () => {
  it('takes under 200 bytes for a one-cell edit of a leaf', async () => {
    const leaf = chunkOf(leafBytes(1));
    const edited = chunkOf(editBytes(leaf.bytes, 1), leaf);
    await store.putMany([leaf]);
    await store.putMany([edited]);
    const objects = await stored();
    expect(objects.get(leaf.hash)?.base).toBeNull();
    expect(objects.get(edited.hash)?.base).toBe(leaf.hash);
    expect(objects.get(edited.hash)?.storedSize).toBeLessThan(200);
    expect(await read(store, edited.hash)).toEqual(edited.bytes);
  });

  it('takes little for a node of hashes with one child changed', async () => {
    const node = chunkOf(randomBytes(1, 8192));
    const bytes = Buffer.from(node.bytes);
    bytes.set(randomBytes(2, 32), 4000);
    const edited = chunkOf(bytes, node);
    await store.putMany([node, edited]);
    expect((await stored()).get(edited.hash)?.storedSize).toBeLessThan(120);
    expect(await read(store, edited.hash)).toEqual(bytes);
  });

  it('is against a delta, but no third one is, in one batch or in several', async () => {
    const first = chunkOf(leafBytes(2));
    const second = chunkOf(editBytes(first.bytes, 1), first);
    const third = chunkOf(editBytes(second.bytes, 2), second);
    const fourth = chunkOf(editBytes(third.bytes, 3), third);
    await store.putMany([first, second, third]);
    await store.putMany([fourth]);
    const objects = await stored();
    expect(objects.get(second.hash)?.base).toBe(first.hash);
    for (const chunk of [third, fourth]) {
      expect([first.hash, second.hash]).toContain(objects.get(chunk.hash)?.base);
      expect(await read(store, chunk.hash)).toEqual(chunk.bytes);
    }
    const bases = [...objects.values()].map(({ base }) => base && objects.get(base)?.base);
    expect(bases).toContain(first.hash);
  });

  it('is not made where it would not be much smaller', async () => {
    const leaf = chunkOf(leafBytes(3));
    const unlike = chunkOf(leafBytes(4), leaf);
    const half = chunkOf(Buffer.concat([leaf.bytes.subarray(0, 4096), leafBytes(5, 4096)]), leaf);
    await store.putMany([leaf, unlike, half]);
    const objects = await stored();
    expect(objects.get(unlike.hash)?.base).toBeNull();
    expect(objects.get(half.hash)?.base).toBeNull();
  });

  it('is not made against bytes that zstd takes for a trained dictionary', async () => {
    const magic = Buffer.concat([Buffer.from('37a430ec', 'hex'), leafBytes(6)]);
    const base = chunkOf(magic);
    const edited = chunkOf(editBytes(magic, 1), base);
    await store.putMany([base, edited]);
    expect((await stored()).get(edited.hash)?.base).toBeNull();
    expect(await read(store, edited.hash)).toEqual(edited.bytes);
  });

  it('is not made against the empty chunk, nor fails on one', async () => {
    const empty = chunkOf('');
    const leaf = chunkOf(leafBytes(7), empty);
    await store.putMany([empty, leaf, { ...chunkOf(''), like: leaf.hash }]);
    expect((await stored()).get(leaf.hash)?.base).toBeNull();
    expect(await read(store, leaf.hash)).toEqual(leaf.bytes);
  });
});

describe('a row of edits', () => {
  /** 1,000 edits of a leaf, each like the one before, put one by one. */
  async function editOneByOne(): Promise<ChunkToPut[]> {
    let last = chunkOf(leafBytes(8));
    const chunks = [last];
    await store.putMany([last]);
    for (let i = 0; i < 1000; i++) {
      last = chunkOf(editBytes(last.bytes, i), last);
      chunks.push(last);
      await store.putMany([last]);
    }
    return chunks;
  }

  it('gets a new keyframe when its deltas have grown, and stays small and readable', async () => {
    const chunks = await editOneByOne();
    const objects = await stored();
    const keyframes = [...objects.values()].filter((object) => object.base === null);
    expect(keyframes.length).toBeGreaterThan(1);
    expect(keyframes.length).toBeLessThan(100);
    const whole = Math.max(...keyframes.map((object) => object.storedSize));
    for (const { base, storedSize } of objects.values()) {
      if (base !== null) expect(storedSize).toBeLessThan(whole / 3);
    }
    const total = [...objects.values()].reduce((sum, object) => sum + object.storedSize, 0);
    expect(total / chunks.length).toBeLessThan(250);
    const got = await store.getMany(chunks.map((chunk) => chunk.hash));
    expect(got.map((bytes) => Buffer.from(bytes ?? []))).toEqual(chunks.map((c) => c.bytes));
  });
});
