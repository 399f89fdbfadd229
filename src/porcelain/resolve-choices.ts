/**
 * The ways of settling conflicts that `dv resolve` offers, each as a resolver: a side, a rule,
 * given values; narrowed to keys and columns.
 */
import { DvError } from '../errors.ts';
import { findOrigins } from '../model/cell-origin.ts';
import { compareClocks } from '../model/clock.ts';
import type { MergeState } from '../model/merge-state.ts';
import { mergeCell } from '../tuple/merge-cell.ts';
import { suits } from '../tuple/merge-rules.ts';
import type { Cell, ColumnRule, Row } from '../tuple/schema.ts';
import type { RowInConflict, RowResolution } from './conflicts.ts';
import type { Repository } from './repository.ts';
import {
  checkValues,
  type ResolveResult,
  type Resolver,
  resolveConflicts,
  type SideName,
} from './resolve.ts';

export type ResolveChoice =
  | { readonly kind: 'side'; readonly side: SideName }
  | { readonly kind: 'rule'; readonly rule: ColumnRule }
  | { readonly kind: 'values'; readonly values: ReadonlyMap<string, Cell> };

export interface ResolveRequest {
  readonly choice: ResolveChoice;
  readonly tables?: readonly string[];
  /** Keys as lists of cells. */
  readonly keys?: readonly (readonly string[])[];
  /** Only these columns' cells. */
  readonly columns?: readonly string[];
  readonly where?: string;
}

/**
 * @throws DvError `no-merge`, `no-such-conflict`, `bad-condition`, `unknown-column`,
 * `type-mismatch`, `unsaved-changes`, `ref-moved`
 */
export async function resolve(repo: Repository, request: ResolveRequest): Promise<ResolveResult> {
  const wanted = request.keys && new Map(request.keys.map((key) => [JSON.stringify(key), false]));
  const isNarrow = request.keys !== undefined || request.columns !== undefined;
  const resolver: Resolver = {
    rows: async (batch, state) => {
      const picked = batch.filter(
        ({ key }) => wanted === undefined || wanted.has(JSON.stringify(key)),
      );
      for (const { key } of picked) wanted?.set(JSON.stringify(key), true);
      const decided = await decide(repo, state, picked, request);
      const found = new Map(picked.map((row, i) => [row, decided[i]]));
      return batch.map((row) => found.get(row));
    },
    whole: () => (request.choice.kind === 'side' && !isNarrow ? request.choice.side : undefined),
  };
  const check = () => {
    for (const [key, met] of wanted ?? []) if (!met) throw noSuchKey(JSON.parse(key));
  };
  const { tables, where } = request;
  const result = await resolveConflicts(repo, tables, where, resolver, check);
  if (result.resolved + result.partly === 0) throw nothing(request);
  return result;
}

function noSuchKey(key: readonly string[]): DvError {
  return new DvError('no-such-conflict', `"${key.join(',')}" is not the key of a conflict`, {
    hint: 'dv conflicts lists them',
    data: { key },
  });
}

function nothing({ choice }: ResolveRequest): DvError {
  const what = choice.kind === 'rule' ? `the rule '${choice.rule}' decides` : 'this settles';
  return new DvError('no-such-conflict', `${what} none of the conflicts that are left`, {
    hint: 'dv conflicts lists them',
  });
}

function decide(
  repo: Repository,
  state: MergeState,
  rows: readonly RowInConflict[],
  { choice, columns }: ResolveRequest,
): Promise<(RowResolution | undefined)[]> {
  switch (choice.kind) {
    case 'side':
      return Promise.resolve(rows.map((row) => takeSide(row, choice.side, columns)));
    case 'rule':
      return applyRule(repo, state, rows, choice.rule, columns);
    case 'values':
      return Promise.resolve(rows.map((row) => takeValues(row, choice.values)));
  }
}

const openColumns = (row: RowInConflict, columns: readonly string[] | undefined) =>
  row.columns.filter((name) => columns?.includes(name) ?? true);

/** The cells of a side; a row that is not there on one of the sides goes as a whole. */
export function takeSide(
  row: RowInConflict,
  side: SideName,
  columns?: readonly string[],
): RowResolution | undefined {
  const taken = row.sides[side];
  const isWhole = row.columns.length === 0 || taken === null;
  if (isWhole) return columns === undefined ? { whole: taken } : undefined;
  const cells = openColumns(row, columns).map((name) => [name, cellOf(row, taken, name)] as const);
  return cells.length === 0 ? undefined : { cells: new Map(cells) };
}

function cellOf({ schema }: RowInConflict, row: Row | null, name: string): Cell {
  return row?.[schema.columns.findIndex((column) => column.name === name)] ?? null;
}

function takeValues(row: RowInConflict, values: ReadonlyMap<string, Cell>): RowResolution {
  checkValues(row.schema, values);
  if (row.columns.length > 0) return { cells: values };
  // A row that one side removed comes back with the values put.
  const present = (row.sides.ours ?? row.sides.theirs)!;
  const whole = row.schema.columns.map(({ name }, i) => {
    const cell = values.get(name);
    return cell === undefined ? present[i] : cell;
  });
  return { whole };
}

async function applyRule(
  repo: Repository,
  state: MergeState,
  rows: readonly RowInConflict[],
  rule: ColumnRule,
  columns: readonly string[] | undefined,
): Promise<(RowResolution | undefined)[]> {
  if (rule === 'ours' || rule === 'theirs') return rows.map((row) => takeSide(row, rule, columns));
  const open = rows.flatMap((row) => openColumns(row, columns).map((name) => ({ row, name })));
  const later = rule === 'latest' ? await askLatest(repo, state, open) : [];
  const cells = new Map<RowInConflict, Map<string, Cell>>();
  for (const [i, { row, name }] of open.entries()) {
    const decided = rule === 'latest' ? later[i] : byRule(row, name, rule);
    if (decided === undefined) continue;
    cells.set(row, (cells.get(row) ?? new Map<string, Cell>()).set(name, decided.cell));
  }
  return rows.map((row) => {
    const found = cells.get(row);
    return found && { cells: found };
  });
}

interface OpenCell {
  readonly row: RowInConflict;
  readonly name: string;
}

function byRule(row: RowInConflict, name: string, rule: ColumnRule): { cell: Cell } | undefined {
  const column = row.schema.columns.find((one) => one.name === name);
  if (column === undefined || !suits(rule, column.type)) return undefined;
  const outcome = mergeCell(rule, column.type, {
    base: cellOf(row, row.sides.base, name),
    ours: cellOf(row, row.sides.ours, name),
    theirs: cellOf(row, row.sides.theirs, name),
  });
  return typeof outcome === 'string' ? undefined : { cell: outcome.cell };
}

async function askLatest(
  { nodes }: Repository,
  { head, theirs }: MergeState,
  open: readonly OpenCell[],
): Promise<({ cell: Cell } | undefined)[]> {
  const byTable = new Map<string, OpenCell[]>();
  for (const cell of open)
    byTable.set(cell.row.table, [...(byTable.get(cell.row.table) ?? []), cell]);
  const found = new Map<OpenCell, { cell: Cell }>();
  for (const [table, cells] of byTable) {
    const places = cells.map(({ row, name }) => ({ key: row.key, column: name }));
    const [a, b] = [
      await findOrigins(nodes, head, table, places),
      await findOrigins(nodes, theirs, table, places),
    ];
    cells.forEach((cell, i) => {
      const [ours, other] = [a[i], b[i]];
      const order = ours && other ? compareClocks(ours.clock, other.clock) : 0;
      if (order === 0) return;
      const side = order > 0 ? cell.row.sides.ours : cell.row.sides.theirs;
      found.set(cell, { cell: cellOf(cell.row, side, cell.name) });
    });
  }
  return open.map((cell) => found.get(cell));
}
