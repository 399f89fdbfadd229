/**
 * What every rendering of a diff may be told. Renderers take the tables as they come and
 * give text as it is ready, about a leaf's worth at a time.
 */
import type { TableDiff } from '../../../model/change.ts';
import type { Paint } from '../paint.ts';

export interface DiffRenderOptions {
  /** Columns to show besides the key; others count as if the table did not have them. */
  readonly columns?: readonly string[];
  /** Row changes shown of each table; the rest is not read. */
  readonly limit?: number;
  /** Rows that differ only in added or removed columns are among the changes. */
  readonly complete?: boolean;
  /** Default: no colour. */
  readonly paint?: Paint;
  /** Columns of the terminal; absent when the output is none, and then nothing is cut. */
  readonly width?: number;
  /** Cut nothing on a terminal either. */
  readonly full?: boolean;
}

export type TableDiffs = AsyncIterable<TableDiff> | Iterable<TableDiff>;
