/**
 * A batch of rows as bytes into a table's tree: the streams' way in, with no object a cell. Of
 * several rows with one key the last one stays, whether it is a row or a delete.
 *
 * Cost: the leaves that hold the keys, and the paths to them.
 */
import { ByteWriter, compareRanges } from '../bytes.ts';
import { DvError } from '../errors.ts';
import { buildBlob } from '../model/blob.ts';
import { type Edit, editTree } from '../prolly/edit.ts';
import type { NodeStore } from '../prolly/node-store.ts';
import { getEntries } from '../prolly/scan.ts';
import { KeyEncoder } from '../tuple/key-codec.ts';
import { combineKeyless } from '../tuple/keyless.ts';
import { RowEncoder, rowError } from '../tuple/row-encoder.ts';
import type { Schema } from '../tuple/schema.ts';
import { type FittedBatch, fitBatch } from './batch-schema.ts';
import type { TableWrites, WriteBatch } from './contract.ts';
import type { OpenTable } from './open-table.ts';
import { layOut, putTable, type WrittenTable } from './written-table.ts';

/**
 * New chunks are put when it resolves. `isOpen`: columns and types may grow.
 * @throws DvError as `writeTable`
 */
export async function writeBatch(
  nodes: NodeStore,
  before: OpenTable | undefined,
  request: TableWrites,
  batch: WriteBatch,
  isOpen: boolean,
): Promise<WrittenTable> {
  const { table: name } = request;
  const counts = { added: 0, removed: 0, modified: 0 };
  const none = { table: before, changed: false, counts: { table: name, ...counts } };
  if (before === undefined && !hasUpsert(batch)) return none;
  const fitted = fitBatch(request, batch, before?.schema, isOpen);
  const { schema } = fitted;
  const start = await layOut(nodes, before, schema);
  const encoded = new EncodedRows(nodes, name, fitted, batch);
  const isKeyless = schema.key.length === 0;
  const edits = isKeyless ? await addToKeyless(nodes, start, encoded) : encoded.edits();
  const tree = await editTree(nodes, start, [edits], counts);
  if (isKeyless) Object.assign(counts, { added: encoded.count, modified: 0 });
  if (before !== undefined && schema === before.schema && tree === before.tree) return none;
  const table = putTable(nodes, name, before, schema, tree);
  return { table, changed: true, counts: { table: name, ...counts } };
}

function hasUpsert({ rows, deletes }: WriteBatch): boolean {
  if (deletes === undefined) return rows.rows > 0;
  for (let row = 0; row < rows.rows; row++) if (deletes[row] === 0) return true;
  return false;
}

/** Keys and values of all rows, one behind the other. */
class EncodedRows {
  count = 0;
  readonly #out: ByteWriter;
  /** Of row i: key from starts[i] to keyEnds[i], value to ends[i]; no value: a delete. */
  readonly #starts: Int32Array;
  readonly #keyEnds: Int32Array;
  readonly #ends: Int32Array;

  /** @throws DvError `null-key`, `type-mismatch`, `key-too-long`, `bad-option` */
  constructor(nodes: NodeStore, table: string, fitted: FittedBatch, batch: WriteBatch) {
    const { rows, deletes } = batch;
    const { schema, sources } = fitted;
    this.#starts = new Int32Array(rows.rows);
    this.#keyEnds = new Int32Array(rows.rows);
    this.#ends = new Int32Array(rows.rows);
    this.#out = new ByteWriter(Math.max(4096, rows.rows * 64));
    const put = (bytes: Uint8Array) => buildBlob(bytes, (chunk) => nodes.put(chunk));
    const encoder = new RowEncoder(schema, sources, put);
    const keys = keyEncoder(schema, sources);
    for (let row = 0; row < rows.rows; row++) {
      const start = this.#out.length;
      if (deletes !== undefined && deletes[row] === 1) {
        if (schema.key.length === 0) throw refuseDelete(table);
        if (keys.append(rows, row, this.#out)) this.#add(start, this.#out.length);
        else if (keys.problem.kind === 'null-key') {
          const column = schema.key[keys.problem.component];
          const problem = { kind: keys.problem.kind, column, text: null };
          throw rowError(schema, problem, { table, row: row + 1 });
        }
      } else if (encoder.encode(rows, row, this.#out)) {
        this.#add(start, start + encoder.keyLength);
      } else {
        throw rowError(schema, encoder.problem!, { table, row: row + 1 });
      }
    }
  }

  #add(start: number, keyEnd: number): void {
    this.#starts[this.count] = start;
    this.#keyEnds[this.count] = keyEnd;
    this.#ends[this.count] = this.#out.length;
    this.count += 1;
  }

  #compare(a: number, b: number): number {
    const { bytes } = this.#out;
    const [starts, ends] = [this.#starts, this.#keyEnds];
    return compareRanges(bytes, starts[a], ends[a], bytes, starts[b], ends[b]);
  }

  /** Rows by key; equal keys in the order they came. */
  order(): readonly number[] {
    const order = Array.from({ length: this.count }, (_, i) => i);
    for (let i = 1; i < this.count; i++) {
      if (this.#compare(i - 1, i) <= 0) continue;
      return order.sort((a, b) => this.#compare(a, b));
    }
    return order;
  }

  /** The last row of each key, by key. */
  edits(): Edit[] {
    const order = this.order();
    const edits: Edit[] = [];
    for (let i = 0; i < order.length; i++) {
      if (i + 1 < order.length && this.#compare(order[i], order[i + 1]) === 0) continue;
      edits.push(this.edit(order[i]));
    }
    return edits;
  }

  edit(row: number): Edit {
    const { bytes } = this.#out;
    const keyEnd = this.#keyEnds[row];
    const end = this.#ends[row];
    return {
      key: bytes.subarray(this.#starts[row], keyEnd),
      value: end === keyEnd ? null : bytes.subarray(keyEnd, end),
    };
  }

  isSameKey(a: number, b: number): boolean {
    return this.#compare(a, b) === 0;
  }
}

function keyEncoder(schema: Schema, sources: readonly number[]): KeyEncoder {
  const types = schema.key.map((column) => schema.columns[column].type);
  return new KeyEncoder(
    types,
    schema.key.map((column) => sources[column]),
  );
}

/** Each row is one more of its kind. */
async function addToKeyless(
  nodes: NodeStore,
  start: Parameters<typeof editTree>[1],
  encoded: EncodedRows,
): Promise<Edit[]> {
  const edits: { key: Uint8Array; value: Uint8Array }[] = [];
  let previous = -1;
  for (const row of encoded.order()) {
    const { key, value } = encoded.edit(row);
    if (value === null) continue;
    const last = edits.at(-1);
    if (last !== undefined && encoded.isSameKey(previous, row)) {
      last.value = combineKeyless(last.value, value);
    } else edits.push({ key, value });
    previous = row;
  }
  const before = await getEntries(
    nodes,
    start,
    edits.map(({ key }) => key),
  );
  for (const [i, there] of before.entries()) {
    if (there !== undefined) edits[i].value = combineKeyless(there, edits[i].value);
  }
  return edits;
}

function refuseDelete(table: string): DvError {
  return new DvError('bad-option', `'${table}' has no key, so no row of it can be deleted`, {
    hint: 'rows can only be added to a table without a key',
    data: { table },
  });
}
