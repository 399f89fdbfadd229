/**
 * Where a row is in versions of a table, as far as it takes to say whether two versions have it
 * alike: the hashes of the nodes on its path. Equal hashes at one level end the comparison; rows
 * are decoded only where leaves differ.
 */
import type { Hash } from '../hash.ts';
import type { Node } from '../prolly/node.ts';
import type { NodeStore } from '../prolly/node-store.ts';
import { fits } from '../tuple/cell-type.ts';
import { encodeKey } from '../tuple/key-codec.ts';
import type { Cell, Row, Schema } from '../tuple/schema.ts';
import { readSchema, readTables } from './object-reader.ts';
import type { Commit, Table } from './objects.ts';
import { getRootEntries } from './root.ts';
import { loadRow } from './table-diff.ts';

/** A row with the columns that its version of the table has. */
export interface VersionedRow {
  readonly schema: Schema;
  readonly row: Row;
}

/** A row in one version of the table; undefined: the version has no such table. */
export type RowState = TableVersion | undefined;

interface TableVersion {
  readonly hash: Hash;
  readonly table: Table;
}

/** Versions whose tables are remembered by root. */
const REMEMBERED = 4096;

export class RowPaths {
  readonly #nodes: NodeStore;
  readonly #name: string;
  readonly #key: readonly Cell[];
  readonly #byRoot = new Map<Hash, RowState>();
  readonly #schemas = new Map<Hash, Schema>();

  constructor(nodes: NodeStore, name: string, key: readonly Cell[]) {
    this.#nodes = nodes;
    this.#name = name;
    this.#key = key;
  }

  async at(commit: Commit): Promise<RowState> {
    return (await this.atMany([commit]))[0];
  }

  /** The same for several: what they read is asked for together. */
  async atMany(commits: readonly Commit[]): Promise<RowState[]> {
    if (this.#byRoot.size + commits.length > REMEMBERED) this.#byRoot.clear();
    const roots = [...new Set(commits.map(({ root }) => root))];
    const unknown = roots.filter((root) => !this.#byRoot.has(root));
    const entries = await getRootEntries(this.#nodes, unknown, this.#name);
    const hashes = entries.map((entry) => (entry?.kind === 'table' ? entry.table : undefined));
    const present = hashes.filter((hash) => hash !== undefined);
    const tables = await readTables(this.#nodes.objects, present);
    const found = new Map(present.map((hash, i) => [hash, { hash, table: tables[i] }]));
    for (const [i, hash] of hashes.entries()) {
      this.#byRoot.set(unknown[i], hash && found.get(hash));
    }
    return commits.map(({ root }) => this.#byRoot.get(root));
  }

  async isSame(a: RowState, b: RowState): Promise<boolean> {
    if (a === undefined || b === undefined) return a === b;
    if (a.hash === b.hash || a.table.tree === b.table.tree) return true;
    const [x, y] = [await this.#schema(a), await this.#schema(b)];
    if (sameLayout(x, y)) {
      const key = this.#encode(x);
      return key === undefined || this.#samePath(a.table.tree, b.table.tree, key);
    }
    return sameCells(await this.read(a), await this.read(b));
  }

  /** Down both trees until the hashes meet, or the leaves say. */
  async #samePath(a: Hash, b: Hash, key: Buffer): Promise<boolean> {
    let [x, y] = await this.#nodes.readMany([a, b]);
    while (x.level > y.level) x = await this.#child(x, key);
    while (y.level > x.level) y = await this.#child(y, key);
    while (x.level > 0) {
      const [left, right] = [childOf(x, key), childOf(y, key)];
      if (left === right) return true;
      if (left === undefined || right === undefined) break;
      [x, y] = await this.#nodes.readMany([left, right]);
    }
    return sameValue(valueIn(x, key), valueIn(y, key));
  }

  async #child(node: Node, key: Buffer): Promise<Node> {
    const hash = childOf(node, key) ?? node.childHash(node.count - 1);
    return this.#nodes.read(hash);
  }

  /** The row with its columns; null: absent. */
  async read(state: RowState): Promise<VersionedRow | null> {
    if (state === undefined) return null;
    const schema = await this.#schema(state);
    const key = this.#encode(schema);
    if (key === undefined) return null;
    let node = await this.#nodes.read(state.table.tree);
    while (node.level > 0) node = await this.#child(node, key);
    const value = valueIn(node, key);
    return value && { schema, row: await loadRow(this.#nodes, schema, key, value) };
  }

  async #schema({ table }: TableVersion): Promise<Schema> {
    const known = this.#schemas.get(table.schema);
    if (known !== undefined) return known;
    const schema = await readSchema(this.#nodes.objects, table.schema);
    this.#schemas.set(table.schema, schema);
    return schema;
  }

  #encode({ columns, key }: Schema): Buffer | undefined {
    const types = key.map((place) => columns[place].type);
    const isKey = (cell: Cell, i: number) => cell !== null && fits(types[i], cell);
    if (types.length !== this.#key.length || !this.#key.every(isKey)) return undefined;
    return encodeKey(this.#key as readonly string[], types);
  }
}

function childOf(node: Node, key: Buffer): Hash | undefined {
  const place = node.seek(key);
  return place < node.count ? node.childHash(place) : undefined;
}

function valueIn(node: Node, key: Buffer): Uint8Array | null {
  if (node.level > 0) return null;
  const place = node.seek(key);
  const isThere = place < node.count && node.compareKey(place, key) === 0;
  return isThere ? node.value(place) : null;
}

const sameValue = (a: Uint8Array | null, b: Uint8Array | null): boolean =>
  a === null || b === null ? a === b : Buffer.compare(a, b) === 0;

const sameLayout = (a: Schema, b: Schema): boolean =>
  a.key.join() === b.key.join() &&
  a.columns.length === b.columns.length &&
  a.columns.every(({ name }, i) => name === b.columns[i].name) &&
  a.key.every((place) => a.columns[place].type === b.columns[place].type);

/** Cells that are not null, by name. */
function sameCells(a: VersionedRow | null, b: VersionedRow | null): boolean {
  if (a === null || b === null) return a === b;
  const text = ({ schema, row }: VersionedRow) => {
    const cells = schema.columns.flatMap(({ name }, i) =>
      row[i] === null ? [] : [[name, row[i]]],
    );
    return JSON.stringify(cells.sort(([x], [y]) => ((x as string) < (y as string) ? -1 : 1)));
  };
  return text(a) === text(b);
}
