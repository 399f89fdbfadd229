/**
 * Walking the commit graph. Generations make ancestry questions stop early: a commit can
 * only be an ancestor of one with a larger generation.
 */
import type { Hash } from '../hash.ts';
import type { ObjectStore } from '../store/contract.ts';
import { readCommit } from './object-reader.ts';
import type { Commit } from './objects.ts';
import { parentsHere } from './shallow.ts';

export interface LoggedCommit {
  readonly hash: Hash;
  readonly commit: Commit;
}

/** Newer first: by committer time, then generation, so a parent never precedes a child. */
function later(a: LoggedCommit, b: LoggedCommit): boolean {
  const byTime = a.commit.committer.time - b.commit.committer.time;
  return byTime === 0 ? a.commit.generation > b.commit.generation : byTime > 0;
}

/** A binary heap of commits, the latest on top. */
class CommitQueue {
  private readonly items: LoggedCommit[] = [];

  push(item: LoggedCommit): void {
    const { items } = this;
    items.push(item);
    for (let i = items.length - 1; i > 0; ) {
      const parent = (i - 1) >> 1;
      if (!later(items[i], items[parent])) return;
      [items[i], items[parent]] = [items[parent], items[i]];
      i = parent;
    }
  }

  pop(): LoggedCommit | undefined {
    const { items } = this;
    const top = items[0];
    const last = items.pop();
    if (items.length === 0 || last === undefined) return top;
    items[0] = last;
    for (let i = 0; ; ) {
      const left = 2 * i + 1;
      const right = left + 1;
      let best = i;
      if (left < items.length && later(items[left], items[best])) best = left;
      if (right < items.length && later(items[right], items[best])) best = right;
      if (best === i) return top;
      [items[i], items[best]] = [items[best], items[i]];
      i = best;
    }
  }
}

export interface WalkOptions {
  /** Commits (and their ancestors) to leave out. */
  readonly exclude?: readonly Hash[];
  readonly firstParent?: boolean;
  /** Says of a commit that none of its ancestors is wanted. */
  readonly stopAt?: (commit: Commit) => boolean;
}

/** Commits reachable from `starts`, newest first, each once. The first costs one read. */
export async function* walkHistory(
  store: ObjectStore,
  starts: readonly Hash[],
  options: WalkOptions = {},
): AsyncGenerator<LoggedCommit> {
  const hidden = await ancestorsAbove(store, options.exclude ?? [], starts);
  const queue = new CommitQueue();
  const seen = new Set<Hash>();
  const add = async (hash: Hash): Promise<void> => {
    if (seen.has(hash) || hidden.has(hash)) return;
    seen.add(hash);
    queue.push({ hash, commit: await readCommit(store, hash) });
  };
  for (const hash of starts) await add(hash);
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    yield next;
    if (options.stopAt?.(next.commit)) continue;
    const parents = parentsHere(store, next.hash, next.commit);
    for (const parent of options.firstParent ? parents.slice(0, 1) : parents) await add(parent);
  }
}

/**
 * The ancestors of `from` (themselves included) that a walk from `starts` can come to first.
 * Both sides go down by generation together, and no further than where the walk from
 * `starts` has run into the others: what they have in common below is not read.
 */
export async function ancestorsAbove(
  store: ObjectStore,
  from: readonly Hash[],
  starts: readonly Hash[],
): Promise<ReadonlySet<Hash>> {
  const hidden = new Set<Hash>();
  if (from.length === 0) return hidden;
  const levels = new Map<number, Map<Hash, Commit>>();
  const met = new Set<Hash>();
  let highest = 0;
  let wanted = 0; // commits met that are not hidden and whose parents are not met yet
  const meet = async (hash: Hash, hide: boolean): Promise<void> => {
    if (hide && met.has(hash) && !hidden.has(hash)) wanted -= 1;
    if (hide) hidden.add(hash);
    if (met.has(hash)) return;
    met.add(hash);
    if (!hidden.has(hash)) wanted += 1;
    const commit = await readCommit(store, hash);
    const level = levels.get(commit.generation) ?? new Map<Hash, Commit>();
    levels.set(commit.generation, level.set(hash, commit));
    highest = Math.max(highest, commit.generation);
  };
  for (const hash of from) await meet(hash, true);
  for (const hash of starts) await meet(hash, false);
  for (; highest > 0 && wanted > 0; highest--) {
    for (const [hash, commit] of levels.get(highest) ?? []) {
      const hide = hidden.has(hash);
      if (!hide) wanted -= 1;
      for (const parent of parentsHere(store, hash, commit)) await meet(parent, hide);
    }
    levels.delete(highest);
  }
  return hidden;
}

/** Is `ancestor` reachable from `descendant` (or the same)? */
export async function isAncestor(
  store: ObjectStore,
  ancestor: Hash,
  descendant: Hash,
): Promise<boolean> {
  if (ancestor === descendant) return true;
  const { generation } = await readCommit(store, ancestor);
  const open = [descendant];
  const seen = new Set<Hash>(open);
  for (let hash = open.pop(); hash !== undefined; hash = open.pop()) {
    if (hash === ancestor) return true;
    const commit = await readCommit(store, hash);
    if (commit.generation <= generation) continue;
    for (const parent of parentsHere(store, hash, commit)) {
      if (!seen.has(parent)) open.push(parent);
      seen.add(parent);
    }
  }
  return false;
}
