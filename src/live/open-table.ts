/** A table as the row writer holds it: decoded, and kept from one commit to the next. */
import type { Hash } from '../hash.ts';
import { readSchema, readTable } from '../model/object-reader.ts';
import type { DialectRecord } from '../model/root.ts';
import { getRootEntry } from '../model/root.ts';
import type { NodeStore } from '../prolly/node-store.ts';
import type { Schema } from '../tuple/schema.ts';

export interface OpenTable {
  readonly hash: Hash;
  readonly tree: Hash;
  readonly schemaHash: Hash;
  readonly schema: Schema;
  readonly dialect: DialectRecord | undefined;
}

/** undefined: the root has no such name; null: it names a plain file. */
export async function openTable(
  nodes: NodeStore,
  root: Hash,
  name: string,
): Promise<OpenTable | undefined | null> {
  const entry = await getRootEntry(nodes, root, name);
  if (entry === undefined) return undefined;
  if (entry.kind === 'file') return null;
  const { schema, tree } = await readTable(nodes.objects, entry.table);
  return {
    hash: entry.table,
    tree,
    schemaHash: schema,
    schema: await readSchema(nodes.objects, schema),
    dialect: entry.dialect,
  };
}
