/**
 * The difference of two tables as rows: the tree's changes, decoded, with schema changes
 * seen for what they are.
 *
 *   1. Same columns in the same order: what differs in the trees differs in the rows.
 *   2. Columns added, removed or moved: rows count as modified only when a column that both
 *      sides have differs (`complete` counts any column). Where a column is at another place,
 *      equal bytes may be other cells, and every row is compared.
 *   3. The key's columns are the same but their types order differently: the trees are keyed
 *      anew first by the types that hold both, so that a widened key does not show every row
 *      as changed.
 *   4. Another key: all rows of the one side are removed, all of the other added.
 *   5. Keyless: a row is its content; a count that differs is that many rows added or removed.
 *      Content is told by place, so where columns were not just added or removed at the end,
 *      as 4.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { compareBytes } from '../bytes.ts';
import type { Hash } from '../hash.ts';
import { diffTrees, type EntryChange, type KeyRange } from '../prolly/diff.ts';
import { type Edit, editTree } from '../prolly/edit.ts';
import type { NodeStore } from '../prolly/node-store.ts';
import { EMPTY_TREE } from '../prolly/node-writer.ts';
import { scanLeaves } from '../prolly/scan.ts';
import { joinTypes } from '../tuple/cell-type.ts';
import { encodeKey } from '../tuple/key-codec.ts';
import { keylessCount } from '../tuple/keyless.ts';
import { formatRules, sameRules } from '../tuple/merge-rules.ts';
import { decodeRow, needsBlobs, readRow, tupleColumns } from '../tuple/row-codec.ts';
import type { Cell, ColumnType, Row, Schema } from '../tuple/schema.ts';
import { readWholeBlob } from './blob.ts';
import type { RowChange, SchemaChange, TableDiff } from './change.ts';
import { readSchema, readTable } from './object-reader.ts';
import type { Table } from './objects.ts';
import { pairEntries } from './pair-entries.ts';

export interface TableDiffOptions {
  /** Count a row as modified also when only a column of one side has a value. */
  readonly complete?: boolean;
  /** Rows outside need not be told; they may be, where it cannot be told from their keys. */
  readonly range?: RowRange;
}

/** Rows of a table by their keys, as a schema has those. */
export interface RowRange extends KeyRange {
  readonly schema: Schema;
}

interface Side {
  readonly table: Table;
  readonly schema: Schema;
}

async function openSide(nodes: NodeStore, hash: Hash | undefined): Promise<Side | undefined> {
  if (hash === undefined) return undefined;
  const table = await readTable(nodes.objects, hash);
  return { table, schema: await readSchema(nodes.objects, table.schema) };
}

/** The difference from one table to another; undefined: it does not exist on that side. */
export async function diffTables(
  nodes: NodeStore,
  name: string,
  from: Hash | undefined,
  to: Hash | undefined,
  options: TableDiffOptions = {},
): Promise<TableDiff> {
  const [a, b] = [await openSide(nodes, from), await openSide(nodes, to)];
  return {
    table: name,
    from: a?.schema ?? null,
    to: b?.schema ?? null,
    schema: a !== undefined && b !== undefined ? diffSchemas(a.schema, b.schema) : [],
    changes: () => rowChanges(nodes, a, b, options),
  };
}

const keyNames = (schema: Schema): string[] => schema.key.map((i) => schema.columns[i].name);
const sameList = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((item, i) => item === b[i]);

/** What changed between two schemas, in column order. */
export function diffSchemas(from: Schema, to: Schema): SchemaChange[] {
  const before = new Map(from.columns.map((column) => [column.name, column]));
  const after = new Map(to.columns.map((column) => [column.name, column]));
  const changes: SchemaChange[] = [];
  for (const { name, type } of to.columns) {
    const old = before.get(name);
    if (old === undefined) changes.push({ kind: 'column-added', column: name, type });
    else if (old.type !== type) {
      changes.push({ kind: 'column-retyped', column: name, from: old.type, to: type });
    }
  }
  for (const { name, type } of from.columns) {
    if (!after.has(name)) changes.push({ kind: 'column-removed', column: name, type });
  }
  const kept = from.columns.map((c) => c.name).filter((name) => after.has(name));
  const order = to.columns.map((c) => c.name).filter((name) => before.has(name));
  if (!sameList(kept, order)) changes.push({ kind: 'columns-reordered' });
  if (!sameList(keyNames(from), keyNames(to))) {
    changes.push({ kind: 'key-changed', from: keyNames(from), to: keyNames(to) });
  }
  if (!sameRules(from.rules, to.rules)) {
    const [before, after] = [formatRules(from.rules), formatRules(to.rules)];
    changes.push({ kind: 'rules-changed', from: before, to: after });
  }
  return changes;
}

async function* rowChanges(
  nodes: NodeStore,
  from: Side | undefined,
  to: Side | undefined,
  options: TableDiffOptions,
): AsyncGenerator<RowChange[]> {
  const { complete = false } = options;
  if (from === undefined || to === undefined) {
    const a = from ?? to;
    if (a === undefined) return;
    const [left, right] = [from?.table.tree ?? EMPTY_TREE, to?.table.tree ?? EMPTY_TREE];
    const range = rangeUnder(options, a.schema);
    yield* decoded(nodes, diffTrees(nodes, left, right, range), a.schema, a.schema, complete);
  } else if (!areComparable(from.schema, to.schema)) {
    yield* rowChanges(nodes, from, undefined, options);
    yield* rowChanges(nodes, undefined, to, options);
  } else {
    const toTypes = keyTypes(to.schema);
    const types = keyTypes(from.schema).map((type, i) => joinTypes(type, toTypes[i]));
    const [left, fromSchema] = await alignKeys(nodes, from, types);
    const [right, toSchema] = await alignKeys(nodes, to, types);
    const told = bytesTell(fromSchema, toSchema, complete);
    const range = rangeUnder(options, toSchema);
    const pairs = told ? diffTrees(nodes, left, right, range) : pairEntries(nodes, left, right);
    yield* decoded(nodes, pairs, fromSchema, toSchema, complete);
  }
}

/** The range, where keys of this schema are those that it is of. */
function rangeUnder({ range }: TableDiffOptions, schema: Schema): KeyRange | undefined {
  const isSame =
    range !== undefined &&
    sameList(keyNames(range.schema), keyNames(schema)) &&
    sameList(keyTypes(range.schema), keyTypes(schema));
  return isSame ? range : undefined;
}

/** Whether equal values mean that no column differs that counts. */
function bytesTell(from: Schema, to: Schema, complete: boolean): boolean {
  const names = (schema: Schema) => tupleColumns(schema).map((i) => schema.columns[i].name);
  const [before, after] = [names(from), names(to)];
  if (complete) {
    const common = Math.min(before.length, after.length);
    return sameList(before.slice(0, common), after.slice(0, common));
  }
  return before.every((name, i) => !after.includes(name) || after[i] === name);
}

/** Whether equal keys mean the same row. */
export function areComparable(from: Schema, to: Schema): boolean {
  if (!sameList(keyNames(from), keyNames(to))) return false;
  if (from.key.length > 0) return true;
  const common = Math.min(from.columns.length, to.columns.length);
  return from.columns.slice(0, common).every(({ name }, i) => name === to.columns[i].name);
}

const keyTypes = (schema: Schema): ColumnType[] => schema.key.map((i) => schema.columns[i].type);

/** Case 3: a tree under other key types. Cost: nothing where they are what they were. */
async function alignKeys(
  nodes: NodeStore,
  side: Side,
  types: readonly ColumnType[],
): Promise<[Hash, Schema]> {
  const { table, schema: own } = side;
  if (sameList(keyTypes(own), types)) return [table.tree, own];
  const columns = own.columns.map((column, i) => {
    const place = own.key.indexOf(i);
    return place < 0 ? column : { ...column, type: types[place] };
  });
  const schema: Schema = { columns, key: own.key };
  let tree = EMPTY_TREE;
  let edits: Edit[] = [];
  const apply = async (): Promise<void> => {
    edits.sort((a, b) => compareBytes(a.key, b.key));
    tree = await editTree(nodes, tree, [edits]);
    edits = [];
  };
  for await (const leaf of scanLeaves(nodes, table.tree)) {
    for (let i = 0; i < leaf.count; i++) {
      const cells = decodeRow(own, leaf.key(i), EMPTY);
      const key = own.key.map((column) => cells[column] as string);
      edits.push({ key: encodeKey(key, types), value: leaf.value(i) });
    }
    if (edits.length >= REKEY_BATCH) await apply();
  }
  await apply();
  return [tree, schema];
}

const REKEY_BATCH = 200_000;
/** Leaves between two turns of the event loop, where nothing else waits for anything. */
const TURN_EVERY = 16;
/** A value without cells: decoding it gives the key's cells alone. */
const EMPTY = Buffer.from([0]);

async function* decoded(
  nodes: NodeStore,
  batches: AsyncIterable<EntryChange[]>,
  from: Schema,
  to: Schema,
  complete: boolean,
): AsyncGenerator<RowChange[]> {
  const differs = comparer(from, to, complete);
  const keyless = to.key.length === 0;
  let leaves = 0;
  for await (const batch of batches) {
    leaves += 1;
    if (leaves % TURN_EVERY === 0) await nextTurn();
    const changes: RowChange[] = [];
    for (const change of batch) {
      if (keyless) await keylessChanges(nodes, change, from, to, changes);
      else await keyedChange(nodes, change, from, to, differs, changes);
    }
    if (changes.length > 0) yield changes;
  }
}

async function keyedChange(
  nodes: NodeStore,
  change: EntryChange,
  fromSchema: Schema,
  toSchema: Schema,
  differs: (from: Row, to: Row) => boolean,
  out: RowChange[],
): Promise<void> {
  // Waiting is for rows with blobs only: a leaf's other rows decode without a promise.
  const { key } = change;
  const a = change.from && decodeNow(fromSchema, key, change.from);
  const b = change.to && decodeNow(toSchema, key, change.to);
  const from = change.from && (a ?? (await loadRow(nodes, fromSchema, key, change.from)));
  const to = change.to && (b ?? (await loadRow(nodes, toSchema, key, change.to)));
  if (from === undefined && to !== undefined) out.push({ change: 'added', from: null, to });
  else if (from !== undefined && to === undefined) out.push({ change: 'removed', from, to: null });
  else if (from !== undefined && to !== undefined && differs(from, to)) {
    out.push({ change: 'modified', from, to });
  }
}

function decodeNow(schema: Schema, key: Uint8Array, value: Uint8Array): Row | undefined {
  return needsBlobs(value) ? undefined : (decodeRow(schema, key, value) as Cell[]);
}

/** A row with its out-of-line cells read. */
export function loadRow(
  nodes: NodeStore,
  schema: Schema,
  key: Uint8Array,
  value: Uint8Array,
): Promise<Row> {
  return readRow(schema, key, value, (hash) => readWholeBlob(nodes.objects, hash));
}

/** Case 5. */
async function keylessChanges(
  nodes: NodeStore,
  change: EntryChange,
  fromSchema: Schema,
  toSchema: Schema,
  out: RowChange[],
): Promise<void> {
  const before = change.from === undefined ? 0 : keylessCount(change.from);
  const after = change.to === undefined ? 0 : keylessCount(change.to);
  if (after > before && change.to !== undefined) {
    const to = await loadRow(nodes, toSchema, change.key, change.to);
    for (let i = before; i < after; i++) out.push({ change: 'added', from: null, to });
  } else if (change.from !== undefined) {
    const from = await loadRow(nodes, fromSchema, change.key, change.from);
    for (let i = after; i < before; i++) out.push({ change: 'removed', from, to: null });
  }
}

/** Case 2: do two rows of these schemas differ? */
function comparer(from: Schema, to: Schema, complete: boolean): (from: Row, to: Row) => boolean {
  const places = new Map(from.columns.map((column, i) => [column.name, i]));
  const pairs: [number, number][] = [];
  const onlyTo: number[] = [];
  to.columns.forEach(({ name }, i) => {
    const place = places.get(name);
    if (place === undefined) onlyTo.push(i);
    else pairs.push([place, i]);
    places.delete(name);
  });
  const onlyFrom = [...places.values()];
  return (a, b) =>
    pairs.some(([i, j]) => a[i] !== b[j]) ||
    (complete && (onlyTo.some((j) => b[j] !== null) || onlyFrom.some((i) => a[i] !== null)));
}
