/** The thread that stores what is much, while more of it is made. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadCompression } from '../../src/store/compression.ts';
import type { ChunkToPut } from '../../src/store/contract.ts';
import { BackgroundPuts } from '../../src/store/sqlite-background.ts';
import type { ReceivedChunk } from '../../src/store/transfer.ts';
import { chunkOf, editBytes, leafBytes } from '../support/store-chunks.ts';
import { type SqlitePlace, sqlitePlace } from '../support/store-places.ts';

let place: SqlitePlace;
beforeEach(() => {
  place = sqlitePlace();
});
afterEach(() => place.remove());

const compression = loadCompression();
const MIXED = 1200;
/** Every fourth is raw, a frame, a frame with the dictionary, a delta against the one before. */
function mixed(dictionary: ChunkToPut): ReceivedChunk[] {
  const prepared = compression.prepare(dictionary.bytes);
  let last = chunkOf(leafBytes(0));
  return Array.from({ length: MIXED }, (_, i): ReceivedChunk => {
    const bytes = i % 4 === 3 ? editBytes(last.bytes, i) : leafBytes(i);
    const chunk = chunkOf(bytes);
    const encoded = (form: NonNullable<ReceivedChunk['encoded']>['form'], data: Uint8Array) => ({
      ...chunk,
      encoded: { hash: chunk.hash, rawSize: bytes.length, form, data: Buffer.from(data) },
    });
    const base = last;
    last = chunk;
    if (i % 4 === 0) return encoded({ kind: 'raw' }, bytes);
    if (i % 4 === 1) return encoded({ kind: 'zstd' }, compression.compress(bytes));
    if (i % 4 === 2) {
      const form = { kind: 'shared', dictionary: dictionary.hash } as const;
      return encoded(form, compression.compress(bytes, prepared));
    }
    return encoded({ kind: 'delta', base: base.hash }, compression.compress(bytes, base.bytes));
  });
}

describe('a large transfer', () => {
  it('is stored as it came, and counts when it is completed', async () => {
    const dictionary = chunkOf(leafBytes(5000, 60_000));
    const chunks = mixed(dictionary);
    let store = await place.open({ background: true });
    await store.putDictionary(dictionary.bytes);
    const puts: Promise<void>[] = [];
    for (let at = 0; at < MIXED; at += 100) {
      puts.push(store.putReceived('t', chunks.slice(at, at + 100)));
    }
    await Promise.all(puts);
    const hashes = chunks.map(({ hash }) => hash);
    expect(new Set(await store.presence(hashes))).toEqual(new Set(['incomplete']));
    await store.close();
    store = await place.open();
    const raw = await store.getMany(hashes);
    const differ = raw.filter((bytes, i) => !chunks[i].bytes.every((b, at) => bytes?.[at] === b));
    expect(differ).toEqual([]);
    for (const [i, stored] of (await store.readEncoded(hashes)).entries()) {
      const { form, data } = chunks[i].encoded ?? {};
      expect(stored?.form).toEqual(form);
      expect(Buffer.compare(stored?.data ?? Buffer.of(), data ?? Buffer.of())).toBe(0);
    }
    await store.transact({ completes: ['t'] });
    expect(new Set(await store.presence(hashes))).toEqual(new Set(['complete']));
    expect(await store.check()).toEqual([]);
    await store.close();
  });

  it('that is dropped while it is being stored leaves nothing', async () => {
    const chunks = mixed(chunkOf(leafBytes(5000, 60_000)));
    const store = await place.open({ background: true });
    const put = store.putReceived('t', chunks);
    await store.dropTransfer('t');
    expect(await store.listTransfers()).toEqual([]);
    await put;
    const presence = await store.presence(chunks.map(({ hash }) => hash));
    expect(new Set(presence)).toEqual(new Set(['absent']));
    await store.close();
  });
});

describe('the thread', () => {
  const many = (from: number) =>
    Array.from({ length: 500 }, (_, i) => chunkOf(leafBytes(from + i)));

  it('ends when there is nothing to store, and another one begins', async () => {
    await (await place.open()).close();
    const setup = () => ({
      path: place.path,
      owner: undefined,
      lockTimeoutMs: 60,
      now: place.time,
    });
    const puts = new BackgroundPuts(setup, 1);
    for (const from of [0, 1000]) {
      await puts.put(many(from), 't');
      await expect.poll(() => puts.isRunning).toBe(false);
    }
    await puts.close();
    const store = await place.open();
    const hashes = [...many(0), ...many(1000)].map(({ hash }) => hash);
    expect(new Set(await store.presence(hashes))).toEqual(new Set(['incomplete']));
    await store.close();
  });

  it('says why it could not store something, and goes on', async () => {
    const store = await place.open({ background: true });
    await store.putReceived('t', many(0));
    const over = chunkOf(Buffer.alloc(300_000, 7));
    await expect(store.putReceived('t', [over])).rejects.toThrow(/300000 bytes/);
    await store.putReceived('t', many(1000));
    const hashes = [over, ...many(1000)].map(({ hash }) => hash);
    expect(new Set(await store.presence(hashes))).toEqual(new Set(['absent', 'incomplete']));
    await store.close();
  });
});
