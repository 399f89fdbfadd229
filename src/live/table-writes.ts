/**
 * Writes to one table, applied: the table with them, and how many rows that changed.
 *
 * The writes of a request are applied in their order, so of two to one key the later wins, and
 * a patch finds what a write before it left. What is there already is no change: the same rows
 * give the same table. A table without a key only takes rows in; each upsert is one more row.
 *
 * Cost: the leaves that hold the keys, and the paths to them; the whole table when a column of
 * its key is given a wider type.
 */
import { ByteWriter, compareBytes } from '../bytes.ts';
import { DvError } from '../errors.ts';
import type { Hash } from '../hash.ts';
import { buildBlob } from '../model/blob.ts';
import { loadRow } from '../model/table-diff.ts';
import { editTree } from '../prolly/edit.ts';
import type { NodeStore } from '../prolly/node-store.ts';
import { getEntries } from '../prolly/scan.ts';
import { KeyEncoder } from '../tuple/key-codec.ts';
import { combineKeyless } from '../tuple/keyless.ts';
import type { RowBatch } from '../tuple/row-batch.ts';
import { encodeRow, RowEncoder, rowError } from '../tuple/row-encoder.ts';
import type { Cell, Schema } from '../tuple/schema.ts';
import type { RowWrite, TableRowCounts, TableWrites } from './contract.ts';
import type { OpenTable } from './open-table.ts';
import { batchOfWrites, ownCell } from './write-rows.ts';
import { fitSchema } from './write-schema.ts';
import { layOut, putTable, type WrittenTable } from './written-table.ts';

/** One write whose key is known. `value` null: a delete; undefined: a patch. */
interface KeyedWrite {
  readonly key: Buffer;
  readonly value: Uint8Array | null | undefined;
  /** Its place in the request's list, from 0. */
  readonly number: number;
}

/**
 * New chunks are put when it resolves. `isOpen`: columns and types may grow.
 * @throws DvError `unknown-column`, `type-mismatch`, `null-key`, `key-too-long`,
 * `unknown-row` (a patch), `unknown-table` (only patches), `bad-option` (a table without key)
 */
export async function writeTable(
  nodes: NodeStore,
  before: OpenTable | undefined,
  request: TableWrites,
  isOpen: boolean,
): Promise<WrittenTable> {
  const numbers = rowsOf(request.writes);
  const none = { table: request.table, added: 0, removed: 0, modified: 0 };
  if (before === undefined) {
    checkNewTable(request);
    if (numbers.length === 0) return { table: undefined, changed: false, counts: none };
  }
  const { schema, batch } = fitSchema(request, numbers, before?.schema, isOpen);
  const start = await layOut(nodes, before, schema);
  const writes = encodeWrites(nodes, request, schema, batch, numbers);
  const { tree, counts } = await applyWrites(nodes, start, request, schema, writes);
  const isSame = before !== undefined && schema === before.schema && tree === before.tree;
  if (isSame) return { table: before, changed: false, counts: none };
  const table = putTable(nodes, request.table, before, schema, tree);
  return { table, changed: true, counts: { table: request.table, ...counts } };
}

/** Places of the writes that say more than a key. */
function rowsOf(writes: readonly RowWrite[]): number[] {
  const numbers: number[] = [];
  for (let i = 0; i < writes.length; i++) if (writes[i].op !== 'delete') numbers.push(i);
  return numbers;
}

function checkNewTable({ table, writes }: TableWrites): void {
  const patch = writes.findIndex(({ op }) => op === 'patch');
  if (patch < 0) return;
  throw new DvError('unknown-table', `there is no table '${table}' to patch (row ${patch + 1})`, {
    hint: 'an upsert makes the table',
    data: { table, row: patch + 1 },
  });
}

function encodeWrites(
  nodes: NodeStore,
  request: TableWrites,
  schema: Schema,
  batch: RowBatch,
  numbers: readonly number[],
): KeyedWrite[] {
  const { table, writes } = request;
  if (schema.key.length === 0) refuseKeyed(request);
  const put = (bytes: Uint8Array) => buildBlob(bytes, (chunk) => nodes.put(chunk));
  const sources = schema.columns.map((_, i) => i);
  const rows = new RowEncoder(schema, sources, put);
  const types = schema.key.map((column) => schema.columns[column].type);
  const keys = new KeyEncoder(types, schema.key);
  const out = new ByteWriter(1024);
  const encoded: KeyedWrite[] = [];
  for (let row = 0; row < numbers.length; row++) {
    out.clear();
    const number = numbers[row];
    if (writes[number].op === 'patch' && keys.append(batch, row, out)) {
      encoded.push({ key: out.take(), value: undefined, number });
      continue;
    }
    if (!rows.encode(batch, row, out)) {
      throw rowError(schema, rows.problem!, { table, row: number + 1 });
    }
    const bytes = out.take();
    const [key, value] = [bytes.subarray(0, rows.keyLength), bytes.subarray(rows.keyLength)];
    encoded.push({ key, value, number });
  }
  if (numbers.length === writes.length) return encoded;
  encoded.push(...encodeDeletes(request, schema));
  return encoded.sort((a, b) => a.number - b.number);
}

/** Deletes whose key the table could hold. */
function encodeDeletes({ table, writes }: TableWrites, schema: Schema): KeyedWrite[] {
  const numbers: number[] = [];
  for (let i = 0; i < writes.length; i++) if (writes[i].op === 'delete') numbers.push(i);
  const columns = schema.key.map((column) => schema.columns[column]);
  const names = columns.map(({ name }) => name);
  const batch = batchOfWrites(table, writes, numbers, names);
  const types = columns.map(({ type }) => type);
  const encoder = new KeyEncoder(
    types,
    names.map((_, i) => i),
  );
  const out = new ByteWriter(256);
  return numbers.flatMap((number, row): KeyedWrite[] => {
    out.clear();
    if (encoder.append(batch, row, out)) return [{ key: out.take(), value: null, number }];
    const { kind, component } = encoder.problem;
    if (kind !== 'null-key') return []; // no row can have this key
    const problem = { kind, column: schema.key[component], text: null };
    throw rowError(schema, problem, { table, row: number + 1 });
  });
}

function refuseKeyed({ table, writes }: TableWrites): void {
  const place = writes.findIndex(({ op }) => op !== 'upsert');
  if (place < 0) return;
  const { op } = writes[place];
  throw new DvError('bad-option', `'${table}' has no key, so no row of it can be named (${op})`, {
    hint: 'rows can only be added to a table without a key',
    data: { table, row: place + 1, op },
  });
}

/** The distinct keys of the writes, ascending, with the place of each write's key among them. */
function sortKeys(writes: readonly KeyedWrite[]): {
  readonly keys: readonly Buffer[];
  readonly places: readonly number[];
} {
  const order = writes.map((_, i) => i);
  order.sort((a, b) => compareBytes(writes[a].key, writes[b].key));
  const keys: Buffer[] = [];
  const places: number[] = new Array(writes.length);
  for (const i of order) {
    const { key } = writes[i];
    const last = keys.at(-1);
    if (last === undefined || compareBytes(last, key) !== 0) keys.push(key);
    places[i] = keys.length - 1;
  }
  return { keys, places };
}

async function applyWrites(
  nodes: NodeStore,
  start: Hash,
  request: TableWrites,
  schema: Schema,
  writes: readonly KeyedWrite[],
): Promise<{ readonly tree: Hash; readonly counts: Omit<TableRowCounts, 'table'> }> {
  const { keys, places } = sortKeys(writes);
  const before = await getEntries(nodes, start, keys);
  const after: (Uint8Array | undefined)[] = [...before];
  for (let i = 0; i < writes.length; i++) {
    const { key, value, number } = writes[i];
    const place = places[i];
    const there = after[place];
    if (value === null) after[place] = undefined;
    else if (value === undefined) {
      if (there === undefined) throw noRow(request, number, schema);
      after[place] = await patchRow(nodes, schema, request.writes[number].cells, key, there);
    } else if (schema.key.length === 0 && there !== undefined) {
      after[place] = combineKeyless(there, value);
    } else after[place] = value;
  }
  const counts = { added: 0, removed: 0, modified: 0 };
  const edits: { readonly key: Buffer; readonly value: Uint8Array | null }[] = [];
  for (let i = 0; i < keys.length; i++) {
    const [from, to] = [before[i], after[i]];
    if (from === undefined && to === undefined) continue;
    if (from !== undefined && to !== undefined && compareBytes(from, to) === 0) continue;
    if (from === undefined) counts.added += 1;
    else if (to === undefined) counts.removed += 1;
    else counts.modified += 1;
    edits.push({ key: keys[i], value: to ?? null });
  }
  if (schema.key.length === 0) Object.assign(counts, { added: writes.length, modified: 0 });
  if (edits.length === 0) return { tree: start, counts };
  return { tree: await editTree(nodes, start, [edits]), counts };
}

function noRow({ table, writes }: TableWrites, number: number, schema: Schema): DvError {
  const key = schema.key.map((column) =>
    ownCell(writes[number].cells, schema.columns[column].name),
  );
  return new DvError('unknown-row', `'${table}' has no row "${key.join(', ')}" to patch`, {
    hint: 'an upsert adds the row',
    data: { table, row: number + 1, key },
  });
}

async function patchRow(
  nodes: NodeStore,
  schema: Schema,
  cells: Readonly<Record<string, Cell>>,
  key: Uint8Array,
  there: Uint8Array,
): Promise<Uint8Array> {
  const row = [...(await loadRow(nodes, schema, key, there))];
  schema.columns.forEach(({ name }, i) => {
    if (Object.hasOwn(cells, name)) row[i] = ownCell(cells, name);
  });
  return encodeRow(schema, row, (bytes) => buildBlob(bytes, (chunk) => nodes.put(chunk))).value;
}
