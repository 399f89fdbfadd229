/** Requests of the row writer that say more than rows: a base, a key, offsets of a stream. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Hash } from '../../src/hash.ts';
import type { RowWrite, RowWriter, SourceOffsets, WriteRequest } from '../../src/live/contract.ts';
import { sourcesOf } from '../../src/live/source-offsets.ts';
import { createRowWriter } from '../../src/live/writer.ts';
import { autoMerge } from '../../src/model/auto-merge.ts';
import { findOrigins } from '../../src/model/cell-origin.ts';
import { clockUpdate, readClock } from '../../src/model/clock.ts';
import { readCommit } from '../../src/model/object-reader.ts';
import { encodeCommit, encodeSchema, encodeTable, toChunk } from '../../src/model/objects.ts';
import { editRoot, getRootEntry } from '../../src/model/root.ts';
import { NodeStore } from '../../src/prolly/node-store.ts';
import type { Store } from '../../src/store/contract.ts';
import { createMemoryStore } from '../../src/store/memory.ts';
import type { Cell, ColumnRule } from '../../src/tuple/schema.ts';
import { lineOf, rowsAt } from '../support/written-rows.ts';

const AUTHOR = { name: 'Ada', email: 'ada@example.org' };
let clock = 1_700_000_000_000;
const newWriter = (store: Store): RowWriter =>
  createRowWriter(store, { now: () => (clock += 1), randomId: () => '0123456789abcdef' });

const upsert = (cells: Record<string, Cell>): RowWrite => ({ op: 'upsert', cells });
const patch = (cells: Record<string, Cell>): RowWrite => ({ op: 'patch', cells });
const request = (writes: readonly RowWrite[], more: Partial<WriteRequest> = {}): WriteRequest => ({
  branch: 'main',
  tables: [{ table: 't', key: ['id'], writes }],
  message: 'write',
  author: AUTHOR,
  ...more,
});
const START = [upsert({ id: '1', n: '10', s: 'a' }), upsert({ id: '2', n: '20', s: 'b' })];

async function started(): Promise<{ store: Store; writer: RowWriter; base: Hash }> {
  const store = createMemoryStore();
  const writer = newWriter(store);
  const { commit } = await writer.write(request(START));
  return { store, writer, base: commit };
}

/** The branch's table with a rule for the column `n`: a commit made by hand. */
async function setRule(store: Store, rule: ColumnRule): Promise<Hash> {
  const nodes = new NodeStore(store);
  const head = (await store.getRef('refs/heads/main'))!;
  const there = (await rowsAt(store, head, 't'))!;
  const parent = await readCommit(store, head);
  const schema = toChunk(encodeSchema({ ...there.schema, rules: { columns: { n: rule } } }));
  const entry = await getRootEntry(nodes, parent.root, 't');
  if (entry?.kind !== 'table') throw new Error('no table');
  const { decodeTable } = await import('../../src/model/objects.ts');
  const [bytes] = await store.getMany([entry.table]);
  const table = toChunk(encodeTable({ ...decodeTable(bytes!), schema: schema.hash }));
  const root = await editRoot(
    nodes,
    parent.root,
    new Map([['t', { ...entry, table: table.hash }]]),
  );
  await nodes.flush();
  const commit = toChunk(
    encodeCommit({
      ...parent,
      root,
      parents: [head],
      generation: parent.generation + 1,
      extra: {},
    }),
  );
  const refs = [{ name: 'refs/heads/main', old: head, new: commit.hash }];
  await store.transact({ refs }, [schema, table, commit]);
  return commit.hash;
}

it('writes from an older commit are merged by cell', async () => {
  const { store, writer, base } = await started();
  await writer.write(request([patch({ id: '1', n: '11' }), upsert({ id: '3', n: '30' })]));
  const theirs = [patch({ id: '1', s: 'A' }), patch({ id: '2', n: '21' })];
  const { commit, tables } = await writer.write(request(theirs, { base }));
  expect(tables).toEqual([{ table: 't', added: 0, removed: 0, modified: 2 }]);
  expect((await rowsAt(store, commit, 't'))?.rows).toEqual([
    { id: '1', n: '11', s: 'A' },
    { id: '2', n: '21', s: 'b' },
    { id: '3', n: '30', s: null },
  ]);
});

it('a conflict tells base, ours and theirs of each cell, and writes nothing', async () => {
  const { store, writer, base } = await started();
  const ours: RowWrite[] = [patch({ id: '1', n: '11' }), { op: 'delete', cells: { id: '2' } }];
  const { commit } = await writer.write(request(ours));
  const theirs = [patch({ id: '1', n: '12', s: 'A' }), patch({ id: '2', n: '21' })];
  await expect(writer.write(request(theirs, { base }))).rejects.toMatchObject({
    code: 'conflicts-left',
    data: {
      conflicts: 2,
      complete: true,
      rows: [
        {
          table: 't',
          key: { id: '1' },
          kind: 'both-modified',
          base: { n: '10' },
          ours: { n: '11' },
          theirs: { n: '12' },
        },
        { key: { id: '2' }, kind: 'removed-by-ours', base: { id: '2' }, ours: null },
      ],
    },
  });
  expect(await store.getRef('refs/heads/main')).toBe(commit);
});

it.each([
  ['sum', '13'],
  ['max', '12'],
  ['ours', '11'],
  ['theirs', '12'],
  ['latest', '12'],
] as const)('the rule %s decides a write from an older commit', async (rule, n) => {
  const { store, writer } = await started();
  const base = await setRule(store, rule);
  await writer.write(request([patch({ id: '1', n: '11' })]));
  const { commit } = await writer.write(request([patch({ id: '1', n: '12' })], { base }));
  expect((await rowsAt(store, commit, 't'))?.rows[0]).toEqual({ id: '1', n, s: 'a' });
  expect((await readCommit(store, commit)).extra.resolved).toMatchObject({ n: 1 });
});

it('a base that is not of the branch is refused; exact wants the head itself', async () => {
  const { writer, base } = await started();
  const { commit } = await writer.write(request([patch({ id: '1', n: '11' })]));
  const write = [patch({ id: '1', s: 'x' })];
  const strange = '0'.repeat(64) as Hash;
  const codes: string[] = [];
  for (const more of [{ base: strange }, { base, exact: true }, { exact: true }]) {
    await writer.write(request(write, more)).catch((error) => codes.push(error.code));
  }
  expect(codes).toEqual(['bad-revision', 'ref-moved', 'bad-option']);
  expect((await writer.write(request(write, { base: commit, exact: true }))).changed).toBe(true);
});

it('of exact writers on one base, one wins', async () => {
  const { store, writer, base } = await started();
  const other = newWriter(store);
  const results = await Promise.allSettled(
    [0, 1, 2, 3, 4, 5].map((i) =>
      (i % 2 ? writer : other).write(
        request([patch({ id: '1', n: `${i}` })], { base, exact: true }),
      ),
    ),
  );
  expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  expect(await lineOf(store, 'main')).toHaveLength(2);
});

it('a request sent again under its key is answered with the same commit, and applied once', async () => {
  const { store, writer } = await started();
  const add = request([upsert({ id: '5', n: '1' })], { key: 'k1' });
  const other = newWriter(store);
  const answers = await Promise.all([writer.write(add), writer.write(add), other.write(add)]);
  await writer.write(request([{ op: 'delete', cells: { id: '5' } }]));
  const late = await other.write(add);
  for (const answer of [...answers, late]) {
    expect(answer).toMatchObject({ commit: answers[0].commit, changed: true });
    expect(answer.tables).toEqual([{ table: 't', added: 1, removed: 0, modified: 0 }]);
  }
  expect(await lineOf(store, 'main')).toHaveLength(3);
  const same = request([upsert({ id: '6', n: '1' })], { key: 'k1' });
  await expect(writer.write(same)).rejects.toMatchObject({ code: 'already-exists' });
  await expect(writer.write(request(START, { key: '' }))).rejects.toMatchObject({
    code: 'bad-option',
  });
});

it('a key is forgotten after a day', async () => {
  const { store, writer } = await started();
  await writer.write(request([upsert({ id: '5', n: '1' })], { key: 'old' }));
  clock += 25 * 60 * 60 * 1000;
  await newWriter(store).write(request([upsert({ id: '6', n: '1' })], { key: 'new' }));
  const kept = (await store.listState('write-key:')).map(({ key }) => key);
  expect(kept).toEqual(['write-key:main new']);
});

it('offsets and rows move together, once, whoever else writes', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(2), fc.integer({ min: 1, max: 5 })), { maxLength: 25 }),
      async (script) => {
        const store = createMemoryStore();
        const writers = [newWriter(store), newWriter(store), newWriter(store)];
        await writers[0].write({
          ...request([upsert({ id: 'start' })]),
          tables: [{ table: 't', key: [], writes: [upsert({ record: 'start' })] }],
        });
        // Each of two ingesters takes the records 0, 1, 2 ... into a table without a key.
        const ingest = async (writer: RowWriter, size: number): Promise<void> => {
          const expect_ = await writer.readOffsets('main', 'stream');
          const from = Number(expect_?.p0 ?? 0);
          const writes = Array.from({ length: size }, (_, i) => upsert({ record: `${from + i}` }));
          const source = { name: 'stream', offsets: { p0: `${from + size}` }, expect: expect_ };
          const tables = [{ table: 't', writes }];
          await writer.write(request([], { tables, source })).catch((error) => {
            if (error.code !== 'offsets-moved') throw error;
          });
        };
        await Promise.all(
          script.map(([who, size], i) =>
            who < 2
              ? ingest(writers[who], size)
              : writers[2].write(
                  request([], {
                    tables: [{ table: 'other', key: ['id'], writes: [upsert({ id: `${i}` })] }],
                  }),
                ),
          ),
        );
        const head = (await store.getRef('refs/heads/main'))!;
        const taken = Number((await newWriter(store).readOffsets('main', 'stream'))?.p0 ?? 0);
        const records = ((await rowsAt(store, head, 't'))?.rows ?? []).map(({ record }) => record);
        const wanted = ['start', ...Array.from({ length: taken }, (_, i) => `${i}`)];
        expect([...records].sort()).toEqual(wanted.sort());
      },
    ),
    { numRuns: 60 },
  );
}, 60_000);

it('offsets of other sources are carried along, and commits without any passed over', async () => {
  const { store, writer } = await started();
  const move = (name: string, offsets: SourceOffsets, expected: SourceOffsets | null) =>
    writer.write(request([], { tables: [], source: { name, offsets, expect: expected } }));
  await move('a', { 0: '5' }, null);
  await move('b', { 0: '7', 1: '8' }, null);
  const moved = await move('a', { 0: '6' }, { 0: '5' });
  expect(moved).toMatchObject({ changed: true, tables: [] });
  expect(sourcesOf(await readCommit(store, moved.commit))).toEqual({
    a: { 0: '6' },
    b: { 0: '7', 1: '8' },
  });
  await setRule(store, 'max');
  await setRule(store, 'min');
  const fresh = newWriter(store);
  expect(await fresh.readOffsets('main', 'a')).toEqual({ 0: '6' });
  expect(await fresh.readOffsets('main', 'toString')).toBeNull();
  await expect(move('a', { 0: '9' }, { 0: '5' })).rejects.toMatchObject({
    code: 'offsets-moved',
    data: { offsets: { 0: '6' }, expected: { 0: '5' } },
  });
  const still = await move('a', { 0: '6' }, { 0: '6' });
  expect(still.changed).toBe(false);
});

it('behind a merge the offsets of the line that took the stream further hold', async () => {
  for (let round = 0; round < 4; round++) {
    const { store, writer, base } = await started();
    const source = (to: string, from: SourceOffsets | null) => ({
      name: 'a',
      offsets: { 0: to },
      expect: from,
    });
    const one = await writer.write(request([], { tables: [], source: source('1', null) }));
    await store.transact({ refs: [{ name: 'refs/heads/side', old: null, new: one.commit }] });
    const side = await writer.write(
      request([patch({ id: '1', s: `side ${round}` })], { branch: 'side' }),
    );
    const two = await writer.write(request([], { tables: [], source: source('2', { 0: '1' }) }));
    const { commit } = await autoMerge(
      new NodeStore(store),
      [side.commit, two.commit],
      findOrigins,
    );
    const refs = [{ name: 'refs/heads/main', old: two.commit, new: commit!.hash }];
    await store.transact({ refs }, [commit!]);
    expect(await newWriter(store).readOffsets('main', 'a')).toEqual({ 0: '2' });
    expect(base).not.toBe(one.commit);
  }
});

it('stamps go on behind all that the repository has seen, whatever the wall clock says', async () => {
  const store = createMemoryStore();
  let now = 5_000_000;
  const options = { now: () => now, randomId: () => '0123456789abcdef' };
  const stamp = async (id: string) => {
    const { commit } = await createRowWriter(store, options).write(request([upsert({ id })]));
    return (await readCommit(store, commit)).clock;
  };
  expect(await stamp('1')).toMatchObject({ ms: 5_000_000, counter: 0 });
  now = 1_000_000;
  expect(await stamp('2')).toMatchObject({ ms: 5_000_000, counter: 1 });
  await store.transact({ state: [clockUpdate({ ms: 6_000_000, counter: 4, node: 'ff' })] });
  expect(await stamp('3')).toMatchObject({ ms: 6_000_000, counter: 5 });
  expect(await readClock(store)).toMatchObject({ ms: 6_000_000, counter: 5 });
  now = 7_000_000;
  expect(await stamp('4')).toMatchObject({ ms: 7_000_000, counter: 0 });
});

it('branches come and go: what is idle is not kept', async () => {
  const { store, writer, base } = await started();
  for (let i = 0; i < 200; i++) {
    await store.transact({ refs: [{ name: `refs/heads/b${i}`, old: null, new: base }] });
    await writer.write(request([patch({ id: '1', n: `${i}` })], { branch: `b${i}` }));
  }
  const writes = [patch({ id: '2', n: '7' })];
  const answers = await Promise.all(
    [0, 100, 199].map((i) => writer.write(request(writes, { branch: `b${i}` }))),
  );
  expect(answers.every(({ changed }) => changed)).toBe(true);
  expect(await lineOf(store, 'b0')).toHaveLength(3);
});
