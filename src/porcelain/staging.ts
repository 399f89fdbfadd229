/**
 * Changing what is staged, by compare-and-swap: when another process staged something
 * meanwhile, the change is made again on top of that.
 */
import { DvError } from '../errors.ts';
import type { Hash } from '../hash.ts';
import { foldName } from '../model/names.ts';
import { editRoot, listRoot, type RootEntry } from '../model/root.ts';
import { readWorkingSet, stagedUpdate, type WorkingSet } from '../model/working-set.ts';
import type { StateUpdate } from '../store/contract.ts';
import { collision } from './read-entry.ts';
import type { Repository } from './repository.ts';

const ATTEMPTS = 20;

export type EntryChanges = ReadonlyMap<string, RootEntry | null>;

/**
 * Puts entries into (or, null, takes them out of) what is staged; `state` goes along.
 * @throws DvError `name-collision`, `ref-moved`
 */
export async function stageEntries(
  repo: Repository,
  changes: EntryChanges,
  state: readonly StateUpdate[] = [],
): Promise<void> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const set = await readWorkingSet(repo.store, repo.nodes);
    const root = await applyChanges(repo, set.staged, changes);
    const update = stagedUpdate(set, root);
    const result = await repo.store.transact({ state: [...state, update] });
    if (result.done) return;
  }
  throw new DvError('ref-moved', 'other commands kept staging at the same time', {
    hint: 'try again',
  });
}

export async function applyChanges(
  repo: Repository,
  root: Hash,
  changes: EntryChanges,
): Promise<Hash> {
  if (changes.size === 0) return root;
  await checkCollisions(repo, root, changes);
  return editRoot(repo.nodes, root, changes);
}

async function checkCollisions(repo: Repository, root: Hash, changes: EntryChanges): Promise<void> {
  const folded = new Map<string, string>();
  for (const { name } of await listRoot(repo.nodes, root)) {
    if (changes.get(name) !== null) folded.set(foldName(name), name);
  }
  for (const [name, entry] of changes) {
    if (entry === null) continue;
    const other = folded.get(foldName(name));
    if (other !== undefined && other !== name) throw collision(name, other);
    folded.set(foldName(name), name);
  }
}

export function workingSet(repo: Repository): Promise<WorkingSet> {
  return readWorkingSet(repo.store, repo.nodes);
}
