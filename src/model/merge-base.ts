/**
 * The best common ancestors of two commits: those from which no other common ancestor
 * descends. Criss-cross merges leave several; unrelated histories none.
 *
 * Commits are taken by falling generation, so whoever is taken has heard from all its
 * descendants before: of a, of b, or (`BELOW`) of a common ancestor above it. Cost: the
 * commits above the lowest best common ancestor, each read once.
 */
import type { Hash } from '../hash.ts';
import type { ObjectStore } from '../store/contract.ts';
import { readCommit } from './object-reader.ts';
import type { Commit } from './objects.ts';
import { parentsHere } from './shallow.ts';

const FROM_A = 1;
const FROM_B = 2;
const BELOW = 4;
const COMMON = FROM_A | FROM_B;

interface Met {
  readonly commit: Commit;
  marks: number;
}

/** In hash order. @throws DvError `missing-object` */
export async function mergeBases(store: ObjectStore, a: Hash, b: Hash): Promise<Hash[]> {
  if (a === b) return [a];
  const levels = new Map<number, Map<Hash, Met>>();
  let highest = 0;
  let open = 0; // commits waiting that are not below a common ancestor
  const meet = async (hash: Hash, marks: number): Promise<void> => {
    const commit = await readCommit(store, hash);
    const level = levels.get(commit.generation) ?? new Map<Hash, Met>();
    levels.set(commit.generation, level);
    const met = level.get(hash) ?? { commit, marks: 0 };
    const wasOpen = level.has(hash) && (met.marks & BELOW) === 0;
    met.marks |= marks;
    const isOpen = (met.marks & BELOW) === 0;
    open += Number(isOpen) - Number(wasOpen);
    level.set(hash, met);
    highest = Math.max(highest, commit.generation);
  };
  await meet(a, FROM_A);
  await meet(b, FROM_B);
  const bases: Hash[] = [];
  for (; highest > 0 && open > 0; highest--) {
    for (const [hash, { commit, marks }] of levels.get(highest) ?? []) {
      if ((marks & BELOW) === 0) open -= 1;
      const isBase = marks === COMMON;
      if (isBase) bases.push(hash);
      const passed = isBase ? marks | BELOW : marks;
      for (const parent of parentsHere(store, hash, commit)) await meet(parent, passed);
    }
    levels.delete(highest);
  }
  return bases.sort();
}
