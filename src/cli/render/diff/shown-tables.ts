/**
 * Which tables of a difference are shown, and which of their columns: without columns that
 * were not asked for, and without tables of which the filters leave nothing.
 */
import type { RowChange, TableDiff } from '../../../model/change.ts';
import type { DiffView } from '../../diff-options.ts';
import { changesSchema, narrowDiffs } from './narrow.ts';

export function shownTables(
  tables: AsyncIterable<TableDiff>,
  view: DiffView,
): AsyncGenerator<TableDiff> {
  return withoutEmpty(narrowed(tables, view), view);
}

/** Formats that lead from one side to the other need whole rows. */
function keepsWholeRows({ level, format }: DiffView): boolean {
  return level === 'rows' && (format === 'patch' || format === 'sql');
}

/** Without the columns that are not to be shown. */
async function* narrowed(
  tables: AsyncIterable<TableDiff>,
  view: DiffView,
): AsyncGenerator<TableDiff> {
  const { columns, ignoreColumns } = view.filter;
  if ((columns === undefined && ignoreColumns === undefined) || keepsWholeRows(view)) {
    yield* tables;
    return;
  }
  for await (const diff of tables) {
    const all = [...(diff.from?.columns ?? []), ...(diff.to?.columns ?? [])].map((c) => c.name);
    const shown = all.filter(
      (name) => (columns?.includes(name) ?? true) && !ignoreColumns?.includes(name),
    );
    yield* narrowDiffs([diff], { columns: shown });
  }
}

/** Without the tables of which the filters leave nothing. */
async function* withoutEmpty(
  tables: AsyncIterable<TableDiff>,
  view: DiffView,
): AsyncGenerator<TableDiff> {
  const { filter } = view;
  for await (const diff of tables) {
    if (view.level === 'schema') {
      if (changesSchema(diff)) yield diff;
      continue;
    }
    if (changesSchema(diff) && filter.where === undefined && filter.columns === undefined) {
      yield diff;
      continue;
    }
    const batches = diff.changes()[Symbol.asyncIterator]();
    const first = await batches.next();
    const schemaCounts = diff.schema.length > 0 && filter.where === undefined;
    if (first.done && !schemaCounts) continue;
    yield { ...diff, changes: () => resume(first, batches) };
  }
}

type Batch = readonly RowChange[];

/** A generator whose first batch was taken already. */
async function* resume(
  first: IteratorResult<Batch>,
  rest: AsyncIterator<Batch>,
): AsyncGenerator<Batch> {
  try {
    for (let next = first; !next.done; next = await rest.next()) yield next.value;
  } finally {
    await rest.return?.();
  }
}
