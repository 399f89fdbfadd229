/**
 * Columns that a side has under another name. A file knows no renames: a column that vanished
 * and one that came count as one when, in the rows that both versions have, their cells are
 * mostly the same. Where several could be meant, the likest pair counts, then the one whose
 * places are nearest.
 *
 * Cost: nothing where no column vanished; else a leaf and as many lookups as it has rows.
 */
import type { NodeStore } from '../prolly/node-store.ts';
import { getEntry, scanLeaves } from '../prolly/scan.ts';
import { fits } from '../tuple/cell-type.ts';
import { decodeKey, encodeKey } from '../tuple/key-codec.ts';
import type { ColumnType, Row, Schema } from '../tuple/schema.ts';
import type { Renames } from './merge-columns.ts';
import type { Table } from './objects.ts';
import { loadRow } from './table-diff.ts';

export interface TableSide {
  readonly table: Table;
  readonly schema: Schema;
}

/** Rows that are looked at. */
const SAMPLE = 200;
/** Pairs that are looked at; of more only those at the same place. */
const MOST_PAIRS = 2500;

/** Places of a column that vanished and of one that came. */
interface Pair {
  readonly from: number;
  readonly to: number;
  equal: number;
}

/** From names of `base` to names of `side`. */
export async function findRenames(
  nodes: NodeStore,
  base: TableSide,
  side: TableSide,
): Promise<Renames> {
  const pairs = candidates(base.schema, side.schema);
  if (pairs.length === 0 || base.schema.key.length !== side.schema.key.length) return new Map();
  const rows = await compareSample(nodes, base, side, pairs);
  return choose(
    pairs.filter(({ equal }) => rows > 0 && equal * 2 > rows),
    base.schema,
    side.schema,
  );
}

const keyTypes = (schema: Schema): ColumnType[] => schema.key.map((i) => schema.columns[i].type);

/** A key of `from` as `to` has it; undefined: it cannot. */
function keyUnder(key: Uint8Array, from: Schema, to: Schema): Uint8Array | undefined {
  const [before, after] = [keyTypes(from), keyTypes(to)];
  if (before.join() === after.join()) return key;
  const cells = decodeKey(key, before);
  return cells.every((cell, i) => fits(after[i], cell)) ? encodeKey(cells, after) : undefined;
}

function candidates(base: Schema, side: Schema): Pair[] {
  const lacking = (a: Schema, b: Schema): number[] => {
    const names = new Set(b.columns.map(({ name }) => name));
    return a.columns.map((_, i) => i).filter((i) => !names.has(a.columns[i].name));
  };
  const [gone, come] = [lacking(base, side), lacking(side, base)];
  const isOf = (schema: Schema, place: number) => schema.key.indexOf(place);
  const pairs = gone.flatMap((from) =>
    come.flatMap((to) => {
      const isTooMany = gone.length * come.length > MOST_PAIRS && from !== to;
      // A column of the key stays one, at the same place of the key.
      const fits = isOf(base, from) === isOf(side, to);
      return fits && !isTooMany ? [{ from, to, equal: 0 }] : [];
    }),
  );
  return pairs;
}

/** Counts equal cells of each pair in a leaf's rows. @returns rows compared */
async function compareSample(
  nodes: NodeStore,
  base: TableSide,
  side: TableSide,
  pairs: readonly Pair[],
): Promise<number> {
  let rows = 0;
  for await (const leaf of scanLeaves(nodes, base.table.tree)) {
    for (let i = 0; i < Math.min(leaf.count, SAMPLE); i++) {
      const key = keyUnder(leaf.key(i), base.schema, side.schema);
      const value = key && (await getEntry(nodes, side.table.tree, key));
      if (key === undefined || value === undefined) continue;
      const before: Row = await loadRow(nodes, base.schema, leaf.key(i), leaf.value(i));
      const after: Row = await loadRow(nodes, side.schema, key, value);
      rows += 1;
      for (const pair of pairs) pair.equal += Number(before[pair.from] === after[pair.to]);
    }
    break;
  }
  return rows;
}

function choose(pairs: readonly Pair[], base: Schema, side: Schema): Renames {
  const distance = ({ from, to }: Pair) => Math.abs(from - to);
  const ranked = [...pairs].sort(
    (a, b) => b.equal - a.equal || distance(a) - distance(b) || a.from - b.from || a.to - b.to,
  );
  const renames = new Map<string, string>();
  const taken = new Set<number>();
  for (const { from, to } of ranked) {
    const { name } = base.columns[from];
    if (renames.has(name) || taken.has(to)) continue;
    renames.set(name, side.columns[to].name);
    taken.add(to);
  }
  return renames;
}

/** What one side renamed, the other renamed alike if its columns allow it. */
export function shareRenames(own: Renames, other: Renames, base: Schema, side: Schema): Renames {
  const has = (schema: Schema, name: string) => schema.columns.some((c) => c.name === name);
  const shared = new Map(own);
  const taken = new Set(own.values());
  for (const [name, to] of other) {
    const isFree = !shared.has(name) && !taken.has(to) && !has(side, name);
    if (isFree && has(side, to) && !has(base, to)) shared.set(name, to);
  }
  return shared;
}
