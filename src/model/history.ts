/**
 * Walking the commit graph. Generations make ancestry questions stop early: a commit can
 * only be an ancestor of one with a larger generation.
 */
import type { Hash } from '../hash.ts';
import type { ObjectStore } from '../store/contract.ts';
import { readCommit } from './object-reader.ts';
import type { Commit } from './objects.ts';

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
    const { parents } = next.commit;
    for (const parent of options.firstParent ? parents.slice(0, 1) : parents) await add(parent);
  }
}

/** All ancestors of `from`, themselves included; empty at no cost when there are none. */
async function ancestorsAbove(
  store: ObjectStore,
  from: readonly Hash[],
  starts: readonly Hash[],
): Promise<Set<Hash>> {
  const found = new Set<Hash>();
  if (from.length === 0 || starts.length === 0) return found;
  const open = [...from];
  for (let hash = open.pop(); hash !== undefined; hash = open.pop()) {
    if (found.has(hash)) continue;
    found.add(hash);
    open.push(...(await readCommit(store, hash)).parents);
  }
  return found;
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
    for (const parent of commit.parents) {
      if (!seen.has(parent)) open.push(parent);
      seen.add(parent);
    }
  }
  return false;
}
