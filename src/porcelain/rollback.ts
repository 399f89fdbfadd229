/**
 * `dv rollback TABLE --to REV`: a new commit in which a table, or some of its rows, is as it was
 * in another commit. Other tables, and other rows, stay.
 */
import { DvError } from '../errors.ts';
import type { Hash } from '../hash.ts';
import { NOTHING_RESOLVED } from '../model/decisions.ts';
import { readCommit } from '../model/object-reader.ts';
import { editRoot, getRootEntry, sameEntry } from '../model/root.ts';
import { type CommitSummary, summarize } from './commit.ts';
import { requireNoMerge } from './merge-guard.ts';
import { type Repository, resolveCommit, tableNameOf } from './repository.ts';
import { selectRows } from './select-rows.ts';
import { requireNoSequence } from './sequence.ts';
import { requireCleanStage, settleMerge } from './settle-merge.ts';
import { workingSet } from './staging.ts';

export interface RollbackOptions {
  readonly to: string;
  /** SQL over the row's columns, of the row as it was; one that was not there, as it is. */
  readonly where?: string;
  readonly message?: string;
  readonly dryRun?: boolean;
}

export interface RollbackResult extends CommitSummary {
  /** null: nothing differed, or a dry run. */
  readonly commit: Hash | null;
}

/**
 * @throws DvError `unknown-table`, `bad-revision`, `no-commits`, `bad-condition`,
 * `unsaved-changes`, `merge-in-progress`
 */
export async function rollback(
  repo: Repository,
  path: string,
  options: RollbackOptions,
): Promise<RollbackResult> {
  await requireNoMerge(repo);
  await requireNoSequence(repo);
  const set = await workingSet(repo);
  const head = set.head.commit ?? (await resolveCommit(repo, 'HEAD'));
  if (!options.dryRun) await requireCleanStage(repo, set);
  const to = await resolveCommit(repo, options.to);
  const { nodes } = repo;
  const name = tableNameOf(repo, path);
  const now = await getRootEntry(nodes, set.headRoot, name);
  const then = await getRootEntry(nodes, (await readCommit(repo.store, to)).root, name);
  if (now === undefined && then === undefined) throw unknown(name, options.to);
  const entry =
    options.where === undefined
      ? (then ?? null)
      : await selectRows(repo, name, now, then ?? null, { where: options.where });
  if (sameEntry(now, entry ?? undefined)) return { commit: null, tables: [], files: [] };
  const root = await editRoot(nodes, set.headRoot, new Map([[name, entry]]));
  await nodes.flush();
  const summary = await summarize(nodes, set.headRoot, root);
  if (options.dryRun) return { commit: null, ...summary };
  const short = to.slice(0, 12);
  const merged = { root, conflicts: [], resolved: NOTHING_RESOLVED, renumbered: [] };
  const settled = await settleMerge(repo, set, merged, {
    operation: 'merge',
    theirs: to,
    theirName: options.to,
    parents: [head],
    message: options.message ?? `Roll ${name} back to ${short}`,
    author: null,
    commit: true,
    reflog: `rollback: ${name} to ${short}`,
  });
  return { commit: settled.kind === 'committed' ? settled.commit : null, ...summary };
}

function unknown(name: string, revision: string): DvError {
  return new DvError('unknown-table', `there is no table '${name}' in HEAD or in '${revision}'`, {
    hint: 'dv ls-tree HEAD lists the tables',
    data: { table: name },
  });
}
