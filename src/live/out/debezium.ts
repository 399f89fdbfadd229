/**
 * Row changes as Debezium writes them, without its schema wrapper (Flink: `debezium-json`).
 *
 *   added      c, or r in a snapshot    before null, after the row
 *   modified   u                        before and after are whole rows
 *   removed    d, then a tombstone      before the row, after null
 *
 * A row whose key changed is removed under the one and added under the other. `source` says
 * which commit it was; `ts_ms`, and `db`, `schema`, `table` in it, are where Debezium has them.
 */
import type { RowChange } from '../../model/change.ts';
import type { Schema } from '../../tuple/schema.ts';
import { SCHEMA_HEADER } from '../ingest/debezium-collector.ts';
import {
  type ChangeMessage,
  type ChangePlace,
  type ChangeShape,
  keyJson,
  rowJson,
  sidesOf,
} from './change-message.ts';

export const DEBEZIUM: ChangeShape = {
  name: 'debezium',
  isCompacted: false,
  write(diff, change, place, isSnapshot) {
    const { from, to } = sidesOf(diff);
    const before = change.from === null ? 'null' : rowJson(from, change.from);
    const after = change.to === null ? 'null' : rowJson(to, change.to);
    const key = change.to === null ? keyJson(from, change.from) : keyJson(to, change.to);
    const source = sourceJson(place, diff.table, isSnapshot);
    const op = opOf(change, isSnapshot);
    const value = `{"before":${before},"after":${after},"op":"${op}","source":${source},"ts_ms":${place.time}}`;
    const messages: ChangeMessage[] = [{ key, value }];
    if (op === 'd' && key !== null) messages.push({ key, value: null });
    return messages;
  },
  headers: (schema) => ({ [SCHEMA_HEADER]: schemaJson(schema) }),
};

function opOf({ change }: RowChange, isSnapshot: boolean): 'c' | 'r' | 'u' | 'd' {
  if (change === 'removed') return 'd';
  if (change === 'modified') return 'u';
  return isSnapshot ? 'r' : 'c';
}

function sourceJson(place: ChangePlace, table: string, isSnapshot: boolean): string {
  const { repo, branch, commit, parent, sequence, time } = place;
  return JSON.stringify({
    ...{ connector: 'dv', name: repo, db: repo, schema: branch, table },
    ...{ repo, branch, commit, parent, sequence, time, ts_ms: time },
    snapshot: isSnapshot ? 'true' : 'false',
  });
}

/** Key and types, for a dv that reads the messages. */
function schemaJson({ columns, key }: Schema): string {
  return JSON.stringify({
    key: key.map((column) => columns[column].name),
    types: Object.fromEntries(columns.map(({ name, type }) => [name, type])),
  });
}
