/**
 * Columns that a side has under another name. A file knows no renames: a column that vanished
 * and one that came count as one when they stand at the same place behind the same column,
 * and the cells of the rows that both have are mostly the same.
 *
 * Cost: nothing where no column vanished; else a leaf and as many lookups as it has rows.
 */
import type { NodeStore } from '../prolly/node-store.ts';
import { getEntry, scanLeaves } from '../prolly/scan.ts';
import type { Row, Schema } from '../tuple/schema.ts';
import type { Renames } from './merge-columns.ts';
import type { Table } from './objects.ts';
import { areComparable, loadRow } from './table-diff.ts';

export interface TableSide {
  readonly table: Table;
  readonly schema: Schema;
}

/** Rows that are looked at. */
const SAMPLE = 200;

/** From names of `base` to names of `side`. */
export async function findRenames(
  nodes: NodeStore,
  base: TableSide,
  side: TableSide,
): Promise<Renames> {
  const pairs = pairByPlace(base.schema, side.schema);
  if (pairs.size === 0 || base.table.tree === side.table.tree) return pairs;
  const likeness = new Likeness(base.schema, side.schema, pairs);
  if (!areComparable(likeness.renamed, side.schema)) return new Map();
  for await (const leaf of scanLeaves(nodes, base.table.tree)) {
    for (let i = 0; i < Math.min(leaf.count, SAMPLE); i++) {
      const value = await getEntry(nodes, side.table.tree, leaf.key(i));
      if (value === undefined) continue;
      const row = await loadRow(nodes, base.schema, leaf.key(i), leaf.value(i));
      likeness.compare(row, await loadRow(nodes, side.schema, leaf.key(i), value));
    }
    break;
  }
  return likeness.alike();
}

/** Columns gone and come that stand equally far behind a column of both. */
function pairByPlace(base: Schema, side: Schema): Map<string, string> {
  const [before, after] = [base, side].map(({ columns }) => columns.map(({ name }) => name));
  const pairs = new Map<string, string>();
  let offset: number | undefined = 0;
  before.forEach((name, i) => {
    const place = after.indexOf(name);
    if (place >= 0) {
      offset = place - i;
      return;
    }
    const candidate = offset === undefined ? undefined : after[i + offset];
    if (candidate !== undefined && !before.includes(candidate)) pairs.set(name, candidate);
  });
  return pairs;
}

/** Counts equal cells of each pair. */
class Likeness {
  /** The base schema under the names of the side. */
  readonly renamed: Schema;
  readonly #pairs: ReadonlyMap<string, string>;
  readonly #places: readonly (readonly [name: string, from: number, to: number])[];
  readonly #equal = new Map<string, number>();
  #rows = 0;

  constructor(base: Schema, side: Schema, pairs: ReadonlyMap<string, string>) {
    const place = (schema: Schema, name: string) =>
      schema.columns.findIndex((column) => column.name === name);
    this.#pairs = pairs;
    this.#places = [...pairs].map(([name, to]) => [name, place(base, name), place(side, to)]);
    this.renamed = {
      ...base,
      columns: base.columns.map((column) => ({
        ...column,
        name: pairs.get(column.name) ?? column.name,
      })),
    };
  }

  compare(from: Row, to: Row): void {
    this.#rows += 1;
    for (const [name, before, after] of this.#places) {
      const isEqual = from[before] === to[after];
      this.#equal.set(name, (this.#equal.get(name) ?? 0) + Number(isEqual));
    }
  }

  alike(): Renames {
    const isAlike = (name: string) => (this.#equal.get(name) ?? 0) * 2 > this.#rows;
    return new Map([...this.#pairs].filter(([name]) => this.#rows > 0 && isAlike(name)));
  }
}
