/** Part of a history, of the tables, of the levels: what comes, what is noted, what fills it in. */
import { describe, expect, it } from 'vitest';
import { DvError } from '../../src/errors.ts';
import type { Hash } from '../../src/hash.ts';
import { walkHistory } from '../../src/model/history.ts';
import { readCommit, readTable } from '../../src/model/object-reader.ts';
import { getRootEntry } from '../../src/model/root.ts';
import { type BoundedStore, readShallow } from '../../src/model/shallow.ts';
import { NodeStore } from '../../src/prolly/node-store.ts';
import type { Store } from '../../src/store/contract.ts';
import { createMemoryStore } from '../../src/store/memory.ts';
import { fetchInto } from '../../src/sync/fetch-into.ts';
import { selectHaves } from '../../src/sync/negotiate.ts';
import type { FetchRequest, Remote } from '../../src/sync/protocol.ts';
import { pushFrom } from '../../src/sync/push-from.ts';
import { problems, RETRY, remoteOver, rows, Scene } from '../support/sync-scene.ts';

/** Twelve commits in a line, with a merge of a side branch at the eighth. */
async function line(): Promise<{ scene: Scene; commits: Hash[] }> {
  const scene = new Scene();
  const commits: Hash[] = [];
  const edit = (n: number) => ({ a: rows(n * 20, n * 20 + 2, (id) => `${n} ${id}`) });
  commits.push(await scene.commit({ tables: { a: rows(0, 1500), b: rows(0, 900) } }));
  for (let n = 1; n < 7; n++) commits.push(await scene.commit({ tables: edit(n) }));
  const side = await scene.commit({
    branch: 'side',
    parents: [commits[2]],
    tables: { b: rows(1, 2, () => 'side') },
  });
  commits.push(await scene.commit({ parents: [commits[6], side], tables: edit(7) }));
  for (let n = 8; n < 12; n++) commits.push(await scene.commit({ tables: edit(n) }));
  return { scene, commits };
}

async function take(
  remote: Remote,
  store: Store,
  request: FetchRequest,
  options: Parameters<typeof fetchInto>[3] = RETRY,
) {
  const fetched = await fetchInto(remote, store, request, options);
  const refs = [];
  for (const [i, hash] of (request.wants ?? []).entries()) {
    const name = `refs/heads/${i === 0 ? 'main' : i}`;
    const old = (await store.getRef(name)) ?? null;
    if (old !== hash) refs.push({ name, old, new: hash });
  }
  expect(await fetched.commit({ refs })).toEqual({ done: true });
  expect(await store.listTransfers()).toEqual([]);
  return fetched;
}

async function historyOf(store: Store, head: Hash): Promise<Hash[]> {
  const bounded: BoundedStore & Store = Object.assign(Object.create(store), {
    shallow: await readShallow(store),
  });
  const found: Hash[] = [];
  for await (const { hash } of walkHistory(bounded, [head])) found.push(hash);
  return found;
}

/** By brute force: commits fewer than `depth` steps from `head`. */
async function within(store: Store, head: Hash, depth: number): Promise<Set<Hash>> {
  const found = new Set<Hash>();
  let row = [head];
  for (let step = 0; step < depth; step++) {
    const next: Hash[] = [];
    for (const hash of row) {
      found.add(hash);
      next.push(...(await readCommit(store, hash)).parents);
    }
    row = next;
  }
  return found;
}

describe('a shallow fetch', () => {
  it('brings the commits within the depth, and notes where it ends', async () => {
    const { scene, commits } = await line();
    const head = commits[11];
    for (let depth = 1; depth < 14; depth++) {
      const store = createMemoryStore();
      await take(remoteOver(scene.store), store, { wants: [head], depth });
      const found = await historyOf(store, head);
      expect(new Set(found)).toEqual(await within(scene.store, head, depth));
      const shallow = await readShallow(store);
      expect(shallow.size === 0).toBe(found.length === 13);
      for (const hash of shallow) {
        const { parents } = await readCommit(store, hash);
        expect(await store.hasMany(parents)).toContain(false);
      }
    }
  });

  it('is deepened, step by step and then whole', async () => {
    const { scene, commits } = await line();
    const head = commits[11];
    const store = createMemoryStore();
    const remote = remoteOver(scene.store);
    let before = 0;
    for (const depth of [1, 3, 4, 6, 6, 9, 1_000_000]) {
      const haves = await selectHaves(store);
      await take(remote, store, { wants: [head], haves, depth });
      const found = await historyOf(store, head);
      expect(found.length).toBeGreaterThanOrEqual(before);
      before = found.length;
    }
    expect(await readShallow(store)).toEqual(new Set());
    expect(before).toBe(13);
    expect(await problems(store)).toEqual([]);
  });

  it('stays shallow when more is fetched', async () => {
    const { scene, commits } = await line();
    const store = createMemoryStore();
    const remote = remoteOver(scene.store);
    await take(remote, store, { wants: [commits[9]], depth: 2 });
    const ends = await readShallow(store);
    const haves = await selectHaves(store);
    const fetched = await take(remote, store, { wants: [commits[11]], haves });
    expect(await readShallow(store)).toEqual(ends);
    expect(fetched.reception.chunks).toBeLessThan(12);
    expect(await historyOf(store, commits[11])).toHaveLength(4);
  });

  it('takes from below its end what a merge brings in', async () => {
    const { scene, commits } = await line();
    const store = createMemoryStore();
    const remote = remoteOver(scene.store);
    await take(remote, store, { wants: [commits[6]], depth: 1 });
    await take(remote, store, { wants: [commits[7]], haves: await selectHaves(store) });
    const found = await historyOf(store, commits[7]);
    expect(new Set(found)).toEqual(
      new Set([...found, commits[7], commits[6], commits[2], commits[0]]),
    );
  });

  it('resumes at any cut', async () => {
    const { scene, commits } = await line();
    const remote = remoteOver(scene.store);
    for (let at = 100; at < 40_000; at += 1700) {
      const store = createMemoryStore();
      let cuts = 0;
      const cut: Remote = Object.assign(Object.create(remote), {
        async *fetch(request: FetchRequest) {
          let sent = 0;
          for await (const piece of remote.fetch(request)) {
            if (cuts === 0 && sent + piece.length > at) {
              cuts += 1;
              yield piece.subarray(0, at - sent);
              throw new DvError('connection-lost', 'cut');
            }
            sent += piece.length;
            yield piece;
          }
        },
      });
      await take(cut, store, { wants: [commits[11]], depth: 5 });
      expect(await historyOf(store, commits[11])).toHaveLength(5);
    }
  });

  it('can be pushed from', async () => {
    const { scene, commits } = await line();
    const here = new Scene();
    const remote = remoteOver(scene.store);
    await take(remote, here.store, { wants: [commits[11]], depth: 1 });
    const next = await here.commit({ tables: { a: rows(0, 1, () => 'from a shallow clone') } });
    const updates = [
      { ref: 'refs/heads/main', old: commits[11], new: next, strategy: 'ff-only' },
    ] as const;
    const pushed = await pushFrom(remote, here.store, { updates, atomic: true }, RETRY);
    expect(pushed.outcomes).toMatchObject([{ status: 'ok', hash: next }]);
    expect(pushed.progress.bytes).toBeLessThan(3000);
    expect(await problems(scene.store)).toEqual([]);
  });

  it('can be cloned from, and the clone ends where it does', async () => {
    const { scene, commits } = await line();
    const middle = createMemoryStore();
    await take(remoteOver(scene.store), middle, { wants: [commits[11]], depth: 3 });
    const store = createMemoryStore();
    await take(remoteOver(middle), store, { wants: [commits[11]] });
    expect(await readShallow(store)).toEqual(await readShallow(middle));
    expect(await historyOf(store, commits[11])).toHaveLength(3);
  });

  it('is no push: a server takes nothing whose parents it lacks', async () => {
    const { scene, commits } = await line();
    const middle = createMemoryStore();
    await take(remoteOver(scene.store), middle, { wants: [commits[11]], depth: 3 });
    const server = createMemoryStore();
    const updates = [
      { ref: 'refs/heads/main', old: null, new: commits[11], strategy: 'ff-only' },
    ] as const;
    const pushing = pushFrom(remoteOver(server), middle, { updates, atomic: true }, RETRY);
    await expect(pushing).rejects.toThrow(DvError);
    expect(await server.listRefs('')).toEqual([]);
  });
});

async function treeOf(store: Store, commit: Hash, name: string): Promise<Hash> {
  const nodes = new NodeStore(store);
  const entry = await getRootEntry(nodes, (await readCommit(store, commit)).root, name);
  if (entry?.kind !== 'table') throw new Error(`no table ${name}`);
  return (await readTable(store, entry.table)).tree;
}

describe('a fetch of some tables', () => {
  it('leaves out the others, now and later', async () => {
    const { scene, commits } = await line();
    const store = createMemoryStore();
    const remote = remoteOver(scene.store);
    await take(remote, store, { wants: [commits[5]], tables: ['b'] });
    const haves = await selectHaves(store);
    await take(remote, store, { wants: [commits[11]], haves, tables: ['b'] });
    const [a, b] = [
      await treeOf(scene.store, commits[11], 'a'),
      await treeOf(store, commits[11], 'b'),
    ];
    expect(await store.hasMany([a, b])).toEqual([false, true]);
    expect(await historyOf(store, commits[11])).toHaveLength(13);
  });

  it('is filled in by asking for the table', async () => {
    const { scene, commits } = await line();
    const store = createMemoryStore();
    const remote = remoteOver(scene.store);
    await take(remote, store, { wants: [commits[11]], tables: ['b'] });
    const nodes = new NodeStore(store);
    const entry = await getRootEntry(nodes, (await readCommit(store, commits[11])).root, 'a');
    const roots = [{ kind: 'table', hash: (entry as { table: Hash }).table } as const];
    const fetched = await take(remote, store, { roots });
    expect(fetched.reception.chunks).toBeGreaterThan(2);
    expect(await store.hasMany([await treeOf(store, commits[11], 'a')])).toEqual([true]);
  });

  it('can be pushed from', async () => {
    const { scene, commits } = await line();
    const here = new Scene();
    const remote = remoteOver(scene.store);
    await take(remote, here.store, { wants: [commits[11]], tables: ['b'] });
    const next = await here.commit({ tables: { b: rows(0, 1, () => 'x') } });
    const updates = [
      { ref: 'refs/heads/main', old: commits[11], new: next, strategy: 'ff-only' },
    ] as const;
    const pushed = await pushFrom(remote, here.store, { updates, atomic: true }, RETRY);
    expect(pushed.outcomes).toMatchObject([{ status: 'ok' }]);
    expect(await problems(scene.store)).toEqual([]);
  });
});

describe('a fetch of internal nodes', () => {
  it('brings no leaf but a tree that is one, and leaves by asking for them', async () => {
    const scene = new Scene();
    const head = await scene.commit({
      tables: { large: rows(0, 9000), small: rows(0, 3) },
      files: { f: Buffer.alloc(1000) },
    });
    const store = createMemoryStore();
    const remote = remoteOver(scene.store);
    await take(remote, store, { wants: [head], levels: 'internal' });
    const nodes = new NodeStore(store);
    const top = await nodes.read(await treeOf(store, head, 'large'));
    const leaves = Array.from({ length: top.count }, (_, i) => top.childHash(i));
    expect(await store.hasMany(leaves)).toEqual(leaves.map(() => false));
    expect((await nodes.read(await treeOf(store, head, 'small'))).count).toBe(3);
    const roots = leaves.slice(1, 3).map((hash) => ({ kind: 'end', hash }) as const);
    const fetched = await take(remote, store, { roots });
    expect(fetched.reception.chunks).toBe(2);
    expect(await store.hasMany(leaves)).toEqual(leaves.map((_, i) => i === 1 || i === 2));
    const next = await scene.commit({ tables: { large: rows(5, 6, () => 'new') } });
    const more = await take(remote, store, { wants: [next], haves: [head], levels: 'internal' });
    // commit, root, table, top
    expect(more.reception.chunks).toBe(4);
  });
});
