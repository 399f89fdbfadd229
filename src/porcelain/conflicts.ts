/**
 * `dv conflicts`: what a merge left to decide, with what each side has. Read a leaf of
 * conflicts at a time, so a million of them can be looked through.
 */
import { DvError } from '../errors.ts';
import { ConflictRows } from '../model/conflict-rows.ts';
import { scanConflicts } from '../model/conflict-tree.ts';
import { type MergeState, readMerge, type StoredMerge } from '../model/merge-state.ts';
import type {
  EntryConflict,
  FileConflict,
  RowConflictKind,
  RowConflicts,
  Sides,
  TableConflict,
} from '../model/merge-types.ts';
import { type Condition, compileCondition } from '../store/sqlite-condition.ts';
import type { Cell, Row, Schema } from '../tuple/schema.ts';
import { noMerge } from './merge-guard.ts';
import type { Repository } from './repository.ts';

/** A row to decide, all sides in the columns of the merged table; null: absent there. */
export interface RowInConflict {
  readonly kind: 'row';
  readonly table: string;
  readonly schema: Schema;
  /** As the tree of conflicts has it. */
  readonly encodedKey: Uint8Array;
  /** Cells of the key, in key order. */
  readonly key: readonly string[];
  readonly conflict: RowConflictKind;
  /** Names of the columns that clash; empty where one side removed the row. */
  readonly columns: readonly string[];
  readonly sides: Sides<Row | null>;
}

/** What becomes of a row in conflict; what is undefined stays one. */
export type RowResolution =
  | { readonly whole: Row | null }
  /** By column name; only columns that clash count as settled. */
  | { readonly cells: ReadonlyMap<string, Cell> };

/** A table or a plain file to decide as a whole. */
export interface WholeInConflict {
  readonly kind: 'whole';
  readonly table: string;
  readonly conflict: TableConflict | FileConflict;
}

export interface ConflictFilter {
  /** Names of tables; empty or left out: all. */
  readonly tables?: readonly string[];
  /** SQL over `x` (ours, else theirs), `base_x`, `ours_x` and `theirs_x`. */
  readonly where?: string;
}

/** @throws DvError `no-merge` */
export async function requireMerge(repo: Repository): Promise<StoredMerge> {
  const merge = await readMerge(repo.store);
  if (merge === undefined) throw noMerge();
  return merge;
}

/** The conflicts of some tables. @throws DvError `no-such-conflict` */
export function pickConflicts(
  { conflicts }: MergeState,
  tables: readonly string[] = [],
): readonly EntryConflict[] {
  for (const name of tables) {
    if (conflicts.some(({ table }) => table === name)) continue;
    throw new DvError('no-such-conflict', `'${name}' has no conflict`, {
      hint: conflicts.length === 0 ? 'dv commit ends the merge' : 'dv conflicts --stat lists them',
      data: { table: name },
    });
  }
  return tables.length === 0 ? conflicts : conflicts.filter(({ table }) => tables.includes(table));
}

/** @throws DvError `no-merge`, `no-such-conflict`, `bad-condition` */
export async function* listConflicts(
  repo: Repository,
  filter: ConflictFilter = {},
): AsyncGenerator<(RowInConflict | WholeInConflict)[]> {
  const { state } = await requireMerge(repo);
  for (const conflict of pickConflicts(state, filter.tables)) {
    if (conflict.kind === 'rows') yield* listRows(repo, conflict, filter.where);
    else if (filter.where === undefined) {
      yield [{ kind: 'whole', table: conflict.table, conflict }];
    }
  }
}

/** @throws DvError `bad-condition` */
export async function* listRows(
  { nodes }: Repository,
  { table, sides, tree }: RowConflicts,
  where?: string,
): AsyncGenerator<RowInConflict[]> {
  const rows = await ConflictRows.open(nodes, sides);
  const condition = where === undefined ? undefined : compileSides(where, rows.schema);
  try {
    for await (const batch of scanConflicts(nodes, tree)) {
      const found: RowInConflict[] = [];
      for (const { key, kind, columns } of batch) {
        const versions = await rows.read(key);
        if (condition !== undefined && !condition.test(cellsOf(rows.schema, versions))) continue;
        found.push({
          kind: 'row',
          table,
          schema: rows.schema,
          encodedKey: key,
          key: rows.keyCells(key),
          conflict: kind,
          columns,
          sides: versions,
        });
      }
      if (found.length > 0) yield found;
    }
  } finally {
    condition?.close();
  }
}

const SIDES = ['base', 'ours', 'theirs'] as const;

function compileSides(where: string, { columns }: Schema): Condition {
  const named = (prefix: string) =>
    columns.map(({ name, type }) => ({ name: prefix + name, type }));
  return compileCondition(where, ['', 'base_', 'ours_', 'theirs_'].flatMap(named));
}

function cellsOf({ columns }: Schema, sides: Sides<Row | null>): Cell[] {
  const none: Row = new Array<Cell>(columns.length).fill(null);
  const now = sides.ours ?? sides.theirs ?? none;
  return [now, ...SIDES.map((side) => sides[side] ?? none)].flat();
}

/** How many conflicts are left, by table. */
export interface ConflictCount {
  readonly table: string;
  readonly kind: EntryConflict['kind'];
  /** Of a table or file as a whole 1. */
  readonly conflicts: number;
}

/** @throws DvError `no-merge`, `no-such-conflict` */
export async function countByTable(
  repo: Repository,
  tables?: readonly string[],
  where?: string,
): Promise<ConflictCount[]> {
  const { state } = await requireMerge(repo);
  const counts = pickConflicts(state, tables).map((conflict) => ({
    table: conflict.table,
    kind: conflict.kind,
    conflicts: conflict.kind === 'rows' ? conflict.count : 1,
  }));
  if (where === undefined) return counts;
  const matching = new Map<string, number>();
  for await (const batch of listConflicts(repo, { tables, where })) {
    for (const { table } of batch) matching.set(table, (matching.get(table) ?? 0) + 1);
  }
  return counts
    .filter(({ table }) => matching.has(table))
    .map((count) => ({ ...count, conflicts: matching.get(count.table)! }));
}
