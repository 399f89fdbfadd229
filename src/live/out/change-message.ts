/**
 * Row changes as messages for other systems. Pure: the same commit gives the same bytes,
 * whenever and however often it is asked. Numbers are written from their exact text; a cell of
 * JSON is a text that holds it, so that it comes back as it was.
 *
 *   debezium.ts      `{before, after, op, source, ts_ms}`       upsert-json.ts   the row, or null
 *   commit-json.ts   a message a commit
 */
import type { Hash } from '../../hash.ts';
import type { RowChange, TableDiff } from '../../model/change.ts';
import { cellToJson } from '../../tuple/json-value.ts';
import type { ColumnType, Row, Schema } from '../../tuple/schema.ts';

/** Where a change happened: nothing of it depends on when it is told. */
export interface ChangePlace {
  /** Name of the repository. */
  readonly repo: string;
  readonly branch: string;
  readonly commit: Hash;
  /** What the change is against; null: nothing. */
  readonly parent: Hash | null;
  /** The commit's generation: grows along a branch. */
  readonly sequence: number;
  /** When the commit was made, ms since the epoch. */
  readonly time: number;
}

/** `value` null: a tombstone. `key` null: of a table without a key. */
export interface ChangeMessage {
  readonly key: string | null;
  readonly value: string | null;
}

/** How a change is written. */
export interface ChangeShape {
  readonly name: string;
  /** Messages of one change, in order. `isSnapshot`: the row was there when watching began. */
  write(
    diff: Pick<TableDiff, 'table' | 'from' | 'to'>,
    change: RowChange,
    place: ChangePlace,
    isSnapshot: boolean,
  ): ChangeMessage[];
  /** Headers that all messages of a table have. */
  headers(schema: Schema): Readonly<Record<string, string>>;
  /** A topic needs the last message of each key only. */
  readonly isCompacted: boolean;
}

/** A row as a JSON object, its members in schema order. */
export function rowJson(schema: Schema, row: Row, columns?: readonly number[]): string {
  const members = (columns ?? schema.columns.map((_, i) => i)).map((i) => {
    const { name, type } = schema.columns[i];
    return `${JSON.stringify(name)}:${cellJson(type, row[i] ?? null)}`;
  });
  return `{${members.join(',')}}`;
}

function cellJson(type: ColumnType, cell: string | null): string {
  return type === 'json' && cell !== null ? JSON.stringify(cell) : cellToJson(type, cell);
}

/** The key's cells; null of a table without one. */
export function keyJson(schema: Schema, row: Row): string | null {
  return schema.key.length === 0 ? null : rowJson(schema, row, schema.key);
}

/** The schema a side of a difference has. */
export function sidesOf({ from, to }: Pick<TableDiff, 'from' | 'to'>): {
  readonly from: Schema;
  readonly to: Schema;
} {
  const any = (to ?? from) as Schema;
  return { from: from ?? any, to: to ?? any };
}
