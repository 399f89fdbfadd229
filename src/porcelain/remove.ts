/**
 * `dv rm` and `dv mv`: take a table out of what is staged, or give it another name, with
 * its working file.
 */

import { existsSync } from 'node:fs';
import { DvError } from '../errors.ts';
import { listRoot, type RootEntry, sameEntry } from '../model/root.ts';
import { stagedUpdate } from '../model/working-set.ts';
import { unknownTable } from './add.ts';
import { requireWorkingFiles } from './bare.ts';
import { type CheckoutItem, checkout, hasWorkingFile } from './checkout.ts';
import { checkFile, readFingerprint } from './fingerprint.ts';
import { pathOf, type Repository, tableNameOf } from './repository.ts';
import { applyChanges, workingSet } from './staging.ts';

export interface RemoveOptions {
  /** Keep the working file. */
  readonly cached?: boolean;
  /** Even when the file has unsaved changes. */
  readonly force?: boolean;
  /** Take a directory for all that is in it. */
  readonly recursive?: boolean;
}

/** @throws DvError `unknown-table`, `unsaved-changes`, `bad-option` for a directory */
export async function remove(
  repo: Repository,
  paths: readonly string[],
  options: RemoveOptions = {},
): Promise<{ readonly tables: readonly string[] }> {
  requireWorkingFiles(repo);
  const set = await workingSet(repo);
  const entries = new Map((await listRoot(repo.nodes, set.staged)).map((e) => [e.name, e.entry]));
  const changes = new Map<string, null>();
  const items: CheckoutItem[] = [];
  for (const path of paths) {
    const wanted = tableNameOf(repo, path);
    const below = wanted === '' ? '' : `${wanted}/`;
    const names = [...entries.keys()].filter((n) => n === wanted || n.startsWith(below));
    if (names.length === 0) throw unknownTable(path);
    if (!entries.has(wanted) && !options.recursive) throw isDirectory(path);
    for (const name of names) {
      const entry = entries.get(name) as RootEntry;
      changes.set(name, null);
      if (options.cached || !hasWorkingFile(name, entry)) continue;
      if (!options.force) await checkSaved(repo, name, entry);
      items.push({ name, entry: null });
    }
  }
  const staged = await applyChanges(repo, set.staged, changes);
  const done = await checkout(repo, items, { state: [stagedUpdate(set, staged)] });
  if (!done) throw raced();
  return { tables: [...changes.keys()] };
}

function isDirectory(path: string): DvError {
  return new DvError('bad-option', `'${path}' is a directory`, {
    hint: `dv rm -r ${path} removes all that is in it`,
  });
}

function raced(): DvError {
  return new DvError('ref-moved', 'another command changed the repository meanwhile', {
    hint: 'try again',
  });
}

async function checkSaved(
  repo: Repository,
  name: string,
  entry: RootEntry,
  hint = 'dv rm --cached keeps the file, --force removes it all the same',
): Promise<void> {
  const print = await readFingerprint(repo.store, name);
  const state = checkFile(pathOf(repo, name), print, repo.env.now());
  if (state.kind === 'missing') return;
  if (state.kind === 'known' && sameEntry(state.print.entry, entry)) return;
  throw new DvError('unsaved-changes', `'${name}' has changes that are not staged`, {
    hint,
    data: { table: name },
  });
}

export interface Renamed {
  readonly from: string;
  readonly to: string;
}

/**
 * Renames tables, or all that is in a directory, together.
 * @throws DvError `unknown-table`, `already-exists`, `unsaved-changes`, `bad-name`
 */
export async function rename(
  repo: Repository,
  moves: readonly (readonly [from: string, to: string])[],
): Promise<Renamed[]> {
  requireWorkingFiles(repo);
  const set = await workingSet(repo);
  const entries = new Map((await listRoot(repo.nodes, set.staged)).map((e) => [e.name, e.entry]));
  const renamed = moves.flatMap(([from, to]) => expandMove(repo, [...entries.keys()], from, to));
  const changes = new Map<string, RootEntry | null>();
  const items: CheckoutItem[] = [];
  for (const { from, to } of renamed) {
    const entry = entries.get(from) as RootEntry;
    if (entries.has(to) || changes.has(to) || existsSync(pathOf(repo, to))) {
      throw new DvError('already-exists', `'${to}' exists already`);
    }
    changes.set(from, null).set(to, entry);
    if (hasWorkingFile(from, entry)) {
      await checkSaved(repo, from, entry, `dv add ${from} or dv restore ${from}, then again`);
      items.push({ name: from, entry: null });
    }
    if (hasWorkingFile(to, entry)) items.push({ name: to, entry });
  }
  const staged = await applyChanges(repo, set.staged, changes);
  if (!(await checkout(repo, items, { state: [stagedUpdate(set, staged)] }))) throw raced();
  return renamed;
}

/** One table, or every table below a directory. */
function expandMove(
  repo: Repository,
  known: readonly string[],
  fromPath: string,
  toPath: string,
): Renamed[] {
  const from = tableNameOf(repo, fromPath);
  const to = tableNameOf(repo, toPath);
  if (known.includes(from)) return [{ from, to }];
  const below = known.filter((name) => name.startsWith(`${from}/`));
  if (below.length === 0) throw unknownTable(fromPath);
  return below.map((name) => ({ from: name, to: to + name.slice(from.length) }));
}
