/**
 * Law 1: a table's hash depends on its schema and rows alone. Law 2: cost follows the
 * change. And an independent reference computes the same hashes.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { add } from '../../src/porcelain/add.ts';
import { apply } from '../../src/porcelain/apply.ts';
import { commit } from '../../src/porcelain/commit.ts';
import { diff } from '../../src/porcelain/diff.ts';
import { hashOfTable } from '../../src/porcelain/inspect.ts';
import { writePatch } from '../../src/porcelain/patch.ts';
import { restore } from '../../src/porcelain/restore.ts';
import { NodeStore } from '../../src/prolly/node-store.ts';
import { type ReferenceColumn, referenceTableHash } from '../support/reference-tree.ts';
import { temporaryRepository } from '../support/repository.ts';
import { countingStore } from '../support/store-counting.ts';

type Rows = Map<string, (string | null)[]>;

const COLUMNS: ReferenceColumn[] = [
  { name: 'id', type: 'integer' },
  { name: 'name', type: 'text' },
  { name: 'note', type: 'text' },
];

const quoted = (text: string | null): string =>
  text === null ? '' : `"${text.replaceAll('"', '""')}"`;

function toCsv(rows: readonly (readonly (string | null)[])[]): string {
  const lines = rows.map(([id, ...cells]) => [id, ...cells.map(quoted)].join(','));
  return `id,name,note\n${lines.map((line) => `${line}\n`).join('')}`;
}

const cell = fc.option(fc.string({ maxLength: 30 }).filter((text) => !text.includes('\0')));

/** Rows by key: some tables of a few rows, some of many leaves. */
const table = fc
  .tuple(
    fc.constantFrom(1, 3, 40, 1500),
    fc.integer({ min: 0, max: 1e6 }),
    fc.array(fc.tuple(fc.integer({ min: -1e12, max: 1e12 }), cell, cell), { maxLength: 30 }),
  )
  .map(([size, seed, odd]) => {
    const rows: Rows = new Map();
    for (let i = 0; i < size; i++) {
      const x = Math.imul(i + seed, 2654435761) >>> 0;
      rows.set(String(x % (size * 4)), [
        `name ${x % 1000}`,
        x % 3 === 0 ? null : 'n'.repeat(x % 60),
      ]);
    }
    // A text cell first, so that the types are text whatever the others are.
    rows.set('-7', ['text', 'text']);
    for (const [id, name, note] of odd) rows.set(String(id), [name, note]);
    return rows;
  });

const list = (rows: Rows): (string | null)[][] => [...rows].map(([id, cells]) => [id, ...cells]);
const byId = (a: (string | null)[], b: (string | null)[]): number => Number(a[0]) - Number(b[0]);

function shuffled<T>(items: readonly T[], seed: number): T[] {
  const result = [...items];
  for (let i = result.length - 1; i > 0; i--) {
    const j = (Math.imul(i + seed, 2246822519) >>> 0) % (i + 1);
    [result[i], result[j]] = [result[j], result[i]];
  }
  return result;
}

const TYPES = {
  key: ['id'],
  types: new Map([
    ['name', 'text'],
    ['note', 'text'],
  ] as const),
};

describe('same rows, same hash', () => {
  test('however they are ordered, and by whatever edits they came', async () => {
    await using temporary = await temporaryRepository();
    const { repo, directory } = temporary;
    const file = join(directory, 't.csv');
    const hash = async (rows: readonly (readonly (string | null)[])[]): Promise<string> => {
      writeFileSync(file, toCsv(rows));
      await add(repo, [file], TYPES);
      return (await hashOfTable(repo, 't.csv')).hash;
    };
    await fc.assert(
      fc.asyncProperty(table, table, fc.integer(), async (rows, other, seed) => {
        const inOrder = list(rows).sort(byId);
        const expected = referenceTableHash(COLUMNS, inOrder);
        expect(await hash(inOrder)).toBe(expected);
        // By way of other contents, and from a file in another order.
        await hash(list(other));
        expect(await hash(shuffled(inOrder, seed))).toBe(expected);
        await hash(inOrder.slice(0, Math.ceil(inOrder.length / 2)));
        expect(await hash([...inOrder].reverse())).toBe(expected);
      }),
      { numRuns: 25 },
    );
  }, 60_000);

  test('a diff applied to where it came from gives where it went, and back', async () => {
    await fc.assert(
      fc.asyncProperty(table, table, async (before, after) => {
        await using temporary = await temporaryRepository();
        const { repo, directory } = temporary;
        const file = join(directory, 't.csv');
        const save = async (rows: Rows): Promise<string> => {
          writeFileSync(file, toCsv(list(rows)));
          await add(repo, [file], TYPES);
          await commit(repo, { message: 'save', allowEmpty: true });
          return (await hashOfTable(repo, 'HEAD:t.csv')).hash;
        };
        const [from, to] = [await save(before), await save(after)];
        const { tables } = await diff(repo, { revisions: ['HEAD~1', 'HEAD'], complete: true });
        let patch = '';
        for await (const text of writePatch(tables)) patch += text;
        const lines = async function* () {
          yield patch;
        };
        if (from === to) return;
        await apply(repo, lines(), { reverse: true, index: true });
        expect((await hashOfTable(repo, 't.csv')).hash).toBe(from);
        await apply(repo, lines(), { index: true });
        expect((await hashOfTable(repo, 't.csv')).hash).toBe(to);
        // It fits only where it came from.
        await expect(apply(repo, lines(), { index: true })).rejects.toMatchObject({
          code: 'patch-mismatch',
        });
        await restore(repo, [file], { staged: true, worktree: true, source: 'HEAD' });
        expect((await hashOfTable(repo, 't.csv')).hash).toBe(to);
      }),
      { numRuns: 15 },
    );
  }, 60_000);
});

test('a diff reads nodes in proportion to the rows that differ, not to the table', async () => {
  const reads: number[] = [];
  for (const size of [2_000, 20_000, 200_000]) {
    await using temporary = await temporaryRepository();
    const { repo, directory } = temporary;
    const file = join(directory, 't.csv');
    const rows = Array.from({ length: size }, (_, i) => [String(i), `name ${i}`, 'note']);
    for (const edited of [false, true]) {
      if (edited) for (const share of [0.1, 0.5, 0.9]) rows[Math.floor(size * share)][1] = 'edited';
      writeFileSync(file, toCsv(rows));
      await add(repo, [file], TYPES);
      await commit(repo, { message: 'save' });
    }
    const { store, counts } = countingStore(repo.store);
    const counted = { ...repo, store, nodes: new NodeStore(store) };
    let changes = 0;
    const { tables } = await diff(counted, { revisions: ['HEAD~1', 'HEAD'] });
    for await (const one of tables)
      for await (const batch of one.changes()) changes += batch.length;
    expect(changes).toBe(3);
    reads.push(counts.gets);
  }
  // Three rows on two sides: a leaf and a path each, and the commits, roots and schemas.
  expect(Math.max(...reads)).toBeLessThanOrEqual(40);
  expect(reads[2]).toBeLessThanOrEqual(reads[0] + 12);
}, 60_000);
