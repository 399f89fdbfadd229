/** A table described plainly, as a fresh build of its rows in a store. */
import type { Hash } from '../../src/hash.ts';
import { buildBlob } from '../../src/model/blob.ts';
import { encodeSchema, encodeTable, toChunk } from '../../src/model/objects.ts';
import { editTree } from '../../src/prolly/edit.ts';
import type { NodeStore } from '../../src/prolly/node-store.ts';
import { EMPTY_TREE } from '../../src/prolly/node-writer.ts';
import { keylessCount, withKeylessCount } from '../../src/tuple/keyless.ts';
import { encodeRow } from '../../src/tuple/row-encoder.ts';
import type { WholeTable } from './table-diffs.ts';

export async function storeTable(nodes: NodeStore, table: WholeTable): Promise<Hash> {
  const entries = new Map<string, { key: Buffer; value: Buffer }>();
  for (const row of table.rows) {
    const entry = encodeRow(table.schema, row, (bytes) => buildBlob(bytes, (c) => nodes.put(c)));
    const id = entry.key.toString('hex');
    const same = entries.get(id);
    const value =
      same === undefined
        ? entry.value
        : withKeylessCount(entry.value, keylessCount(same.value) + 1);
    entries.set(id, { key: entry.key, value });
  }
  const edits = [...entries.values()].sort((a, b) => Buffer.compare(a.key, b.key));
  const tree = await editTree(nodes, EMPTY_TREE, [edits]);
  const schema = toChunk(encodeSchema(table.schema));
  const encoded = toChunk(encodeTable({ schema: schema.hash, tree }));
  nodes.putIfEmpty(tree);
  nodes.put(schema);
  nodes.put(encoded);
  await nodes.flush();
  return encoded.hash;
}
