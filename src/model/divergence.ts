/**
 * How far two commits are apart: what `status` says as ahead and behind. Commits are taken by
 * falling generation, as for merge bases; cost: the commits between the two and their common
 * ancestors, whatever lies below.
 */
import type { Hash } from '../hash.ts';
import type { ObjectStore } from '../store/contract.ts';
import { readCommit } from './object-reader.ts';
import type { Commit } from './objects.ts';
import { parentsHere } from './shallow.ts';

const FROM_A = 1;
const FROM_B = 2;
const COMMON = FROM_A | FROM_B;

export interface Divergence {
  /** Commits that `a` has and `b` has not. */
  readonly ahead: number;
  readonly behind: number;
}

/** @throws DvError `missing-object` */
export async function countDivergence(store: ObjectStore, a: Hash, b: Hash): Promise<Divergence> {
  if (a === b) return { ahead: 0, behind: 0 };
  const levels = new Map<number, Map<Hash, { readonly commit: Commit; marks: number }>>();
  let highest = 0;
  let open = 0; // commits waiting that only one side has, as far as is known
  const meet = async (hash: Hash, marks: number): Promise<void> => {
    const commit = await readCommit(store, hash);
    const level = levels.get(commit.generation) ?? new Map();
    levels.set(commit.generation, level);
    const met = level.get(hash) ?? { commit, marks: 0 };
    const wasOpen = met.marks === FROM_A || met.marks === FROM_B;
    met.marks |= marks;
    open += Number(met.marks !== COMMON) - Number(wasOpen);
    level.set(hash, met);
    highest = Math.max(highest, commit.generation);
  };
  await meet(a, FROM_A);
  await meet(b, FROM_B);
  const counts = [0, 0, 0, 0];
  for (; highest > 0 && open > 0; highest--) {
    for (const [hash, { commit, marks }] of levels.get(highest) ?? []) {
      counts[marks] += 1;
      if (marks !== COMMON) open -= 1;
      for (const parent of parentsHere(store, hash, commit)) await meet(parent, marks);
    }
    levels.delete(highest);
  }
  return { ahead: counts[FROM_A], behind: counts[FROM_B] };
}
