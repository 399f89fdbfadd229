/**
 * Writes whose rows come from an older commit: base is that commit, theirs is base with the
 * writes, ours is the branch now. Merged by cell, by the tables' rules; for `latest` the
 * writes are the later change. What nothing decides is a conflict, and nothing is written.
 */
import { DvError } from '../errors.ts';
import type { Hash } from '../hash.ts';
import { findOrigins } from '../model/cell-origin.ts';
import { ConflictRows } from '../model/conflict-rows.ts';
import { scanConflicts } from '../model/conflict-tree.ts';
import { mergeRoots } from '../model/merge-roots.ts';
import { countConflicts } from '../model/merge-state.ts';
import type { EntryConflict, RootMerge, RowConflicts, Sides } from '../model/merge-types.ts';
import type { Clock } from '../model/objects.ts';
import type { NodeStore } from '../prolly/node-store.ts';
import type { Cell, Row, Schema } from '../tuple/schema.ts';

/** Conflicts that an error tells; it says how many there are in all. */
const TOLD_CONFLICTS = 100;
/** Characters of a cell that it tells. */
const TOLD_CHARACTERS = 1000;

export interface MergedWrites {
  /** The branch's head, whose root is ours. */
  readonly head: Hash;
  /** The roots of base, ours and theirs. */
  readonly roots: Sides<Hash>;
  /** The stamp of the commit to be. */
  readonly clock: Clock;
}

/** @throws DvError `conflicts-left` */
export async function mergeWrites(
  nodes: NodeStore,
  { head, roots, clock }: MergedWrites,
): Promise<RootMerge> {
  const origins = {
    ours: (table: string, cells: Parameters<typeof findOrigins>[3]) =>
      findOrigins(nodes, head, table, cells),
    theirs: async (_: string, cells: readonly unknown[]) =>
      cells.map(() => ({ commit: head, clock })),
  };
  const merge = await mergeRoots(nodes, roots, { origins });
  if (merge.conflicts.length > 0) throw await conflictError(nodes, merge.conflicts);
  return merge;
}

interface ToldConflict {
  readonly table: string;
  /** null: the table as a whole. */
  readonly key: Readonly<Record<string, Cell>> | null;
  readonly kind: string;
  /** Cells that clash, or of a row that one side removed all of them; null: absent. */
  readonly base: Readonly<Record<string, Cell>> | null;
  readonly ours: Readonly<Record<string, Cell>> | null;
  readonly theirs: Readonly<Record<string, Cell>> | null;
  readonly reasons?: readonly string[];
}

async function conflictError(
  nodes: NodeStore,
  conflicts: readonly EntryConflict[],
): Promise<DvError> {
  const count = countConflicts(conflicts);
  const told: ToldConflict[] = [];
  for (const conflict of conflicts) {
    if (told.length >= TOLD_CONFLICTS) break;
    if (conflict.kind === 'rows') await tellRows(nodes, conflict, told);
    else {
      const reasons = conflict.kind === 'table' ? conflict.reasons : ['both sides changed it'];
      const { table, kind } = conflict;
      told.push({ table, key: null, kind, base: null, ours: null, theirs: null, reasons });
    }
  }
  const many = count === 1 ? '1 conflict' : `${count} conflicts`;
  return new DvError(
    'conflicts-left',
    `${many} with what the branch has now, the first in '${told[0].table}'`,
    {
      hint: 'read the rows again, and write from the commit they come from; or set a merge rule',
      data: { conflicts: count, rows: told, complete: told.length === count },
    },
  );
}

async function tellRows(
  nodes: NodeStore,
  conflict: RowConflicts,
  told: ToldConflict[],
): Promise<void> {
  const rows = await ConflictRows.open(nodes, conflict.sides);
  const { schema } = rows;
  for await (const batch of scanConflicts(nodes, conflict.tree)) {
    for (const { key, kind, columns } of batch) {
      if (told.length >= TOLD_CONFLICTS) return;
      const { base, ours, theirs } = await rows.read(key);
      const cells = rows.keyCells(key);
      const names = schema.key.map((column, i) => [schema.columns[column].name, cells[i]] as const);
      const show = (row: Row | null) => cellsOf(schema, row, columns);
      told.push({
        table: conflict.table,
        key: Object.fromEntries(names),
        kind,
        base: show(base),
        ours: show(ours),
        theirs: show(theirs),
      });
    }
  }
}

/** The named cells (none named: all) of a row, long ones cut. */
function cellsOf(
  { columns }: Schema,
  row: Row | null,
  names: readonly string[],
): Readonly<Record<string, Cell>> | null {
  if (row === null) return null;
  const wanted = columns.flatMap(({ name }, i) =>
    names.length === 0 || names.includes(name) ? [[name, cut(row[i])] as const] : [],
  );
  return Object.fromEntries(wanted);
}

const cut = (cell: Cell): Cell =>
  cell !== null && cell.length > TOLD_CHARACTERS ? `${cell.slice(0, TOLD_CHARACTERS)}…` : cell;
