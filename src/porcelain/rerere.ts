/**
 * `dv rerere`: conflicts that were settled before are settled again as they were. Off unless
 * `rerere.enabled` is set, and told whenever it happens.
 */

import type { Hash } from '../hash.ts';
import { forget, readRemembered, recall, rememberedUpdate } from '../model/remembered.ts';
import { EMPTY_TREE } from '../prolly/node-writer.ts';
import { countRows } from '../prolly/scan.ts';
import type { Cell, Row } from '../tuple/schema.ts';
import type { RowInConflict, RowResolution } from './conflicts.ts';
import { conflictedCell, conflictedRow, isRemembering } from './remember.ts';
import { type Repository, tableNameOf } from './repository.ts';
import { type ResolveResult, resolveConflicts } from './resolve.ts';

/**
 * Settles what was settled before, of the merge in progress; undefined: there was none.
 * @throws DvError `no-merge`, `bad-config`
 */
export async function reuseResolutions(repo: Repository): Promise<ResolveResult | undefined> {
  if (!isRemembering(repo)) return undefined;
  const { tree } = await readRemembered(repo.store);
  if (tree === undefined) return undefined;
  const result = await resolveConflicts(repo, undefined, undefined, {
    rows: async (batch) => {
      const found: (RowResolution | undefined)[] = [];
      for (const row of batch) found.push(await recallRow(repo, tree, row));
      return found;
    },
    whole: () => undefined,
  });
  return result.resolved + result.partly === 0 ? undefined : result;
}

async function recallRow(
  { nodes }: Repository,
  tree: Hash,
  row: RowInConflict,
): Promise<RowResolution | undefined> {
  const whole = await recall(nodes, tree, conflictedRow(row));
  if (whole !== undefined) return { whole: rowOf(row, whole.result) };
  const cells = new Map<string, Cell>();
  for (const name of row.columns) {
    const known = await recall(nodes, tree, conflictedCell(row, name));
    if (known !== undefined) cells.set(name, known.result as Cell);
  }
  return cells.size === 0 ? undefined : { cells };
}

function rowOf({ schema }: RowInConflict, result: unknown): Row | null {
  if (result === null) return null;
  const cells = new Map(result as [string, string][]);
  return schema.columns.map(({ name }) => cells.get(name) ?? null);
}

export interface RememberedSummary {
  readonly enabled: boolean;
  /** Resolutions: of a cell, or of a row as a whole. */
  readonly count: number;
}

/** @throws DvError `bad-config` */
export async function remembered(repo: Repository): Promise<RememberedSummary> {
  const { tree } = await readRemembered(repo.store);
  const count = tree === undefined ? 0 : await countRows(repo.nodes, tree);
  return { enabled: isRemembering(repo), count };
}

/** Forgets what is remembered of a table, or everything. Answers with how many that were. */
export async function forgetResolutions(repo: Repository, path?: string): Promise<number> {
  const { nodes, store } = repo;
  for (;;) {
    const { tree, raw } = await readRemembered(store);
    if (tree === undefined) return 0;
    const after =
      path === undefined
        ? { tree: EMPTY_TREE, count: await countRows(nodes, tree) }
        : await forget(nodes, tree, tableNameOf(repo, path));
    await nodes.flush();
    const { done } = await store.transact({ state: [rememberedUpdate(after.tree, raw)] });
    if (done) return after.count;
  }
}
