/**
 * Blobs cut elsewhere than dv cuts them would give one content two hashes: they are refused,
 * also when the receiver has most of the pieces and only an index comes.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DvError } from '../../src/errors.ts';
import { type Hash, hashToBytes } from '../../src/hash.ts';
import { buildBlob } from '../../src/model/blob.ts';
import { encodeCommit, encodeSchema, encodeTable, toChunk } from '../../src/model/objects.ts';
import { editRoot, type RootEntry } from '../../src/model/root.ts';
import { buildTree } from '../../src/prolly/builder.ts';
import { NodeStore } from '../../src/prolly/node-store.ts';
import { EMPTY_TREE } from '../../src/prolly/node-writer.ts';
import type { ChunkToPut, Store } from '../../src/store/contract.ts';
import { createMemoryStore } from '../../src/store/memory.ts';
import { fetchInto } from '../../src/sync/fetch-into.ts';
import { PackWriter } from '../../src/sync/pack.ts';
import type { Remote } from '../../src/sync/protocol.ts';
import { encodeRow } from '../../src/tuple/row-encoder.ts';
import { cutBlob, endsOf, randomBytes } from '../support/cut-blob.ts';
import { countingStore } from '../support/store-counting.ts';
import { NOW, problems, RETRY, remoteOver, SCHEMA, Scene } from '../support/sync-scene.ts';

const PIECE = 7;
const person = { name: 'n', email: 'e', time: NOW, zone: 0 };

/** A commit whose root has one entry, and its root. */
async function commitWith(entry: RootEntry, parents: readonly Hash[] = []): Promise<ChunkToPut[]> {
  const nodes = new NodeStore(createMemoryStore());
  const root = await editRoot(nodes, EMPTY_TREE, new Map([['f.bin', entry]]));
  const [bytes] = await nodes.objects.getMany([root]);
  const clock = { ms: NOW, counter: 0, node: 'x' };
  const generation = 1 + parents.length;
  const rest = { author: person, committer: person, message: '', clock, extra: {}, generation };
  return [toChunk(encodeCommit({ root, parents, ...rest })), toChunk(bytes as Uint8Array)];
}

/** As a file. The parts of a blob in `chunks` come from the pieces up. */
async function asFile(
  { hash, chunks }: { hash: Hash; chunks: readonly ChunkToPut[] },
  size: number,
  parents: readonly Hash[] = [],
): Promise<ChunkToPut[]> {
  const head = await commitWith({ kind: 'file', blob: hash, size }, parents);
  return [...head, ...distinct(chunks)];
}

/** As a cell of a table. */
async function asCell(
  { hash, chunks }: { hash: Hash; chunks: readonly ChunkToPut[] },
  size: number,
): Promise<ChunkToPut[]> {
  const nodes = new NodeStore(createMemoryStore());
  const { key, value } = encodeRow(SCHEMA, ['1', 'x'.repeat(size), null], () => hash);
  const tree = await buildTree(nodes, [[key, value]]);
  await nodes.flush();
  const schema = toChunk(encodeSchema(SCHEMA));
  const table = toChunk(encodeTable({ schema: schema.hash, tree }));
  const [leaf] = await nodes.objects.getMany([tree]);
  const head = await commitWith({ kind: 'table', table: table.hash, dialect: undefined });
  return [...head, table, schema, toChunk(leaf as Uint8Array), ...distinct(chunks)];
}

/** Indexes first, as a pack has them; each once. */
function distinct(chunks: readonly ChunkToPut[]): ChunkToPut[] {
  return [...new Map([...chunks].reverse().map((chunk) => [chunk.hash, chunk])).values()];
}

/** Fetches a pack of what the store has not. */
async function fetchChunks(store: Store, chunks: readonly ChunkToPut[]): Promise<void> {
  const want = chunks[0].hash;
  const writer = new PackWriter({ wants: [want], commons: [], shallow: [] });
  const present = await store.hasMany(chunks.map(({ hash }) => hash));
  for (const [i, { hash, bytes }] of chunks.entries()) {
    if (present[i]) continue;
    writer.chunk({ hash, rawSize: bytes.length, form: { kind: 'raw' }, data: bytes });
  }
  writer.trailer(true);
  const pack = writer.take();
  const remote: Remote = Object.assign(Object.create(remoteOver(store)), {
    url: 'hostile',
    async *fetch() {
      yield pack;
    },
  });
  const fetched = await fetchInto(remote, store, { wants: [want] }, { ...RETRY, attempts: 1 });
  const ref = `refs/heads/${want}`;
  const { done } = await fetched.commit({ refs: [{ name: ref, old: null, new: want }] });
  expect(done).toBe(true);
}

const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'taken',
    (error) => (error instanceof DvError ? error.code : String(error)),
  );

/** Cuts of the builder, without some and with more. */
const forgery = fc.record({
  dropped: fc.array(fc.nat(12), { maxLength: 1 }),
  extra: fc.array(fc.nat(600_000), { maxLength: 2 }),
});

function cutsOf(bytes: Buffer, { dropped, extra }: { dropped: number[]; extra: number[] }) {
  const kept = endsOf(bytes).filter((_, i) => !dropped.includes(i));
  const inside = extra.filter((at) => at > 0 && at < bytes.length);
  // a piece of more than 128 KiB would be refused for that
  const all = [...kept, ...inside, bytes.length].sort((a, b) => a - b);
  return all.flatMap((end, i) => {
    const start = all[i - 1] ?? 0;
    const parts = Math.ceil((end - start) / 131_072);
    return Array.from({ length: parts }, (_, n) => Math.min(end, start + (n + 1) * 131_072));
  });
}

describe('a blob cut elsewhere', () => {
  it('is refused, as a file and as a cell; one that is cut as dv does is taken', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 20_000, max: 500_000 }),
        fc.integer(),
        forgery,
        fc.boolean(),
        async (size, seed, how, isFile) => {
          const bytes = randomBytes(size, seed);
          const blob = cutBlob(bytes, cutsOf(bytes, how));
          const isSound = blob.hash === buildBlob(bytes, () => {});
          const chunks = await (isFile ? asFile : asCell)(blob, size);
          const store = createMemoryStore();
          expect(await codeOf(fetchChunks(store, chunks))).toBe(isSound ? 'taken' : 'bad-pack');
          expect(await problems(store)).toEqual([]);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('is refused when its pieces are here, of this file or of another', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 150_000, max: 400_000 }),
        fc.integer({ min: 20_000, max: 200_000 }),
        fc.integer(),
        forgery,
        fc.boolean(),
        async (size, more, seed, how, isAfter) => {
          const before = randomBytes(size, seed);
          const store = createMemoryStore();
          const first = await asFile(cutBlob(before, endsOf(before)), size);
          await fetchChunks(store, first);
          // with the end of the one before in its middle, where perhaps no boundary is
          const bytes = Buffer.concat([before, randomBytes(more, ~seed)]);
          const ends = [...endsOf(before), ...cutsOf(bytes, how).filter((at) => at > size)];
          const blob = cutBlob(bytes, cutsOf(bytes, { dropped: [], extra: [] }));
          const forged = cutBlob(bytes, ends);
          const parents = isAfter ? [first[0].hash] : [];
          const isSound = forged.hash === blob.hash;
          const chunks = await asFile(forged, bytes.length, parents);
          const code = await codeOf(fetchChunks(store, chunks));
          expect(code).toBe(isSound ? 'taken' : 'bad-pack');
          expect(await codeOf(fetchChunks(store, await asFile(blob, bytes.length, parents)))).toBe(
            'taken',
          );
          expect(await problems(store)).toEqual([]);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('is refused for an index that has too few children, or stands alone above one', async () => {
    const bytes = randomBytes(500_000, 5);
    const size = bytes.length;
    const ends = endsOf(bytes);
    expect(ends.length).toBeGreaterThan(5);
    for (const fanouts of [[3], [ends.length - 1, 2048]]) {
      const chunks = await asFile(cutBlob(bytes, ends, fanouts), size);
      expect(await codeOf(fetchChunks(createMemoryStore(), chunks))).toBe('bad-pack');
    }
    const blob = cutBlob(bytes, ends);
    const above = toChunk(
      Buffer.concat([Buffer.from([8, 1, 2]), hashToBytes(blob.hash), varint(size)]),
    );
    const alone = { hash: above.hash, chunks: [...blob.chunks, above] };
    const fetching = fetchChunks(createMemoryStore(), await asFile(alone, size));
    await expect(fetching).rejects.toThrow(/one child only/);
  });

  it('of another size than its row or its entry says is refused', async () => {
    const bytes = randomBytes(50_000, 9);
    const blob = cutBlob(bytes, endsOf(bytes));
    for (const around of [asFile, asCell]) {
      const chunks = await around(blob, bytes.length + 1);
      const fetching = fetchChunks(createMemoryStore(), chunks);
      await expect(fetching).rejects.toThrow(/50000 bytes, 50001 are expected/);
    }
  });

  it('is found by fsck where it got in all the same', async () => {
    const bytes = randomBytes(300_000, 3);
    const ends = endsOf(bytes);
    const scene = new Scene();
    const blob = cutBlob(bytes, [...ends, 30_000]);
    const chunks = await asFile(blob, bytes.length);
    const ref = { name: 'refs/heads/main', old: null, new: chunks[0].hash };
    await scene.store.transact({ refs: [ref] }, chunks);
    const found = await problems(scene.store);
    expect(found.join('\n')).toMatch(/ends at no boundary/);
  });
});

const varint = (value: number): Buffer => {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    bytes.push(rest < 128 ? rest : (rest % 128) | 128);
    if (rest < 128) return Buffer.from(bytes);
  }
};

describe('an edit in the middle of a large file', () => {
  it('is received without a look at the pieces that it had', async () => {
    const before = randomBytes(6_000_000, 11);
    const after = Buffer.concat([before.subarray(0, 3_000_000), before.subarray(2_999_000)]);
    const scene = new Scene();
    const first = await scene.commit({ files: { 'f.bin': before } });
    const second = await scene.commit({ files: { 'f.bin': after } });
    const { store, counts, reset } = countingStore(createMemoryStore());
    for (const [want, old] of [[first, null] as const, [second, first] as const]) {
      reset();
      const haves = old === null ? [] : [old];
      const fetched = await fetchInto(
        remoteOver(scene.store),
        store,
        { wants: [want], haves },
        RETRY,
      );
      await fetched.commit({ refs: [{ name: 'refs/heads/main', old, new: want }] });
    }
    expect(endsOf(after).length).toBeGreaterThan(80);
    expect(counts.getsByKind.get(PIECE) ?? 0).toBeLessThan(4);
    expect(await problems(store as never)).toEqual([]);
  });
});
