/**
 * Three versions of a table into one: schemas first (merge-columns.ts), then the trees, laid
 * out alike (relay.ts), by subtree (prolly/merge.ts) and, where both sides changed a row, by
 * cell (merge-rows.ts).
 *
 * Cost: where the columns stayed in place, the leaves that both sides changed; where they
 * moved, the tables of the sides whose columns did.
 */
import type { Hash } from '../hash.ts';
import { mergeTrees } from '../prolly/merge.ts';
import type { NodeStore } from '../prolly/node-store.ts';
import { EMPTY_TREE } from '../prolly/node-writer.ts';
import type { Schema } from '../tuple/schema.ts';
import type { DecisionLog } from './decisions.ts';
import { type DroppedColumn, type MergedColumns, mergeColumns } from './merge-columns.ts';
import { findRenames, shareRenames, type TableSide } from './merge-renames.ts';
import { RowMerge } from './merge-rows.ts';
import type { MergeOptions, Renumbered, RowConflicts, Sides } from './merge-types.ts';
import { readSchema, readTable } from './object-reader.ts';
import { encodeSchema, encodeTable, toChunk } from './objects.ts';
import { relayTree } from './relay.ts';
import { diffTables } from './table-diff.ts';

export type TableMerge =
  | {
      readonly kind: 'merged';
      readonly table: Hash;
      readonly conflicts: RowConflicts | undefined;
      readonly renumbered: readonly Renumbered[];
    }
  | { readonly kind: 'refused'; readonly reasons: readonly string[] };

export interface TableVersions {
  /** null: both sides added the table. */
  readonly base: Hash | null;
  readonly ours: Hash;
  readonly theirs: Hash;
}

const NO_TABLE: TableSide = {
  table: { schema: EMPTY_TREE, tree: EMPTY_TREE },
  schema: { columns: [], key: [] },
};

async function openSide(nodes: NodeStore, hash: Hash | null): Promise<TableSide> {
  if (hash === null) return NO_TABLE;
  const table = await readTable(nodes.objects, hash);
  return { table, schema: await readSchema(nodes.objects, table.schema) };
}

/** The three versions and the columns they merge to. */
export interface AlignedTables {
  readonly sides: Sides<TableSide>;
  readonly merged: MergedColumns;
}

/** Cost: reading three schemas; a leaf where a column vanished. */
export async function alignTables(
  nodes: NodeStore,
  versions: Sides<Hash | null>,
): Promise<AlignedTables> {
  const base = await openSide(nodes, versions.base);
  const ours = await openSide(nodes, versions.ours);
  const theirs = await openSide(nodes, versions.theirs);
  const found = {
    ours: await findRenames(nodes, base, ours),
    theirs: await findRenames(nodes, base, theirs),
  };
  const renames = {
    ours: shareRenames(found.ours, found.theirs, base.schema, ours.schema),
    theirs: shareRenames(found.theirs, found.ours, base.schema, theirs.schema),
  };
  const schemas = { base: base.schema, ours: ours.schema, theirs: theirs.schema };
  return { sides: { base, ours, theirs }, merged: mergeColumns(schemas, renames) };
}

/** @throws DvError `corrupt`, `missing-object` */
export async function mergeTables(
  nodes: NodeStore,
  name: string,
  versions: TableVersions,
  options: MergeOptions,
  log: DecisionLog,
): Promise<TableMerge> {
  const { sides, merged } = await alignTables(nodes, versions);
  const reasons = [...merged.reasons];
  for (const column of merged.dropped) {
    const reason = await writtenMeanwhile(nodes, versions, column);
    if (reason !== undefined) reasons.push(reason);
  }
  if (reasons.length > 0) return { kind: 'refused', reasons };
  const { schema, places } = merged;
  const relay = (side: keyof Sides<unknown>): Promise<Hash> =>
    relayTree(nodes, sides[side].table.tree, sides[side].schema, { schema, places: places[side] });
  const trees = {
    base: await relay('base'),
    ours: await relay('ours'),
    theirs: await relay('theirs'),
  };
  const rows = await RowMerge.start(nodes, { name, merged, sides, trees, options, log });
  const decide = rows.decide.bind(rows);
  const tree = await mergeTrees(nodes, trees.base, trees.ours, trees.theirs, decide);
  const { tree: whole, conflicts, renumbered } = await rows.finish(tree);
  return {
    kind: 'merged',
    table: putTable(nodes, schema, whole),
    conflicts: conflicts && { kind: 'rows', table: name, sides: versions, ...conflicts },
    renumbered,
  };
}

function putTable(nodes: NodeStore, schema: Schema, tree: Hash): Hash {
  const schemaChunk = toChunk(encodeSchema(schema));
  const table = toChunk(encodeTable({ schema: schemaChunk.hash, tree }));
  nodes.putIfEmpty(tree);
  nodes.put(schemaChunk);
  nodes.put(table);
  return table.hash;
}

/** Did the side that kept a column write cells of it? Cost: what that side changed. */
async function writtenMeanwhile(
  nodes: NodeStore,
  versions: TableVersions,
  { kept, name }: DroppedColumn,
): Promise<string | undefined> {
  const diff = await diffTables(nodes, '', versions.base ?? undefined, versions[kept]);
  const place = (schema: Schema | null) =>
    schema?.columns.findIndex((column) => column.name === name) ?? -1;
  const [from, to] = [place(diff.from), place(diff.to)];
  for await (const batch of diff.changes()) {
    const isWritten = batch.some(({ from: before, to: after }) => {
      const cell = after?.[to] ?? null;
      return after !== null && cell !== null && cell !== (before?.[from] ?? null);
    });
    if (isWritten) return `"${name}" is removed by one side, and the other wrote cells of it`;
  }
  return undefined;
}
