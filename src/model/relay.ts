/**
 * A table's tree under another layout: columns at other places, key columns of other types.
 * Cost: nothing where the entries are the same bytes under both; else the whole table.
 */
import { compareBytes } from '../bytes.ts';
import type { Hash } from '../hash.ts';
import { TreeBuilder } from '../prolly/builder.ts';
import { type Edit, editTree } from '../prolly/edit.ts';
import type { NodeStore } from '../prolly/node-store.ts';
import { EMPTY_TREE } from '../prolly/node-writer.ts';
import { getEntry, scanLeaves } from '../prolly/scan.ts';
import { combineKeyless, keylessCount, withKeylessCount } from '../tuple/keyless.ts';
import { tupleColumns } from '../tuple/row-codec.ts';
import { encodeRow } from '../tuple/row-encoder.ts';
import type { Row, Schema } from '../tuple/schema.ts';
import { buildBlob } from './blob.ts';
import { loadRow } from './table-diff.ts';

const BATCH = 50_000;

export interface Layout {
  readonly schema: Schema;
  /** For each of its columns, where the old layout has it; -1: nowhere, so null. */
  readonly places: readonly number[];
}

/** Are the entries of a tree the same bytes under both? */
export function sameEntries(from: Schema, { schema, places }: Layout): boolean {
  const keys = (s: Schema) => s.key.map((place) => s.columns[place].type);
  const sameTypes = keys(from).join() === keys(schema).join();
  const sameKey = schema.key.every((place, i) => places[place] === from.key[i]);
  if (!sameTypes || !sameKey || schema.key.length !== from.key.length) return false;
  const [before, after] = [tupleColumns(from), tupleColumns(schema).map((i) => places[i])];
  return (
    before.every((place, i) => after[i] === place) &&
    after.slice(before.length).every((place) => place < 0)
  );
}

/** @throws DvError `null-key`, `type-mismatch`, `key-too-long` when a key does not fit */
export async function relayTree(
  nodes: NodeStore,
  tree: Hash,
  from: Schema,
  layout: Layout,
): Promise<Hash> {
  if (tree === EMPTY_TREE || sameEntries(from, layout)) return tree;
  const keys = (s: Schema) => s.key.map((place) => s.columns[place].type).join();
  const inOrder = from.key.length > 0 && keys(from) === keys(layout.schema);
  return inOrder
    ? relayInOrder(nodes, tree, from, layout)
    : relayInBatches(nodes, tree, from, layout);
}

/** A row of the old layout in the new one. */
export const relayRow = (row: Row, { places }: Layout): Row =>
  places.map((place) => (place < 0 ? null : row[place]));

function encode(nodes: NodeStore, schema: Schema, row: Row) {
  return encodeRow(schema, row, (bytes) => buildBlob(bytes, (chunk) => nodes.put(chunk)));
}

async function relayInOrder(
  nodes: NodeStore,
  tree: Hash,
  from: Schema,
  layout: Layout,
): Promise<Hash> {
  const builder = new TreeBuilder(nodes);
  for await (const leaf of scanLeaves(nodes, tree)) {
    for (let i = 0; i < leaf.count; i++) {
      const row = await loadRow(nodes, from, leaf.key(i), leaf.value(i));
      const { key, value } = encode(nodes, layout.schema, relayRow(row, layout));
      builder.appendPair(key, value);
    }
    if (builder.full) await builder.flush();
  }
  return builder.finish();
}

async function relayInBatches(
  nodes: NodeStore,
  tree: Hash,
  from: Schema,
  layout: Layout,
): Promise<Hash> {
  let result = EMPTY_TREE;
  let batch = new Map<string, Edit & { readonly value: Uint8Array }>();
  const keyless = layout.schema.key.length === 0;
  const apply = async (): Promise<void> => {
    const edits: Edit[] = [];
    for (const { key, value } of batch.values()) {
      const there = keyless ? await getEntry(nodes, result, key) : undefined;
      edits.push({ key, value: there === undefined ? value : combineKeyless(there, value) });
    }
    edits.sort((a, b) => compareBytes(a.key, b.key));
    result = await editTree(nodes, result, [edits]);
    batch = new Map();
  };
  for await (const leaf of scanLeaves(nodes, tree)) {
    for (let i = 0; i < leaf.count; i++) {
      const row = await loadRow(nodes, from, leaf.key(i), leaf.value(i));
      const entry = encode(nodes, layout.schema, relayRow(row, layout));
      const id = entry.key.toString('latin1');
      if (!keyless) batch.set(id, entry);
      else {
        const value = withKeylessCount(entry.value, keylessCount(leaf.value(i)));
        const other = batch.get(id);
        const sum = other === undefined ? value : combineKeyless(other.value, value);
        batch.set(id, { key: entry.key, value: sum });
      }
    }
    if (batch.size >= BATCH) await apply();
  }
  await apply();
  return result;
}
