/**
 * Which commit last set a cell or a row: what `latest`, `blame` and `history` ask.
 *
 * At a commit where a cell has a value, the parents that have the same value pass the question
 * on; where none has it, the commit set it. When several have it, the latest answer counts, by
 * the hybrid logical clock. A column that only moved or widened sets no cell, as cells are found
 * by name.
 *
 * All cells are asked in one walk, by falling generation. Cost: a commit that left the table
 * alone is passed over by comparing one hash; else a path for each row asked about.
 */
import type { Hash } from '../hash.ts';
import type { NodeStore } from '../prolly/node-store.ts';
import { getEntry } from '../prolly/scan.ts';
import { fits } from '../tuple/cell-type.ts';
import { encodeKey } from '../tuple/key-codec.ts';
import type { Cell, Row, Schema } from '../tuple/schema.ts';
import { compareClocks } from './clock.ts';
import { readCommit, readSchema, readTable } from './object-reader.ts';
import type { Clock, Commit, Table } from './objects.ts';
import { getRootEntry } from './root.ts';
import { loadRow } from './table-diff.ts';

/** A cell by its row's key; `column` null asks for the row as a whole. */
export interface CellPlace {
  /** The key's cells, in key order. */
  readonly key: readonly Cell[];
  readonly column: string | null;
}

export interface CellOrigin {
  readonly commit: Hash;
  readonly clock: Clock;
}

export type FindOrigins = (
  nodes: NodeStore,
  head: Hash,
  table: string,
  cells: readonly CellPlace[],
) => Promise<(CellOrigin | undefined)[]>;

/** Undefined: the row is not there at `head`. @throws DvError `missing-object`, `corrupt` */
export const findOrigins: FindOrigins = async (nodes, head, table, cells) => {
  const walk = new OriginWalk(nodes, table, cells);
  await walk.run(head);
  return walk.origins;
};

/** A commit that cells ask about; `cells` are places in the list. */
interface Asked {
  readonly commit: Commit;
  readonly cells: Set<number>;
}

class OriginWalk {
  readonly origins: (CellOrigin | undefined)[];
  readonly #nodes: NodeStore;
  readonly #table: string;
  readonly #cells: readonly CellPlace[];
  readonly #values: (string | undefined)[] = [];
  readonly #levels = new Map<number, Map<Hash, Asked>>();
  readonly #tables = new Map<Hash, TableReader | undefined>();

  constructor(nodes: NodeStore, table: string, cells: readonly CellPlace[]) {
    this.#nodes = nodes;
    this.#table = table;
    this.#cells = cells;
    this.origins = cells.map(() => undefined);
  }

  async run(head: Hash): Promise<void> {
    const commit = await readCommit(this.#nodes.objects, head);
    const rows = await this.#open(commit);
    for (const [i, cell] of this.#cells.entries()) {
      this.#values[i] = await cellText(rows, cell);
      if (this.#values[i] !== undefined) this.#ask(head, commit, i);
    }
    for (let level = commit.generation; level > 0; level--) {
      for (const [hash, asked] of this.#levels.get(level) ?? []) await this.#answer(hash, asked);
      this.#levels.delete(level);
    }
  }

  #ask(hash: Hash, commit: Commit, cell: number): void {
    const level = this.#levels.get(commit.generation) ?? new Map<Hash, Asked>();
    this.#levels.set(commit.generation, level);
    const asked = level.get(hash) ?? { commit, cells: new Set<number>() };
    level.set(hash, asked);
    asked.cells.add(cell);
  }

  async #answer(hash: Hash, { commit, cells }: Asked): Promise<void> {
    const own = await this.#tableHash(commit);
    const left = new Set(cells);
    for (const parent of commit.parents) {
      const before = await readCommit(this.#nodes.objects, parent);
      const isSame = (await this.#tableHash(before)) === own;
      const rows = isSame ? undefined : await this.#open(before);
      for (const cell of cells) {
        if (!isSame && (await cellText(rows, this.#cells[cell])) !== this.#values[cell]) continue;
        left.delete(cell);
        this.#ask(parent, before, cell);
      }
    }
    for (const cell of left) this.#found(cell, { commit: hash, clock: commit.clock });
  }

  #found(cell: number, origin: CellOrigin): void {
    const other = this.origins[cell];
    if (other === undefined || compareClocks(other.clock, origin.clock) < 0) {
      this.origins[cell] = origin;
    }
  }

  async #tableHash({ root }: Commit): Promise<Hash | undefined> {
    const entry = await getRootEntry(this.#nodes, root, this.#table);
    return entry?.kind === 'table' ? entry.table : undefined;
  }

  async #open(commit: Commit): Promise<TableReader | undefined> {
    const hash = await this.#tableHash(commit);
    if (hash === undefined) return undefined;
    if (!this.#tables.has(hash)) {
      this.#tables.clear();
      this.#tables.set(hash, await TableReader.open(this.#nodes, hash));
    }
    return this.#tables.get(hash);
  }
}

/** Rows of one version of the table; the row asked for last is kept. */
class TableReader {
  readonly schema: Schema;
  readonly #nodes: NodeStore;
  readonly #table: Table;
  #last: { readonly key: readonly Cell[]; readonly row: Row | undefined } | undefined;

  private constructor(nodes: NodeStore, table: Table, schema: Schema) {
    this.#nodes = nodes;
    this.#table = table;
    this.schema = schema;
  }

  static async open(nodes: NodeStore, hash: Hash): Promise<TableReader> {
    const table = await readTable(nodes.objects, hash);
    return new TableReader(nodes, table, await readSchema(nodes.objects, table.schema));
  }

  async row(key: readonly Cell[]): Promise<Row | undefined> {
    if (this.#last?.key !== key) this.#last = { key, row: await this.#read(key) };
    return this.#last.row;
  }

  async #read(key: readonly Cell[]): Promise<Row | undefined> {
    const types = this.schema.key.map((place) => this.schema.columns[place].type);
    const isKey = (cell: Cell, i: number) => cell !== null && fits(types[i], cell);
    if (types.length !== key.length || !key.every(isKey)) return undefined;
    const encoded = encodeKey(key as readonly string[], types);
    const value = await getEntry(this.#nodes, this.#table.tree, encoded);
    return value && loadRow(this.#nodes, this.schema, encoded, value);
  }
}

/** What must stay the same for a cell not to have been set; undefined: there is no row. */
async function cellText(
  table: TableReader | undefined,
  { key, column }: CellPlace,
): Promise<string | undefined> {
  const row = await table?.row(key);
  if (table === undefined || row === undefined) return undefined;
  const { columns } = table.schema;
  if (column !== null) {
    return JSON.stringify(row[columns.findIndex(({ name }) => name === column)] ?? null);
  }
  const cells = columns.flatMap(({ name }, i) => (row[i] === null ? [] : [[name, row[i]]]));
  return JSON.stringify(cells.sort(([a], [b]) => ((a as string) < (b as string) ? -1 : 1)));
}
