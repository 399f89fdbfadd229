/**
 * The merge of trees: equal to the tree built from the entries that an obvious merge of maps
 * gives, and unread where one side alone changed something.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compareBytes } from '../../src/bytes.ts';
import type { Hash } from '../../src/hash.ts';
import { buildTree } from '../../src/prolly/builder.ts';
import { editTree } from '../../src/prolly/edit.ts';
import { type DecideEntries, mergeTrees } from '../../src/prolly/merge.ts';
import { NodeStore } from '../../src/prolly/node-store.ts';
import { createMemoryStore } from '../../src/store/memory.ts';
import { countingStore } from '../support/store-counting.ts';

type Entries = ReadonlyMap<number, string>;

/** Long keys make internal nodes narrow, so that few entries are a tree of three levels. */
const keyOf = (n: number): Buffer =>
  Buffer.from(`${String(n).padStart(7, '0')}${'k'.repeat(n % 7 === 0 ? 300 : 40)}`);
const numberOf = (key: Uint8Array): number => Number(Buffer.from(key.subarray(0, 7)).toString());
/** A value here and there says that it refers outside the tree. */
const entryOf = (text: string): Buffer => {
  const refers = (text.length * 131 + 7 * text.charCodeAt(text.length >> 1)) % 300 === 3;
  return Buffer.concat([Buffer.from([Number(refers)]), Buffer.from(text)]);
};

function newNodes(): NodeStore {
  return new NodeStore(createMemoryStore({ now: () => 0 }));
}

function build(nodes: NodeStore, entries: Entries): Promise<Hash> {
  const pairs = [...entries].map(([n, text]) => [keyOf(n), entryOf(text)] as const);
  return buildTree(
    nodes,
    pairs.sort((a, b) => compareBytes(a[0], b[0])),
  );
}

/** Joins the two sides' texts: any function of the three values would do. */
const join = (base = '-', ours = '-', theirs = '-'): string | undefined =>
  (ours.length + theirs.length) % 3 === 0 ? undefined : `${base}|${ours}|${theirs}`.slice(0, 200);

const decide: DecideEntries = async (batch) =>
  batch.map(({ base, ours, theirs }) => {
    const text = (value: Uint8Array | undefined) =>
      value === undefined ? undefined : Buffer.from(value.subarray(1)).toString();
    const joined = join(text(base), text(ours), text(theirs));
    return joined === undefined ? null : entryOf(joined);
  });

function mergeMaps(base: Entries, ours: Entries, theirs: Entries): Entries {
  const merged = new Map<number, string>();
  for (const n of new Set([...base.keys(), ...ours.keys(), ...theirs.keys()])) {
    const [b, o, t] = [base.get(n), ours.get(n), theirs.get(n)];
    const value = o === t ? o : o === b ? t : t === b ? o : join(b, o, t);
    if (value !== undefined) merged.set(n, value);
  }
  return merged;
}

interface Change {
  readonly at: number;
  readonly count: number;
  readonly step: number;
  readonly text: string | null;
}

const changes = (size: number) =>
  fc.array(
    fc.record<Change>({
      at: fc.nat(size + (size >> 2)),
      count: fc.oneof(fc.constant(1), fc.nat(5), fc.nat(size)),
      step: fc.integer({ min: 1, max: 9 }),
      text: fc.option(fc.string({ maxLength: 120 })),
    }),
    { maxLength: 4 },
  );

function changed(base: Entries, list: readonly Change[]): Entries {
  const entries = new Map(base);
  for (const { at, count, step, text } of list) {
    for (let i = 0; i < count; i++) {
      if (text === null) entries.delete(at + i * step);
      else entries.set(at + i * step, text);
    }
  }
  return entries;
}

const scenes = fc
  .nat(1500)
  .chain((size) => fc.tuple(fc.constant(size), changes(size), changes(size)));

const startOf = (size: number): Entries =>
  new Map(Array.from({ length: size }, (_, i) => [i, `value ${(i * 7919) % 1000}`.repeat(3)]));

describe('mergeTrees', () => {
  test('is the tree of the merged entries, both ways round', async () => {
    await fc.assert(
      fc.asyncProperty(scenes, async ([size, forOurs, forTheirs]) => {
        const nodes = newNodes();
        const base = startOf(size);
        const [ours, theirs] = [changed(base, forOurs), changed(base, forTheirs)];
        const [b, o, t] = [
          await build(nodes, base),
          await build(nodes, ours),
          await build(nodes, theirs),
        ];
        const merged = await build(nodes, mergeMaps(base, ours, theirs));
        expect(await mergeTrees(nodes, b, o, t, decide)).toBe(merged);
        const swapped = await build(nodes, mergeMaps(base, theirs, ours));
        expect(await mergeTrees(nodes, b, t, o, decide)).toBe(swapped);
      }),
      { numRuns: 150 },
    );
  });

  test('decides keys in order, and only those that both sides changed differently', async () => {
    await fc.assert(
      fc.asyncProperty(scenes, async ([size, forOurs, forTheirs]) => {
        const nodes = newNodes();
        const base = startOf(size);
        const [ours, theirs] = [changed(base, forOurs), changed(base, forTheirs)];
        const asked: number[] = [];
        await mergeTrees(
          nodes,
          await build(nodes, base),
          await build(nodes, ours),
          await build(nodes, theirs),
          async (batch) => {
            for (const { key } of batch) asked.push(numberOf(key));
            return batch.map(() => null);
          },
        );
        const all = [...new Set([...base.keys(), ...ours.keys(), ...theirs.keys()])];
        const both = all.filter((n) => {
          const [b, o, t] = [base.get(n), ours.get(n), theirs.get(n)];
          return o !== t && o !== b && t !== b;
        });
        expect(asked).toEqual(both.sort((a, b) => a - b));
      }),
      { numRuns: 60 },
    );
  });

  test('an end that is a boundary on one side and none on the other', async () => {
    const nodes = newNodes();
    const long = (n: number) => `${n}`.padStart(700, 'y');
    const first = (count: number, from = 0): [number, string][] =>
      Array.from({ length: count }, (_, i) => [from + i * 10, long(i)]);
    for (let size = 12; size < 140; size++) {
      const base = new Map(first(size));
      const ours = new Map([...base].map(([n, text], i) => [n, i > size - 6 ? 'short' : text]));
      const theirs = new Map([...base, ...first(25, size * 10)]);
      const apart = new Map([...base, ...first(25, size * 10 + 1000)]);
      const [b, o, t, a] = [
        await build(nodes, base),
        await build(nodes, ours),
        await build(nodes, theirs),
        await build(nodes, apart),
      ];
      const merged = await build(nodes, mergeMaps(base, ours, theirs));
      expect(await mergeTrees(nodes, b, o, t, decide), `${size}`).toBe(merged);
      expect(await mergeTrees(nodes, b, t, o, decide), `${size}`).toBe(merged);
      const both = await build(nodes, mergeMaps(base, theirs, apart));
      expect(await mergeTrees(nodes, b, t, a, decide), `${size}`).toBe(both);
    }
  });

  test('trees that have nothing in common, and empty ones', async () => {
    const nodes = newNodes();
    const odd = new Map([...startOf(3000)].filter(([n]) => n % 2 === 1));
    const even = new Map([...startOf(3000)].filter(([n]) => n % 2 === 0));
    const empty = await build(nodes, new Map());
    const [o, t] = [await build(nodes, odd), await build(nodes, even)];
    const all = await build(nodes, startOf(3000));
    expect(await mergeTrees(nodes, empty, o, t, decide)).toBe(all);
    expect(await mergeTrees(nodes, all, o, t, decide)).toBe(empty);
    expect(await mergeTrees(nodes, all, empty, all, decide)).toBe(empty);
    expect(await mergeTrees(nodes, empty, empty, t, decide)).toBe(t);
  });
});

describe('what a merge reads', () => {
  const SIZE = 60_000;
  const texts = (n: number) => `${n}`.padStart(60, 'x');

  async function scene() {
    const memory = createMemoryStore({ now: () => 0 });
    const nodes = new NodeStore(memory);
    const base = await build(nodes, new Map(Array.from({ length: SIZE }, (_, i) => [i, texts(i)])));
    const edit = (numbers: readonly number[], text: string) =>
      editTree(nodes, base, [numbers.map((n) => ({ key: keyOf(n), value: entryOf(text) }))]);
    const readsOf = async (ours: Hash, theirs: Hash): Promise<number> => {
      const { store, counts } = countingStore(memory);
      await mergeTrees(new NodeStore(store), base, ours, theirs, decide);
      return counts.gets;
    };
    return { edit, readsOf };
  }

  const every = (step: number, from = 0) =>
    Array.from({ length: Math.floor((SIZE - from) / step) }, (_, i) => from + i * step);

  test('a row here and half the table there: paths only', async () => {
    const { edit, readsOf } = await scene();
    const one = await edit([30_000], 'one');
    const half = await edit(every(2), 'half');
    expect(await readsOf(one, half)).toBeLessThan(60);
    expect(await readsOf(half, one)).toBeLessThan(60);
  });

  test('changes far apart: no leaf but those where boundaries move', async () => {
    const { edit, readsOf } = await scene();
    const low = await edit(every(100).slice(0, 250), 'low');
    const high = await edit(every(100, 35_000).slice(0, 250), 'high');
    const both = await readsOf(low, high);
    expect(both).toBeLessThan(60);
  });
});
