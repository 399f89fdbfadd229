/**
 * What a diff yields, for renderers and programs. Argument order is always (from, to).
 */
import type { Row, Schema } from '../tuple/schema.ts';

/** One row that differs. `from` is in the from-schema's order, `to` in the to-schema's. */
export type RowChange =
  | { readonly change: 'added'; readonly from: null; readonly to: Row }
  | { readonly change: 'removed'; readonly from: Row; readonly to: null }
  | { readonly change: 'modified'; readonly from: Row; readonly to: Row };

export type SchemaChange =
  | { readonly kind: 'column-added'; readonly column: string; readonly type: string }
  | { readonly kind: 'column-removed'; readonly column: string; readonly type: string }
  | {
      readonly kind: 'column-retyped';
      readonly column: string;
      readonly from: string;
      readonly to: string;
    }
  | { readonly kind: 'columns-reordered' }
  | {
      readonly kind: 'key-changed';
      readonly from: readonly string[];
      readonly to: readonly string[];
    }
  | {
      readonly kind: 'rules-changed';
      /** As `formatRules` writes them: `population=max`. */
      readonly from: readonly string[];
      readonly to: readonly string[];
    };

/** The difference of one table; at least one of `from` and `to` is not null. */
export interface TableDiff {
  readonly table: string;
  /** null: the table does not exist on that side. */
  readonly from: Schema | null;
  readonly to: Schema | null;
  readonly schema: readonly SchemaChange[];
  /** Row changes in key order, a leaf's worth at a time. May be iterated once. */
  changes(): AsyncIterable<readonly RowChange[]>;
}
