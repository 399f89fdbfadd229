/**
 * `dv restore`: tables back to what is staged (or, with `source`, what a revision has), in
 * the working files, in the stage, or both. The files named are overwritten: that is what
 * was asked for.
 */

import { DvError } from '../errors.ts';
import type { Hash } from '../hash.ts';
import { readCommit } from '../model/object-reader.ts';
import { getRootEntry, listRoot, type RootEntry } from '../model/root.ts';
import { stagedUpdate } from '../model/working-set.ts';
import { unknownTable } from './add.ts';
import { requireWorkingFiles } from './bare.ts';
import { type CheckoutItem, checkout, hasWorkingFile } from './checkout.ts';
import { type Repository, resolveCommit, tableNameOf } from './repository.ts';
import { applyChanges, workingSet } from './staging.ts';

export interface RestoreOptions {
  readonly staged?: boolean;
  /** Working files; the default when `staged` is not given. */
  readonly worktree?: boolean;
  readonly source?: string;
}

export interface RestoreResult {
  readonly tables: readonly string[];
}

/** @throws DvError `unknown-table`, `bad-revision` */
export async function restore(
  repo: Repository,
  paths: readonly string[],
  options: RestoreOptions = {},
): Promise<RestoreResult> {
  requireWorkingFiles(repo);
  const set = await workingSet(repo);
  const toWorktree = options.worktree ?? !options.staged;
  const source = await sourceRoot(repo, options, set.headRoot, set.staged);
  const names = await matching(repo, paths, [source, set.staged]);
  const entries = new Map<string, RootEntry | null>();
  for (const name of names) {
    entries.set(name, (await getRootEntry(repo.nodes, source, name)) ?? null);
  }
  const items: CheckoutItem[] = [];
  for (const [name, entry] of entries) {
    const known = entry ?? (await getRootEntry(repo.nodes, set.staged, name));
    if (toWorktree && known !== undefined && hasWorkingFile(name, known))
      items.push({ name, entry });
  }
  const staged = options.staged ? await applyChanges(repo, set.staged, entries) : set.staged;
  const state = options.staged ? [stagedUpdate(set, staged)] : [];
  if (!(await checkout(repo, items, { state }))) {
    throw new DvError('ref-moved', 'another command changed the repository meanwhile', {
      hint: 'try again',
    });
  }
  return { tables: names };
}

async function sourceRoot(
  repo: Repository,
  options: RestoreOptions,
  head: Hash,
  staged: Hash,
): Promise<Hash> {
  if (options.source !== undefined) {
    return (await readCommit(repo.store, await resolveCommit(repo, options.source))).root;
  }
  return options.staged ? head : staged;
}

/** Tables of the roots that the paths name, or that lie below them. */
async function matching(
  repo: Repository,
  paths: readonly string[],
  roots: readonly Hash[],
): Promise<string[]> {
  const known = new Set<string>();
  for (const root of roots) {
    for (const { name } of await listRoot(repo.nodes, root)) known.add(name);
  }
  const found = new Set<string>();
  for (const path of paths) {
    const wanted = tableNameOf(repo, path);
    const names = [...known].filter(
      (name) => wanted === '' || name === wanted || name.startsWith(`${wanted}/`),
    );
    if (names.length === 0 && wanted !== '') throw unknownTable(path, 'the source or the stage');
    for (const name of names) found.add(name);
  }
  return [...found].sort();
}
