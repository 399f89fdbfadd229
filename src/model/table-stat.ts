/**
 * How many rows differ between two tables, without decoding them where the columns are the
 * same: for commit summaries, `log --stat` and `status`.
 */
import type { Hash } from '../hash.ts';
import { diffTrees } from '../prolly/diff.ts';
import type { NodeStore } from '../prolly/node-store.ts';
import { countRows, scanLeaves } from '../prolly/scan.ts';
import { keylessCount } from '../tuple/keyless.ts';
import type { Schema } from '../tuple/schema.ts';
import { readSchema, readTable } from './object-reader.ts';
import { diffTables } from './table-diff.ts';

export interface RowCounts {
  readonly added: number;
  readonly removed: number;
  readonly modified: number;
}

/** Rows of a table. Cost: one node, or for a keyless table all of it. */
export async function countTableRows(nodes: NodeStore, table: Hash): Promise<number> {
  const { schema, tree } = await readTable(nodes.objects, table);
  const { key } = await readSchema(nodes.objects, schema);
  if (key.length > 0) return countRows(nodes, tree);
  let rows = 0;
  for await (const leaf of scanLeaves(nodes, tree)) {
    for (let i = 0; i < leaf.count; i++) rows += keylessCount(leaf.value(i));
  }
  return rows;
}

/** Thrown where more rows differ than were to be counted. */
export class TooManyChanges extends Error {}

/**
 * Row counts of the difference; undefined: the table is absent on that side. Gives up with
 * TooManyChanges beyond about `most` rows that differ in tables that are on both sides.
 */
export async function countChanges(
  nodes: NodeStore,
  from: Hash | undefined,
  to: Hash | undefined,
  most = Number.POSITIVE_INFINITY,
): Promise<RowCounts> {
  const none = { added: 0, removed: 0, modified: 0 };
  if (from === to) return none;
  if (from === undefined) {
    return { ...none, added: to === undefined ? 0 : await countTableRows(nodes, to) };
  }
  if (to === undefined) return { ...none, removed: await countTableRows(nodes, from) };
  const [a, b] = [await readTable(nodes.objects, from), await readTable(nodes.objects, to)];
  const before = await readSchema(nodes.objects, a.schema);
  const after = await readSchema(nodes.objects, b.schema);
  if (!sameLayout(before, after)) return countDecoded(nodes, from, to, most);
  return countEntries(nodes, a.tree, b.tree, most);
}

/** Same columns, same key encoding, and a key at all: entries differ as rows do. */
function sameLayout(a: Schema, b: Schema): boolean {
  return (
    a.key.length > 0 &&
    a.columns.length === b.columns.length &&
    a.columns.every(({ name }, i) => name === b.columns[i].name) &&
    a.key.length === b.key.length &&
    a.key.every((column, i) => {
      return column === b.key[i] && a.columns[column].type === b.columns[column].type;
    })
  );
}

async function countEntries(
  nodes: NodeStore,
  from: Hash,
  to: Hash,
  most: number,
): Promise<RowCounts> {
  const counts = { added: 0, removed: 0, modified: 0 };
  let seen = 0;
  for await (const batch of diffTrees(nodes, from, to)) {
    seen += batch.length;
    if (seen > most) throw new TooManyChanges();
    for (const change of batch) {
      if (change.from === undefined) counts.added += 1;
      else if (change.to === undefined) counts.removed += 1;
      else counts.modified += 1;
    }
  }
  return counts;
}

async function countDecoded(
  nodes: NodeStore,
  from: Hash,
  to: Hash,
  most: number,
): Promise<RowCounts> {
  const counts = { added: 0, removed: 0, modified: 0 };
  let seen = 0;
  const diff = await diffTables(nodes, '', from, to);
  for await (const batch of diff.changes()) {
    seen += batch.length;
    if (seen > most) throw new TooManyChanges();
    for (const { change } of batch) counts[change] += 1;
  }
  return counts;
}
