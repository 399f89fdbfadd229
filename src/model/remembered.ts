/**
 * Resolutions that are remembered: how a conflict was settled, by what clashed. A tree beside
 * the tables, which the state `rerere` names and gc keeps.
 *
 *   key    16 bytes: BLAKE3 of JSON [table, key cells, column or null, base, side, side], the
 *          two sides in the order of their texts, so that a merge the other way round meets it
 *   value  0x00 (refers to nothing), then CBOR {"t": table, "r": result}; of a cell its text or
 *          null, of a row null where it goes, else [[column, cell], ...] without nulls
 */
import { decode as cborDecode, encode as cborEncode } from 'cborg';
import { compareBytes } from '../bytes.ts';
import { DvError } from '../errors.ts';
import { digestOf, type Hash, parseHash } from '../hash.ts';
import { type Edit, editTree } from '../prolly/edit.ts';
import type { NodeStore } from '../prolly/node-store.ts';
import { EMPTY_TREE } from '../prolly/node-writer.ts';
import { getEntry, scanLeaves } from '../prolly/scan.ts';
import type { StateUpdate, Store } from '../store/contract.ts';
import type { Cell, Row, Schema } from '../tuple/schema.ts';
import type { Edge } from './edges.ts';
import type { Sides } from './merge-types.ts';

export const REMEMBERED_KEY = 'rerere';

/** Cells by column, without nulls. */
export type NamedCells = readonly (readonly [name: string, cell: string])[];

export interface Conflicted {
  readonly table: string;
  readonly key: readonly Cell[];
  /** null: the row as a whole. */
  readonly column: string | null;
  /** Of a cell. Of a row its `NamedCells`, null where it is absent. */
  readonly sides: Sides<Cell | NamedCells>;
}

export interface Remembered {
  readonly table: string;
  readonly result: Cell | NamedCells;
}

export function namedCells({ columns }: Schema, row: Row): NamedCells {
  return columns.flatMap(({ name }, i) => {
    const cell = row[i];
    return cell === null ? [] : [[name, cell] as const];
  });
}

/** The key of what clashed, whichever side is ours. */
function idOf({ table, key, column, sides }: Conflicted): Buffer {
  const { base, ours, theirs } = sides;
  const both = [JSON.stringify(ours), JSON.stringify(theirs)].sort();
  const text = JSON.stringify([table, key, column, base, ...both]);
  return Buffer.from(digestOf(Buffer.from(text)).subarray(0, 16));
}

export function rememberEdit(conflict: Conflicted, result: Remembered['result']): Edit {
  const value = cborEncode({ t: conflict.table, r: result });
  return { key: idOf(conflict), value: Buffer.concat([Buffer.from([0]), value]) };
}

/** @throws DvError `corrupt` */
function decodeRemembered(value: Uint8Array): Remembered {
  try {
    const { t, r } = cborDecode(value.subarray(1), { strict: true });
    return { table: t, result: r };
  } catch (cause) {
    throw new DvError('corrupt', 'a remembered resolution is not valid CBOR', { cause });
  }
}

/** Undefined: nobody has settled this yet. Cost: one path. */
export async function recall(
  nodes: NodeStore,
  tree: Hash,
  conflict: Conflicted,
): Promise<Remembered | undefined> {
  const value = await getEntry(nodes, tree, idOf(conflict));
  return value && decodeRemembered(value);
}

/** The tree with resolutions put; later ones win. */
export async function remember(
  nodes: NodeStore,
  tree: Hash | undefined,
  edits: readonly Edit[],
): Promise<Hash> {
  const byKey = new Map(edits.map((edit) => [Buffer.from(edit.key).toString('hex'), edit]));
  const sorted = [...byKey.values()].sort((a, b) => compareBytes(a.key, b.key));
  return editTree(nodes, tree ?? EMPTY_TREE, [sorted]);
}

/** All that `more` remembers, put into `tree`. */
export async function rememberAll(
  nodes: NodeStore,
  tree: Hash | undefined,
  more: Hash,
): Promise<Hash> {
  async function* entries(): AsyncGenerator<Edit[]> {
    for await (const leaf of scanLeaves(nodes, more)) {
      yield Array.from({ length: leaf.count }, (_, i) => ({
        key: leaf.key(i),
        value: leaf.value(i),
      }));
    }
  }
  return editTree(nodes, tree ?? EMPTY_TREE, entries());
}

/** The tree without what is remembered of a table, and how many that were. */
export async function forget(
  nodes: NodeStore,
  tree: Hash,
  table: string,
): Promise<{ readonly tree: Hash; readonly count: number }> {
  const edits: Edit[] = [];
  for await (const leaf of scanLeaves(nodes, tree)) {
    for (let i = 0; i < leaf.count; i++) {
      if (decodeRemembered(leaf.value(i)).table !== table) continue;
      edits.push({ key: leaf.key(i), value: null });
    }
  }
  return { tree: await editTree(nodes, tree, [edits]), count: edits.length };
}

export interface StoredRemembered {
  /** Undefined: nothing is remembered. */
  readonly tree: Hash | undefined;
  readonly raw: Uint8Array | null;
}

export async function readRemembered(store: Store): Promise<StoredRemembered> {
  const raw = (await store.getState(REMEMBERED_KEY)) ?? null;
  return { tree: raw === null ? undefined : parseHash(Buffer.from(raw).toString('latin1')), raw };
}

export function rememberedUpdate(tree: Hash, expect: Uint8Array | null): StateUpdate {
  const value = tree === EMPTY_TREE ? null : Buffer.from(tree, 'latin1');
  return { key: REMEMBERED_KEY, value, expect };
}

/** What is remembered needs to be kept: for gc. */
export async function rememberedEdges(store: Store): Promise<Edge[]> {
  const { tree } = await readRemembered(store);
  return tree === undefined ? [] : [{ kind: 'tree', hash: tree }];
}
