/**
 * Records of one format into the rows of a batch. A collector is filled, written, cleared and
 * filled again; two of them take turns, so that one is read into while the other is written.
 */
import type { ColumnType } from '../../tuple/schema.ts';
import type { WriteBatch } from '../contract.ts';
import type { Flaw, RecordBlock } from './record.ts';
import type { RecordLog } from './record-log.ts';

/**
 * `added`: its row, or rows, are in. `full`: nothing is in, write the batch first.
 * `nothing`: no row is in it (a blank line). A flaw: it is no row.
 */
export type Verdict = 'added' | 'full' | 'nothing' | Flaw;

export interface RowCollector {
  readonly log: RecordLog;
  readonly rows: number;
  add(block: RecordBlock, record: number): Verdict;
  /** Takes the last row out again. */
  takeBack(): void;
  /** Text of a cell of the last row; null without one. */
  lastCell(column: string): string | null;
  batch(): WriteBatch;
  /** What the records themselves say of their columns; for columns that are not there yet. */
  types(): Readonly<Record<string, ColumnType>>;
  /** The key that the records name, where they do. */
  readonly key: readonly string[] | undefined;
  clear(): void;
}

/** How a record says that its row goes. */
export interface DeleteRule {
  /** The field that says it; it is no column of the table. */
  readonly field: string;
  readonly values: ReadonlySet<string>;
}

export interface CollectorOptions {
  readonly maxBytes: number;
  /** As given; undefined: whatever the table has. */
  readonly key: readonly string[] | undefined;
  readonly deletes: DeleteRule | undefined;
  /** Columns whose cells are JSON text, so that strings keep their quotes. */
  readonly rawJson: ReadonlySet<string>;
}
