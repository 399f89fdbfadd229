/**
 * Three roots into one: names that one side changed are taken whole, names that both changed
 * are merged by table (merge-table.ts) or, as plain files, as a whole.
 */
import { bug } from '../errors.ts';
import type { Hash } from '../hash.ts';
import type { NodeStore } from '../prolly/node-store.ts';
import type { ColumnRule } from '../tuple/schema.ts';
import type { CellOrigin, CellPlace } from './cell-origin.ts';
import type { RootMerge, Sides } from './merge-types.ts';

/** Who last set cells on one side; for the rule `latest`. */
export type AskOrigins = (
  table: string,
  cells: readonly CellPlace[],
) => Promise<readonly (CellOrigin | undefined)[]>;

export interface MergeOptions {
  /** Decides what no rule of the table decides: cells, and with ours or theirs whole rows. */
  readonly fallback?: ColumnRule;
  /** Rows that both added under one integer key: whose get a new one. */
  readonly renumber?: 'ours' | 'theirs';
  /** Without it, `latest` leaves a conflict. */
  readonly origins?: { readonly ours: AskOrigins; readonly theirs: AskOrigins };
}

/** @throws DvError `corrupt`, `missing-object` */
export async function mergeRoots(
  nodes: NodeStore,
  sides: Sides<Hash>,
  options: MergeOptions = {},
): Promise<RootMerge> {
  throw bug(`not merged yet: ${[nodes, sides, options].length}`);
}
