/** Roots of one table, and what a merge of such roots comes to, as plain data. */
import type { Hash } from '../../src/hash.ts';
import { ConflictRows } from '../../src/model/conflict-rows.ts';
import { scanConflicts } from '../../src/model/conflict-tree.ts';
import type { RootMerge } from '../../src/model/merge-types.ts';
import { readSchema, readTable } from '../../src/model/object-reader.ts';
import { editRoot, getRootEntry } from '../../src/model/root.ts';
import { loadRow } from '../../src/model/table-diff.ts';
import { NodeStore } from '../../src/prolly/node-store.ts';
import { EMPTY_TREE } from '../../src/prolly/node-writer.ts';
import { scanLeaves } from '../../src/prolly/scan.ts';
import { createMemoryStore } from '../../src/store/memory.ts';
import { keylessCount } from '../../src/tuple/keyless.ts';
import type { Row } from '../../src/tuple/schema.ts';
import { storeTable } from './stored-tables.ts';
import type { WholeTable } from './table-diffs.ts';

export const newNodes = (): NodeStore => new NodeStore(createMemoryStore({ now: () => 0 }));

const NAME = 't.csv';

export async function rootWith(nodes: NodeStore, table: WholeTable | null): Promise<Hash> {
  if (table === null) return EMPTY_TREE;
  const entry = {
    kind: 'table',
    table: await storeTable(nodes, table),
    dialect: undefined,
  } as const;
  return editRoot(nodes, EMPTY_TREE, new Map([[NAME, entry]]));
}

export async function readTableOf(nodes: NodeStore, root: Hash): Promise<WholeTable | null> {
  const entry = await getRootEntry(nodes, root, NAME);
  if (entry?.kind !== 'table') return null;
  const table = await readTable(nodes.objects, entry.table);
  const schema = await readSchema(nodes.objects, table.schema);
  const rows: Row[] = [];
  for await (const leaf of scanLeaves(nodes, table.tree)) {
    for (let i = 0; i < leaf.count; i++) {
      const row = await loadRow(nodes, schema, leaf.key(i), leaf.value(i));
      const copies = schema.key.length === 0 ? keylessCount(leaf.value(i)) : 1;
      for (let n = 0; n < copies; n++) rows.push(row);
    }
  }
  return { schema, rows };
}

/** `KEY KIND COLUMNS` of every row in conflict, `table: REASONS` of every table, sorted. */
export async function conflictLines(nodes: NodeStore, merge: RootMerge): Promise<string[]> {
  const lines: string[] = [];
  for (const conflict of merge.conflicts) {
    if (conflict.kind === 'table') lines.push(`table: ${conflict.reasons.join('; ')}`);
    if (conflict.kind === 'file') lines.push('file');
    if (conflict.kind !== 'rows') continue;
    const rows = await ConflictRows.open(nodes, conflict.sides);
    for await (const batch of scanConflicts(nodes, conflict.tree)) {
      for (const { key, kind, columns } of batch) {
        lines.push([rows.keyCells(key).join('/'), kind, ...[...columns].sort()].join(' '));
      }
    }
  }
  return lines.sort();
}
