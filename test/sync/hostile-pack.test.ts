/**
 * Packs that were damaged on the way or made to deceive: each is refused, no ref moves, and
 * what the store keeps for a later try is nothing but what was wanted and verified.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { DvError } from '../../src/errors.ts';
import { type Hash, hashToBytes } from '../../src/hash.ts';
import {
  encodeCommit,
  encodeSchema,
  encodeTable,
  encodeTag,
  toChunk,
} from '../../src/model/objects.ts';
import { editRoot } from '../../src/model/root.ts';
import { buildTree } from '../../src/prolly/builder.ts';
import { NodeStore } from '../../src/prolly/node-store.ts';
import { EMPTY_TREE, NodeWriter } from '../../src/prolly/node-writer.ts';
import type { ChunkToPut } from '../../src/store/contract.ts';
import { createMemoryStore } from '../../src/store/memory.ts';
import { fetchInto } from '../../src/sync/fetch-into.ts';
import { PackWriter } from '../../src/sync/pack.ts';
import type { Remote } from '../../src/sync/protocol.ts';
import { sendPack } from '../../src/sync/sender.ts';
import { encodeRow } from '../../src/tuple/row-encoder.ts';
import { bytesOf, joinPack, type RawFrame, splitPack } from '../support/pack-frames.ts';
import {
  ANYBODY,
  NOW,
  RETRY,
  remoteOver,
  rows,
  SCHEMA,
  Scene,
  serviceOver,
} from '../support/sync-scene.ts';

const CHUNK = 3;
let scene: Scene;
let head: Hash;
let pack: Buffer;

beforeAll(async () => {
  scene = new Scene();
  await scene.commit({
    tables: { 'a.csv': rows(0, 900) },
    files: { 'f.bin': Buffer.alloc(300_000, 'xyz') },
  });
  await scene.commit({
    tables: { 'a.csv': rows(400, 420, (id) => `other ${id}`), 'b.csv': rows(0, 5) },
  });
  head = await scene.commit({ tables: { 'b.csv': rows(3, 9, (id) => `${id} `.repeat(9000)) } });
  pack = await bytesOf(sendPack(scene.store, { wants: [head] }));
});

/** A remote whose every fetch answers with these bytes. */
function answering(bytes: Uint8Array): Remote {
  const remote = remoteOver(scene.store);
  return Object.assign(Object.create(remote), {
    url: 'hostile',
    async *fetch() {
      for (let at = 0; at < bytes.length; at += 1000) yield bytes.subarray(at, at + 1000);
    },
  });
}

/** Fetches what is answered, and pushes it; both must fail and leave nothing behind. */
async function refused(bytes: Uint8Array, want = head): Promise<string> {
  const store = createMemoryStore();
  const fetching = fetchInto(answering(bytes), store, { wants: [want] }, { ...RETRY, attempts: 1 });
  const error = await fetching.then(
    () => undefined,
    (caught: unknown) => caught,
  );
  expect(error).toBeInstanceOf(DvError);
  const { code, kind } = error as DvError;
  expect(kind === 'remote' || code === 'missing-object', (error as Error).message).toBe(true);
  await onlyWanted(store);
  const server = createMemoryStore();
  const updates = [{ ref: 'refs/heads/main', old: null, new: want, strategy: 'ff-only' }] as const;
  const service = serviceOver(server, { limits: { inlinePackBytes: 1 << 24 } });
  const answer = await service
    .push(ANYBODY, { updates, atomic: true }, bytes)
    .catch(() => undefined);
  expect(answer?.kind ?? 'incomplete').toBe('incomplete');
  expect(await server.listRefs('')).toEqual([]);
  for await (const batch of server.scan()) expect(batch).toEqual([]);
  return code;
}

async function onlyWanted(store: ReturnType<typeof createMemoryStore>): Promise<void> {
  for await (const batch of store.scan()) {
    const hashes = batch.map(({ hash }) => hash);
    expect(await store.presence(hashes)).toEqual(hashes.map(() => 'incomplete'));
    expect(await scene.store.hasMany(hashes)).toEqual(hashes.map(() => true));
  }
}

describe('damage', () => {
  it('of any byte is refused', async () => {
    const step = Math.ceil(pack.length / 300);
    for (let at = 0; at < pack.length; at += step) {
      for (const mask of [0x01, 0x80]) {
        const flipped = Buffer.from(pack);
        flipped[at] ^= mask;
        await refused(flipped);
      }
    }
  });

  it('of any byte of the header, the first chunks and the trailer is refused', async () => {
    const places = [
      ...Array(260).keys(),
      ...Array.from({ length: 60 }, (_, i) => pack.length - 1 - i),
    ];
    for (const at of places) {
      const flipped = Buffer.from(pack);
      flipped[at] ^= 1 << (at % 8);
      await refused(flipped);
    }
  });

  it('by a cut at any place is told as a cut', async () => {
    for (let at = 0; at < pack.length; at += Math.ceil(pack.length / 100)) {
      expect(await refused(pack.subarray(0, at))).toBe('connection-lost');
    }
  });

  it('by bytes that follow is refused', async () => {
    expect(await refused(Buffer.concat([pack, Buffer.from([0])]))).toBe('bad-pack');
    expect(await refused(Buffer.concat([pack, pack]))).toBe('bad-pack');
  });
});

describe('frames, with a digest that fits', () => {
  it('are taken when nothing is wrong with them', async () => {
    const same = joinPack(splitPack(pack));
    expect(same.equals(pack)).toBe(true);
    const fetched = await fetchInto(answering(same), createMemoryStore(), { wants: [head] }, RETRY);
    expect(fetched.reception.chunks).toBeGreaterThan(20);
  });

  it('that come twice are refused', async () => {
    const frames = splitPack(pack);
    for (let i = 0; i < frames.length - 1; i++) {
      const twice = [...frames.slice(0, i + 1), ...frames.slice(i)];
      expect(await refused(joinPack(twice))).toBe('bad-pack');
      const atEnd = [...frames.slice(0, -1), frames[i]];
      expect(await refused(joinPack(atEnd))).toBe('bad-pack');
    }
  });

  it('that come before what names them are refused', async () => {
    const frames = splitPack(pack);
    const chunks = frames.flatMap(({ type }, i) => (type === CHUNK ? [i] : []));
    for (const i of chunks.slice(1)) {
      const first = [frames[0], frames[i], ...frames.slice(1, i), ...frames.slice(i + 1)];
      expect(await refused(joinPack(first))).toBe('bad-pack');
    }
  });

  it('that lack are noticed', async () => {
    const frames = splitPack(pack);
    for (const [i, { type }] of frames.entries()) {
      if (type !== CHUNK) continue;
      const without = frames.filter((_, other) => other !== i);
      expect(['missing-object', 'bad-pack']).toContain(await refused(joinPack(without)));
    }
  });

  it('that nobody asked for are refused', async () => {
    const frames = splitPack(pack);
    const writer = new PackWriter({ wants: [], commons: [], shallow: [] });
    const bytes = Buffer.from('\u0007\u0001what is this', 'latin1');
    writer.chunk({ ...toChunk(bytes), rawSize: bytes.length, form: { kind: 'raw' }, data: bytes });
    writer.trailer(true);
    const extra = splitPack(writer.take())[1];
    for (let i = 1; i < frames.length; i += 5) {
      const more = [...frames.slice(0, i), extra, ...frames.slice(i)];
      expect(await refused(joinPack(more))).toBe('bad-pack');
    }
  });

  it('that are too large, or grow too large, are refused', async () => {
    const frames = splitPack(pack);
    const huge: RawFrame = { type: CHUNK, payload: Buffer.alloc(600_000) };
    expect(await refused(joinPack([frames[0], huge]))).toBe('bad-pack');
    const bomb = Buffer.concat([
      hashToBytes(head),
      Buffer.from([1, 0x80, 0x80, 0x10]), // zstd, 262,144 bytes raw
      Buffer.from('28b52ffda00000040054000010000001000300d2ff23', 'hex'),
    ]);
    expect(await refused(joinPack([frames[0], { type: CHUNK, payload: bomb }]))).toBe('bad-pack');
  });
});

/** A pack of these chunks, whole, in this order. */
function packOf(want: Hash, chunks: readonly ChunkToPut[]): Buffer {
  const writer = new PackWriter({ wants: [want], commons: [], shallow: [] });
  for (const { hash, bytes } of chunks) {
    writer.chunk({ hash, rawSize: bytes.length, form: { kind: 'raw' }, data: bytes });
  }
  writer.trailer(true);
  return writer.take();
}

const person = { name: 'n', email: 'e', time: NOW, zone: 0 };

function commitOf(root: Hash, more: Partial<Parameters<typeof encodeCommit>[0]> = {}): ChunkToPut {
  const clock = { ms: NOW, counter: 0, node: 'x' };
  const rest = { author: person, committer: person, message: '', clock, extra: {} };
  return toChunk(encodeCommit({ root, parents: [], generation: 1, ...rest, ...more }));
}

const entry = (id: number) => encodeRow(SCHEMA, [String(id), 'x', null], () => head);

function leafOf(ids: readonly number[]): {
  chunk: ChunkToPut;
  taken: ReturnType<NodeWriter['take']>;
} {
  const writer = new NodeWriter(0);
  for (const id of ids) writer.addPair(entry(id).key, entry(id).value);
  const taken = writer.take();
  return { chunk: toChunk(taken.bytes), taken };
}

/** Commit, root, table and schema round a tree. */
async function around(tree: readonly ChunkToPut[], name = 'a.csv'): Promise<ChunkToPut[]> {
  const schema = toChunk(encodeSchema(SCHEMA));
  const table = toChunk(encodeTable({ schema: schema.hash, tree: tree[0].hash }));
  const nodes = new NodeStore(createMemoryStore());
  const one = { kind: 'table', table: table.hash, dialect: undefined } as const;
  const root = await editRoot(nodes, EMPTY_TREE, new Map([[name, one]]));
  const [bytes] = await nodes.objects.getMany([root]);
  return [commitOf(root), toChunk(bytes as Uint8Array), table, schema, ...tree];
}

async function accepted(chunks: readonly ChunkToPut[]): Promise<void> {
  const bytes = packOf(chunks[0].hash, chunks);
  const remote = answering(bytes);
  await fetchInto(remote, createMemoryStore(), { wants: [chunks[0].hash] }, RETRY);
}

async function forged(chunks: readonly ChunkToPut[], why: RegExp): Promise<void> {
  const bytes = packOf(chunks[0].hash, chunks);
  expect(await refused(bytes, chunks[0].hash)).toBe('bad-pack');
  await expect(accepted(chunks)).rejects.toThrow(why);
}

function parentOf(
  children: readonly ReturnType<typeof leafOf>[],
  change: (ref: { key: Uint8Array; rows: number; bytes: number }, i: number) => object = () => ({}),
): ChunkToPut {
  const writer = new NodeWriter(1);
  for (const [i, { chunk, taken }] of children.entries()) {
    const ref = { ...taken.ref, hash: chunk.hash };
    writer.addChild({ ...ref, ...change(ref, i) }, taken.flags);
  }
  return toChunk(writer.take().bytes);
}

describe('forged objects, with hashes that fit', () => {
  it('are told from real ones', async () => {
    await accepted(await around([leafOf([1, 2, 3]).chunk]));
  });

  it('keys out of order', async () => {
    await forged(await around([leafOf([1, 3, 2]).chunk]), /out of order/);
    await forged(await around([leafOf([1, 1]).chunk]), /out of order/);
  });

  it('nodes that end where no boundary is', async () => {
    const leaves = [leafOf([1, 2, 3]), leafOf([4, 5, 6])];
    await forged(
      await around([parentOf(leaves), ...leaves.map(({ chunk }) => chunk)]),
      /no boundary/,
    );
  });

  it('counts, sizes and last keys that are not those of the child', async () => {
    const store = createMemoryStore();
    const nodes = new NodeStore(store);
    const entries = Array.from({ length: 4000 }, (_, i) => entry(i));
    const root = await buildTree(
      nodes,
      entries.map(({ key, value }) => [key, value] as const),
    );
    await nodes.flush();
    const top = await nodes.read(root);
    expect(top.level).toBe(1);
    const leaves = await nodes.readMany(
      Array.from({ length: top.count }, (_, i) => top.childHash(i)),
    );
    const chunks = leaves.map(({ bytes }) => toChunk(bytes));
    await accepted(await around([toChunk(top.bytes), ...chunks]));
    for (const change of [
      (ref: { rows: number }) => ({ rows: ref.rows + 1 }),
      (ref: { bytes: number }) => ({ bytes: ref.bytes + 1 }),
      (ref: { key: Uint8Array }) => ({ key: Buffer.concat([ref.key, Buffer.from([1])]) }),
    ]) {
      const writer = new NodeWriter(1);
      for (let i = 0; i < top.count; i++) {
        const ref = top.child(i);
        writer.addChild(i === 1 ? { ...ref, ...change(ref) } : ref, 0);
      }
      await forged(await around([toChunk(writer.take().bytes), ...chunks]), /its parent/);
    }
  });

  it('rows that do not fit the schema', async () => {
    const writer = new NodeWriter(0);
    const wide = {
      ...SCHEMA,
      columns: [...SCHEMA.columns, { name: 'more', type: 'text' as const }],
    };
    const { key, value } = encodeRow(wide, ['1', 'a', 'b', 'c'], () => head);
    writer.addPair(key, value);
    await forged(await around([toChunk(writer.take().bytes)]), /cells/);
  });

  it('names that escape or clash', async () => {
    for (const name of ['../a.csv', '/etc/passwd', 'a\u001b[2J', 'x/.DV/y', '']) {
      await forged(await around([leafOf([1]).chunk], name), /table name/);
    }
    const table = (await around([leafOf([1]).chunk]))[2];
    const nodes = new NodeStore(createMemoryStore());
    const one = { kind: 'table', table: table.hash, dialect: undefined } as const;
    const both = new Map([
      ['a.csv', one],
      ['A.csv', one],
    ]);
    const root = await editRoot(nodes, EMPTY_TREE, both);
    const [bytes] = await nodes.objects.getMany([root]);
    await forged([commitOf(root), toChunk(bytes as Uint8Array)], /by case/);
  });

  it('generations that are not one more than the parents', async () => {
    const [first, ...rest] = await around([leafOf([1]).chunk]);
    const root = rest[0].hash;
    await accepted([commitOf(root, { parents: [first.hash], generation: 2 }), ...rest, first]);
    await forged(
      [commitOf(root, { parents: [first.hash], generation: 3 }), ...rest, first],
      /generation/,
    );
    await forged(
      [commitOf(root, { parents: [first.hash], generation: 1 }), ...rest, first],
      /generation/,
    );
    await forged([commitOf(root, { generation: 2 }), ...rest], /generation/);
  });

  it('objects of another kind than their place', async () => {
    const [first, root, table, schema, leaf] = await around([leafOf([1]).chunk]);
    await forged([commitOf(table.hash), table], /not a tree node/);
    await forged([commitOf(root.hash, { parents: [root.hash], generation: 2 }), root], /commit/);
    const tag = toChunk(encodeTag({ object: root.hash, name: 't', tagger: person, message: '' }));
    await forged([tag, root], /commit/);
    const wrong = toChunk(encodeTable({ schema: leaf.hash, tree: schema.hash }));
    await forged([...(await aroundTable(wrong)), wrong, leaf, schema], /schema/);
    expect(first.hash).not.toBe(root.hash);
  });

  it('CBOR that is nested too deep, cut, or not canonical', async () => {
    const deep = Buffer.concat([
      Buffer.from([5, 1]),
      Buffer.alloc(200_000, 0x81),
      Buffer.from([0]),
    ]);
    await forged([toChunk(deep)], /too deep/);
    const real = Buffer.from(commitOf(EMPTY_TREE).bytes);
    await forged([toChunk(real.subarray(0, real.length - 3))], /too early/);
    await forged([toChunk(Buffer.concat([real, Buffer.from([0])]))], /behind its end/);
  });

  async function aroundTable(table: ChunkToPut): Promise<ChunkToPut[]> {
    const nodes = new NodeStore(createMemoryStore());
    const one = { kind: 'table', table: table.hash, dialect: undefined } as const;
    const root = await editRoot(nodes, EMPTY_TREE, new Map([['a.csv', one]]));
    const [bytes] = await nodes.objects.getMany([root]);
    return [commitOf(root), toChunk(bytes as Uint8Array)];
  }
});
