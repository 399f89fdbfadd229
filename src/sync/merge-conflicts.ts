/**
 * The conflicts of a merge as plain data, for the answer to a push: table, key, and for each
 * clashing column its cells in base, ours (what is there) and theirs. Bounded.
 */
import { ConflictRows } from '../model/conflict-rows.ts';
import { scanConflicts } from '../model/conflict-tree.ts';
import { countConflicts } from '../model/merge-state.ts';
import type { RootMerge, RowConflicts } from '../model/merge-types.ts';
import type { NodeStore } from '../prolly/node-store.ts';
import type { Cell, Row, Schema } from '../tuple/schema.ts';

const MOST_CONFLICTS = 100;
/** A longer cell is cut. */
const MOST_CHARACTERS = 1000;

export interface ConflictItem {
  readonly table: string;
  readonly kind: string;
  /** Cells of the key; empty where a whole table or file is in conflict. */
  readonly key: readonly Cell[];
  readonly column: string | null;
  readonly base: Cell;
  readonly ours: Cell;
  readonly theirs: Cell;
}

export interface ConflictData extends Readonly<Record<string, unknown>> {
  /** How many there are in all. */
  readonly count: number;
  /** The first of them. */
  readonly conflicts: readonly ConflictItem[];
}

/**
 * `swapped`: the merge had what is there as theirs.
 * @throws DvError `corrupt`, `missing-object`
 */
export async function conflictData(
  nodes: NodeStore,
  merge: RootMerge,
  swapped: boolean,
): Promise<ConflictData> {
  const conflicts: ConflictItem[] = [];
  for (const conflict of merge.conflicts) {
    if (conflicts.length >= MOST_CONFLICTS) break;
    if (conflict.kind === 'rows') conflicts.push(...(await rowItems(nodes, conflict)));
    else {
      const { table, kind } = conflict;
      const reasons = conflict.kind === 'table' ? conflict.reasons.join('; ') : kind;
      const none = { base: null, ours: null, theirs: null };
      conflicts.push({ table, kind: reasons, key: [], column: null, ...none });
    }
  }
  const first = conflicts.slice(0, MOST_CONFLICTS);
  const count = countConflicts(merge.conflicts);
  return { count, conflicts: swapped ? first.map(swap) : first };
}

const SWAPPED_KINDS: Readonly<Record<string, string>> = {
  'removed-by-ours': 'removed-by-theirs',
  'removed-by-theirs': 'removed-by-ours',
};

function swap(item: ConflictItem): ConflictItem {
  const { kind, ours, theirs } = item;
  return { ...item, kind: SWAPPED_KINDS[kind] ?? kind, ours: theirs, theirs: ours };
}

async function rowItems(
  nodes: NodeStore,
  { table, sides, tree }: RowConflicts,
): Promise<ConflictItem[]> {
  const rows = await ConflictRows.open(nodes, sides);
  const items: ConflictItem[] = [];
  for await (const batch of scanConflicts(nodes, tree)) {
    for (const { key, kind, columns } of batch) {
      if (items.length >= MOST_CONFLICTS) return items;
      const cells = rows.schema.key.length === 0 ? [] : rows.keyCells(key);
      const { base, ours, theirs } = await rows.read(key);
      for (const column of columns.length === 0 ? [null] : columns) {
        const cell = (row: Row | null): Cell => cellOf(rows.schema, row, column);
        items.push({
          table,
          kind,
          key: cells,
          column,
          base: cell(base),
          ours: cell(ours),
          theirs: cell(theirs),
        });
      }
    }
  }
  return items;
}

function cellOf({ columns }: Schema, row: Row | null, column: string | null): Cell {
  if (row === null || column === null) return null;
  const cell = row[columns.findIndex(({ name }) => name === column)] ?? null;
  return cell === null || cell.length <= MOST_CHARACTERS
    ? cell
    : `${cell.slice(0, MOST_CHARACTERS)}…`;
}
