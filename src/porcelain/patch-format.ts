/**
 * The text of a patch: UTF-8 lines, each a word or a sign and then JSON.
 *
 *   dv patch 1                                    the version of this format
 *   table "cities.csv"                            a table begins
 *   schema {"columns":{"id":"integer","name":"text"},"key":["id"]}
 *   ~ {"id":"1","name":["Zürich","Zurich"]}       modified: the key, and [from, to]
 *   - {"id":"7","name":"Geneva"}                  removed: the whole row
 *   + {"id":"12","name":""}                       added: the whole row
 *   end 1 added, 1 removed, 1 modified            the table is complete
 *   done 1 table                                  the patch is complete
 *
 * `schema` holds for both sides; where they differ there are two lines, `from` and `to`,
 * `null` where the table does not exist; merge rules, where there are any, stand in it as
 * `"rules":["population=max","rows=update-wins"]`. Cells are their exact text as JSON strings, or
 * null; a column left out of a whole row is null. Blank lines and lines that begin with `#`
 * are skipped, and patches may be put one behind the other. `end` and `done` tell a patch
 * that was cut short.
 */
import { formatRules } from '../tuple/merge-rules.ts';
import type { Cell, Schema } from '../tuple/schema.ts';
import type { PatchCells, PatchChange, PatchTable } from './patch-contract.ts';
import { quoteJson } from './patch-json.ts';

/** The version of the format that this dv writes and reads. */
export const PATCH_VERSION = 1;
const SIGNS = { added: '+', removed: '-', modified: '~' } as const;

/** The text of a patch, a batch of rows at a time. */
export async function* formatPatch(
  tables: AsyncIterable<PatchTable> | Iterable<PatchTable>,
): AsyncGenerator<string> {
  yield `dv patch ${PATCH_VERSION}\n`;
  let count = 0;
  for await (const table of tables) {
    count += 1;
    yield `table ${quoteJson(table.table)}\n${formatSchemas(table)}`;
    const counts: Counts = { added: 0, removed: 0, modified: 0 };
    for await (const batch of table.changes()) {
      let text = '';
      for (const change of batch) {
        counts[change.change] += 1;
        text += `${SIGNS[change.change]} ${formatRow(table, change)}\n`;
      }
      yield text;
    }
    yield `end ${formatCounts(counts)}\n`;
  }
  yield `done ${count} ${count === 1 ? 'table' : 'tables'}\n`;
}

export type Counts = Record<PatchChange['change'], number>;

export function formatCounts(counts: Counts): string {
  return `${counts.added} added, ${counts.removed} removed, ${counts.modified} modified`;
}

function formatSchemas({ fromSchema, toSchema }: PatchTable): string {
  if (fromSchema === undefined || toSchema === undefined) return '';
  const from = formatSchema(fromSchema);
  const to = formatSchema(toSchema);
  return from === to ? `schema ${from}\n` : `from ${from}\nto ${to}\n`;
}

/** `{"columns":{name: type, ...},"key":[name, ...],"rules":["name=rule", ...]}`, or null. */
export function formatSchema(schema: Schema | null): string {
  if (schema === null) return 'null';
  const columns = schema.columns.map(({ name, type }) => `${quoteJson(name)}:"${type}"`);
  const key = schema.key.map((index) => quoteJson(schema.columns[index].name));
  const rules = formatRules(schema.rules).map(quoteJson);
  const told = rules.length === 0 ? '' : `,"rules":[${rules.join()}]`;
  return `{"columns":{${columns.join()}},"key":[${key.join()}]${told}}`;
}

function formatRow(table: PatchTable, { from, to }: PatchChange): string {
  if (from !== null && to !== null) return formatModified(from, to);
  const schema = from === null ? table.toSchema : table.fromSchema;
  const members: string[] = [];
  for (const [name, cell] of from ?? to ?? []) {
    if (cell !== null || !schema) members.push(`${quoteJson(name)}:${formatCell(cell)}`);
  }
  return `{${members.join()}}`;
}

function formatModified(from: PatchCells, to: PatchCells): string {
  const members: string[] = [];
  for (const name of new Set([...to.keys(), ...from.keys()])) {
    const before = from.get(name);
    const after = to.get(name);
    const same = before === after && before !== undefined;
    const value = same
      ? formatCell(before)
      : `[${formatCell(before ?? null)},${formatCell(after ?? null)}]`;
    members.push(`${quoteJson(name)}:${value}`);
  }
  return `{${members.join()}}`;
}

function formatCell(cell: Cell): string {
  return cell === null ? 'null' : quoteJson(cell);
}
