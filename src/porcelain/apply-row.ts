/**
 * One row change of a patch as an edit of a tree, after a look at what is there now.
 */
import { DvError } from '../errors.ts';
import type { Hash } from '../hash.ts';
import { buildBlob } from '../model/blob.ts';
import { loadRow } from '../model/table-diff.ts';
import type { Edit } from '../prolly/edit.ts';
import type { NodeStore } from '../prolly/node-store.ts';
import { getEntry } from '../prolly/scan.ts';
import { keylessCount, withKeylessCount } from '../tuple/keyless.ts';
import { encodeRow } from '../tuple/row-encoder.ts';
import type { Cell, Row, Schema } from '../tuple/schema.ts';
import type { PatchCells, PatchChange } from './patch.ts';

/** The table being patched; `tree` and `schema` move on as batches are applied. */
export interface RowTarget {
  readonly table: string;
  schema: Schema;
  tree: Hash;
}

/**
 * `pending` are edits of the same batch that are not in the tree yet, by key (latin1).
 * @throws DvError `patch-mismatch`, and what a bad key throws
 */
export async function applyRow(
  nodes: NodeStore,
  target: RowTarget,
  change: PatchChange,
  pending: ReadonlyMap<string, Edit>,
): Promise<Edit> {
  const { schema } = target;
  const cells = (change.to ?? change.from) as PatchCells;
  const encoded = encodeRow(schema, rowOf(schema, cells), (bytes) =>
    buildBlob(bytes, (chunk) => nodes.put(chunk)),
  );
  const { key } = encoded;
  const waiting = pending.get(Buffer.from(key).toString('latin1'));
  const value =
    waiting === undefined ? await getEntry(nodes, target.tree, key) : (waiting.value ?? undefined);
  if (schema.key.length === 0) return keylessEdit(target, change, encoded, value);
  const found = value && (await loadRow(nodes, schema, key, value));
  if (change.change === 'added') {
    if (found !== undefined) throw misfit(target, change, 'the row it adds is there already');
    return encoded;
  }
  if (found === undefined) throw misfit(target, change, 'the row is not there');
  checkCells(target, change, change.from, found);
  if (change.change === 'removed') return { key, value: null };
  const row = schema.columns.map(({ name }, i) => {
    const cell = change.to.get(name);
    return cell === undefined ? found[i] : cell;
  });
  return encodeRow(schema, row, (bytes) => buildBlob(bytes, (chunk) => nodes.put(chunk)));
}

function rowOf(schema: Schema, cells: PatchCells): Row {
  return schema.columns.map(({ name }) => cells.get(name) ?? null);
}

function keylessEdit(
  target: RowTarget,
  change: PatchChange,
  encoded: { readonly key: Buffer; readonly value: Buffer },
  value: Uint8Array | undefined,
): Edit {
  const before = value === undefined ? 0 : keylessCount(value);
  const after = before + (change.change === 'added' ? 1 : -1);
  if (after < 0) throw misfit(target, change, 'the row is not there');
  return { key: encoded.key, value: after === 0 ? null : withKeylessCount(encoded.value, after) };
}

function checkCells(target: RowTarget, change: PatchChange, from: PatchCells, found: Row): void {
  target.schema.columns.forEach(({ name }, i) => {
    const expected = from.get(name);
    if (expected === undefined || expected === found[i]) return;
    const facts = `"${name}" is ${show(found[i])}, the patch starts from ${show(expected)}`;
    throw misfit(target, change, facts);
  });
}

function show(cell: Cell): string {
  if (cell === null) return 'null';
  return JSON.stringify(cell.length > 60 ? `${cell.slice(0, 60)}…` : cell);
}

function misfit({ table, schema }: RowTarget, change: PatchChange, why: string): DvError {
  const cells = (change.to ?? change.from) as PatchCells;
  const key = schema.key.map((i) => show(cells.get(schema.columns[i].name) ?? null)).join(', ');
  const where = key === '' ? `'${table}'` : `'${table}', key ${key}`;
  return new DvError('patch-mismatch', `the patch does not fit ${where}: ${why}`, {
    hint: 'nothing was changed',
    data: { table, line: change.line },
  });
}
