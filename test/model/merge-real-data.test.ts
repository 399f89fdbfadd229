/**
 * Merges of real tables: a published version, and its successor dealt out to two branches by
 * alternate keys. Merged they are the successor; with cells that both change, exactly those
 * are in conflict.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import type { Hash } from '../../src/hash.ts';
import { ConflictRows } from '../../src/model/conflict-rows.ts';
import { scanConflicts } from '../../src/model/conflict-tree.ts';
import { mergeRoots } from '../../src/model/merge-roots.ts';
import { readSchema, readTable } from '../../src/model/object-reader.ts';
import { encodeTable, type Table, toChunk } from '../../src/model/objects.ts';
import { editRoot, getRootEntry } from '../../src/model/root.ts';
import { importFile } from '../../src/porcelain/import-file.ts';
import type { Repository } from '../../src/porcelain/repository.ts';
import { workingSet } from '../../src/porcelain/staging.ts';
import { diffTrees, type EntryChange } from '../../src/prolly/diff.ts';
import { editTree } from '../../src/prolly/edit.ts';
import { EMPTY_TREE } from '../../src/prolly/node-writer.ts';
import { scanLeaves } from '../../src/prolly/scan.ts';
import { decodeRow } from '../../src/tuple/row-codec.ts';
import { encodeRow } from '../../src/tuple/row-encoder.ts';
import type { Cell } from '../../src/tuple/schema.ts';
import { temporaryRepository } from '../support/repository.ts';

const FOLDER = join(import.meta.dirname, '../../../shared/data/bcd_support');
const VERSIONS = ['4.0.0', '5.0.0', '5.2.0', '5.3.0', '5.4.0', '5.5.0'];
const NAME = 'support';

async function importVersion(repo: Repository, version: string, key: string[]): Promise<Table> {
  const bytes = gunzipSync(readFileSync(join(FOLDER, `${version}.csv.gz`)));
  const env = { ...repo.env, stdin: () => onePiece(bytes) };
  await importFile({ ...repo, env }, NAME, '-', { format: 'csv', key });
  const { staged } = await workingSet(repo);
  const entry = await getRootEntry(repo.nodes, staged, NAME);
  if (entry?.kind !== 'table') throw new Error('no table');
  return readTable(repo.store, entry.table);
}

async function* onePiece(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

async function rootOf({ nodes }: Repository, table: Table): Promise<Hash> {
  const chunk = toChunk(encodeTable(table));
  nodes.put(chunk);
  const entry = { kind: 'table', table: chunk.hash, dialect: undefined } as const;
  return editRoot(nodes, EMPTY_TREE, new Map([[NAME, entry]]));
}

const editsOf = (changes: readonly EntryChange[]) => [
  changes.map(({ key, to }) => ({ key, value: to ?? null })),
];

describe.skipIf(!existsSync(FOLDER))('bcd_support', () => {
  const pairs = VERSIONS.slice(1).map((to, i) => [VERSIONS[i], to] as const);

  test.each(pairs)('%s to %s, dealt out to two branches', async (from, to) => {
    await using scene = await temporaryRepository();
    const { repo } = scene;
    const { nodes } = repo;
    const { primary_key: key } = JSON.parse(readFileSync(join(FOLDER, 'truth.json'), 'utf8'));
    const base = await importVersion(repo, from, key);
    const successor = await importVersion(repo, to, key);
    const schema = await readSchema(repo.store, successor.schema);
    const halves: EntryChange[][] = [[], []];
    let count = 0;
    for await (const batch of diffTrees(nodes, base.tree, successor.tree)) {
      for (const change of batch) halves[count++ % 2].push(change);
    }
    expect(count).toBeGreaterThan(100);
    const half = async (changes: EntryChange[]): Promise<Table> => ({
      schema: successor.schema,
      tree: await editTree(nodes, base.tree, editsOf(changes)),
    });
    const [ours, theirs] = [await half(halves[0]), await half(halves[1])];
    const [b, o, t] = [
      await rootOf(repo, base),
      await rootOf(repo, ours),
      await rootOf(repo, theirs),
    ];
    const merge = await mergeRoots(nodes, { base: b, ours: o, theirs: t });
    expect(merge.conflicts).toEqual([]);
    expect(merge.root).toBe(await rootOf(repo, successor));

    // Every 500th row that the successor left alone gets a cell that both change.
    const changed = new Set(halves.flat().map(({ key }) => Buffer.from(key).toString('hex')));
    const column = schema.columns.findIndex((_, i) => !schema.key.includes(i));
    const injected: string[] = [];
    const edits: Record<'ours' | 'theirs', { key: Uint8Array; value: Uint8Array }[]> = {
      ours: [],
      theirs: [],
    };
    let row = 0;
    for await (const leaf of scanLeaves(nodes, base.tree)) {
      for (let i = 0; i < leaf.count; i++, row++) {
        const at = leaf.key(i);
        if (row % 500 !== 0 || changed.has(Buffer.from(at).toString('hex'))) continue;
        const cells = decodeRow(schema, at, leaf.value(i)) as Cell[];
        for (const side of ['ours', 'theirs'] as const) {
          const edited = cells.map((cell, c) => (c === column ? `${side} ${row}` : cell));
          edits[side].push(encodeRow(schema, edited, () => EMPTY_TREE));
        }
        injected.push(schema.key.map((c) => cells[c]).join('/'));
      }
    }
    expect(injected.length).toBeGreaterThan(10);
    const overlapping = await mergeRoots(nodes, {
      base: b,
      ours: await rootOf(repo, { ...ours, tree: await editTree(nodes, ours.tree, [edits.ours]) }),
      theirs: await rootOf(repo, {
        ...theirs,
        tree: await editTree(nodes, theirs.tree, [edits.theirs]),
      }),
    });
    const [conflict] = overlapping.conflicts;
    if (conflict?.kind !== 'rows') throw new Error('no rows in conflict');
    const rows = await ConflictRows.open(nodes, conflict.sides);
    const found: string[] = [];
    for await (const batch of scanConflicts(nodes, conflict.tree)) {
      for (const { key: at, columns } of batch) {
        expect(columns).toEqual([schema.columns[column].name]);
        found.push(rows.keyCells(at).join('/'));
      }
    }
    expect(found).toEqual(injected);
  });
});
