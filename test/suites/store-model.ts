/** Random work against a store and against plain maps, which must always agree. */
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Hash } from '../../src/hash.ts';
import type { ChunkToPut, Store, TransactResult } from '../../src/store/contract.ts';
import type { Maintenance } from '../../src/store/maintenance.ts';
import { chunkOf, editBytes, leafBytes } from '../support/store-chunks.ts';
import type { StorePlace } from '../support/store-places.ts';

/** Families of four: a leaf and three edits, each like the one before. */
const POOL: readonly ChunkToPut[] = Array.from({ length: 6 }, (_, family) => {
  const chunks = [chunkOf(leafBytes(family, 600 * (family + 1)))];
  for (let i = 0; i < 3; i++) {
    const last = chunks[i];
    chunks.push(chunkOf(editBytes(last.bytes, 10 * family + i, 4 + 40 * i), last));
  }
  return chunks;
}).flat();
const NAMES = ['refs/heads/a', 'refs/heads/b'];
const KEYS = ['HEAD', 'stage'];

const picks = fc.array(fc.nat(POOL.length - 1), { maxLength: 8 });
const step = fc.oneof(
  fc.record({ kind: fc.constant('put' as const), picks }),
  fc.record({
    kind: fc.constant('transact' as const),
    picks,
    refs: fc.array(fc.tuple(fc.nat(1), fc.boolean(), fc.nat(5)), { maxLength: 2 }),
    state: fc.option(fc.tuple(fc.nat(1), fc.boolean(), fc.nat(5))),
  }),
  fc.record({ kind: fc.constant('gc' as const), picks, again: picks }),
  fc.record({ kind: fc.constant('reopen' as const) }),
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** The slow obvious store. */
interface Model {
  readonly chunks: Map<Hash, Uint8Array>;
  readonly refs: Map<string, Hash>;
  readonly state: Map<string, string>;
  readonly feed: string[];
}

export function storeModelTest(makePlace: () => StorePlace): void {
  it('agrees with plain maps over random work', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        const place = makePlace();
        const run = { place, store: await place.open(), model: emptyModel() };
        try {
          for (const each of steps) {
            await apply(run, each);
            await compare(run.store, run.model);
          }
          expect(await run.store.check()).toEqual([]);
        } finally {
          await run.store.close();
          place.remove();
        }
      }),
      { numRuns: 40 },
    );
  });
}

interface Run {
  readonly place: StorePlace;
  store: Store & Maintenance;
  readonly model: Model;
}

function emptyModel(): Model {
  return { chunks: new Map(), refs: new Map(), state: new Map(), feed: [] };
}

async function apply(run: Run, each: Step): Promise<void> {
  run.place.time += 1000;
  switch (each.kind) {
    case 'put':
      await run.store.putMany(chosen(each.picks));
      return remember(run.model, each.picks);
    case 'transact':
      return applyTransaction(run, each);
    case 'gc':
      return collect(run, each.picks, each.again);
    case 'reopen':
      await run.store.close();
      run.store = await run.place.open();
  }
}

function chosen(picked: readonly number[]): ChunkToPut[] {
  return picked.map((i) => POOL[i]);
}

function remember(model: Model, picked: readonly number[]): void {
  for (const { hash, bytes } of chosen(picked)) model.chunks.set(hash, bytes);
}

async function applyTransaction(
  { store, model }: Run,
  { picks: picked, refs, state }: Extract<Step, { kind: 'transact' }>,
): Promise<void> {
  const once = new Map(refs.map((update) => [update[0], update]));
  const updates = [...once.values()].map(([name, honest, to]) => {
    const held = model.refs.get(NAMES[name]) ?? null;
    const old = honest ? held : POOL[20].hash;
    return { name: NAMES[name], old, new: to === 0 ? null : POOL[to].hash };
  });
  const keys = state === null ? [] : [stateUpdate(model, state)];
  const result = await store.transact({ refs: updates, state: keys }, chosen(picked));
  const loser =
    updates.find(({ name, old }) => (model.refs.get(name) ?? null) !== old)?.name ??
    keys.find(({ honest }) => !honest)?.key;
  const expected: TransactResult =
    loser === undefined ? { done: true } : { done: false, name: loser };
  expect(result).toEqual(expected);
  if (!result.done) return syncChunks(store, model, picked);
  remember(model, picked);
  for (const { name, old, new: to } of updates) {
    if (old === to) continue;
    if (to === null) model.refs.delete(name);
    else model.refs.set(name, to);
    model.feed.push(`${name} ${old} ${to}`);
  }
  for (const { key, text } of keys) {
    if (text === null) model.state.delete(key);
    else model.state.set(key, text);
  }
}

/** The chunks of a transaction that lost may be there or not. */
async function syncChunks(store: Store, model: Model, picked: readonly number[]): Promise<void> {
  const chunks = chosen(picked);
  const there = await store.hasMany(chunks.map(({ hash }) => hash));
  remember(
    model,
    picked.filter((_, i) => there[i]),
  );
}

function stateUpdate(model: Model, [k, honest, to]: readonly [number, boolean, number]) {
  const key = KEYS[k];
  const held = model.state.get(key);
  const text = to === 0 ? null : `value ${to}`;
  const value = text === null ? null : Buffer.from(text);
  const truth = held === undefined ? null : Buffer.from(held);
  return { key, text, value, honest, expect: honest ? truth : Buffer.from('never so') };
}

async function collect(run: Run, marked: readonly number[], again: readonly number[]) {
  const { store, model, place } = run;
  const marker = await store.startMarking();
  await marker.mark(chosen(marked).map(({ hash }) => hash));
  await store.putMany(chosen(again));
  remember(model, again);
  place.time += 1000;
  await marker.sweep({ keepSince: place.time, dryRun: false });
  const kept = new Set(chosen([...marked, ...again]).map(({ hash }) => hash));
  const bases = new Set<Hash | null>();
  for await (const batch of store.scan()) for (const { base } of batch) bases.add(base);
  for (const hash of [...model.chunks.keys()]) {
    if (!kept.has(hash) && !bases.has(hash)) model.chunks.delete(hash);
  }
}

async function compare(store: Store & Maintenance, model: Model): Promise<void> {
  const hashes = POOL.map(({ hash }) => hash);
  const got = await store.getMany(hashes);
  expect(got.map((bytes) => bytes && Buffer.from(bytes))).toEqual(
    hashes.map((hash) => model.chunks.get(hash)),
  );
  expect(await store.hasMany(hashes)).toEqual(hashes.map((hash) => model.chunks.has(hash)));
  expect(new Map((await store.listRefs('')).map(({ name, hash }) => [name, hash]))).toEqual(
    model.refs,
  );
  const listed = (await store.listState('')).map(
    ({ key, value }) => [key, Buffer.from(value).toString()] as const,
  );
  expect(new Map(listed)).toEqual(model.state);
  for (const name of NAMES) {
    const log = await store.readLog(name, 100);
    expect(log.map((entry) => `${name} ${entry.old} ${entry.new}`)).toEqual(
      model.feed.filter((line) => line.startsWith(`${name} `)).reverse(),
    );
  }
}
