/** What a branch holds, read the plain way: for tests of the row writer. */
import type { Hash } from '../../src/hash.ts';
import { readCommit, readSchema, readTable } from '../../src/model/object-reader.ts';
import type { Commit } from '../../src/model/objects.ts';
import { getRootEntry } from '../../src/model/root.ts';
import { loadRow } from '../../src/model/table-diff.ts';
import { NodeStore } from '../../src/prolly/node-store.ts';
import { scanLeaves } from '../../src/prolly/scan.ts';
import type { Store } from '../../src/store/contract.ts';
import { keylessCount } from '../../src/tuple/keyless.ts';
import type { Cell, Schema } from '../../src/tuple/schema.ts';

export interface WrittenRows {
  readonly hash: Hash;
  readonly schema: Schema;
  readonly rows: readonly Readonly<Record<string, Cell>>[];
}

/** Rows of a table of a commit in key order; undefined: no such table. */
export async function rowsAt(
  store: Store,
  commit: Hash,
  table: string,
): Promise<WrittenRows | undefined> {
  const nodes = new NodeStore(store);
  const { root } = await readCommit(store, commit);
  const entry = await getRootEntry(nodes, root, table);
  if (entry?.kind !== 'table') return undefined;
  const { schema: schemaHash, tree } = await readTable(store, entry.table);
  const schema = await readSchema(store, schemaHash);
  const rows: Record<string, Cell>[] = [];
  for await (const leaf of scanLeaves(nodes, tree)) {
    for (let i = 0; i < leaf.count; i++) {
      const row = await loadRow(nodes, schema, leaf.key(i), leaf.value(i));
      const cells = Object.fromEntries(schema.columns.map(({ name }, c) => [name, row[c]]));
      const times = schema.key.length === 0 ? keylessCount(leaf.value(i)) : 1;
      for (let t = 0; t < times; t++) rows.push(cells);
    }
  }
  return { hash: entry.table, schema, rows };
}

/** The branch's commits along first parents, oldest first. */
export async function lineOf(
  store: Store,
  branch: string,
): Promise<{ readonly hash: Hash; readonly commit: Commit }[]> {
  const line: { hash: Hash; commit: Commit }[] = [];
  for (let hash = await store.getRef(`refs/heads/${branch}`); hash !== undefined; ) {
    const commit = await readCommit(store, hash);
    line.push({ hash, commit });
    hash = commit.parents[0];
  }
  return line.reverse();
}
