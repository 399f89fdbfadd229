/**
 * A diff cut down to what was asked for: some columns, and not more than so many rows. What
 * comes out is a diff again, so every renderer treats it alike.
 */
import type { RowChange, SchemaChange, TableDiff } from '../../../model/change.ts';
import { cellAt, pairColumns } from '../../../model/diff-columns.ts';
import { withRules } from '../../../tuple/merge-rules.ts';
import type { Row, Schema } from '../../../tuple/schema.ts';
import type { DiffRenderOptions, TableDiffs } from './options.ts';

/** A diff of which perhaps not all rows were read. */
export interface NarrowedDiff extends TableDiff {
  /** Once its changes were read: whether there are more than `limit`. */
  readonly cut: boolean;
}

export async function* narrowDiffs(
  diffs: TableDiffs,
  { columns, limit = Number.POSITIVE_INFINITY }: DiffRenderOptions,
): AsyncGenerator<NarrowedDiff> {
  for await (const diff of diffs) {
    yield limitChanges(columns === undefined ? diff : keepColumns(diff, new Set(columns)), limit);
  }
}

function limitChanges(diff: TableDiff, limit: number): NarrowedDiff {
  let cut = false;
  async function* changes(): AsyncGenerator<readonly RowChange[]> {
    let left = limit;
    for await (const batch of diff.changes()) {
      if (batch.length > left) {
        cut = true;
        if (left > 0) yield batch.slice(0, left);
        return;
      }
      left -= batch.length;
      yield batch;
    }
  }
  const { table, from, to, schema } = diff;
  return {
    table,
    from,
    to,
    schema,
    changes,
    get cut() {
      return cut;
    },
  };
}

/** The diff of the key and the named columns; rows that are equal there are left out. */
function keepColumns(diff: TableDiff, names: ReadonlySet<string>): TableDiff {
  const from = keptIndices(diff.from, names);
  const to = keptIndices(diff.to, names);
  const narrowed = { from: narrowSchema(diff.from, from), to: narrowSchema(diff.to, to) };
  const pairs = pairColumns(narrowed.from, narrowed.to);
  const narrowRow = (change: RowChange) =>
    ({
      change: change.change,
      from: change.from && from.map((index) => change.from[index]),
      to: change.to && to.map((index) => change.to[index]),
    }) as RowChange;
  const differs = (change: RowChange) =>
    change.change !== 'modified' ||
    pairs.some((p) => cellAt(change.from, p.from) !== cellAt(change.to, p.to));
  return {
    table: diff.table,
    ...narrowed,
    schema: diff.schema.filter((change) => concerns(change, names)),
    async *changes() {
      for await (const batch of diff.changes()) {
        const kept = batch.map(narrowRow).filter(differs);
        if (kept.length > 0) yield kept;
      }
    },
  };
}

function concerns(change: SchemaChange, names: ReadonlySet<string>): boolean {
  if (change.kind === 'key-changed' || change.kind === 'rules-changed') return true;
  return change.kind !== 'columns-reordered' && names.has(change.column);
}

function keptIndices(schema: Schema | null, names: ReadonlySet<string>): number[] {
  if (schema === null) return [];
  return [...schema.columns.keys()].filter(
    (index) => schema.key.includes(index) || names.has(schema.columns[index].name),
  );
}

function narrowSchema(schema: Schema | null, kept: readonly number[]): Schema | null {
  if (schema === null) return null;
  const columns = kept.map((index) => schema.columns[index]);
  const key = schema.key.map((index) => kept.indexOf(index));
  return withRules({ columns, key }, schema.rules);
}

/** Whether columns or key changed, or the table came or went. */
export function changesSchema({ schema, from, to }: TableDiff): boolean {
  return schema.length > 0 || from === null || to === null;
}

/** The cells of the key that names a changed row: of the to-side, unless the row is gone. */
export function keyOf(
  diff: Pick<TableDiff, 'from' | 'to'>,
  change: RowChange,
): { readonly schema: Schema; readonly row: Row } {
  const [schema, row] = change.to === null ? [diff.from, change.from] : [diff.to, change.to];
  if (schema === null) throw new TypeError('a row of a table that does not exist');
  return { schema, row };
}
