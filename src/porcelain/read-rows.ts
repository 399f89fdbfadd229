/** The rows of a table as plain objects, for programs. */
import { DvError } from '../errors.ts';
import { readSchema, readTable } from '../model/object-reader.ts';
import { rowsOf } from '../tuple/row-batch-builder.ts';
import type { Cell } from '../tuple/schema.ts';
import { resolveEntry } from './inspect.ts';
import type { Repository } from './repository.ts';
import { tableBatches } from './table-file.ts';

/** Cells by the name of their column, each its exact text or null. */
export type RowObject = Readonly<Record<string, Cell>>;

/**
 * The rows of `TABLE` (as staged) or `REV:TABLE` in the order of the key, a batch at a time.
 * @throws DvError `unknown-table`, `bad-revision`, `bad-option` for a plain file
 */
export async function* readRows(repo: Repository, text: string): AsyncGenerator<RowObject[]> {
  const { table: name, entry } = await resolveEntry(repo, text);
  if (entry.kind === 'file') {
    throw new DvError('bad-option', `'${name}' is a plain file, not a table`);
  }
  const table = await readTable(repo.store, entry.table);
  const schema = await readSchema(repo.store, table.schema);
  const names = schema.columns.map((column) => column.name);
  for await (const batch of tableBatches(repo.nodes, schema, table.tree)) {
    yield rowsOf(batch).map((row) => toObject(names, row));
  }
}

function toObject(names: readonly string[], row: readonly Cell[]): RowObject {
  const object: Record<string, Cell> = {};
  for (const [i, name] of names.entries()) {
    // Assigning to `__proto__` would set the prototype.
    if (name === '__proto__')
      Object.defineProperty(object, name, { value: row[i], enumerable: true });
    else object[name] = row[i];
  }
  return object;
}
