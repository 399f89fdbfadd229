/** What every store promises a gc: what is marked, new or relied on is kept, the rest goes. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Hash } from '../../src/hash.ts';
import type { ChunkToPut, Store } from '../../src/store/contract.ts';
import type { Maintenance } from '../../src/store/maintenance.ts';
import { chunkOf, editBytes, leafBytes } from '../support/store-chunks.ts';
import type { StorePlace } from '../support/store-places.ts';

const HOUR = 3_600_000;

export function gcSuite(makePlace: () => StorePlace): void {
  describe('gc', () => {
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

    /** Marks, then sweeps everything written before this moment. */
    async function collect(kept: readonly ChunkToPut[], during?: () => Promise<void>) {
      place.time += HOUR;
      const marker = await store.startMarking();
      await marker.mark(kept.map((chunk) => chunk.hash));
      await during?.();
      return marker.sweep({ keepSince: place.time, dryRun: false });
    }

    const present = (chunks: readonly ChunkToPut[]) =>
      store.hasMany(chunks.map((chunk) => chunk.hash));

    it('answers for each mark whether it was new', async () => {
      const [a, b, c] = ['a', 'b', 'c'].map((text) => chunkOf(text));
      await store.putMany([a, b]);
      const marker = await store.startMarking();
      const hashes: Hash[] = [a.hash, c.hash, a.hash, b.hash];
      expect(await marker.mark(hashes)).toEqual([true, false, false, true]);
      expect(await marker.mark([b.hash])).toEqual([false]);
      const later = chunkOf('later');
      await store.putMany([later]);
      expect(await marker.mark([later.hash, later.hash])).toEqual([true, false]);
    });

    it('keeps what is marked and sweeps the rest', async () => {
      const chunks = Array.from({ length: 3000 }, (_, i) => chunkOf(`chunk ${i}`));
      await store.putMany(chunks);
      const kept = chunks.filter((_, i) => i % 3 === 0);
      expect(await collect(kept)).toMatchObject({ objects: 2000 });
      expect(await present(chunks)).toEqual(chunks.map((_, i) => i % 3 === 0));
      expect(await store.check()).toEqual([]);
      expect(await collect(kept)).toEqual({ objects: 0, storedBytes: 0 });
    });

    it('only reports in a dry run', async () => {
      const chunk = chunkOf('x');
      await store.putMany([chunk]);
      place.time += HOUR;
      const marker = await store.startMarking();
      const options = { keepSince: place.time, dryRun: true };
      expect(await marker.sweep(options)).toEqual({ objects: 1, storedBytes: 1 });
      expect(await present([chunk])).toEqual([true]);
    });

    it('keeps what was written since a given time', async () => {
      const [old, young] = [chunkOf('old'), chunkOf('young')];
      await store.putMany([old]);
      place.time += HOUR;
      const keepSince = place.time;
      await store.putMany([young]);
      place.time += HOUR;
      const marker = await store.startMarking();
      expect((await marker.sweep({ keepSince, dryRun: false })).objects).toBe(1);
      expect(await present([old, young])).toEqual([false, true]);
    });

    it('keeps what was put again since a given time', async () => {
      const [old, again] = [chunkOf('old'), chunkOf('again')];
      await store.putMany([old, again]);
      place.time += HOUR;
      const keepSince = place.time;
      await store.putMany([again]);
      place.time += HOUR;
      const marker = await store.startMarking();
      await marker.sweep({ keepSince, dryRun: false });
      expect(await present([old, again])).toEqual([false, true]);
    });

    it('keeps what is put or put again while it marks, whatever the time', async () => {
      const [gone, again, moved] = [chunkOf('gone'), chunkOf('again'), chunkOf('moved')];
      await store.putMany([gone, again, moved]);
      const fresh = chunkOf('fresh');
      await collect([], async () => {
        await store.putMany([again, fresh]);
        await store.transact({}, [moved]);
        place.time += HOUR;
      });
      expect(await present([gone, again, moved, fresh])).toEqual([false, true, true, true]);
      await collect([]);
      expect(await present([gone, again, moved, fresh])).toEqual([false, false, false, false]);
    });

    it('keeps what another handle puts again while it marks', async () => {
      const other = await place.open();
      const [gone, again] = [chunkOf('gone'), chunkOf('again')];
      await store.putMany([gone, again]);
      await collect([], () => other.putMany([again]));
      expect(await present([gone, again])).toEqual([false, true]);
      await other.close();
    });

    it('leaves every kept chunk readable when its base goes unmarked', async () => {
      const base = chunkOf(leafBytes(1));
      const edits = Array.from({ length: 10 }, (_, i) => chunkOf(editBytes(base.bytes, i), base));
      await store.putMany([base, ...edits]);
      await collect(edits.slice(5));
      const got = await store.getMany(edits.slice(5).map((chunk) => chunk.hash));
      expect(got.map((bytes) => Buffer.from(bytes ?? []))).toEqual(
        edits.slice(5).map((chunk) => chunk.bytes),
      );
      expect(await present(edits.slice(0, 5))).toEqual(edits.slice(0, 5).map(() => false));
      expect(await store.check()).toEqual([]);
      await collect([]);
      expect(await present([base, ...edits])).toEqual([base, ...edits].map(() => false));
    });

    it('keeps the base of a delta that is put, or put again, while it marks', async () => {
      const [first, second] = [chunkOf(leafBytes(2)), chunkOf(leafBytes(3))];
      const again = chunkOf(editBytes(first.bytes, 1), first);
      await store.putMany([first, second, again]);
      const fresh = chunkOf(editBytes(second.bytes, 1), second);
      await collect([], () => store.putMany([again, fresh]));
      const got = await store.getMany([again.hash, fresh.hash]);
      expect(got.map((bytes) => Buffer.from(bytes ?? []))).toEqual([again.bytes, fresh.bytes]);
      expect(await store.check()).toEqual([]);
    });

    it('keeps the base of a delta that is put at any moment of the sweep', async () => {
      for (let moment = 0; moment < 6; moment++) {
        const base = chunkOf(leafBytes(moment));
        const delta = chunkOf(editBytes(base.bytes, moment), base);
        await store.putMany([base]);
        place.time += HOUR;
        const marker = await store.startMarking();
        const sweeping = marker.sweep({ keepSince: place.time, dryRun: false });
        for (let turn = 0; turn < moment; turn++) {
          await new Promise((resume) => setImmediate(resume));
        }
        await store.putMany([delta]);
        await sweeping;
        const [got] = await store.getMany([delta.hash]);
        expect(Buffer.from(got ?? [])).toEqual(delta.bytes);
        expect(await store.check()).toEqual([]);
      }
    });

    it('goes on while others put and read what it sweeps', async () => {
      const chunks = Array.from({ length: 5000 }, (_, i) => chunkOf(`chunk ${i}`));
      await store.putMany(chunks);
      place.time += HOUR;
      const marker = await store.startMarking();
      let done = false;
      const sweeping = marker.sweep({ keepSince: place.time, dryRun: false }).then(() => {
        done = true;
      });
      const put: ChunkToPut[] = [];
      for (let i = 0; !done; i = (i + 997) % chunks.length) {
        await store.transact({}, [chunks[i]]);
        put.push(chunks[i]);
        expect(await present([chunks[i]])).toEqual([true]);
        await new Promise((resume) => setImmediate(resume));
      }
      await sweeping;
      expect(await present(put)).toEqual(put.map(() => true));
      const left = (await present(chunks)).filter(Boolean).length;
      expect(left).toBe(new Set(put.map(({ hash }) => hash)).size);
    });

    it('leaves room that compacting gives back', async () => {
      const chunks = Array.from({ length: 200 }, (_, i) => chunkOf(leafBytes(i)));
      await store.putMany(chunks);
      await store.compact();
      const before = await store.fileSizes();
      await collect(chunks.slice(0, 20));
      await store.compact();
      const after = await store.fileSizes();
      expect(after.freeBytes).toBe(0);
      expect(after.fileBytes).toBeLessThanOrEqual(before.fileBytes * 0.3);
      for (const { hash, bytes } of chunks.slice(0, 20)) {
        const [got] = await store.getMany([hash]);
        expect(Buffer.from(got ?? [])).toEqual(bytes);
      }
    });
  });
}
