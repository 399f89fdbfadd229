/** Bytes, reads and memory of a transfer follow what changed. */
import { describe, expect, it } from 'vitest';
import type { Hash } from '../../src/hash.ts';
import { edgesOf } from '../../src/model/edges.ts';
import type { Store } from '../../src/store/contract.ts';
import { fetchInto } from '../../src/sync/fetch-into.ts';
import { PackWriter } from '../../src/sync/pack.ts';
import { PackReader } from '../../src/sync/pack-reader.ts';
import { pushFrom } from '../../src/sync/push-from.ts';
import { sendPack } from '../../src/sync/sender.ts';
import { bytesOf } from '../support/pack-frames.ts';
import { countingStore } from '../support/store-counting.ts';
import { memoryPlace, sqlitePlace } from '../support/store-places.ts';
import { RETRY, remoteOver, rows, Scene } from '../support/sync-scene.ts';

/** Everything below a commit's root. */
async function reach(store: Store, commit: Hash): Promise<Set<Hash>> {
  const found = new Set<Hash>();
  const stack = [{ kind: 'named', hash: commit } as ReturnType<typeof edgesOf>[number]];
  for (let edge = stack.pop(); edge !== undefined; edge = stack.pop()) {
    if (found.has(edge.hash)) continue;
    found.add(edge.hash);
    const [bytes] = await store.getMany([edge.hash]);
    stack.push(...edgesOf(edge.kind, bytes as Uint8Array));
  }
  return found;
}

async function storedBytes(store: Store, hashes: readonly Hash[]): Promise<number> {
  const chunks = await store.readEncoded(hashes);
  return chunks.reduce((sum, chunk) => sum + (chunk?.data.length ?? 0) + 32, 0);
}

describe('a commit of one row', () => {
  it('is pushed in one request of less than 2 KB, however large the table is', async () => {
    const costs = [];
    for (const size of [2000, 60_000]) {
      const here = sqlitePlace();
      const there = sqlitePlace();
      const inner = await here.open();
      const { store: counted, counts, reset } = countingStore(await there.open());
      const scene = new Scene(inner);
      const first = await scene.commit({ tables: { t: rows(0, size) } });
      const remote = remoteOver(counted);
      const push = (to: Hash, old: Hash | null) => {
        const update = { ref: 'refs/heads/main', old, new: to, strategy: 'ff-only' } as const;
        return pushFrom(remote, inner, { updates: [update], atomic: true }, RETRY);
      };
      await push(first, null);
      const second = await scene.commit({
        tables: { t: rows(size >> 1, (size >> 1) + 1, () => 'x') },
      });
      reset();
      const { progress, outcomes } = await push(second, first);
      expect(outcomes).toMatchObject([{ status: 'ok' }]);
      // refs, then the push
      expect(progress.requests).toBe(2);
      expect(progress.bytes).toBeLessThan(2000);
      expect(counts.gets).toBeLessThan(40);
      expect(counts.transactCalls).toBe(1);
      costs.push(progress.bytes);
      await inner.close();
      await counted.close();
      here.remove();
      there.remove();
    }
    expect(costs[1]).toBeLessThan(costs[0] * 1.5);
  });
});

describe('a fetch of scattered rows', () => {
  it('takes one round trip, and bytes as the changed chunks take in the store', async () => {
    const place = sqlitePlace();
    const scene = new Scene(await place.open());
    const first = await scene.commit({ tables: { t: rows(0, 60_000) } });
    const edits = new Map(
      Array.from({ length: 60 }, (_, i) => [i * 1000 + 7, [`edited ${i}`, null]] as const),
    );
    const second = await scene.commit({ tables: { t: edits } });
    const before = await reach(scene.store, first);
    const changed = [...(await reach(scene.store, second))].filter((hash) => !before.has(hash));
    const pack = await bytesOf(sendPack(scene.store, { wants: [second], haves: [first] }));
    expect(pack.length).toBeLessThan(1.5 * (await storedBytes(scene.store, changed)));
    const found = new PackReader()
      .push(pack)
      .flatMap((f) => (f.type === 'chunk' ? [f.chunk.hash] : []));
    expect(new Set(found)).toEqual(new Set(changed));
    expect(found.length).toBe(changed.length);
    await scene.store.close();
    place.remove();
  });
});

describe('a clone', () => {
  it('takes about the bytes of the store, though versions change places on the way', async () => {
    const place = sqlitePlace();
    const scene = new Scene(await place.open());
    await scene.commit({ tables: { t: rows(0, 30_000) } });
    for (let n = 0; n < 6; n++) {
      const edits = new Map(
        Array.from({ length: 40 }, (_, i) => [i * 700 + n, [`${n} ${i}`, null]] as const),
      );
      await scene.commit({ tables: { t: edits } });
    }
    const head = (await scene.head()) as Hash;
    const all: Hash[] = [];
    for await (const batch of scene.store.scan()) all.push(...batch.map(({ hash }) => hash));
    const pack = await bytesOf(sendPack(scene.store, { wants: [head] }));
    expect(pack.length).toBeLessThan(1.3 * (await storedBytes(scene.store, all)));
    const copy = await memoryPlace().open();
    const fetched = await fetchInto(remoteOver(scene.store), copy, { wants: [head] }, RETRY);
    expect(fetched.reception.ignored).toBe(0);
    await scene.store.close();
    place.remove();
  });

  it('hands out pieces of a bounded size, as they are taken', async () => {
    const place = sqlitePlace();
    const inner = await place.open();
    const { store, counts } = countingStore(inner);
    const scene = new Scene(inner);
    await scene.commit({
      tables: { t: rows(0, 30_000) },
      files: { f: Buffer.alloc(900_000, 'abc') },
    });
    const head = (await scene.head()) as Hash;
    const pieces = sendPack(store, { wants: [head] })[Symbol.asyncIterator]();
    const first = await pieces.next();
    const taken = counts.gets;
    await new Promise((resolve) => setImmediate(resolve));
    expect(counts.gets).toBe(taken);
    let largest = (first.value as Uint8Array).length;
    for (let next = await pieces.next(); !next.done; next = await pieces.next()) {
      largest = Math.max(largest, next.value.length);
    }
    expect(largest).toBeLessThan(64 * 1024 + 262_144 + 200);
    await inner.close();
    place.remove();
  });
});

it('a pack writer counts what it wrote', () => {
  const writer = new PackWriter({ wants: [], commons: [], shallow: [] });
  writer.trailer(true);
  expect(writer.take().length).toBe(writer.written);
});
