import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compareBytes } from '../../src/bytes.ts';
import type { Hash } from '../../src/hash.ts';
import { buildTree } from '../../src/prolly/builder.ts';
import { diffTrees } from '../../src/prolly/diff.ts';
import { type Edit, editTree } from '../../src/prolly/edit.ts';
import { NodeStore } from '../../src/prolly/node-store.ts';
import { getEntry, scanLeaves } from '../../src/prolly/scan.ts';
import { createMemoryStore } from '../../src/store/memory.ts';

type Model = Map<string, string>;

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');

function sorted(model: Model): [Buffer, Buffer][] {
  const entries = [...model].map(([k, v]): [Buffer, Buffer] => [bytes(k), bytes(v)]);
  return entries.sort((a, b) => compareBytes(a[0], b[0]));
}

async function contents(store: NodeStore, root: Hash): Promise<Model> {
  const model: Model = new Map();
  for await (const leaf of scanLeaves(store, root)) {
    for (let i = 0; i < leaf.count; i++) {
      const value = Buffer.from(leaf.value(i)).toString('latin1');
      model.set(Buffer.from(leaf.key(i)).toString('latin1'), value);
    }
  }
  return model;
}

/** Models from a handful to a few thousand entries, with big and small values. */
const model = fc
  .record({
    size: fc.constantFrom(0, 1, 5, 60, 400, 3000),
    seed: fc.integer({ min: 0, max: 1e6 }),
    width: fc.constantFrom(1, 20, 300),
    /** Long keys make internal nodes narrow, so the tree gets deep. */
    pad: fc.constantFrom(0, 0, 300),
  })
  .map(({ size, seed, width, pad }) => {
    const result: Model = new Map();
    for (let i = 0; i < size; i++) {
      const x = Math.imul(i + seed, 2654435761) >>> 0;
      result.set(`k${x % (size * 3)}${'p'.repeat(pad)}`, `\0${'v'.repeat(x % width)}${x % 97}`);
    }
    return result;
  });

const edits = fc.record({
  seed: fc.integer({ min: 0, max: 1e6 }),
  count: fc.constantFrom(0, 1, 2, 17, 300),
  kind: fc.constantFrom('scattered', 'range', 'append', 'delete-all', 'prefix'),
});

function makeEdits(base: Model, plan: { seed: number; count: number; kind: string }): Edit[] {
  const keys = [...base.keys()].sort();
  const changes: Map<string, string | null> = new Map();
  if (plan.kind === 'delete-all') for (const key of keys) changes.set(key, null);
  for (let i = 0; i < plan.count; i++) {
    const x = Math.imul(i * 7 + plan.seed, 2246822519) >>> 0;
    const near = keys[(plan.kind === 'scattered' ? x : plan.seed + i) % Math.max(1, keys.length)];
    if (plan.kind === 'append') changes.set(`z${1e6 + i}`, `\0${x}`);
    else if (plan.kind === 'prefix') changes.set(`a${1e6 + i}`, `\0${x}`);
    else if (near === undefined || x % 5 === 0) changes.set(`k${x % 9999}`, '\0new');
    else changes.set(near, x % 3 === 0 ? null : `\0${'w'.repeat(x % 500)}`);
  }
  return [...changes]
    .map(([k, v]) => ({ key: bytes(k), value: v === null ? null : bytes(v) }))
    .sort((a, b) => compareBytes(a.key, b.key));
}

function applied(base: Model, changes: readonly Edit[]): Model {
  const result = new Map(base);
  for (const { key, value } of changes) {
    const text = Buffer.from(key).toString('latin1');
    if (value === null) result.delete(text);
    else result.set(text, Buffer.from(value).toString('latin1'));
  }
  return result;
}

function* inBatches<T>(items: readonly T[], size: number): Generator<T[]> {
  for (let i = 0; i < items.length; i += size) yield items.slice(i, i + size);
}

describe('a tree', () => {
  test('holds what was built into it, and finds every key', async () => {
    await fc.assert(
      fc.asyncProperty(model, async (entries) => {
        const store = new NodeStore(createMemoryStore());
        const root = await buildTree(store, sorted(entries));
        expect(await contents(store, root)).toEqual(entries);
        expect((await store.read(root)).rows).toBe(entries.size);
        for (const [key, value] of [...entries].slice(0, 20)) {
          const found = await getEntry(store, root, bytes(key));
          expect(found && Buffer.from(found).toString('latin1')).toBe(value);
        }
        expect(await getEntry(store, root, bytes('absent'))).toBeUndefined();
      }),
      { numRuns: 30 },
    );
  });

  test('edited equals built afresh, however the edits are batched', async () => {
    await fc.assert(
      fc.asyncProperty(model, edits, fc.constantFrom(1, 7, 1000), async (base, plan, batch) => {
        const store = new NodeStore(createMemoryStore());
        const root = await buildTree(store, sorted(base));
        const changes = makeEdits(base, plan);
        const edited = await editTree(store, root, inBatches(changes, batch));
        const fresh = await buildTree(store, sorted(applied(base, changes)));
        expect(edited).toBe(fresh);
      }),
      { numRuns: 200 },
    );
  });

  test('a deep tree keeps the law while it shrinks to nothing and grows back', async () => {
    const store = new NodeStore(createMemoryStore());
    const entries = Array.from({ length: 4000 }, (_, i): [Buffer, Buffer] => [
      bytes(`${'p'.repeat(2000)}${String(i).padStart(6, '0')}`),
      bytes(`\0${i}`),
    ]);
    let root = await buildTree(store, entries);
    expect((await store.read(root)).level).toBeGreaterThanOrEqual(3);
    for (let left = 4000; left > 0; left = Math.floor(left / 3)) {
      const keep = Math.floor(left / 3);
      const deletes = entries.slice(keep, left).map(([key]) => ({ key, value: null }));
      root = await editTree(store, root, [deletes]);
      expect(root).toBe(await buildTree(store, entries.slice(0, keep)));
    }
    const all = entries.map(([key, value]) => ({ key, value }));
    expect(await editTree(store, root, [all])).toBe(await buildTree(store, entries));
  });

  test('appending behind a tree that ends exactly at a boundary keeps what was there', async () => {
    const store = new NodeStore(createMemoryStore());
    const entries = Array.from({ length: 2000 }, (_, i): [Buffer, Buffer] => [
      bytes(`${'p'.repeat(200)}${String(i).padStart(6, '0')}`),
      bytes(`\0${i}`),
    ]);
    const ends: number[] = [];
    let rows = 0;
    for await (const leaf of scanLeaves(store, await buildTree(store, entries))) {
      rows += leaf.count;
      ends.push(rows);
    }
    expect(ends.length).toBeGreaterThan(20);
    for (const end of ends.slice(0, -1)) {
      const root = await buildTree(store, entries.slice(0, end));
      for (const more of [1, 40, 300]) {
        const edits = entries.slice(end, end + more).map(([key, value]) => ({ key, value }));
        const fresh = await buildTree(store, entries.slice(0, end + more));
        expect(await editTree(store, root, [edits])).toBe(fresh);
        const deletes = edits.map(({ key }) => ({ key, value: null }));
        expect(await editTree(store, fresh, [deletes])).toBe(root);
      }
    }
  });

  test('diff of a range gives the changes of its keys', async () => {
    await fc.assert(
      fc.asyncProperty(model, edits, fc.nat(), fc.nat(), async (base, plan, a, b) => {
        const store = new NodeStore(createMemoryStore());
        const target = applied(base, makeEdits(base, plan));
        const keys = [...base.keys(), ...target.keys(), ''].map(bytes).sort(compareBytes);
        const [low, high] = [a % keys.length, b % keys.length].sort((x, y) => x - y);
        const range = { first: keys[low], last: keys[high] };
        const from = await buildTree(store, sorted(base));
        const to = await buildTree(store, sorted(target));
        const expected = [];
        for await (const batch of diffTrees(store, from, to)) {
          expected.push(
            ...batch.filter(
              ({ key }) =>
                compareBytes(key, range.first) >= 0 && compareBytes(key, range.last) <= 0,
            ),
          );
        }
        const found = [];
        for await (const batch of diffTrees(store, from, to, range)) found.push(...batch);
        expect(found).toEqual(expected);
      }),
      { numRuns: 100 },
    );
  });

  test('diff gives exactly the model difference, in key order', async () => {
    await fc.assert(
      fc.asyncProperty(model, edits, async (base, plan) => {
        const store = new NodeStore(createMemoryStore());
        const target = applied(base, makeEdits(base, plan));
        const from = await buildTree(store, sorted(base));
        const to = await buildTree(store, sorted(target));
        const found: [string, string | undefined, string | undefined][] = [];
        const text = (b: Uint8Array | undefined) => b && Buffer.from(b).toString('latin1');
        for await (const batch of diffTrees(store, from, to)) {
          for (const change of batch) {
            found.push([text(change.key) ?? '', text(change.from), text(change.to)]);
          }
        }
        const keys = [...new Set([...base.keys(), ...target.keys()])];
        const expected = keys
          .filter((key) => base.get(key) !== target.get(key))
          .sort((a, b) => compareBytes(bytes(a), bytes(b)))
          .map((key) => [key, base.get(key), target.get(key)]);
        expect(found).toEqual(expected);
      }),
      { numRuns: 100 },
    );
  });
});
