/** Random work against a store and against plain maps, which must always agree. */
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Hash } from '../../src/hash.ts';
import type { ChunkToPut, Store, TransactResult } from '../../src/store/contract.ts';
import type { Maintenance } from '../../src/store/maintenance.ts';
import type { Presence } from '../../src/store/transfer.ts';
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
const TRANSFERS = ['t', 'u'];

const picks = fc.array(fc.nat(POOL.length - 1), { maxLength: 8 });
const step = fc.oneof(
  fc.record({ kind: fc.constant('put' as const), picks }),
  fc.record({
    kind: fc.constant('transact' as const),
    picks,
    refs: fc.array(fc.tuple(fc.nat(1), fc.integer({ min: 1, max: 9 }), fc.nat(5)), {
      maxLength: 4,
    }),
    completes: fc.subarray(TRANSFERS),
    state: fc.option(fc.tuple(fc.nat(1), fc.boolean(), fc.nat(5))),
  }),
  fc.record({
    kind: fc.constant('receive' as const),
    transfer: fc.constantFrom(...TRANSFERS),
    picks,
  }),
  fc.record({ kind: fc.constant('drop' as const), transfer: fc.constantFrom(...TRANSFERS) }),
  fc.record({ kind: fc.constant('gc' as const), picks, again: picks }),
  fc.record({ kind: fc.constant('reopen' as const) }),
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** The slow obvious store. */
interface Model {
  readonly chunks: Map<Hash, Uint8Array>;
  /** Transfers of chunks that do not count; none: given up, and there only if it is a base. */
  readonly incomplete: Map<Hash, Set<string>>;
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
  return { chunks: new Map(), incomplete: new Map(), refs: new Map(), state: new Map(), feed: [] };
}

async function apply(run: Run, each: Step): Promise<void> {
  run.place.time += 1000;
  switch (each.kind) {
    case 'put':
      await run.store.putMany(chosen(each.picks));
      return remember(run.model, each.picks);
    case 'transact':
      return applyTransaction(run, each);
    case 'receive':
      await run.store.putReceived(each.transfer, chosen(each.picks));
      return receive(run.model, each.transfer, each.picks);
    case 'drop':
      await run.store.dropTransfer(each.transfer);
      return drop(run, each.transfer);
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
  for (const { hash, bytes } of chosen(picked)) {
    model.chunks.set(hash, bytes);
    model.incomplete.delete(hash);
  }
}

function receive(model: Model, transfer: string, picked: readonly number[]): void {
  for (const { hash, bytes } of chosen(picked)) {
    if (!model.chunks.has(hash)) model.incomplete.set(hash, new Set());
    model.chunks.set(hash, bytes);
    model.incomplete.get(hash)?.add(transfer);
  }
}

function complete(model: Model, transfer: string): void {
  for (const [hash, transfers] of model.incomplete) {
    if (transfers.has(transfer)) model.incomplete.delete(hash);
  }
}

async function drop(run: Run, transfer: string): Promise<void> {
  for (const transfers of run.model.incomplete.values()) transfers.delete(transfer);
  await forgetUnused(run);
}

/** Chunks of no transfer that are no base are gone. */
async function forgetUnused({ store, model }: Run): Promise<void> {
  const bases = await basesOf(store);
  for (const [hash, transfers] of model.incomplete) {
    if (transfers.size > 0 || bases.has(hash)) continue;
    model.incomplete.delete(hash);
    model.chunks.delete(hash);
  }
}

async function basesOf(store: Store & Maintenance): Promise<Set<Hash | null>> {
  const bases = new Set<Hash | null>();
  for await (const batch of store.scan()) for (const { base } of batch) bases.add(base);
  return bases;
}

async function applyTransaction(
  { store, model }: Run,
  { picks: picked, refs, state, completes }: Extract<Step, { kind: 'transact' }>,
): Promise<void> {
  const reached = new Map<string, Hash | null>();
  let lost: string | undefined;
  const updates = refs.map(([n, honesty, to]) => {
    const name = NAMES[n];
    const held = reached.has(name) ? reached.get(name) : model.refs.get(name);
    // One in nine is not what the step before left.
    const old = honesty > 1 ? (held ?? null) : POOL[20].hash;
    if (honesty === 1) lost ??= name;
    const update = { name, old, new: to === 0 ? null : POOL[to].hash };
    reached.set(name, update.new);
    return update;
  });
  const keys = state === null ? [] : [stateUpdate(model, state)];
  const result = await store.transact({ refs: updates, state: keys, completes }, chosen(picked));
  const loser = lost ?? keys.find(({ honest }) => !honest)?.key;
  const expected: TransactResult =
    loser === undefined ? { done: true } : { done: false, name: loser };
  expect(result).toEqual(expected);
  if (!result.done) return syncChunks(store, model, picked);
  remember(model, picked);
  for (const transfer of completes) complete(model, transfer);
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
  const bases = await basesOf(store);
  for (const hash of [...model.chunks.keys()]) {
    const transfers = model.incomplete.get(hash)?.size ?? 0;
    if (kept.has(hash) || bases.has(hash) || transfers > 0) continue;
    model.chunks.delete(hash);
    model.incomplete.delete(hash);
  }
}

async function compare(store: Store & Maintenance, model: Model): Promise<void> {
  const hashes = POOL.map(({ hash }) => hash);
  const got = await store.getMany(hashes);
  expect(got.map((bytes) => bytes && Buffer.from(bytes))).toEqual(
    hashes.map((hash) => model.chunks.get(hash)),
  );
  const presence = hashes.map((hash) => presenceIn(model, hash));
  expect(await store.presence(hashes)).toEqual(presence);
  expect(await store.hasMany(hashes)).toEqual(presence.map((each) => each === 'complete'));
  const transfers = new Set([...model.incomplete.values()].flatMap((names) => [...names]));
  expect(await store.listTransfers()).toEqual([...transfers].sort());
  expect(new Map((await store.listRefs('')).map(({ name, hash }) => [name, hash]))).toEqual(
    model.refs,
  );
  const listed = (await store.listState('')).map(
    ({ key, value }) => [key, Buffer.from(value).toString()] as const,
  );
  expect(new Map(listed)).toEqual(model.state);
  const feed = await store.readFeed(0, 1000);
  expect(feed.entries.map(({ name, old, new: to }) => `${name} ${old} ${to}`)).toEqual(model.feed);
  expect(feed.last).toBe(feed.entries.at(-1)?.sequence ?? 0);
  for (const name of NAMES) {
    const log = await store.readLog(name, 100);
    expect(log.map((entry) => `${name} ${entry.old} ${entry.new}`)).toEqual(
      model.feed.filter((line) => line.startsWith(`${name} `)).reverse(),
    );
  }
}

function presenceIn({ chunks, incomplete }: Model, hash: Hash): Presence {
  if (!chunks.has(hash)) return 'absent';
  return incomplete.has(hash) ? 'incomplete' : 'complete';
}
