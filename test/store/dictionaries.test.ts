/** Whole chunks of a large batch share a dictionary of the batch's own bytes. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type Compression,
  loadNativeCompression,
  zlibCompression,
} from '../../src/store/compression.ts';
import type { Store } from '../../src/store/contract.ts';
import type { Maintenance } from '../../src/store/maintenance.ts';
import { everything, read } from '../suites/store-suite.ts';
import { chunkOf, editBytes, leafBytes, numbers } from '../support/store-chunks.ts';
import { type SqlitePlace, sqlitePlace } from '../support/store-places.ts';

/** Leaves of a table with long words that come again and again in other leaves. */
function wordyLeaf(seed: number): Buffer {
  const next = numbers(seed);
  const words = Array.from({ length: 150 }, () => {
    const word = numbers(1000 + (next() % 400));
    return Array.from({ length: 6 }, () => word().toString(36)).join('-');
  });
  return Buffer.from(words.join('\n'));
}

const batch = Array.from({ length: 120 }, (_, i) => chunkOf(wordyLeaf(i)));
const kinds: readonly Compression[] = [zlibCompression, loadNativeCompression() ?? zlibCompression];

for (const [index, compression] of kinds.entries()) {
  describe(`a large batch with ${compression.name}`, () => {
    let place: SqlitePlace;
    let store: Store & Maintenance;
    beforeEach(async () => {
      place = sqlitePlace(compression);
      store = await place.open();
    });
    afterEach(async () => {
      await store.close();
      place.remove();
    });

    const total = async () =>
      (await everything(store)).reduce((sum, object) => sum + object.storedSize, 0);

    it('takes less than its chunks put one by one', async () => {
      for (const chunk of batch) await store.putMany([chunk]);
      const alone = await total();
      await store.close();
      place.remove();
      place = sqlitePlace(compression);
      store = await place.open();
      await store.putMany(batch);
      expect(await total()).toBeLessThan(alone * 0.9);
      for (const { hash, bytes } of batch) expect(await read(store, hash)).toEqual(bytes);
    });

    it('reads back after reopening, whichever compression reads', async () => {
      await store.putMany(batch);
      await store.close();
      store = await place.open({ compression: kinds[1 - index] });
      for (const { hash, bytes } of batch) expect(await read(store, hash)).toEqual(bytes);
      const edits = batch.slice(0, 10).map((chunk) => chunkOf(editBytes(chunk.bytes, 1), chunk));
      await store.putMany(edits);
      for (const { hash, bytes } of edits) expect(await read(store, hash)).toEqual(bytes);
      for (const object of await everything(store)) {
        if (edits.some(({ hash }) => hash === object.hash)) expect(object.base).not.toBeNull();
      }
    });

    it('lends its dictionary to a small batch that follows', async () => {
      const late = chunkOf(wordyLeaf(5000));
      await store.putMany([late]);
      const [before] = await everything(store);
      await store.putMany(batch);
      const marker = await store.startMarking();
      await marker.mark(batch.map(({ hash }) => hash));
      place.time += 1000;
      await marker.sweep({ keepSince: place.time, dryRun: false });
      await store.putMany([late]);
      const after = (await everything(store)).find((object) => object.hash === late.hash);
      expect(after?.storedSize).toBeLessThan(before.storedSize * 0.9);
      expect(await read(store, late.hash)).toEqual(late.bytes);
    });

    it('makes none for chunks that do not compress', async () => {
      const next = numbers(1);
      const noise = Array.from({ length: 80 }, () =>
        chunkOf(Buffer.from(Array.from({ length: 8192 }, () => next() >>> 8))),
      );
      await store.putMany(noise);
      for (const object of await everything(store)) {
        expect(object.storedSize).toBe(object.rawSize);
      }
      const { hash, bytes } = chunkOf(leafBytes(1));
      await store.putMany([{ hash, bytes }]);
      expect(await read(store, hash)).toEqual(bytes);
    });
  });
}
