/** What every store promises of chunks that come from another one (src/store/transfer.ts). */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { hashOf } from '../../src/hash.ts';
import { loadCompression } from '../../src/store/compression.ts';
import { type ChunkToPut, MAX_CHUNK_BYTES, type Store } from '../../src/store/contract.ts';
import type { Maintenance } from '../../src/store/maintenance.ts';
import type { ReceivedChunk } from '../../src/store/transfer.ts';
import { chunkOf, editBytes, leafBytes } from '../support/store-chunks.ts';
import type { StorePlace } from '../support/store-places.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

const leaf = chunkOf(leafBytes(1));
const edit = chunkOf(editBytes(leaf.bytes, 1), leaf);
const edit2 = chunkOf(editBytes(edit.bytes, 2), edit);
const small = chunkOf('small');
const ALL = [leaf, edit, edit2, small];

export function transferSuite(makePlace: () => StorePlace): void {
  describe('a transfer', () => {
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

    const presence = (...chunks: ChunkToPut[]) => store.presence(chunks.map(({ hash }) => hash));
    const has = (...chunks: ChunkToPut[]) => store.hasMany(chunks.map(({ hash }) => hash));
    async function expectReadable(...chunks: ChunkToPut[]) {
      const got = await store.getMany(chunks.map(({ hash }) => hash));
      expect(got.map((bytes) => Buffer.from(bytes ?? []))).toEqual(chunks.map((c) => c.bytes));
    }

    it('has chunks that can be read and do not count, also after opening again', async () => {
      await store.putMany([small]);
      await store.putReceived('t', [leaf, edit, small]);
      await store.putReceived('t', [edit, leaf]);
      await store.close();
      store = await place.open();
      expect(await presence(...ALL)).toEqual(['incomplete', 'incomplete', 'absent', 'complete']);
      expect(await has(...ALL)).toEqual([false, false, false, true]);
      await expectReadable(leaf, edit, small);
      expect(await store.listTransfers()).toEqual(['t']);
    });

    it('counts when a transaction completes it, and only if that wins', async () => {
      await store.putReceived('t', [leaf, edit]);
      const refs = [{ name: 'refs/heads/main', old: null, new: edit.hash }];
      const losing = [{ ...refs[0], old: leaf.hash }];
      expect(await store.transact({ refs: losing, completes: ['t'] })).toMatchObject({
        done: false,
      });
      expect(await has(leaf, edit)).toEqual([false, false]);
      expect(await store.transact({ refs, completes: ['t', 'none'] })).toEqual({ done: true });
      expect(await has(leaf, edit)).toEqual([true, true]);
      expect(await store.listTransfers()).toEqual([]);
      await store.dropTransfer('t');
      await store.putReceived('later', [leaf]);
      expect(await presence(leaf, edit)).toEqual(['complete', 'complete']);
      expect(await store.listTransfers()).toEqual([]);
    });

    it('leaves alone what somebody else has put meanwhile', async () => {
      await store.putReceived('t', ALL);
      await store.putMany([leaf]);
      await store.transact({}, [small]);
      expect(await has(...ALL)).toEqual([true, false, false, true]);
      await store.dropTransfer('t');
      expect(await has(leaf, small)).toEqual([true, true]);
      await expectReadable(leaf, small);
      expect(await store.listTransfers()).toEqual([]);
    });

    it('shares chunks with another, and neither takes them from the other', async () => {
      const both = chunkOf('both');
      await store.putReceived('t', [leaf, small, both]);
      await store.putReceived('u', [leaf, edit, both]);
      expect(await store.listTransfers()).toEqual(['t', 'u']);
      await store.dropTransfer('t');
      expect(await presence(leaf, edit, both, small)).toEqual([
        'incomplete',
        'incomplete',
        'incomplete',
        'absent',
      ]);
      await store.putReceived('v', [leaf]);
      await store.transact({ completes: ['u'] });
      expect(await presence(leaf, edit)).toEqual(['complete', 'complete']);
      await store.dropTransfer('v');
      expect(await presence(leaf, edit)).toEqual(['complete', 'complete']);
      expect(await store.listTransfers()).toEqual([]);
    });

    it('given up is gone, but for the bases of others', async () => {
      await store.putReceived('t', [leaf, edit, edit2, small]);
      const own = chunkOf(editBytes(leaf.bytes, 3), leaf);
      await store.putMany([own]);
      await store.dropTransfer('t');
      await store.dropTransfer('t');
      expect(await store.listTransfers()).toEqual([]);
      expect((await presence(edit2, small)).every((each) => each === 'absent')).toBe(true);
      expect(await has(leaf, edit, own)).toEqual([false, false, true]);
      await expectReadable(own);
      expect(await store.check()).toEqual([]);
      await store.putReceived('again', [leaf]);
      await store.transact({ completes: ['again'] });
      expect(await presence(leaf)).toEqual(['complete']);
    });

    it('of many chunks goes and comes', async () => {
      const many = Array.from({ length: 2500 }, (_, i) => chunkOf(leafBytes(i, 200)));
      await store.putReceived('t', many);
      await store.dropTransfer('t');
      expect(new Set(await presence(...many))).toEqual(new Set(['absent']));
      await store.putReceived('t', many);
      await store.transact({ completes: ['t'] });
      expect(new Set(await presence(...many))).toEqual(new Set(['complete']));
      expect(await store.check()).toEqual([]);
    });

    it('takes no chunk over the limit', async () => {
      const over = chunkOf(Buffer.alloc(MAX_CHUNK_BYTES + 1));
      await expect(store.putReceived('t', [small, over])).rejects.toMatchObject({ code: 'bug' });
      expect(await presence(over)).toEqual(['absent']);
    });

    describe('and gc', () => {
      async function collect(transfersSince?: number) {
        const marker = await store.startMarking();
        const swept = await marker.sweep({
          keepSince: place.time,
          dryRun: false,
          ...(transfersSince === undefined ? {} : { transfersSince }),
        });
        expect(await store.check()).toEqual([]);
        return swept.objects;
      }

      it('keeps it for a day after the last chunk, then not', async () => {
        await store.putReceived('t', [leaf, edit]);
        place.time += 20 * HOUR;
        await store.putReceived('t', [edit2]);
        place.time += 20 * HOUR;
        await store.putMany([small]);
        place.time += HOUR;
        expect(await collect()).toBe(1);
        expect(await presence(...ALL)).toEqual([
          'incomplete',
          'incomplete',
          'incomplete',
          'absent',
        ]);
        place.time += 4 * HOUR;
        expect(await collect()).toBe(3);
        expect(await store.listTransfers()).toEqual([]);
      });

      it('keeps it as long as it is told', async () => {
        await store.putReceived('t', [leaf]);
        const began = place.time;
        place.time += 9 * DAY;
        expect(await collect(began)).toBe(0);
        expect(await collect(began + 1)).toBe(1);
      });

      it('keeps what is completed while it marks or sweeps', async () => {
        await store.putReceived('t', [leaf, edit, edit2]);
        place.time += 2 * DAY;
        const marker = await store.startMarking();
        await store.transact({ completes: ['t'] });
        place.time += HOUR;
        await marker.sweep({ keepSince: place.time, dryRun: false });
        expect(await has(leaf, edit, edit2)).toEqual([true, true, true]);
        await expectReadable(leaf, edit, edit2);
        place.time += HOUR;
        expect(await collect()).toBe(3);
      });

      it('sweeps the base that a transfer left behind once nothing needs it', async () => {
        const own = chunkOf(editBytes(leaf.bytes, 3), leaf);
        await store.putReceived('t', [leaf]);
        await store.putMany([own]);
        await store.dropTransfer('t');
        place.time += HOUR;
        await collect();
        expect(await presence(leaf, own)).toEqual(['absent', 'absent']);
      });
    });

    describe('between two stores', () => {
      let otherPlace: StorePlace;
      let other: Store & Maintenance;
      beforeEach(async () => {
        otherPlace = makePlace();
        other = await otherPlace.open();
      });
      afterEach(async () => {
        await other.close();
        otherPlace.remove();
      });

      /** Everything this store has, as it has it. */
      async function encodedOf(chunks: readonly ChunkToPut[]): Promise<ReceivedChunk[]> {
        const encoded = await store.readEncoded(chunks.map(({ hash }) => hash));
        return chunks.map(({ hash, bytes }, i) => ({ hash, bytes, encoded: encoded[i] }));
      }

      const forms = async (from: Store, chunks: readonly ChunkToPut[]) =>
        (await from.readEncoded(chunks.map(({ hash }) => hash))).map((each) => each?.form);

      it('carries chunks as they lie there', async () => {
        const many = Array.from({ length: 90 }, (_, i) => chunkOf(leafBytes(i)));
        await store.putMany(many);
        await store.putMany(ALL);
        const chunks = [...many, ...ALL];
        const received = await encodedOf(chunks);
        for (const { encoded } of received) {
          if (encoded?.form.kind !== 'shared') continue;
          const bytes = await store.getDictionary(encoded.form.dictionary);
          expect(hashOf(bytes ?? Buffer.alloc(0))).toBe(encoded.form.dictionary);
          if (bytes !== undefined) await other.putDictionary(bytes);
        }
        await other.putReceived('t', received.toReversed());
        await other.transact({ completes: ['t'] });
        const got = await other.getMany(chunks.map(({ hash }) => hash));
        expect(got.map((bytes) => Buffer.from(bytes ?? []))).toEqual(chunks.map((c) => c.bytes));
        const copies = await other.readEncoded(chunks.map(({ hash }) => hash));
        expect(copies.map(comparable)).toEqual(received.map(({ encoded }) => comparable(encoded)));
        expect(await other.check()).toEqual([]);
      });

      it('makes its own of what it lacks a base or a dictionary for', async () => {
        const many = Array.from({ length: 90 }, (_, i) => chunkOf(leafBytes(i)));
        await store.putMany(many);
        await store.putMany(ALL);
        const received = await encodedOf([...many, edit2, edit]);
        await other.putReceived('t', received);
        const chunks = received.map(({ hash }) => hash);
        const got = await other.getMany(chunks);
        expect(got.map((bytes) => Buffer.from(bytes ?? []))).toEqual(received.map((c) => c.bytes));
        for (const form of await forms(other, many)) expect(form?.kind).not.toBe('shared');
        expect(await other.check()).toEqual([]);
      });

      it('never lets a chain of deltas grow', async () => {
        const compression = loadCompression();
        const row: ReceivedChunk[] = [leaf];
        for (let i = 0; i < 12; i++) {
          const last = row[i];
          const { hash, bytes } = chunkOf(editBytes(last.bytes, i));
          const data = compression.compress(bytes, last.bytes);
          const form = { kind: 'delta' as const, base: last.hash };
          row.push({ hash, bytes, encoded: { hash, rawSize: bytes.length, form, data } });
        }
        await other.putReceived('t', row.slice(0, 6).toReversed());
        for (const chunk of row) await other.putReceived('t', [chunk]);
        expect(await other.check()).toEqual([]);
        await other.close();
        other = await otherPlace.open();
        const got = await other.getMany(row.map(({ hash }) => hash));
        expect(got.map((bytes) => Buffer.from(bytes ?? []))).toEqual(row.map((c) => c.bytes));
      });

      it('ignores an encoding that cannot be right', async () => {
        await store.putMany([leaf]);
        const [{ encoded }] = await encodedOf([leaf]);
        if (encoded === undefined) throw new Error('not stored');
        const wrong = [
          { ...encoded, rawSize: encoded.rawSize + 1 },
          { ...encoded, form: { kind: 'zstd' as const }, data: Buffer.alloc(MAX_CHUNK_BYTES + 1) },
          { ...encoded, form: { kind: 'delta' as const, base: small.hash } },
          { ...encoded, form: { kind: 'shared' as const, dictionary: small.hash } },
          { ...encoded, form: { kind: 'delta' as const, base: leaf.hash } },
        ];
        for (const each of wrong) {
          await other.putReceived('t', [{ ...leaf, encoded: each }]);
          const [got] = await other.getMany([leaf.hash]);
          expect(Buffer.from(got ?? [])).toEqual(leaf.bytes);
          await other.dropTransfer('t');
        }
      });

      it('has a bounded number of dictionaries', async () => {
        const dictionaries = Array.from({ length: 70 }, (_, i) => leafBytes(i, 1000));
        for (const bytes of [...dictionaries, ...dictionaries]) await other.putDictionary(bytes);
        await other.putDictionary(Buffer.from('x'));
        const known = await Promise.all(
          dictionaries.map((each) => other.getDictionary(hashOf(each))),
        );
        for (const [i, bytes] of known.entries()) {
          if (bytes !== undefined) expect(Buffer.from(bytes)).toEqual(dictionaries[i]);
        }
        expect(known[0]).toBeDefined();
        expect(await other.getDictionary(small.hash)).toBeUndefined();
      });
    });
  });
}

function comparable(encoded: ReceivedChunk['encoded']) {
  return encoded && { ...encoded, data: Buffer.from(encoded.data) };
}
