/**
 * One table under a patch. Rows are taken from the table as the patch finds it and put into
 * the table as the patch leaves it; where columns and key stay these are the same tree,
 * else rows of which the patch does not speak are carried over at the end. Every row taken
 * is compared with what the patch says of it first.
 */
import { compareBytes } from '../bytes.ts';
import { DvError } from '../errors.ts';
import type { Hash } from '../hash.ts';
import { buildBlob } from '../model/blob.ts';
import { loadRow } from '../model/table-diff.ts';
import { type Edit, editTree } from '../prolly/edit.ts';
import type { NodeStore } from '../prolly/node-store.ts';
import { EMPTY_TREE } from '../prolly/node-writer.ts';
import { getEntry, scanLeaves } from '../prolly/scan.ts';
import { keylessCount, withKeylessCount } from '../tuple/keyless.ts';
import { encodeRow } from '../tuple/row-encoder.ts';
import type { Cell, Row, Schema } from '../tuple/schema.ts';
import { keepsEntries, narrowedColumns, widenSchema } from './apply-schema.ts';
import type { PatchCells, PatchChange } from './patch.ts';

/** A tree with edits that are not in it yet. */
class EditedTree {
  schema: Schema;
  tree: Hash;
  readonly #nodes: NodeStore;
  readonly #pending = new Map<string, Edit>();

  constructor(nodes: NodeStore, schema: Schema, tree: Hash) {
    this.#nodes = nodes;
    this.schema = schema;
    this.tree = tree;
  }

  encode(row: Row): { readonly key: Buffer; readonly value: Buffer } {
    return encodeRow(this.schema, row, (bytes) => buildBlob(bytes, (c) => this.#nodes.put(c)));
  }

  async get(key: Uint8Array): Promise<Uint8Array | undefined> {
    const waiting = this.#pending.get(idOf(key));
    if (waiting !== undefined) return waiting.value ?? undefined;
    return getEntry(this.#nodes, this.tree, key);
  }

  set(key: Uint8Array, value: Uint8Array | null): void {
    this.#pending.set(idOf(key), { key, value });
  }

  async flush(): Promise<void> {
    const edits = [...this.#pending.values()].sort((a, b) => compareBytes(a.key, b.key));
    this.tree = await editTree(this.#nodes, this.tree, [edits]);
    this.#pending.clear();
  }
}

const idOf = (key: Uint8Array): string => Buffer.from(key).toString('latin1');

/** Why a row does not fit: the end of a sentence. */
class Misfit extends Error {}

export class TablePatcher {
  readonly #table: string;
  readonly #nodes: NodeStore;
  readonly #before: EditedTree;
  readonly #after: EditedTree;
  readonly #narrowed: readonly number[];

  /** `stored`: the table at hand, or what a new one would be without rows. */
  constructor(
    nodes: NodeStore,
    table: string,
    stored: { readonly schema: Schema; readonly tree: Hash },
    to: Schema,
  ) {
    this.#table = table;
    this.#nodes = nodes;
    const same = keepsEntries(stored.schema, to);
    this.#before = new EditedTree(nodes, same ? to : stored.schema, stored.tree);
    this.#after = same ? this.#before : new EditedTree(nodes, to, EMPTY_TREE);
    this.#narrowed = narrowedColumns(stored.schema, to);
  }

  /** @throws DvError `patch-mismatch` */
  async applyBatch(changes: readonly PatchChange[]): Promise<void> {
    for (const change of changes) {
      try {
        await this.#apply(change);
      } catch (error) {
        throw this.#misfit(change, error);
      }
    }
    await this.#before.flush();
    if (this.#after !== this.#before) await this.#after.flush();
  }

  /** The patched table. @throws DvError `patch-mismatch` */
  async finish(): Promise<{ readonly schema: Schema; readonly tree: Hash }> {
    if (this.#after !== this.#before) await this.#carryOver();
    const { tree } = this.#after;
    const schema = this.#narrowed.length > 0 ? await this.#settleTypes() : this.#after.schema;
    return { schema, tree };
  }

  async #apply(change: PatchChange): Promise<void> {
    if (change.change === 'added') {
      await this.#put(cellsInOrder(this.#after.schema, change.to));
      return;
    }
    const found = await this.#take(change.from);
    if (change.change === 'removed') return;
    const old = new Map(this.#before.schema.columns.map(({ name }, i) => [name, found[i]]));
    await this.#put(
      this.#after.schema.columns.map(({ name }) => {
        const cell = change.to.get(name);
        return cell === undefined ? (old.get(name) ?? null) : cell;
      }),
    );
  }

  async #put(row: Row): Promise<void> {
    const { schema } = this.#after;
    const places = new Map(schema.columns.map(({ name }, i) => [name, i]));
    this.#after.schema = widenSchema(schema, (name) => row[places.get(name) ?? -1]);
    const { key, value } = this.#after.encode(row);
    const there = await this.#after.get(key);
    if (schema.key.length > 0) {
      if (there !== undefined) throw new Misfit('the row it adds is there already');
      this.#after.set(key, value);
    } else {
      const count = there === undefined ? 0 : keylessCount(there);
      this.#after.set(key, withKeylessCount(value, count + 1));
    }
  }

  /** Takes out the row that `cells` tell, all of them equal to what is there. */
  async #take(cells: PatchCells): Promise<Row> {
    const { schema } = this.#before;
    const { key, value } = this.#before.encode(cellsInOrder(schema, cells));
    const there = await this.#before.get(key);
    if (there === undefined) throw new Misfit('the row is not there');
    const found = await loadRow(this.#nodes, schema, key, there);
    if (schema.key.length > 0) {
      checkCells(schema, cells, found);
      this.#before.set(key, null);
    } else {
      const left = keylessCount(there) - 1;
      this.#before.set(key, left === 0 ? null : withKeylessCount(value, left));
    }
    return found;
  }

  /** Puts the rows that are left of the table into what it becomes. */
  async #carryOver(): Promise<void> {
    const [before, after] = [this.#before, this.#after];
    const places = after.schema.columns.map(({ name }) =>
      before.schema.columns.findIndex((column) => column.name === name),
    );
    for await (const leaf of scanLeaves(this.#nodes, before.tree)) {
      for (let i = 0; i < leaf.count; i++) {
        const row = await loadRow(this.#nodes, before.schema, leaf.key(i), leaf.value(i));
        const copies = before.schema.key.length > 0 ? 1 : keylessCount(leaf.value(i));
        await this.#carry(
          places.map((place) => (place < 0 ? null : row[place])),
          copies,
        );
      }
      await after.flush();
    }
  }

  async #carry(row: Row, copies: number): Promise<void> {
    const { schema } = this.#after;
    try {
      const { key, value } = this.#after.encode(row);
      const there = await this.#after.get(key);
      if (schema.key.length === 0) {
        const count = there === undefined ? 0 : keylessCount(there);
        this.#after.set(key, withKeylessCount(value, count + copies));
        return;
      }
      if (there !== undefined || copies > 1) throw new Misfit('two rows have the same key then');
      this.#after.set(key, value);
    } catch (error) {
      throw this.#explain(`'${this.#table}', in a row that it does not speak of`, error, 0);
    }
  }

  /** The schema, narrowed where all cells allow it. */
  async #settleTypes(): Promise<Schema> {
    let { schema } = this.#after;
    const names = new Map(this.#narrowed.map((i) => [schema.columns[i].name, i]));
    for await (const leaf of scanLeaves(this.#nodes, this.#after.tree)) {
      for (let i = 0; i < leaf.count; i++) {
        const row = await loadRow(this.#nodes, schema, leaf.key(i), leaf.value(i));
        schema = widenSchema(schema, (name) => row[names.get(name) ?? -1]);
      }
    }
    return schema;
  }

  #misfit(change: PatchChange, error: unknown): unknown {
    const cells = (change.to ?? change.from) as PatchCells;
    const { key, columns } = this.#before.schema;
    const told = key.map((i) => show(cells.get(columns[i].name) ?? null)).join(', ');
    const where = told === '' ? `'${this.#table}'` : `'${this.#table}', key ${told}`;
    return this.#explain(where, error, change.line);
  }

  #explain(where: string, error: unknown, line: number): unknown {
    const isRow = error instanceof DvError && error.code !== 'bug';
    if (!(error instanceof Misfit) && !isRow) return error;
    if (isRow && error.kind === 'corrupt') return error;
    return new DvError('patch-mismatch', `the patch does not fit ${where}: ${error.message}`, {
      hint: 'nothing was changed',
      data: { table: this.#table, ...(line === 0 ? {} : { line }) },
      cause: error,
    });
  }
}

function cellsInOrder({ columns }: Schema, cells: PatchCells): Row {
  return columns.map(({ name }) => cells.get(name) ?? null);
}

function checkCells({ columns }: Schema, cells: PatchCells, found: Row): void {
  columns.forEach(({ name }, i) => {
    const expected = cells.get(name);
    if (expected === undefined || expected === found[i]) return;
    const facts = `is ${show(found[i])}, the patch starts from ${show(expected)}`;
    throw new Misfit(`"${name}" ${facts}`);
  });
}

function show(cell: Cell): string {
  if (cell === null) return 'null';
  return JSON.stringify(cell.length > 60 ? `${cell.slice(0, 60)}…` : cell);
}
