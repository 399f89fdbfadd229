/**
 * The ordered columns of a table, its primary key, and (later) its merge rules. A type is
 * a lens over the cell's text, never a conversion: it decides how keys order and how
 * typed exports see a cell, and the stored text of a non-key cell never depends on it.
 */

export const COLUMN_TYPES = [
  'text',
  'integer',
  'decimal',
  'float',
  'boolean',
  'date',
  'timestamp',
  'json',
  'bytes',
] as const;

export type ColumnType = (typeof COLUMN_TYPES)[number];

export interface Column {
  readonly name: string;
  readonly type: ColumnType;
}

export interface Schema {
  /** In file order. */
  readonly columns: readonly Column[];
  /** Indices into `columns`, in key order; empty: a keyless table. */
  readonly key: readonly number[];
}

/** A cell as a person sees it: its exact text, or null. */
export type Cell = string | null;
/** Cells in schema order. */
export type Row = readonly Cell[];
