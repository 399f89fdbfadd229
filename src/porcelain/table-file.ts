/**
 * A table or plain file of a root written out as bytes: for `export`, `show REV:TABLE` and
 * the working files of a checkout.
 */
import type { Dialect } from '../formats/contract.ts';
import { loadFormat } from '../formats/registry.ts';
import type { Hash } from '../hash.ts';
import { readBlob, readWholeBlob } from '../model/blob.ts';
import { readSchema, readTable } from '../model/object-reader.ts';
import type { RootEntry } from '../model/root.ts';
import type { NodeStore } from '../prolly/node-store.ts';
import { scanLeaves } from '../prolly/scan.ts';
import type { RowBatch } from '../tuple/row-batch.ts';
import { RowBatchBuilder } from '../tuple/row-batch-builder.ts';
import { needsBlobs, readWholeValue } from '../tuple/row-codec.ts';
import type { Schema } from '../tuple/schema.ts';

/** The rows of a tree in key order, so many of them, in batches; one is valid until the next. */
export async function* tableBatches(
  nodes: NodeStore,
  schema: Schema,
  tree: Hash,
  limit = Number.POSITIVE_INFINITY,
): AsyncGenerator<RowBatch> {
  const builder = new RowBatchBuilder(schema);
  let left = limit;
  const blob = (hash: Hash): Promise<Uint8Array> => readWholeBlob(nodes.objects, hash);
  for await (const leaf of scanLeaves(nodes, tree)) {
    if (left <= 0) break;
    for (let i = 0; i < leaf.count && left > 0; i++, left--) {
      const value = leaf.value(i);
      const whole = needsBlobs(value) ? await readWholeValue(value, blob) : value;
      while (!builder.append(leaf.key(i), whole)) yield builder.take();
    }
  }
  if (builder.rows > 0) yield builder.take();
}

/** A table's bytes in a dialect, in pieces. Cost: the table, once. */
export async function* tableBytes(
  nodes: NodeStore,
  table: Hash,
  dialect: Dialect,
  limit?: number,
): AsyncGenerator<Uint8Array> {
  const { schema: schemaHash, tree } = await readTable(nodes.objects, table);
  const schema = await readSchema(nodes.objects, schemaHash);
  const format = await loadFormat(dialect.format);
  const writer = format.createWriter(schema, dialect);
  if (writer.survey !== undefined) {
    for await (const batch of tableBatches(nodes, schema, tree, limit)) writer.survey(batch);
  }
  for await (const batch of tableBatches(nodes, schema, tree, limit)) {
    const bytes = await writer.write(batch);
    if (bytes !== undefined && bytes.length > 0) yield bytes;
  }
  const rest = await writer.end();
  if (rest !== undefined && rest.length > 0) yield rest;
}

/**
 * The bytes of any entry; a table in `dialect`, else in the one it was read in, else CSV, and of
 * its rows the first `limit`.
 */
export function entryBytes(
  nodes: NodeStore,
  entry: RootEntry,
  dialect?: Dialect,
  limit?: number,
): AsyncGenerator<Uint8Array> {
  if (entry.kind === 'file') return readBlob(nodes.objects, entry.blob);
  const remembered = entry.dialect as unknown as Dialect | undefined;
  return tableBytes(nodes, entry.table, dialect ?? remembered ?? { format: 'csv' }, limit);
}
