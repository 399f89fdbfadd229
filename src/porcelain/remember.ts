/**
 * What `dv resolve` remembers of conflicts that it settles, when `rerere.enabled` is set: first
 * with the merge in progress, and for good when a commit ends it. So what was settled in a merge
 * that was given up is not remembered.
 */
import type { MergeState } from '../model/merge-state.ts';
import {
  type Conflicted,
  namedCells,
  readRemembered,
  rememberAll,
  rememberEdit,
  rememberedUpdate,
} from '../model/remembered.ts';
import type { Edit } from '../prolly/edit.ts';
import type { Row } from '../tuple/schema.ts';
import { readConfig } from './config.ts';
import type { RowInConflict, RowResolution } from './conflicts.ts';
import type { Repository } from './repository.ts';

/** @throws DvError `bad-config` */
export function isRemembering({ dotDir, env }: Repository): boolean {
  return readConfig(dotDir, env.userConfig).getFlag('rerere.enabled') ?? false;
}

export function conflictedRow({ table, key, schema, sides }: RowInConflict): Conflicted {
  const cells = (row: Row | null) => row && namedCells(schema, row);
  const { base, ours, theirs } = sides;
  return {
    table,
    key,
    column: null,
    sides: { base: cells(base), ours: cells(ours), theirs: cells(theirs) },
  };
}

export function conflictedCell(
  { table, key, schema, sides }: RowInConflict,
  column: string,
): Conflicted {
  const place = schema.columns.findIndex(({ name }) => name === column);
  const cell = (row: Row | null) => row?.[place] ?? null;
  const { base, ours, theirs } = sides;
  return {
    table,
    key,
    column,
    sides: { base: cell(base), ours: cell(ours), theirs: cell(theirs) },
  };
}

export function rememberEdits(row: RowInConflict, resolution: RowResolution): Edit[] {
  if ('whole' in resolution) {
    const { whole } = resolution;
    return [rememberEdit(conflictedRow(row), whole && namedCells(row.schema, whole))];
  }
  const { cells } = resolution;
  return row.columns.flatMap((name) => {
    const cell = cells.get(name);
    return cell === undefined ? [] : [rememberEdit(conflictedCell(row, name), cell)];
  });
}

/** What was settled in a merge that ends now is remembered for good. */
export async function keepResolutions(repo: Repository, { settled }: MergeState): Promise<void> {
  if (settled === undefined) return;
  const { nodes, store } = repo;
  for (;;) {
    const { tree, raw } = await readRemembered(store);
    const all = await rememberAll(nodes, tree, settled);
    await nodes.flush();
    const { done } = await store.transact({ state: [rememberedUpdate(all, raw)] });
    if (done) return;
  }
}
