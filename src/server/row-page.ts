/**
 * Rows of a table in key order, from one key on, to another, some of them: as JSON text, in
 * which numbers are what was written. Pages go on at the commit they began with; a cursor is
 * base64url of the commit's 32 bytes and the key last shown.
 */
import { compareBytes } from '../bytes.ts';
import { DvError } from '../errors.ts';
import { HASH_BYTES, type Hash, hashFromBytes, hashToBytes } from '../hash.ts';
import { loadRow } from '../model/table-diff.ts';
import type { NodeStore } from '../prolly/node-store.ts';
import { scanLeaves } from '../prolly/scan.ts';
import type { Condition } from '../store/sqlite-condition.ts';
import { rowToJson } from '../tuple/json-value.ts';
import { keylessCount } from '../tuple/keyless.ts';
import type { Row, Schema } from '../tuple/schema.ts';

export interface RowRange {
  /** Only behind this key. */
  readonly after?: Uint8Array;
  /** From this key on. */
  readonly from?: Uint8Array;
  /** Before this key. */
  readonly to?: Uint8Array;
}

export interface RowsWanted {
  readonly range: RowRange;
  readonly condition: Condition | undefined;
  /** Places of columns; undefined: all. */
  readonly columns: readonly number[] | undefined;
  /** Objects with values by type, or lists of cells as their exact texts. */
  readonly form: 'objects' | 'cells';
}

export interface FoundRow {
  readonly key: Uint8Array;
  readonly json: string;
  /** Equal rows that this one stands for. */
  readonly count: number;
}

/** A leaf's worth at a time. Cost: the range. */
export async function* findRows(
  nodes: NodeStore,
  tree: Hash,
  schema: Schema,
  { range, condition, columns, form }: RowsWanted,
): AsyncGenerator<FoundRow[]> {
  const start = range.after ?? range.from;
  for await (const leaf of scanLeaves(nodes, tree, start)) {
    const found: FoundRow[] = [];
    for (let i = 0; i < leaf.count; i++) {
      const key = leaf.key(i);
      if (range.from !== undefined && compareBytes(key, range.from) < 0) continue;
      if (range.after !== undefined && compareBytes(key, range.after) <= 0) continue;
      if (range.to !== undefined && compareBytes(key, range.to) >= 0) {
        yield found;
        return;
      }
      const row = await loadRow(nodes, schema, key, leaf.value(i));
      if (condition !== undefined && !condition.test(row)) continue;
      const json = form === 'objects' ? rowToJson(schema, row, columns) : cellsToJson(row, columns);
      found.push({ key, json, count: schema.key.length > 0 ? 1 : keylessCount(leaf.value(i)) });
    }
    yield found;
  }
}

/** A list of exact texts. */
export function cellsToJson(row: Row, columns?: readonly number[]): string {
  return JSON.stringify(columns === undefined ? row : columns.map((place) => row[place] ?? null));
}

export function encodePage(commit: Hash, key: Uint8Array): string {
  return Buffer.concat([hashToBytes(commit), key]).toString('base64url');
}

/** @throws DvError `bad-cursor` */
export function decodePage(text: string): { readonly commit: Hash; readonly key: Uint8Array } {
  const bytes = Buffer.from(text, 'base64url');
  if (bytes.length < HASH_BYTES || bytes.toString('base64url') !== text) {
    throw new DvError('bad-cursor', `'${text.slice(0, 80)}' is no cursor of a page`, {
      hint: "the cursor is the 'next' of the page before",
    });
  }
  return { commit: hashFromBytes(bytes), key: bytes.subarray(HASH_BYTES) };
}
