/**
 * Which of a table's row changes are wanted: by condition, by column, by how much a number
 * moved. Filters sit between the diff and whatever renders, counts or applies it. In a
 * modified row, cells that are not to count come out as they were, so nothing downstream
 * shows them as changed.
 */
import { DvError } from '../errors.ts';
import { type Condition, compileCondition } from '../store/sqlite-condition.ts';
import type { Cell, Row, Schema } from '../tuple/schema.ts';
import type { RowChange, TableDiff } from './change.ts';
import { type ColumnPair, cellAt, pairColumns } from './diff-columns.ts';

export interface DiffFilter {
  /** SQL over the row's columns; `from_x` and `to_x` are the two sides, `x` is to, else from. */
  readonly where?: string;
  /** Only changes in these columns count. */
  readonly columns?: readonly string[];
  readonly ignoreColumns?: readonly string[];
  /** Numbers that differ by this or less are equal. */
  readonly tolerance?: number;
  /** Rows count as modified also when only an added or removed column has a value. */
  readonly complete?: boolean;
}

/** The schemas of one table that differs; null: it does not exist on that side. */
export type SchemaPair = Pick<TableDiff, 'from' | 'to'>;

/**
 * Checks a filter against all tables it is meant for: what it names must exist in one of
 * them. The others have no row that it wants.
 * @throws DvError `bad-condition`, `unknown-column`
 */
export function checkFilter(tables: readonly SchemaPair[], filter: DiffFilter): void {
  if (tables.length === 0) return;
  checkColumns(tables, [...(filter.columns ?? []), ...(filter.ignoreColumns ?? [])]);
  let failure: unknown;
  for (const table of tables) {
    try {
      compileFor(table, filter.where)?.close();
      return;
    } catch (error) {
      failure ??= error;
    }
  }
  throw failure;
}

function checkColumns(tables: readonly SchemaPair[], names: readonly string[]): void {
  const known = new Set(tables.flatMap(columnNames));
  for (const name of names) {
    if (known.has(name)) continue;
    throw new DvError('unknown-column', `no table that differs has a column "${name}"`, {
      hint: `the columns are ${[...known].slice(0, 12).join(', ')}`,
      data: { name },
    });
  }
}

const columnNames = ({ from, to }: SchemaPair): string[] =>
  [...(to?.columns ?? []), ...(from?.columns ?? [])].map(({ name }) => name);

/** The wanted part of a diff; `checkFilter` has found nothing wrong. */
export function filterDiff(diff: TableDiff, filter: DiffFilter): TableDiff {
  const { where, columns, ignoreColumns, tolerance } = filter;
  const byColumn = [columns, ignoreColumns, tolerance].some((option) => option !== undefined);
  if (where === undefined && !byColumn) return diff;
  return { ...diff, changes: () => filtered(diff, filter, byColumn) };
}

async function* filtered(
  diff: TableDiff,
  filter: DiffFilter,
  byColumn: boolean,
): AsyncGenerator<RowChange[]> {
  const { columns } = filter;
  if (columns !== undefined && !columnNames(diff).some((name) => columns.includes(name))) return;
  const condition = openCondition(diff, filter.where);
  if (condition === null) return;
  const settle = byColumn ? settler(pairColumns(diff.from, diff.to), filter) : undefined;
  try {
    for await (const batch of diff.changes()) {
      const wanted: RowChange[] = [];
      for (const change of batch) {
        if (condition !== undefined && !condition.holds(change)) continue;
        const settled = settle === undefined ? change : settle(change);
        if (settled !== undefined) wanted.push(settled);
      }
      if (wanted.length > 0) yield wanted;
    }
  } finally {
    condition?.close();
  }
}

type Settle = (change: RowChange) => RowChange | undefined;

/** Puts cells that do not count back to what they were; undefined when nothing is left. */
function settler(pairs: readonly ColumnPair[], filter: DiffFilter): Settle {
  const { columns, ignoreColumns, tolerance, complete } = filter;
  const counts = ({ name, from, to }: ColumnPair) =>
    (columns?.includes(name) ?? true) &&
    !ignoreColumns?.includes(name) &&
    (complete || (from >= 0 && to >= 0));
  const counted = pairs.filter(counts);
  const written = pairs.filter(({ to }) => to >= 0);
  return (change) => {
    if (change.change !== 'modified') return change;
    const differs = (pair: ColumnPair) =>
      differ(cellAt(change.from, pair.from), cellAt(change.to, pair.to), tolerance);
    if (!counted.some(differs)) return undefined;
    const noise = written.filter(
      (pair) =>
        cellAt(change.from, pair.from) !== change.to[pair.to] && !(counts(pair) && differs(pair)),
    );
    if (noise.length === 0) return change;
    const to: Cell[] = [...change.to];
    for (const pair of noise) to[pair.to] = cellAt(change.from, pair.from);
    return { change: 'modified', from: change.from, to };
  };
}

function differ(a: Cell, b: Cell, tolerance: number | undefined): boolean {
  if (a === b) return false;
  if (tolerance === undefined || a === null || b === null) return true;
  if (a.trim() === '' || b.trim() === '') return true;
  const difference = Math.abs(Number(a) - Number(b));
  // Half a unit in the last place of the sum: 1.1 and 1.2 differ by 0.1.
  const rounding = (Math.abs(Number(a)) + Math.abs(Number(b))) * Number.EPSILON;
  return Number.isNaN(difference) || difference > tolerance + rounding;
}

interface DiffCondition {
  holds(change: RowChange): boolean;
  close(): void;
}

function compileFor({ from, to }: SchemaPair, where: string | undefined): Condition | undefined {
  if (where === undefined) return undefined;
  const now = (to ?? from)?.columns ?? [];
  const old = (from ?? to)?.columns ?? [];
  return compileCondition(where, [
    ...now,
    ...old.map(({ name, type }) => ({ name: `from_${name}`, type })),
    ...now.map(({ name, type }) => ({ name: `to_${name}`, type })),
  ]);
}

/** null: the condition is about columns of other tables, and holds for no row of this one. */
function openCondition(
  { from, to }: SchemaPair,
  where: string | undefined,
): DiffCondition | null | undefined {
  let condition: Condition | undefined;
  try {
    condition = compileFor({ from, to }, where);
  } catch (error) {
    // Some table of the diff has the columns, or `checkFilter` had refused.
    if (error instanceof DvError && error.code === 'bad-condition') return null;
    throw error;
  }
  if (condition === undefined) return undefined;
  const { test, close } = condition;
  const align = aligner(from, to);
  const width = (schema: Schema | null) => schema?.columns.length ?? 0;
  const [now, old] = [width(to ?? from), width(from ?? to)];
  return {
    holds: (change) => {
      const current = change.to ?? align(change.from);
      return test([...current, ...pad(change.from, old), ...pad(change.to, now)]);
    },
    close,
  };
}

const pad = (row: Row | null, length: number): Row => row ?? new Array<Cell>(length).fill(null);

/** A removed row's cells in the order of the to-schema, when there is one. */
function aligner(from: Schema | null, to: Schema | null): (row: Row) => Row {
  if (from === null || to === null) return (row) => row;
  const places = to.columns.map(({ name }) => from.columns.findIndex((c) => c.name === name));
  return (row) => places.map((place) => (place < 0 ? null : row[place]));
}
