/**
 * What a merge yields. Argument order is always (base, ours, theirs); null: absent there.
 *
 * A merge never stops half way: where it cannot decide, the merged root keeps what ours has
 * and the conflict is listed beside it, for a person (porcelain/resolve.ts) to settle.
 */
import type { Hash } from '../hash.ts';
import type { Cell, ColumnRule, RowRule } from '../tuple/schema.ts';
import type { CellOrigin, CellPlace } from './cell-origin.ts';
import type { RootEntry } from './root.ts';

/** One thing of each side. */
export interface Sides<T> {
  readonly base: T;
  readonly ours: T;
  readonly theirs: T;
}

export type RowConflictKind =
  /** Both changed cells of a row, and not alike. */
  | 'both-modified'
  /** Both added a row under one key: perhaps two things that share a number. */
  | 'both-added'
  | 'removed-by-ours'
  | 'removed-by-theirs';

/** Rows of a table that need a person. */
export interface RowConflicts {
  readonly kind: 'rows';
  readonly table: string;
  /** Tables (hashes of table objects). */
  readonly sides: Sides<Hash | null>;
  /** Tree of what is left to decide, by the merged table's keys (conflict-tree.ts). */
  readonly tree: Hash;
  /** Entries of `tree`. */
  readonly count: number;
}

/**
 * A table that cannot be merged at all until somebody chooses a side; or a name that is a
 * table on one side and a plain file on another.
 */
export interface TableConflict {
  readonly kind: 'table';
  readonly table: string;
  /** As the roots have it: plain data, fit for JSON. */
  readonly sides: Sides<RootEntry | null>;
  /** Each the end of a sentence about the table, such as `"a" is removed by one side and ...`. */
  readonly reasons: readonly string[];
}

/** A plain file that both changed, or one changed and the other removed. */
export interface FileConflict {
  readonly kind: 'file';
  readonly table: string;
  readonly sides: Sides<RootEntry | null>;
}

export type EntryConflict = RowConflicts | TableConflict | FileConflict;

/** One decision that a rule took instead of a person. */
export interface Decision {
  readonly table: string;
  /** Cells of the row's key, in key order. */
  readonly key: readonly Cell[];
  /** null: the row as a whole (`update-wins`, `delete-wins`, or ours/theirs by option). */
  readonly column: string | null;
  readonly rule: ColumnRule | RowRule;
  /** Cells; of a decision on a whole row null. */
  readonly sides: Sides<Cell>;
  readonly result: Cell;
}

/** What rules decided: the first of them, how many in all, and the digest over all. */
export interface Resolved {
  readonly count: number;
  /** BLAKE3 over every decision's canonical text, in order; '' when there is none. */
  readonly digest: string;
  /** At most MAX_DECISIONS, at most MAX_DECISION_BYTES of text (decisions.ts). */
  readonly decisions: readonly Decision[];
}

/** A row of theirs that got another key, because ours had added one under its own. */
export interface Renumbered {
  readonly table: string;
  readonly from: readonly Cell[];
  readonly to: readonly Cell[];
}

export interface RootMerge {
  readonly root: Hash;
  readonly conflicts: readonly EntryConflict[];
  readonly resolved: Resolved;
  readonly renumbered: readonly Renumbered[];
}

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
  /** What is kept where there is a conflict; default `ours`. */
  readonly keep?: 'ours' | 'base';
}
