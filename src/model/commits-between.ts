/**
 * The commits that one commit has and another has not, in an order that is fit for resuming:
 * each commit behind its parents, first parents' ancestors before the others'. What a branch
 * has when it moves on begins with what it had: the order for `b` is a beginning of the order
 * for every commit whose first-parent line goes through `b`.
 */
import type { Hash } from '../hash.ts';
import type { ObjectStore } from '../store/contract.ts';
import { ancestorsAbove } from './history.ts';
import { readCommit } from './object-reader.ts';
import type { Commit } from './objects.ts';

export interface CommitStep {
  readonly hash: Hash;
  /** The first parent; null: the commit has none. */
  readonly parent: Hash | null;
  readonly commit: Commit;
}

/**
 * Commits of `to` that `from` (null: nothing) lacks. Cost: those commits, read twice where
 * there is more than one. Holds their hashes. @throws DvError `missing-object`
 */
export async function* commitsBetween(
  store: ObjectStore,
  from: Hash | null,
  to: Hash,
): AsyncGenerator<CommitStep> {
  if (from === to) return;
  const newest = await readCommit(store, to);
  if (newest.parents.length === 1 && newest.parents[0] === from) {
    yield { hash: to, parent: from, commit: newest };
    return;
  }
  const hidden = await ancestorsAbove(store, from === null ? [] : [from], [to]);
  const done = new Set<Hash>();
  /** The way down to where the walk is, with how many parents of each are behind it. */
  const path: { readonly hash: Hash; readonly parents: readonly Hash[]; next: number }[] = [];
  const enter = async (hash: Hash): Promise<void> => {
    if (hidden.has(hash) || done.has(hash)) return;
    done.add(hash);
    path.push({ hash, parents: (await readCommit(store, hash)).parents, next: 0 });
  };
  await enter(to);
  for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
    if (top.next < top.parents.length) {
      await enter(top.parents[top.next++]);
      continue;
    }
    path.pop();
    const commit = await readCommit(store, top.hash);
    yield { hash: top.hash, parent: commit.parents[0] ?? null, commit };
  }
}
