/**
 * What changed about columns and keys, tables that came and went included: as text, or as
 * the `schema` lines that a diff in NDJSON has.
 */
import type { TableDiff } from '../../../model/change.ts';
import { escapeUnseen } from '../../../porcelain/patch-json.ts';
import { schemaLine } from '../diff-ndjson.ts';
import type { Paint } from '../paint.ts';
import { renderTableHead } from './table-head.ts';

/** All `tables` change their schema. */
export async function* renderSchemaChanges(
  tables: AsyncIterable<TableDiff>,
  options: { readonly json: boolean; readonly paint: Paint; readonly width: number | undefined },
): AsyncGenerator<string> {
  const { json, paint, width } = options;
  for await (const diff of tables) {
    if (!json) yield renderTableHead(diff, paint, width);
    else yield width === undefined ? schemaLine(diff) : escapeUnseen(schemaLine(diff));
  }
}
