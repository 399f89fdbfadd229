/**
 * Rows in conflict, as a tree beside the merged table: its keys are the merged table's, its
 * values 0x00 (refers to nothing) and then CBOR {"k": kind, "c": [clashing columns]}. The
 * rows themselves are looked up in the tables of the three sides.
 */
import { decode as cborDecode, encode as cborEncode } from 'cborg';
import { DvError } from '../errors.ts';
import type { Hash } from '../hash.ts';
import type { NodeStore } from '../prolly/node-store.ts';
import { scanLeaves } from '../prolly/scan.ts';
import type { RowConflictKind } from './merge-types.ts';

const KINDS: readonly RowConflictKind[] = [
  'both-modified',
  'both-added',
  'removed-by-ours',
  'removed-by-theirs',
];

export interface RowConflict {
  readonly key: Uint8Array;
  readonly kind: RowConflictKind;
  /** Names in the merged table; empty where one side removed the row. */
  readonly columns: readonly string[];
}

export function encodeConflict(kind: RowConflictKind, columns: readonly string[]): Buffer {
  return Buffer.concat([Buffer.from([0]), cborEncode({ k: kind, c: columns })]);
}

/** @throws DvError `corrupt` */
export function decodeConflict(value: Uint8Array): Omit<RowConflict, 'key'> {
  let fields: { k?: unknown; c?: unknown };
  try {
    fields = cborDecode(value.subarray(1), { strict: true });
  } catch (cause) {
    throw new DvError('corrupt', 'a stored conflict is not valid CBOR', { cause });
  }
  const { k: kind, c: columns } = fields;
  const isKind = KINDS.includes(kind as RowConflictKind);
  if (!isKind || !Array.isArray(columns) || columns.some((name) => typeof name !== 'string')) {
    throw new DvError('corrupt', 'a stored conflict has a wrong field');
  }
  return { kind: kind as RowConflictKind, columns };
}

/** In key order, a leaf at a time. */
export async function* scanConflicts(nodes: NodeStore, tree: Hash): AsyncGenerator<RowConflict[]> {
  for await (const leaf of scanLeaves(nodes, tree)) {
    yield Array.from({ length: leaf.count }, (_, i) => ({
      key: leaf.key(i),
      ...decodeConflict(leaf.value(i)),
    }));
  }
}
