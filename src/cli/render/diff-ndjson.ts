/**
 * A diff for programs: one JSON object a line, tables one behind the other, rows in key order.
 *
 *   {"table":"cities.csv","change":"modified","key":{"id":1},"from":{...},"to":{...}}
 *
 * `from` and `to` are whole rows, members in the order of that side's columns, values by the
 * column's type with every digit kept; null is the side that an added or removed row lacks.
 * `key` is null in a table without one. A table whose columns or key changed, or that came
 * or went, begins with
 *
 *   {"table":"cities.csv","change":"schema","schema":[{"kind":"column-added",...}],
 *    "from":{"columns":{"id":"integer"},"key":["id"]},"to":{...},"complete":false}
 *
 * on one line; a side that is not there is null. `complete` is there when columns came or
 * went, and says whether the rows that differ only in those are among what follows.
 *
 * `dv apply` reads this form too, where nothing is left out.
 */
import type { RowChange, TableDiff } from '../../model/change.ts';
import { formatSchema } from '../../porcelain/patch-format.ts';
import { escapeUnseen } from '../../porcelain/patch-json.ts';
import { rowToJson } from '../../tuple/json-value.ts';
import { changesSchema, keyOf, type NarrowedDiff, narrowDiffs } from './diff/narrow.ts';
import type { DiffRenderOptions, TableDiffs } from './diff/options.ts';

export async function* renderDiffNdjson(
  diffs: TableDiffs,
  options: DiffRenderOptions = {},
): AsyncGenerator<string> {
  // On a terminal what it might obey is escaped, which is the same JSON.
  const safe = options.width === undefined ? (text: string) => text : escapeUnseen;
  for await (const diff of narrowDiffs(diffs, options)) {
    if (changesSchema(diff)) yield safe(schemaLine(diff, options.complete));
    for await (const batch of diff.changes()) {
      yield safe(batch.map((change) => rowLine(diff, change)).join(''));
    }
  }
}

/** The line with which a table begins whose columns or key changed. */
export function schemaLine({ table, schema, from, to }: TableDiff, complete = false): string {
  const told = schema.some(({ kind }) => kind === 'column-added' || kind === 'column-removed');
  const members = [
    `"table":${JSON.stringify(table)}`,
    '"change":"schema"',
    `"schema":${JSON.stringify(schema)}`,
    `"from":${formatSchema(from)}`,
    `"to":${formatSchema(to)}`,
    ...(told ? [`"complete":${complete}`] : []),
  ];
  return `{${members.join()}}\n`;
}

function rowLine(diff: NarrowedDiff, change: RowChange): string {
  const { schema, row } = keyOf(diff, change);
  const key = schema.key.length === 0 ? 'null' : rowToJson(schema, row, schema.key);
  const from = change.from && diff.from ? rowToJson(diff.from, change.from) : 'null';
  const to = change.to && diff.to ? rowToJson(diff.to, change.to) : 'null';
  return `{"table":${JSON.stringify(diff.table)},"change":"${change.change}","key":${key},"from":${from},"to":${to}}\n`;
}
