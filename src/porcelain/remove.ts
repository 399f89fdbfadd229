/**
 * `dv rm` and `dv mv`: take a table out of what is staged, or give it another name, with
 * its working file.
 */
import { existsSync } from 'node:fs';
import { DvError } from '../errors.ts';
import { listRoot, type RootEntry } from '../model/root.ts';
import { stagedUpdate } from '../model/working-set.ts';
import { sameEntry, unknownTable } from './add.ts';
import { checkout, type CheckoutItem, hasWorkingFile } from './checkout.ts';
import { checkFile, readFingerprint } from './fingerprint.ts';
import { pathOf, type Repository, tableNameOf } from './repository.ts';
import { applyChanges, workingSet } from './staging.ts';

export interface RemoveOptions {
  /** Keep the working file. */
  readonly cached?: boolean;
  /** Even when the file has unsaved changes. */
  readonly force?: boolean;
}

/** @throws DvError `unknown-table`, `unsaved-changes` */
export async function remove(
  repo: Repository,
  paths: readonly string[],
  options: RemoveOptions = {},
): Promise<{ readonly tables: readonly string[] }> {
  const set = await workingSet(repo);
  const entries = new Map((await listRoot(repo.nodes, set.staged)).map((e) => [e.name, e.entry]));
  const changes = new Map<string, null>();
  const items: CheckoutItem[] = [];
  for (const path of paths) {
    const wanted = tableNameOf(repo, path);
    const names = [...entries.keys()].filter((n) => n === wanted || n.startsWith(`${wanted}/`));
    if (names.length === 0) throw unknownTable(path);
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

function raced(): DvError {
  return new DvError('ref-moved', 'another command changed the repository meanwhile', {
    hint: 'try again',
  });
}

async function checkSaved(repo: Repository, name: string, entry: RootEntry): Promise<void> {
  const state = checkFile(pathOf(repo, name), await readFingerprint(repo.store, name), repo.env.now());
  if (state.kind === 'missing') return;
  if (state.kind === 'known' && sameEntry(state.print.entry, entry)) return;
  throw new DvError('unsaved-changes', `'${name}' has changes that are not staged`, {
    hint: 'dv rm --cached keeps the file, --force removes it all the same',
    data: { table: name },
  });
}

/** @throws DvError `unknown-table`, `already-exists`, `unsaved-changes`, `bad-name` */
export async function rename(
  repo: Repository,
  fromPath: string,
  toPath: string,
): Promise<{ readonly from: string; readonly to: string }> {
  const set = await workingSet(repo);
  const from = tableNameOf(repo, fromPath);
  const to = tableNameOf(repo, toPath);
  const entries = new Map((await listRoot(repo.nodes, set.staged)).map((e) => [e.name, e.entry]));
  const entry = entries.get(from);
  if (entry === undefined) throw unknownTable(fromPath);
  if (entries.has(to) || existsSync(pathOf(repo, to))) {
    throw new DvError('already-exists', `'${toPath}' exists already`);
  }
  const changes = new Map<string, RootEntry | null>([
    [from, null],
    [to, entry],
  ]);
  const staged = await applyChanges(repo, set.staged, changes);
  const items: CheckoutItem[] = [];
  if (hasWorkingFile(from, entry)) {
    await checkSaved(repo, from, entry);
    items.push({ name: from, entry: null });
  }
  if (hasWorkingFile(to, entry)) items.push({ name: to, entry });
  if (!(await checkout(repo, items, { state: [stagedUpdate(set, staged)] }))) throw raced();
  return { from, to };
}
