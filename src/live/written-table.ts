/**
 * What writes to a table start from and end with, whether they came as objects
 * (table-writes.ts) or as bytes (table-batch.ts).
 */
import type { Hash } from '../hash.ts';
import { encodeSchema, encodeTable, toChunk } from '../model/objects.ts';
import { relayTree } from '../model/relay.ts';
import type { NodeStore } from '../prolly/node-store.ts';
import { EMPTY_TREE } from '../prolly/node-writer.ts';
import type { Schema } from '../tuple/schema.ts';
import type { TableRowCounts } from './contract.ts';
import type { OpenTable } from './open-table.ts';
import { checkSchemaSize } from './write-schema.ts';

export interface WrittenTable {
  /** undefined: not there before, and still not. */
  readonly table: OpenTable | undefined;
  readonly changed: boolean;
  readonly counts: TableRowCounts;
}

/** The table's tree as the schema lays rows out. */
export function layOut(
  nodes: NodeStore,
  before: OpenTable | undefined,
  schema: Schema,
): Hash | Promise<Hash> {
  if (before === undefined) return EMPTY_TREE;
  if (before.schema === schema) return before.tree;
  const places = schema.columns.map((_, i) => (i < before.schema.columns.length ? i : -1));
  return relayTree(nodes, before.tree, before.schema, { schema, places });
}

/** Puts the table's own objects. */
export function putTable(
  nodes: NodeStore,
  name: string,
  before: OpenTable | undefined,
  schema: Schema,
  tree: Hash,
): OpenTable {
  let schemaHash = before?.schemaHash;
  if (schemaHash === undefined || schema !== before?.schema) {
    const chunk = toChunk(encodeSchema(schema));
    checkSchemaSize(name, schema, chunk.bytes.length);
    nodes.put(chunk);
    schemaHash = chunk.hash;
  }
  const chunk = toChunk(encodeTable({ schema: schemaHash, tree }), before?.hash);
  nodes.putIfEmpty(tree);
  nodes.put(chunk);
  return { hash: chunk.hash, tree, schemaHash, schema, dialect: before?.dialect };
}
