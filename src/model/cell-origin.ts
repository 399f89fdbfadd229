/**
 * Which commit last set a cell or a row: what `latest`, `blame` and `history` ask.
 */
import type { Hash } from '../hash.ts';
import type { NodeStore } from '../prolly/node-store.ts';
import type { Cell } from '../tuple/schema.ts';
import type { Clock } from './objects.ts';

/** A cell by its row's key; `column` null asks for the row as a whole. */
export interface CellPlace {
  /** The key's cells, in key order. */
  readonly key: readonly Cell[];
  readonly column: string | null;
}

export interface CellOrigin {
  readonly commit: Hash;
  readonly clock: Clock;
}

export type FindOrigins = (
  nodes: NodeStore,
  head: Hash,
  table: string,
  cells: readonly CellPlace[],
) => Promise<(CellOrigin | undefined)[]>;
