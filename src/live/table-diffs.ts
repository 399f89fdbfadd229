/** The tables that differ between two commits, as rows, filtered as `dv diff` filters them. */
import type { Hash } from '../hash.ts';
import type { TableDiff } from '../model/change.ts';
import { filterDiff } from '../model/diff-filter.ts';
import type { RootEntry } from '../model/root.ts';
import { diffTables } from '../model/table-diff.ts';
import type { NodeStore } from '../prolly/node-store.ts';
import { changedEntries } from './feed-item.ts';

export interface DiffChoice {
  readonly tables?: readonly string[];
  /** An SQL condition over a row's columns; in a commit without them no row is wanted. */
  readonly where?: string;
}

/**
 * From a commit (null: nothing) to another. A condition that names columns which none of the
 * tables has holds for no row: over a feed, tables come and go.
 */
export async function* tableDiffsBetween(
  nodes: NodeStore,
  from: Hash | null,
  to: Hash,
  { tables = [], where }: DiffChoice,
): AsyncGenerator<TableDiff> {
  for (const { name, from: old, to: now } of await changedEntries(nodes, from, to)) {
    const [a, b] = [tableOf(old), tableOf(now)];
    if (a === b || (tables.length > 0 && !tables.includes(name))) continue;
    const diff = await diffTables(nodes, name, a, b);
    yield where === undefined ? diff : filterDiff(diff, { where });
  }
}

const tableOf = (entry: RootEntry | undefined): Hash | undefined =>
  entry?.kind === 'table' ? entry.table : undefined;
