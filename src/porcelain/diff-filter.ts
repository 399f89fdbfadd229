/**
 * Which of a table's row changes are wanted: by condition, by column, by how much a number
 * moved. Filters sit between the diff and whatever renders, counts or applies it.
 */
import { DvError } from '../errors.ts';
import type { RowChange, TableDiff } from '../model/change.ts';
import { compileCondition } from '../store/sqlite-condition.ts';
import type { Cell, Column, Row, Schema } from '../tuple/schema.ts';

export interface DiffFilter {
  /** SQL over the row's columns; `from_x` and `to_x` are the two sides, `x` is to, else from. */
  readonly where?: string;
  /** Only changes in these columns count. */
  readonly columns?: readonly string[];
  readonly ignoreColumns?: readonly string[];
  /** Numbers closer than this are equal. */
  readonly tolerance?: number;
}

/** @throws DvError `bad-condition`, `unknown-column` */
export function filterDiff(diff: TableDiff, filter: DiffFilter): TableDiff {
  const tests = [columnTest(diff, filter), conditionTest(diff, filter.where)].filter(
    (test) => test !== undefined,
  );
  if (tests.length === 0) return diff;
  return { ...diff, changes: () => filtered(diff, tests) };
}

interface Test {
  wants(change: RowChange): boolean;
  close(): void;
}

async function* filtered(diff: TableDiff, tests: readonly Test[]): AsyncGenerator<RowChange[]> {
  try {
    for await (const batch of diff.changes()) {
      const wanted = batch.filter((change) => tests.every((test) => test.wants(change)));
      if (wanted.length > 0) yield wanted;
    }
  } finally {
    for (const test of tests) test.close();
  }
}

function columnTest(diff: TableDiff, filter: DiffFilter): Test | undefined {
  const { columns, ignoreColumns, tolerance } = filter;
  if (columns === undefined && ignoreColumns === undefined && tolerance === undefined) {
    return undefined;
  }
  checkColumns(diff, [...(columns ?? []), ...(ignoreColumns ?? [])]);
  const { from, to } = diff;
  const pairs = from === null || to === null ? [] : commonColumns(from, to);
  const counted = pairs.filter(
    ({ name }) => (columns?.includes(name) ?? true) && !ignoreColumns?.includes(name),
  );
  const wants = (change: RowChange): boolean =>
    change.change !== 'modified' ||
    counted.some(({ before, after }) => {
      return differ(change.from[before], change.to[after], tolerance);
    });
  return { wants, close: () => {} };
}

function checkColumns(diff: TableDiff, names: readonly string[]): void {
  const known = new Set([...(diff.from?.columns ?? []), ...(diff.to?.columns ?? [])].map((c) => c.name));
  for (const name of names) {
    if (known.has(name)) continue;
    throw new DvError('unknown-column', `'${diff.table}' has no column "${name}"`, {
      hint: `its columns are ${[...known].slice(0, 12).join(', ')}`,
      data: { table: diff.table, name },
    });
  }
}

function commonColumns(
  from: Schema,
  to: Schema,
): { readonly name: string; readonly before: number; readonly after: number }[] {
  return to.columns.flatMap(({ name }, after) => {
    const before = from.columns.findIndex((column) => column.name === name);
    return before < 0 ? [] : [{ name, before, after }];
  });
}

function differ(a: Cell, b: Cell, tolerance: number | undefined): boolean {
  if (a === b) return false;
  if (tolerance === undefined || a === null || b === null || a === '' || b === '') return true;
  const difference = Math.abs(Number(a) - Number(b));
  return Number.isNaN(difference) || difference > tolerance;
}

function conditionTest(diff: TableDiff, where: string | undefined): Test | undefined {
  if (where === undefined) return undefined;
  const { from, to } = diff;
  const now: readonly Column[] = (to ?? from)?.columns ?? [];
  const old = from?.columns ?? to?.columns ?? [];
  const condition = compileCondition(where, [
    ...now,
    ...old.map(({ name, type }) => ({ name: `from_${name}`, type })),
    ...now.map(({ name, type }) => ({ name: `to_${name}`, type })),
  ]);
  const align = aligner(from, to);
  return {
    wants: (change) => {
      const current = change.to ?? align(change.from);
      const cells = [...current, ...pad(change.from, old.length), ...pad(change.to, now.length)];
      return condition.test(cells);
    },
    close: () => condition.close(),
  };
}

const pad = (row: Row | null, length: number): Row => row ?? new Array<Cell>(length).fill(null);

/** A removed row's cells in the order of the to-schema, when there is one. */
function aligner(from: Schema | null, to: Schema | null): (row: Row) => Row {
  if (from === null || to === null) return (row) => row;
  const places = to.columns.map(({ name }) => from.columns.findIndex((c) => c.name === name));
  return (row) => places.map((place) => (place < 0 ? null : row[place]));
}
