/**
 * Part of a table's changes: the rows that a condition or a list of keys picks. The result
 * is the earlier table with just those rows put, changed or taken out.
 */
import { DvError } from '../errors.ts';
import { readSchema, readTable } from '../model/object-reader.ts';
import { encodeTable, toChunk } from '../model/objects.ts';
import type { RootEntry } from '../model/root.ts';
import { diffSchemas, loadRow } from '../model/table-diff.ts';
import { diffTrees, type EntryChange } from '../prolly/diff.ts';
import { type Edit, editTree } from '../prolly/edit.ts';
import { EMPTY_TREE } from '../prolly/node-writer.ts';
import { compileCondition } from '../store/sqlite-condition.ts';
import { encodeKey } from '../tuple/key-codec.ts';
import type { Row, Schema } from '../tuple/schema.ts';
import type { Repository } from './repository.ts';

export interface RowSelection {
  /** An SQL condition over the row's columns; a removed row is judged by what it was. */
  readonly where?: string;
  /** Keys as lists of cells. */
  readonly keys?: readonly (readonly string[])[];
}

/** Decides on one change. */
type Picks = (change: EntryChange, row: () => Promise<Row>) => Promise<boolean>;

/**
 * The entry with only the selected changes from `before` to `after`.
 * @throws DvError `bad-condition`, `type-mismatch`, `bad-option` when the columns differ
 */
export async function selectRows(
  repo: Repository,
  name: string,
  before: RootEntry | undefined,
  after: RootEntry | null,
  selection: RowSelection,
): Promise<RootEntry | null> {
  if (after?.kind !== 'table' || before?.kind === 'file') {
    throw new DvError('bad-option', `'${name}' is not a table whose rows can be picked`);
  }
  const { nodes, store } = repo;
  const target = await readTable(store, after.table);
  const schema = await readSchema(store, target.schema);
  const base = before === undefined ? undefined : await readTable(store, before.table);
  if (base !== undefined) checkSchema(name, await readSchema(store, base.schema), schema);
  const from = base?.tree ?? EMPTY_TREE;
  const { picks, close } = compile(schema, selection);
  async function* edits(): AsyncGenerator<Edit[]> {
    for await (const batch of diffTrees(nodes, from, target.tree)) {
      const picked: Edit[] = [];
      for (const change of batch) {
        const value = (change.to ?? change.from) as Uint8Array;
        const row = () => loadRow(nodes, schema, change.key, value);
        if (await picks(change, row)) picked.push({ key: change.key, value: change.to ?? null });
      }
      yield picked;
    }
  }
  try {
    const tree = await editTree(nodes, from, edits());
    const table = toChunk(encodeTable({ schema: target.schema, tree }), before?.table);
    nodes.put(table);
    nodes.putIfEmpty(tree);
    await nodes.flush();
    return { ...after, table: table.hash };
  } finally {
    close();
  }
}

function checkSchema(name: string, before: Schema, after: Schema): void {
  const changes = diffSchemas(before, after).filter(
    ({ kind }) => kind !== 'column-retyped' && kind !== 'rules-changed',
  );
  const keyTypes = (s: Schema) => s.key.map((i) => s.columns[i].type).join();
  if (changes.length === 0 && keyTypes(before) === keyTypes(after)) return;
  throw new DvError('bad-option', `the columns of '${name}' changed, so its rows go together`, {
    hint: `dv add ${name} stages all of it`,
    data: { table: name, schema: changes },
  });
}

function compile(schema: Schema, selection: RowSelection): { picks: Picks; close: () => void } {
  if (selection.keys !== undefined) {
    const types = schema.key.map((i) => schema.columns[i].type);
    const wanted = new Set(
      selection.keys.map((cells) =>
        encodeKey(checkArity(cells, types.length), types).toString('hex'),
      ),
    );
    const picks: Picks = async ({ key }) => wanted.has(Buffer.from(key).toString('hex'));
    return { picks, close: () => {} };
  }
  const condition = compileCondition(selection.where ?? '1', schema.columns);
  return { picks: async (_, row) => condition.test(await row()), close: () => condition.close() };
}

function checkArity(cells: readonly string[], columns: number): readonly string[] {
  if (cells.length === columns && columns > 0) return cells;
  const found = JSON.stringify(cells.join(','));
  throw new DvError('bad-option', `${found} is not a key of ${columns} columns`);
}
