/**
 * A diff for programs: one JSON object a line, tables one behind the other, rows in key order.
 *
 *   {"table":"cities.csv","change":"modified","key":{"id":1},"from":{...},"to":{...}}
 *
 * `from` and `to` are whole rows, members in the order of that side's columns, values by the
 * column's type with every digit kept; null is the side that an added or removed row lacks.
 * `key` is null in a table without one. A table whose columns or key changed begins with
 *
 *   {"table":"cities.csv","change":"schema","schema":[{"kind":"column-added",...}],
 *    "from":{"columns":{"id":"integer"},"key":["id"]},"to":{...}}   (on one line)
 *
 * `dv apply` reads this form too.
 */
import type { RowChange, TableDiff } from '../../model/change.ts';
import { formatSchema } from '../../porcelain/patch-format.ts';
import { escapeUnseen } from '../../porcelain/patch-json.ts';
import { rowToJson } from '../../tuple/json-value.ts';
import { keyOf, type NarrowedDiff, narrowDiffs } from './diff/narrow.ts';
import type { DiffRenderOptions, TableDiffs } from './diff/options.ts';

export async function* renderDiffNdjson(
  diffs: TableDiffs,
  options: DiffRenderOptions = {},
): AsyncGenerator<string> {
  // On a terminal what it might obey is escaped, which is the same JSON.
  const safe = options.width === undefined ? (text: string) => text : escapeUnseen;
  for await (const diff of narrowDiffs(diffs, options)) {
    if (diff.schema.length > 0) yield safe(schemaLine(diff));
    for await (const batch of diff.changes()) {
      yield safe(batch.map((change) => rowLine(diff, change)).join(''));
    }
  }
}

/** The line with which a table begins whose columns or key changed. */
export function schemaLine({ table, schema, from, to }: TableDiff): string {
  const changes = JSON.stringify(schema);
  return `{"table":${JSON.stringify(table)},"change":"schema","schema":${changes},"from":${formatSchema(from)},"to":${formatSchema(to)}}\n`;
}

function rowLine(diff: NarrowedDiff, change: RowChange): string {
  const { schema, row } = keyOf(diff, change);
  const key = schema.key.length === 0 ? 'null' : rowToJson(schema, row, schema.key);
  const from = change.from && diff.from ? rowToJson(diff.from, change.from) : 'null';
  const to = change.to && diff.to ? rowToJson(diff.to, change.to) : 'null';
  return `{"table":${JSON.stringify(diff.table)},"change":"${change.change}","key":${key},"from":${from},"to":${to}}\n`;
}
