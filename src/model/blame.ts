/**
 * The commit that last set each of many rows, or each of their cells.
 *
 * One walk by falling generation. A commit asked about rows compares its table with each
 * parent's: rows that are as in a parent are asked there, the first such parent; rows that are as
 * in none are its own. Cost: the differences between the commits walked, as far as they lie
 * among the rows asked about; a commit that left the table alone is passed over by comparing
 * one hash. Memory: the rows asked about.
 */
import type { Hash } from '../hash.ts';
import { NodeStore } from '../prolly/node-store.ts';
import { encodeKey } from '../tuple/key-codec.ts';
import type { Cell, Row, Schema } from '../tuple/schema.ts';
import { readCommit } from './object-reader.ts';
import type { Commit } from './objects.ts';
import { getRootEntry } from './root.ts';
import { parentsHere } from './shallow.ts';
import { diffTables, type RowRange } from './table-diff.ts';

/** What tells a row: the cells of its key, or of a table without one all its cells. */
export function rowId({ key }: Schema, row: Row): string {
  return JSON.stringify(key.length === 0 ? row : key.map((place) => row[place]));
}

/** Who set a row: its commit, and with `cells` the commit of each column. */
export interface Blamed {
  readonly commit: Hash;
  readonly cells: ReadonlyMap<string, Hash>;
}

interface Asked {
  readonly commit: Commit;
  /** Rows, and of each the columns still open; undefined: the row as a whole. */
  readonly rows: Map<string, Set<string> | undefined>;
}

export interface BlameQuestion {
  readonly table: string;
  /** In the order of the table. */
  readonly rows: readonly Row[];
  readonly schema: Schema;
  /** Whose cells are asked about; undefined: rows as a whole. */
  readonly columns?: readonly string[] | undefined;
}

/** By the rows' ids. @throws DvError `missing-object`, `corrupt` */
export async function blameRows(
  nodes: NodeStore,
  head: Hash,
  { table, rows, schema, columns }: BlameQuestion,
): Promise<ReadonlyMap<string, Blamed>> {
  const walk = new BlameWalk(nodes, table, rangeOf(schema, rows));
  const ids = rows.map((row) => rowId(schema, row));
  await walk.run(head, ids, columns);
  return walk.blamed;
}

/** Keys that the rows lie between; a table without one has its rows in no order that helps. */
function rangeOf(schema: Schema, rows: readonly Row[]): RowRange | undefined {
  const [first, last] = [rows[0], rows.at(-1)];
  if (first === undefined || last === undefined || schema.key.length === 0) return undefined;
  const types = schema.key.map((place) => schema.columns[place].type);
  const keyOf = (row: Row) =>
    encodeKey(
      schema.key.map((place) => row[place] as string),
      types,
    );
  return { schema, first: keyOf(first), last: keyOf(last) };
}

/**
 * A leaf that one commit made is what a later one changed: it is compared twice. About 16 KiB
 * each.
 */
const CACHED_LEAVES = 4096;

class BlameWalk {
  readonly blamed = new Map<string, { commit: Hash; cells: Map<string, Hash> }>();
  readonly #nodes: NodeStore;
  readonly #table: string;
  readonly #range: RowRange | undefined;
  readonly #levels = new Map<number, Map<Hash, Asked>>();

  constructor(nodes: NodeStore, table: string, range: RowRange | undefined) {
    this.#nodes = new NodeStore(nodes.objects, { cachedLeaves: CACHED_LEAVES });
    this.#table = table;
    this.#range = range;
  }

  async run(head: Hash, ids: Iterable<string>, columns?: readonly string[]): Promise<void> {
    const commit = await readCommit(this.#nodes.objects, head);
    const rows = new Map<string, Set<string> | undefined>();
    for (const id of ids) rows.set(id, columns && new Set(columns));
    this.#ask(head, { commit, rows });
    for (let level = commit.generation; level > 0; level--) {
      for (const [hash, asked] of this.#levels.get(level) ?? []) await this.#answer(hash, asked);
      this.#levels.delete(level);
    }
  }

  /** The rows are the callee's: no other commit is asked about them. */
  #ask(hash: Hash, { commit, rows }: Asked): void {
    if (rows.size === 0) return;
    const level = this.#levels.get(commit.generation) ?? new Map<Hash, Asked>();
    this.#levels.set(commit.generation, level);
    const asked = level.get(hash);
    if (asked === undefined) level.set(hash, { commit, rows });
    else for (const [id, open] of rows) asked.rows.set(id, join(asked.rows.get(id), open));
  }

  async #answer(hash: Hash, { commit, rows }: Asked): Promise<void> {
    const own = await this.#tableOf(commit);
    let left = rows;
    for (const parent of parentsHere(this.#nodes.objects, hash, commit)) {
      if (left.size === 0) return;
      const before = await readCommit(this.#nodes.objects, parent);
      const theirs = await this.#tableOf(before);
      if (theirs === undefined) continue;
      const changed =
        theirs === own
          ? new Map<string, Set<string> | undefined>()
          : await this.#changes(theirs, own, left);
      const passed = left;
      left = changed;
      // What did not change goes to the parent; a map is handed on whole, not copied.
      for (const [id, open] of changed) {
        const all = passed.get(id);
        const same = open === undefined || all === undefined ? new Set<string>() : minus(all, open);
        if (same.size === 0) passed.delete(id);
        else passed.set(id, same);
      }
      this.#ask(parent, { commit: before, rows: passed });
    }
    for (const [id, open] of left) this.#found(id, hash, open);
  }

  #found(id: string, commit: Hash, open: ReadonlySet<string> | undefined): void {
    const blamed = this.blamed.get(id) ?? { commit, cells: new Map<string, Hash>() };
    this.blamed.set(id, blamed);
    for (const name of open ?? []) blamed.cells.set(name, commit);
  }

  /** Of the rows asked about those that differ, with the columns that do. */
  async #changes(
    from: Hash,
    to: Hash | undefined,
    asked: ReadonlyMap<string, Set<string> | undefined>,
  ): Promise<Map<string, Set<string> | undefined>> {
    const changed = new Map<string, Set<string> | undefined>();
    const options = { complete: true, ...(this.#range && { range: this.#range }) };
    const diff = await diffTables(this.#nodes, this.#table, from, to, options);
    const { from: before, to: after } = diff;
    if (before === null || after === null) return changed;
    for await (const batch of diff.changes()) {
      for (const change of batch) {
        if (change.to === null) continue;
        const id = rowId(after, change.to);
        if (!asked.has(id)) continue;
        const open = asked.get(id);
        if (open === undefined) changed.set(id, undefined);
        else {
          const differing = [...open].filter(
            (name) => cellOf(before, change.from, name) !== cellOf(after, change.to, name),
          );
          if (differing.length > 0) changed.set(id, new Set(differing));
        }
      }
    }
    return changed;
  }

  async #tableOf({ root }: Commit): Promise<Hash | undefined> {
    const entry = await getRootEntry(this.#nodes, root, this.#table);
    return entry?.kind === 'table' ? entry.table : undefined;
  }
}

/** Undefined where there is no row: it differs from every cell, null included. */
function cellOf({ columns }: Schema, row: Row | null, name: string): Cell | undefined {
  if (row === null) return undefined;
  return row[columns.findIndex((column) => column.name === name)] ?? null;
}

const minus = (all: ReadonlySet<string>, some: ReadonlySet<string>): Set<string> =>
  new Set([...all].filter((name) => !some.has(name)));

function join(a: Set<string> | undefined, b: Set<string> | undefined): Set<string> | undefined {
  return a === undefined || b === undefined ? undefined : new Set([...a, ...b]);
}
