/**
 * Rows that both sides changed, and not alike, cell by cell.
 *
 *   1. Keyless: a row is its content and a count. Both put copies in: the larger number; both
 *      took out: the smaller; one put in and one took out: both happen.
 *   2. One side removed the row: the row rule, or a conflict that keeps what ours has.
 *   3. Both added it: cells that differ are in doubt, also where one side has none, because
 *      they may be of two things; integer keys can be given anew (merge-renumber.ts).
 *   4. Both changed it: a cell that one side changed is that side's; a cell that both changed
 *      differently is the column rule's, or a conflict that keeps the cell of ours.
 */
import type { Hash } from '../hash.ts';
import { TreeBuilder } from '../prolly/builder.ts';
import { editTree } from '../prolly/edit.ts';
import type { EntryMerge } from '../prolly/merge.ts';
import type { NodeStore } from '../prolly/node-store.ts';
import { keylessCount, withKeylessCount } from '../tuple/keyless.ts';
import { mergeCell } from '../tuple/merge-cell.ts';
import { rowRuleOf, ruleOf } from '../tuple/merge-rules.ts';
import { tupleColumns } from '../tuple/row-codec.ts';
import { encodeRow } from '../tuple/row-encoder.ts';
import type { Cell, ColumnRule, Row, RowRule, Schema } from '../tuple/schema.ts';
import { buildBlob } from './blob.ts';
import type { CellPlace } from './cell-origin.ts';
import { encodeConflict } from './conflict-tree.ts';
import type { DecisionLog } from './decisions.ts';
import type { MergedColumns } from './merge-columns.ts';
import { LatestClocks } from './merge-latest.ts';
import type { TableSide } from './merge-renames.ts';
import { KeyDispenser } from './merge-renumber.ts';
import type { MergeOptions, Renumbered, RowConflictKind, Sides } from './merge-types.ts';
import { loadRow } from './table-diff.ts';

export interface RowMergeRequest {
  readonly name: string;
  readonly merged: MergedColumns;
  readonly sides: Sides<TableSide>;
  /** The trees, laid out as merged. */
  readonly trees: Sides<Hash>;
  readonly options: MergeOptions;
  readonly log: DecisionLog;
}

export interface MergedRows {
  readonly tree: Hash;
  readonly conflicts: { readonly tree: Hash; readonly count: number } | undefined;
  readonly renumbered: readonly Renumbered[];
}

/** An entry with its rows; null: absent. */
interface RowVersions extends Sides<Row | null> {
  readonly entry: EntryMerge;
  readonly key: readonly Cell[];
}

type Side = 'ours' | 'theirs';

export class RowMerge {
  readonly #nodes: NodeStore;
  readonly #request: RowMergeRequest;
  readonly #schema: Schema;
  /** Columns that are not of the key. */
  readonly #cells: readonly number[];
  readonly #conflicts: TreeBuilder;
  readonly #keys: KeyDispenser | undefined;
  #count = 0;

  private constructor(nodes: NodeStore, request: RowMergeRequest, keys: KeyDispenser | undefined) {
    this.#nodes = nodes;
    this.#request = request;
    this.#schema = request.merged.schema;
    this.#cells = tupleColumns(this.#schema);
    this.#conflicts = new TreeBuilder(nodes);
    this.#keys = keys;
  }

  static async start(nodes: NodeStore, request: RowMergeRequest): Promise<RowMerge> {
    const { options, merged, trees } = request;
    const keys = options.renumber
      ? await KeyDispenser.open(nodes, merged.schema, [trees.ours, trees.theirs])
      : undefined;
    return new RowMerge(nodes, request, keys);
  }

  /** The merged values of a batch in key order: what `mergeTrees` asks. */
  async decide(batch: readonly EntryMerge[]): Promise<(Uint8Array | null)[]> {
    if (this.#schema.key.length === 0) return batch.map(mergeCounts);
    const rows: RowVersions[] = [];
    for (const entry of batch) rows.push(await this.#load(entry));
    const clocks = await this.#askLatest(rows);
    const values = rows.map((row) => this.#decideRow(row, clocks));
    if (this.#conflicts.full) await this.#conflicts.flush();
    return values;
  }

  /** The tree with rows under new keys put in, and the tree of conflicts. */
  async finish(merged: Hash): Promise<MergedRows> {
    const edits = this.#keys?.edits ?? [];
    const tree = edits.length === 0 ? merged : await editTree(this.#nodes, merged, [edits]);
    const renumbered = (this.#keys?.renumbered ?? []).map((pair) => ({
      table: this.#request.name,
      ...pair,
    }));
    if (this.#count === 0) return { tree, conflicts: undefined, renumbered };
    const conflicts = { tree: await this.#conflicts.finish(), count: this.#count };
    return { tree, conflicts, renumbered };
  }

  async #load(entry: EntryMerge): Promise<RowVersions> {
    const { key } = entry;
    const load = async (value: Uint8Array | undefined) =>
      value === undefined ? null : loadRow(this.#nodes, this.#schema, key, value);
    const [base, ours, theirs] = [
      await load(entry.base),
      await load(entry.ours),
      await load(entry.theirs),
    ];
    const any = (ours ?? theirs)!;
    return { entry, key: this.#schema.key.map((i) => any[i]), base, ours, theirs };
  }

  #decideRow(row: RowVersions, clocks: LatestClocks): Uint8Array | null {
    const { entry, base, ours, theirs } = row;
    if (ours === null || theirs === null) return this.#decideRemoved(row);
    if (base === null && this.#renumber(row)) {
      return (this.#request.options.renumber === 'ours' ? entry.theirs : entry.ours)!;
    }
    const clashes: string[] = [];
    const result = [...ours];
    for (const column of this.#cells) {
      const decided = this.#mergeCell(row, column, clocks);
      if (decided !== undefined) result[column] = decided.cell;
      else {
        clashes.push(this.#schema.columns[column].name);
        if (this.#keepsBase) result[column] = base?.[column] ?? null;
      }
    }
    if (clashes.length > 0) {
      this.#conflict(entry.key, base === null ? 'both-added' : 'both-modified', clashes);
      if (base === null && this.#keepsBase) return null;
    }
    return this.#encode(result, entry);
  }

  /** Undefined: a conflict. */
  #mergeCell(
    row: RowVersions,
    column: number,
    clocks: LatestClocks,
  ): { readonly cell: Cell } | undefined {
    const sides = this.#sidesOf(row, column);
    if (sides.ours === sides.theirs) return { cell: sides.ours };
    if (!this.#isOpen(row, sides)) {
      return { cell: sides.ours === sides.base ? sides.theirs : sides.ours };
    }
    for (const rule of this.#rulesFor(column)) {
      const decided = this.#byRule(rule, row, column, sides, clocks);
      if (decided !== undefined) return decided;
    }
    return undefined;
  }

  /** Undefined: the rule does not say. */
  #byRule(
    rule: ColumnRule,
    row: RowVersions,
    column: number,
    sides: Sides<Cell>,
    clocks: LatestClocks,
  ): { readonly cell: Cell } | undefined {
    const { type, name } = this.#schema.columns[column];
    const outcome = mergeCell(rule, type, sides);
    if (outcome === 'conflict') return undefined;
    const side = outcome === 'latest' ? clocks.later(row.entry, column) : undefined;
    if (outcome === 'latest' && side === undefined) return undefined;
    const result = outcome === 'latest' ? sides[side as Side] : outcome.cell;
    const { log, name: table } = this.#request;
    log.add({ table, key: row.key, column: name, rule, sides, result });
    return { cell: result };
  }

  #sidesOf({ base, ours, theirs }: RowVersions, column: number): Sides<Cell> {
    return {
      base: base?.[column] ?? null,
      ours: ours?.[column] ?? null,
      theirs: theirs?.[column] ?? null,
    };
  }

  /** Did both sides set the cell? In a row that both added they did, even to nothing. */
  #isOpen({ base: row }: RowVersions, { base, ours, theirs }: Sides<Cell>): boolean {
    return ours !== theirs && (row === null || (ours !== base && theirs !== base));
  }

  /** The column's own, then the one that decides what no rule of a table does. */
  #rulesFor(column: number): readonly ColumnRule[] {
    const own = ruleOf(this.#schema, this.#schema.columns[column].name);
    const { fallback } = this.#request.options;
    return fallback === undefined || fallback === own ? [own] : [own, fallback];
  }

  /** Does the cell come to `latest`, no rule before that deciding it? */
  #needsLatest(column: number, sides: Sides<Cell>): boolean {
    const { type } = this.#schema.columns[column];
    const rules = this.#rulesFor(column);
    const before = rules.slice(0, rules.indexOf('latest'));
    return (
      rules.includes('latest') &&
      before.every((rule) => mergeCell(rule, type, sides) === 'conflict')
    );
  }

  /** Case 2. */
  #decideRemoved({ entry, key, ours }: RowVersions): Uint8Array | null {
    const present = entry.ours ?? entry.theirs ?? null;
    const rule = this.#rowRule();
    if (rule === 'conflict') {
      this.#conflict(entry.key, ours === null ? 'removed-by-ours' : 'removed-by-theirs', []);
      return (this.#keepsBase ? entry.base : entry.ours) ?? null;
    }
    const none = { base: null, ours: null, theirs: null };
    const { log, name: table } = this.#request;
    log.add({ table, key, column: null, rule, sides: none, result: null });
    if (rule === 'update-wins') return present;
    if (rule === 'delete-wins') return null;
    return (rule === 'ours' ? entry.ours : entry.theirs) ?? null;
  }

  get #keepsBase(): boolean {
    return this.#request.options.keep === 'base';
  }

  #rowRule(): RowRule | 'ours' | 'theirs' {
    const rule = rowRuleOf(this.#schema);
    const { fallback } = this.#request.options;
    if (rule !== 'conflict' || (fallback !== 'ours' && fallback !== 'theirs')) return rule;
    return fallback;
  }

  #renumber({ entry, key }: RowVersions): boolean {
    const side = this.#request.options.renumber;
    if (this.#keys === undefined || side === undefined) return false;
    return this.#keys.give(key, (side === 'ours' ? entry.ours : entry.theirs)!);
  }

  #conflict(key: Uint8Array, kind: RowConflictKind, columns: readonly string[]): void {
    this.#count += 1;
    this.#conflicts.appendPair(key, encodeConflict(kind, columns));
  }

  #encode(row: Row, { ours, theirs }: EntryMerge): Uint8Array {
    const store = (bytes: Uint8Array) => buildBlob(bytes, (chunk) => this.#nodes.put(chunk));
    const { value } = encodeRow(this.#schema, row, store);
    if (ours !== undefined && value.equals(ours)) return ours;
    return theirs !== undefined && value.equals(theirs) ? theirs : value;
  }

  /** Who set the cells that `latest` decides: one question a side and batch. */
  async #askLatest(rows: readonly RowVersions[]): Promise<LatestClocks> {
    const clocks = new LatestClocks();
    const { origins } = this.#request.options;
    if (origins === undefined) return clocks;
    const places = (side: Side): CellPlace[] => clocks.cells.map((cell) => cell[side]);
    for (const row of rows) {
      if (row.ours === null || row.theirs === null) continue;
      for (const column of this.#cells) {
        const sides = this.#sidesOf(row, column);
        if (!this.#isOpen(row, sides) || !this.#needsLatest(column, sides)) continue;
        clocks.ask(row.entry, column, {
          ours: { key: row.key, column: this.#nameOn('ours', column) },
          theirs: { key: row.key, column: this.#nameOn('theirs', column) },
        });
      }
    }
    if (clocks.cells.length === 0) return clocks;
    const { name } = this.#request;
    clocks.learn(
      await origins.ours(name, places('ours')),
      await origins.theirs(name, places('theirs')),
    );
    return clocks;
  }

  /** What a side calls a merged column. */
  #nameOn(side: Side, column: number): string {
    const { merged, sides } = this.#request;
    const place = merged.places[side][column];
    return place < 0 ? this.#schema.columns[column].name : sides[side].schema.columns[place].name;
  }
}

/** Case 1. */
function mergeCounts({ base, ours, theirs }: EntryMerge): Uint8Array | null {
  const count = (value: Uint8Array | undefined) => (value === undefined ? 0 : keylessCount(value));
  const [b, o, t] = [count(base), count(ours), count(theirs)];
  const [more, less] = [Math.max(o, t), Math.min(o, t)];
  const merged = less > b ? more : more < b ? less : o + t - b;
  const value = ours ?? theirs ?? base;
  return merged <= 0 || value === undefined ? null : withKeylessCount(value, merged);
}
