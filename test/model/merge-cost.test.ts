/**
 * What a merge of tables reads: of all leaves only those that both sides changed, whatever
 * the size of the table and however much one side alone changed.
 */
import { describe, expect, test } from 'vitest';
import type { Hash } from '../../src/hash.ts';
import { mergeRoots } from '../../src/model/merge-roots.ts';
import { readTable } from '../../src/model/object-reader.ts';
import { NODE_KIND, Node } from '../../src/prolly/node.ts';
import { NodeStore } from '../../src/prolly/node-store.ts';
import { scanLeaves } from '../../src/prolly/scan.ts';
import { createMemoryStore } from '../../src/store/memory.ts';
import type { Cell, Row } from '../../src/tuple/schema.ts';
import { rootWith } from '../support/merge-scene.ts';
import { overlay } from '../support/store-counting.ts';
import { storeTable } from '../support/stored-tables.ts';
import { schema as schemaOf } from '../support/table-diffs.ts';

const SIZE = 30_000;
const schema = schemaOf('id:integer a b', 'id');
const rows: readonly Row[] = Array.from({ length: SIZE }, (_, i): Cell[] => [
  `${i}`,
  `some text of row ${i} that makes it a little longer`,
  `${(i * 7919) % 1000}`,
]);

const edited = (places: ReadonlySet<number>, column: number, text: string): Row[] =>
  rows.map((row, i) => (places.has(i) ? row.with(column, `${text}${i}`) : row));

const every = (step: number, from: number, to: number): ReadonlySet<number> =>
  new Set(Array.from({ length: Math.floor((to - from) / step) }, (_, i) => from + i * step));

/** Merges, and gives the leaves that were read as sets of row numbers. */
async function leavesRead(
  ours: Row[],
  theirs: Row[],
): Promise<{ leaves: number[][]; base: number[][] }> {
  const memory = createMemoryStore({ now: () => 0 });
  const nodes = new NodeStore(memory);
  const sides = {
    base: await rootWith(nodes, { schema, rows }),
    ours: await rootWith(nodes, { schema, rows: ours }),
    theirs: await rootWith(nodes, { schema, rows: theirs }),
  };
  await nodes.flush();
  const leaves: number[][] = [];
  // The table's leaves are told from the root's by their many rows.
  const note = (bytes: Uint8Array | undefined): void => {
    if (bytes?.[0] !== NODE_KIND) return;
    const node = new Node(bytes);
    if (node.level === 0 && node.count > 1) leaves.push(numbersOf(node));
  };
  const watched = overlay(memory, {
    async getMany(hashes: readonly Hash[]) {
      const chunks = await memory.getMany(hashes);
      for (const bytes of chunks) note(bytes);
      return chunks;
    },
  });
  await mergeRoots(new NodeStore(watched), sides);
  const { tree } = await readTable(memory, await storeTable(nodes, { schema, rows }));
  const base: number[][] = [];
  for await (const leaf of scanLeaves(nodes, tree)) base.push(numbersOf(leaf));
  return { leaves, base };
}

/** Row numbers of a leaf, out of the cells that start with them. */
const numbersOf = (leaf: Node): number[] =>
  Array.from({ length: leaf.count }, (_, i) => {
    const text = Buffer.from(leaf.value(i)).toString();
    return Number(/row (\d+) /.exec(text)?.[1] ?? -1);
  });

describe('leaves that a merge opens', () => {
  const cases: [string, ReadonlySet<number>, ReadonlySet<number>][] = [
    ['scattered edits on both sides', every(700, 3, SIZE), every(900, 500, SIZE)],
    ['one row against half of the table', new Set([12_345]), every(2, 0, SIZE)],
    ['the front against the back', every(10, 0, 9_000), every(10, 20_000, SIZE)],
    ['a few rows in common', every(3000, 0, SIZE), every(3000, 0, SIZE)],
  ];
  test.each(cases)('%s', async (_, inOurs, inTheirs) => {
    const { leaves, base } = await leavesRead(edited(inOurs, 2, 'o'), edited(inTheirs, 2, 't'));
    const isBoth = (numbers: number[]) =>
      numbers.some((n) => inOurs.has(n)) && numbers.some((n) => inTheirs.has(n));
    const both = new Set(base.filter(isBoth).flat());
    const strangers = leaves.filter((numbers) => !numbers.some((n) => both.has(n)));
    // Where a merged leaf grew past its end, the next one is drawn in.
    expect(strangers.length).toBeLessThanOrEqual(2 + Math.ceil(base.filter(isBoth).length / 10));
    expect(leaves.length).toBeLessThanOrEqual(
      3 * base.filter(isBoth).length + strangers.length + 6,
    );
    if (both.size > 0) expect(leaves.length).toBeGreaterThan(0);
  });
});
