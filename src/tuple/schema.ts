/**
 * The ordered columns of a table, its primary key, and its merge rules. A type is
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

/** What decides a cell that both sides of a merge changed. `conflict` asks a person. */
export const COLUMN_RULES = [
  'conflict',
  'ours',
  'theirs',
  'latest',
  'max',
  'min',
  'sum',
  'union',
  'json',
  'text',
] as const;

export type ColumnRule = (typeof COLUMN_RULES)[number];

/** What decides a row that one side removed and the other changed. */
export const ROW_RULES = ['conflict', 'update-wins', 'delete-wins'] as const;

export type RowRule = (typeof ROW_RULES)[number];

/** A table's merge rules. Versioned with its schema, so that every node decides alike. */
export interface MergeRules {
  /** By column name; never of a key column. */
  readonly columns: Readonly<Record<string, ColumnRule>>;
  /** Of every column that `columns` does not name (`*`); default `conflict`. */
  readonly others?: ColumnRule;
  /** Default `conflict`. */
  readonly rows?: RowRule;
}

export interface Schema {
  /** In file order. */
  readonly columns: readonly Column[];
  /** Indices into `columns`, in key order; empty: a keyless table. */
  readonly key: readonly number[];
  /** Left out when there are none. */
  readonly rules?: MergeRules;
}

/** A cell as a person sees it: its exact text, or null. */
export type Cell = string | null;
/** Cells in schema order. */
export type Row = readonly Cell[];
