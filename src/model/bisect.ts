/**
 * Halving history: of the commits that the bad one has and the good ones have not, the one whose
 * answer tells most: with as many candidates among its ancestors as not.
 */
import type { Hash } from '../hash.ts';
import type { ObjectStore } from '../store/contract.ts';
import { walkHistory } from './history.ts';

export interface Candidates {
  /** Children before parents; the first is the bad commit. */
  readonly commits: readonly Hash[];
  readonly parents: ReadonlyMap<Hash, readonly Hash[]>;
}

/** Of more, weights are guessed from the order. */
const MOST_WEIGHED = 4000;

/** Commits that may be the first bad one. Cost: each read once. */
export async function findCandidates(
  store: ObjectStore,
  bad: Hash,
  good: readonly Hash[],
): Promise<Candidates> {
  const commits: Hash[] = [];
  const all = new Map<Hash, readonly Hash[]>();
  for await (const { hash, commit } of walkHistory(store, [bad], { exclude: good })) {
    commits.push(hash);
    all.set(hash, commit.parents);
  }
  const parents = new Map(
    [...all].map(([hash, list]) => [hash, list.filter((parent) => all.has(parent))]),
  );
  return { commits, parents };
}

/** The next commit to try, not one of `skipped`; undefined: the first bad one is left alone. */
export function chooseNext(
  { commits, parents }: Candidates,
  skipped: ReadonlySet<Hash>,
): Hash | undefined {
  const size = commits.length;
  let best: { hash: Hash; score: number } | undefined;
  const weights = weigh(commits, parents);
  for (const [i, hash] of commits.entries()) {
    if (i === 0 || skipped.has(hash)) continue;
    const weight = weights[i];
    const score = Math.min(weight, size - weight);
    if (best === undefined || score > best.score) best = { hash, score };
  }
  return best?.hash;
}

/** How many candidates each commit has among itself and its ancestors. */
function weigh(commits: readonly Hash[], parents: Candidates['parents']): number[] {
  const isStraight = commits.every((hash) => (parents.get(hash) ?? []).length < 2);
  if (isStraight || commits.length > MOST_WEIGHED) return commits.map((_, i) => commits.length - i);
  return commits.map((hash) => {
    const seen = new Set([hash]);
    const open = [hash];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      for (const parent of parents.get(next) ?? []) {
        if (!seen.has(parent)) open.push(parent);
        seen.add(parent);
      }
    }
    return seen.size;
  });
}
