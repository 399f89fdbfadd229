/**
 * What a patch is as data: what reading one gives, what inverting one keeps, and what
 * `apply` works through.
 */
import type { Cell, ColumnType, Schema } from '../tuple/schema.ts';

/** Cells by column name. */
export type PatchCells = ReadonlyMap<string, Cell>;

/**
 * One row. An added or removed row has all its columns; a modified one has the key and the
 * cells that differ, on each side the columns which that side has. `line` is where the
 * patch says so, 0 where it was not read from a text.
 */
export type PatchChange =
  | {
      readonly change: 'added';
      readonly line: number;
      readonly from: null;
      readonly to: PatchCells;
    }
  | {
      readonly change: 'removed';
      readonly line: number;
      readonly from: PatchCells;
      readonly to: null;
    }
  | {
      readonly change: 'modified';
      readonly line: number;
      readonly from: PatchCells;
      readonly to: PatchCells;
    };

export interface PatchTable {
  readonly table: string;
  /** Where the patch speaks of this table first; 0 where it was not read from a text. */
  readonly line: number;
  /** null: the table does not exist on that side; undefined: the patch does not say. */
  readonly fromSchema: Schema | null | undefined;
  readonly toSchema: Schema | null | undefined;
  /** In key order, in batches. May be iterated once, before the next table is asked for. */
  changes(): AsyncIterable<readonly PatchChange[]>;
}

export interface ParsePatchOptions {
  /** Name of the patch for error data. */
  readonly file?: string;
  /**
   * The type of a column, where an NDJSON diff does not say: decides whether `"x"` in a
   * column of JSON is the text x or the text "x".
   */
  readonly typeOf?: (table: string, column: string) => ColumnType | undefined;
}
