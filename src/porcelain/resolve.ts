/**
 * `dv resolve`: settles conflicts. A resolution changes the staged table, its working file and
 * what is left to decide in one transaction; so a killed one has settled nothing or all.
 *
 *   1. Cells that clash take a side's, a rule's result, or a value. A row loses its place among
 *      the conflicts when its last cell is settled.
 *   2. A row that one side removed, and one that both added and base is taken of, is settled as
 *      a whole: it becomes that side's row, or goes.
 *   3. A table or file that cannot be merged becomes a side's.
 */

import { compareBytes } from '../bytes.ts';
import { DvError } from '../errors.ts';
import type { Hash } from '../hash.ts';
import { buildBlob } from '../model/blob.ts';
import { encodeConflict } from '../model/conflict-tree.ts';
import {
  countConflicts,
  type MergeOperation,
  type MergeState,
  mergeUpdate,
  type StoredMerge,
} from '../model/merge-state.ts';
import type { EntryConflict, RowConflicts } from '../model/merge-types.ts';
import { readSchema, readTable } from '../model/object-reader.ts';
import { encodeTable, toChunk } from '../model/objects.ts';
import { remember } from '../model/remembered.ts';
import { editRoot, getRootEntry, type RootEntry, sameEntry } from '../model/root.ts';
import { loadRow } from '../model/table-diff.ts';
import { stagedUpdate, type WorkingSet } from '../model/working-set.ts';
import { type Edit, editTree } from '../prolly/edit.ts';
import { countRows, getEntry } from '../prolly/scan.ts';
import { fits } from '../tuple/cell-type.ts';
import { encodeRow } from '../tuple/row-encoder.ts';
import type { Cell, Row, Schema } from '../tuple/schema.ts';
import { checkout, hasWorkingFile } from './checkout.ts';
import {
  listRows,
  pickConflicts,
  type RowInConflict,
  type RowResolution,
  requireMerge,
} from './conflicts.ts';
import { checkFile, readFingerprint } from './fingerprint.ts';
import { isRemembering, rememberEdits } from './remember.ts';
import { pathOf, type Repository } from './repository.ts';
import { workingSet } from './staging.ts';

export type SideName = 'base' | 'ours' | 'theirs';

/** Who decides. Rows come in batches, so that history can be asked for many at once. */
export interface Resolver {
  readonly rows: (
    batch: readonly RowInConflict[],
    state: MergeState,
  ) => Promise<readonly (RowResolution | undefined)[]>;
  /** A table or file as a whole; undefined leaves it. */
  readonly whole: (conflict: EntryConflict) => SideName | undefined;
}

export interface ResolveResult {
  /** Rows, tables and files that are settled now, and rows settled in part. */
  readonly resolved: number;
  readonly partly: number;
  readonly left: number;
  readonly files: readonly string[];
  /** What goes on when none is left. */
  readonly operation: MergeOperation;
}

/**
 * `check` may refuse, by throwing, after everything was decided and before anything changes.
 * @throws DvError `no-merge`, `no-such-conflict`, `unsaved-changes`, `ref-moved`,
 * `bad-condition`, `type-mismatch`
 */
export async function resolveConflicts(
  repo: Repository,
  tables: readonly string[] | undefined,
  where: string | undefined,
  resolver: Resolver,
  check: () => void = () => {},
): Promise<ResolveResult> {
  const merge = await requireMerge(repo);
  const set = await workingSet(repo);
  const picked = pickConflicts(merge.state, tables);
  const work = new Resolution(repo, set, merge.state, resolver);
  for (const conflict of picked) {
    if (conflict.kind === 'rows') await work.resolveRows(conflict, where);
    else if (where === undefined) await work.resolveWhole(conflict);
  }
  check();
  return work.finish(merge);
}

class Resolution {
  readonly #repo: Repository;
  readonly #set: WorkingSet;
  readonly #state: MergeState;
  readonly #resolver: Resolver;
  readonly #entries = new Map<string, RootEntry | null>();
  /** What became of conflicts; null: settled. */
  readonly #after = new Map<EntryConflict, EntryConflict | null>();
  /** What to remember; undefined: nothing is. */
  readonly #remembered: Edit[] | undefined;
  #resolved = 0;
  #partly = 0;

  constructor(repo: Repository, set: WorkingSet, state: MergeState, resolver: Resolver) {
    this.#repo = repo;
    this.#set = set;
    this.#state = state;
    this.#resolver = resolver;
    this.#remembered = isRemembering(repo) ? [] : undefined;
  }

  /** Case 3. */
  async resolveWhole(conflict: Exclude<EntryConflict, RowConflicts>): Promise<void> {
    const side = this.#resolver.whole(conflict);
    if (side === undefined) return;
    this.#entries.set(conflict.table, conflict.sides[side]);
    this.#after.set(conflict, null);
    this.#resolved += 1;
  }

  async resolveRows(conflict: RowConflicts, where: string | undefined): Promise<void> {
    const { nodes, store } = this.#repo;
    const entry = await getRootEntry(nodes, this.#set.staged, conflict.table);
    if (entry?.kind !== 'table') throw gone(conflict.table);
    const table = await readTable(store, entry.table);
    const staged = new StagedRows(this.#repo, await readSchema(store, table.schema), table.tree);
    const left: Edit[] = [];
    for await (const batch of listRows(this.#repo, conflict, where)) {
      const resolutions = await this.#resolver.rows(batch, this.#state);
      for (const [i, row] of batch.entries()) {
        const resolution = resolutions[i];
        if (resolution !== undefined) await this.#resolveRow(row, resolution, staged, left);
      }
    }
    if (left.length === 0) return;
    const tree = await editTree(nodes, conflict.tree, [left]);
    const count = await countRows(nodes, tree);
    this.#after.set(conflict, count === 0 ? null : { ...conflict, tree, count });
    const merged = toChunk(encodeTable({ schema: table.schema, tree: await staged.finish() }));
    nodes.put(merged);
    this.#entries.set(conflict.table, { ...entry, table: merged.hash });
  }

  async #resolveRow(
    row: RowInConflict,
    resolution: RowResolution,
    staged: StagedRows,
    left: Edit[],
  ): Promise<void> {
    this.#remembered?.push(...rememberEdits(row, resolution));
    if ('whole' in resolution) {
      staged.put(row, resolution.whole && staged.inOwnColumns(row, resolution.whole));
      left.push({ key: row.encodedKey, value: null });
      this.#resolved += 1;
      return;
    }
    const { cells } = resolution;
    if (cells.size === 0) return;
    staged.put(row, await staged.withCells(row, cells));
    const open = row.columns.filter((name) => !cells.has(name));
    const isSettled = open.length === 0;
    left.push({
      key: row.encodedKey,
      value: isSettled ? null : encodeConflict(row.conflict, open),
    });
    if (isSettled) this.#resolved += 1;
    else this.#partly += 1;
  }

  async finish({ state, raw }: StoredMerge): Promise<ResolveResult> {
    if (this.#resolved + this.#partly === 0) {
      const left = countConflicts(state.conflicts);
      return { resolved: 0, partly: 0, left, files: [], operation: state.operation };
    }
    const { nodes } = this.#repo;
    const root = await editRoot(nodes, this.#set.staged, this.#entries);
    const settled = this.#remembered && (await remember(nodes, state.settled, this.#remembered));
    await nodes.flush();
    const conflicts = state.conflicts
      .map((conflict) => (this.#after.has(conflict) ? this.#after.get(conflict) : conflict))
      .filter((conflict) => conflict !== null && conflict !== undefined);
    const items = [...this.#entries].flatMap(([name, entry]) => {
      const shape = entry ?? { kind: 'table' as const };
      return hasWorkingFile(name, shape) ? [{ name, entry }] : [];
    });
    for (const { name } of items) await this.#requireSaved(name);
    const after: MergeState = { ...state, conflicts, ...(settled && { settled }) };
    const updates = [stagedUpdate(this.#set, root), mergeUpdate(after, raw)];
    if (!(await checkout(this.#repo, items, { state: updates }))) {
      throw new DvError('ref-moved', 'another command changed the merge meanwhile', {
        hint: 'try again',
      });
    }
    return {
      resolved: this.#resolved,
      partly: this.#partly,
      left: countConflicts(conflicts),
      files: items.map(({ name }) => name),
      operation: state.operation,
    };
  }

  /** A file that is not what is staged has work that a resolution would overwrite. */
  async #requireSaved(name: string): Promise<void> {
    const { store, nodes, env } = this.#repo;
    const print = await readFingerprint(store, name);
    const state = checkFile(pathOf(this.#repo, name), print, env.now());
    const staged = await getRootEntry(nodes, this.#set.staged, name);
    const isSaved = state.kind === 'known' && sameEntry(state.print.entry, staged);
    if (isSaved || (state.kind === 'missing' && staged === undefined)) return;
    throw new DvError('unsaved-changes', `unsaved changes to '${name}' would be lost`, {
      hint: `dv add ${name} keeps them, dv restore ${name} throws them away`,
      data: { tables: [name] },
    });
  }
}

function gone(table: string): DvError {
  return new DvError('no-such-conflict', `'${table}' is not staged any more`, {
    hint: 'dv merge --abort, and merge again',
    data: { table },
  });
}

/** The staged table under resolutions. */
class StagedRows {
  readonly #repo: Repository;
  readonly #schema: Schema;
  readonly #tree: Hash;
  readonly #edits = new Map<string, Edit>();

  constructor(repo: Repository, schema: Schema, tree: Hash) {
    this.#repo = repo;
    this.#schema = schema;
    this.#tree = tree;
  }

  /** The staged row, or where it is gone that of a side, with cells put. */
  async withCells(row: RowInConflict, cells: ReadonlyMap<string, Cell>): Promise<Row> {
    const own = await this.#read(row);
    const { columns } = row.schema;
    const result = own ?? this.inOwnColumns(row, (row.sides.ours ?? row.sides.theirs)!);
    return this.#schema.columns.map(({ name }, i) => {
      const isKnown = columns.some((column) => column.name === name);
      const cell = isKnown ? cells.get(name) : undefined;
      return cell === undefined ? result[i] : cell;
    });
  }

  /** `row` in the columns of the staged table; null takes it out. */
  put({ schema, key, sides }: RowInConflict, row: Row | null): void {
    const id = JSON.stringify(key);
    const any = (sides.ours ?? sides.theirs ?? sides.base)!;
    const entry = this.#encode(row ?? this.inOwnColumns({ schema }, any));
    this.#edits.set(id, { key: entry.key, value: row === null ? null : entry.value });
  }

  async finish(): Promise<Hash> {
    const edits = [...this.#edits.values()].sort((a, b) => compareBytes(a.key, b.key));
    return editTree(this.#repo.nodes, this.#tree, [edits]);
  }

  #encode(row: Row): { readonly key: Buffer; readonly value: Buffer } {
    const { nodes } = this.#repo;
    return encodeRow(this.#schema, row, (bytes) => buildBlob(bytes, (chunk) => nodes.put(chunk)));
  }

  inOwnColumns({ schema }: Pick<RowInConflict, 'schema'>, row: Row): Row {
    return this.#schema.columns.map(({ name }) => {
      return row[schema.columns.findIndex((column) => column.name === name)] ?? null;
    });
  }

  async #read(row: RowInConflict): Promise<Row | undefined> {
    const any = this.inOwnColumns(row, (row.sides.ours ?? row.sides.theirs ?? row.sides.base)!);
    const { key } = this.#encode(any);
    const value = await getEntry(this.#repo.nodes, this.#tree, key);
    return value && loadRow(this.#repo.nodes, this.#schema, key, value);
  }
}

/** A given value must fit its column. @throws DvError `type-mismatch`, `unknown-column` */
export function checkValues(schema: Schema, values: ReadonlyMap<string, Cell>): void {
  for (const [name, cell] of values) {
    const place = schema.columns.findIndex((column) => column.name === name);
    if (place < 0) {
      throw new DvError('unknown-column', `there is no column "${name}"`, {
        hint: `the columns are ${schema.columns.map((column) => column.name).join(', ')}`,
        data: { name },
      });
    }
    if (schema.key.includes(place)) {
      throw new DvError('bad-option', `"${name}" is of the key, which a resolution keeps`);
    }
    const { type } = schema.columns[place];
    if (cell === null || fits(type, cell)) continue;
    throw new DvError('type-mismatch', `"${cell}" is no ${type}, as "${name}" is`, {
      data: { name, type, value: cell },
    });
  }
}
