/**
 * About how much a pack will bring, told in its header, for whoever waits for it: counted by a
 * walk of its own, before the header is written. That reads commits and internal nodes, and
 * leaves only where they refer to blobs: some hundredths of what sending costs.
 *
 * A walk that takes long is left. Behind the first commit, the rest of the history is taken to
 * bring, commit by commit, what those brought that were walked; within the first nothing is known.
 */
import type { Outgoing } from './send-walk.ts';

export interface Estimate {
  readonly chunks: number;
  /** Raw. */
  readonly bytes: number;
}

/** What is to be sent, in the order of sending. */
export interface OutgoingWalk {
  readonly items: AsyncGenerator<readonly Outgoing[], void>;
  /** Commits begun so far. */
  readonly commits: () => number;
}

/** Batches of the walk: about as many nodes are read. */
const MOST_STEPS = 4096;

/** `commits`: about how many there are. undefined: not known. */
export async function estimateWalk(
  walk: OutgoingWalk,
  commits: number,
  steps = MOST_STEPS,
): Promise<Estimate | undefined> {
  let first: Estimate | undefined;
  let found: Estimate = { chunks: 0, bytes: 0 };
  let left = steps;
  for await (const items of walk.items) {
    if (walk.commits() === 2) first ??= found;
    found = {
      chunks: found.chunks + items.length,
      bytes: items.reduce((sum, { bytes }) => sum + bytes, found.bytes),
    };
    left -= 1;
    if (left === 0) return extrapolated(first, found, walk.commits(), commits);
  }
  return found;
}

/** The last commit that was begun is not over. */
function extrapolated(
  first: Estimate | undefined,
  found: Estimate,
  begun: number,
  commits: number,
): Estimate | undefined {
  if (first === undefined || begun < 3) return undefined;
  const times = Math.max(1, (commits - 1) / (begun - 1.5));
  const scaled = (a: number, b: number): number => Math.round(a + (b - a) * times);
  return {
    chunks: scaled(first.chunks, found.chunks),
    bytes: scaled(first.bytes, found.bytes),
  };
}
