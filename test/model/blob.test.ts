import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Hash } from '../../src/hash.ts';
import { BlobBuilder, buildBlob, readWholeBlob } from '../../src/model/blob.ts';
import { type BlobPart, blobParts, checkBlob } from '../../src/model/blob-check.ts';
import type { ChunkToPut } from '../../src/store/contract.ts';
import { MAX_CHUNK_BYTES } from '../../src/store/contract.ts';
import { createMemoryStore } from '../../src/store/memory.ts';
import { cutBlob, endsOf, randomBytes } from '../support/cut-blob.ts';

const size = fc.constantFrom(0, 1, 16383, 16384, 131071, 131072, 131073, 300_000);

test('reads back what was written, however it came in pieces', async () => {
  await fc.assert(
    fc.asyncProperty(
      size,
      fc.integer(),
      fc.integer({ min: 1, max: 200_000 }),
      async (n, s, cut) => {
        const bytes = randomBytes(n, s);
        const store = createMemoryStore();
        const chunks: ChunkToPut[] = [];
        const builder = new BlobBuilder((chunk) => chunks.push(chunk), 3);
        for (let at = 0; at < n; at += cut) builder.write(bytes.subarray(at, at + cut));
        const hash = builder.finish();
        await store.putMany(chunks);
        expect(chunks.every((chunk) => chunk.bytes.length <= MAX_CHUNK_BYTES)).toBe(true);
        expect(Buffer.from(await readWholeBlob(store, hash)).equals(bytes)).toBe(true);
        const whole = new BlobBuilder(() => {}, 3);
        whole.write(bytes);
        expect(whole.finish()).toBe(hash);
      },
    ),
    { numRuns: 20 },
  );
});

test('an insertion in the middle of a large blob changes a piece or two', () => {
  const before = randomBytes(3_000_000, 7);
  const at = 1_500_000;
  const after = Buffer.concat([
    before.subarray(0, at),
    Buffer.from('inserted'),
    before.subarray(at),
  ]);
  const pieces = (bytes: Buffer): Set<Hash> => {
    const hashes = new Set<Hash>();
    buildBlob(bytes, (chunk) => hashes.add(chunk.hash));
    return hashes;
  };
  const old = pieces(before);
  const fresh = [...pieces(after)].filter((hash) => !old.has(hash));
  expect(old.size).toBeGreaterThan(30);
  // The piece around the insertion, perhaps its neighbour, and the index.
  expect(fresh.length).toBeLessThanOrEqual(4);
});

test('a missing piece is an error that names it', async () => {
  const store = createMemoryStore();
  const hash = buildBlob(randomBytes(500_000, 3), (chunk) => {
    if (chunk.bytes[0] !== 7) store.putMany([chunk]);
  });
  await expect(readWholeBlob(store, hash)).rejects.toMatchObject({ code: 'missing-object' });
});

/** All parts of a blob with what is said of them; what is wrong with each. */
function complaintsOf(hash: Hash, chunks: readonly ChunkToPut[], fanout: number): string[] {
  const bytesOf = new Map(chunks.map((chunk) => [chunk.hash, chunk.bytes]));
  const complaints: string[] = [];
  const open: BlobPart[] = [{ hash, top: true }];
  for (let part = open.pop(); part !== undefined; part = open.pop()) {
    const bytes = bytesOf.get(part.hash);
    if (bytes === undefined) throw new Error('a part is missing');
    complaints.push(...checkBlob(part, bytes, fanout));
    open.push(...blobParts(part, bytes));
  }
  return complaints;
}

test('the check passes exactly what the builder would have made', () => {
  const sizes = fc.oneof(size, fc.integer({ min: 0, max: 600_000 }));
  const isFlat = fc.boolean();
  fc.assert(
    fc.property(
      sizes,
      fc.integer(),
      isFlat,
      fc.array(fc.nat(600_000), { maxLength: 3 }),
      fc.array(fc.nat(20), { maxLength: 2 }),
      fc.array(fc.integer({ min: 2, max: 4 }), { minLength: 1, maxLength: 3 }),
      (n, seed, flat, extra, dropped, fanouts) => {
        const bytes = flat ? Buffer.alloc(n, seed) : randomBytes(n, seed);
        const ends = endsOf(bytes);
        const cuts = ends
          .filter((_, i) => !dropped.includes(i))
          .concat(extra.filter((at) => at < n && at > 0));
        const { hash, chunks } = cutBlob(bytes, cuts, fanouts);
        const built: ChunkToPut[] = [];
        const builder = new BlobBuilder((chunk) => built.push(chunk), 3);
        builder.write(bytes);
        const canonical = builder.finish();
        expect(complaintsOf(canonical, built, 3)).toEqual([]);
        expect(complaintsOf(hash, chunks, 3).length === 0).toBe(hash === canonical);
      },
    ),
    { numRuns: 400 },
  );
});
