/**
 * From what was told of a ref to where it is now, commit by commit along first parents: the
 * states the ref went through, or could have. Where the old commit is not among them (the
 * branch was reset, or its history is gone) it is one step.
 *
 * So what is told depends on the commits alone, not on how the feed put moves together.
 */
import { DvError } from '../../errors.ts';
import type { Hash } from '../../hash.ts';
import type { CommitEvent, CommitInRange, FeedSource } from '../contract.ts';

export interface RefStep {
  /** The state before; null: nothing. */
  readonly from: Hash | null;
  readonly commit: CommitInRange;
}

/** `event` tells of the commit at `to`; without one it is looked up. */
export async function refSteps(
  source: FeedSource,
  from: Hash | null,
  to: Hash,
  event?: CommitEvent,
): Promise<readonly RefStep[]> {
  if (from === to) return [];
  const told = event === undefined ? undefined : commitOf(event);
  const isNext = from === null || event?.parents[0] === from;
  if (told !== undefined && isNext) return [{ from, commit: told }];
  const counts = event?.tables !== undefined;
  const between = (await commitsUpTo(source, from, to, counts)) ?? new Map();
  const steps = from === null ? undefined : firstParents(between, from, to);
  if (steps !== undefined) return steps;
  const commit = told ?? between.get(to) ?? (await commitsUpTo(source, null, to, counts))?.get(to);
  return commit === undefined ? [] : [{ from, commit }];
}

/** undefined: the history in between is gone. Cost: the commits. */
async function commitsUpTo(
  source: FeedSource,
  from: Hash | null,
  to: Hash,
  counts: boolean,
): Promise<Map<Hash, CommitInRange> | undefined> {
  const between = new Map<Hash, CommitInRange>();
  try {
    for await (const commit of source.commitsBetween(from, to, { counts })) {
      between.set(commit.hash, commit);
    }
  } catch (error) {
    if (!(error instanceof DvError) || error.code !== 'missing-object') throw error;
    return undefined;
  }
  return between;
}

/** undefined: the first parents of `to` do not lead to `from`. */
function firstParents(
  between: ReadonlyMap<Hash, CommitInRange>,
  from: Hash,
  to: Hash,
): readonly RefStep[] | undefined {
  const steps: RefStep[] = [];
  for (let hash: Hash | null = to; hash !== from; ) {
    const commit: CommitInRange | undefined = hash === null ? undefined : between.get(hash);
    if (commit === undefined) return undefined;
    steps.push({ from: commit.parent, commit });
    hash = commit.parent;
  }
  return steps.reverse();
}

function commitOf(event: CommitEvent): CommitInRange {
  const { message, author, committed, parents, generation, clock, tables } = event;
  const facts = { message, author, committed, parents, generation, clock };
  const counted = tables === undefined ? {} : { tables };
  return { ...facts, ...counted, hash: event.new, parent: parents[0] ?? null };
}
