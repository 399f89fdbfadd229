/**
 * Which commits a receiver lacks, newest (highest generation) first.
 *
 * The receiver has its `commons` with all their ancestors, but for those behind a commit that
 * it says is `shallow`. Commits are taken by falling generation, so whoever is taken has heard
 * from all its descendants. Cost: the commits to send, and what the receiver has above the
 * oldest of them.
 *
 * With a depth, a commit counts when the shortest way to it from a want has fewer steps than
 * that; the walk then goes through commits that the receiver has, and so deepens.
 */
import type { Hash } from '../hash.ts';
import { readCommit } from '../model/object-reader.ts';
import type { Commit } from '../model/objects.ts';
import type { ObjectStore } from '../store/contract.ts';

export interface HistoryQuestion {
  readonly wants: readonly Hash[];
  readonly commons: readonly Hash[];
  /** Commits whose parents the receiver lacks. */
  readonly shallow: ReadonlySet<Hash>;
  /** Commits whose parents are not here. */
  readonly ends: ReadonlySet<Hash>;
}

export interface WantedCommit {
  readonly hash: Hash;
  readonly commit: Commit;
}

const WANTED = 1;
const HAD = 2;

interface Met {
  readonly commit: Commit;
  marks: number;
}

/** Commits met, by generation; the highest is taken first. */
class Levels {
  private readonly objects: ObjectStore;
  private readonly levels = new Map<number, Map<Hash, Met>>();
  highest = 0;

  constructor(objects: ObjectStore) {
    this.objects = objects;
  }

  async meet(hash: Hash, marks: number): Promise<{ before: number; after: number }> {
    const commit = await readCommit(this.objects, hash);
    const level = this.levels.get(commit.generation) ?? new Map<Hash, Met>();
    this.levels.set(commit.generation, level);
    const met = level.get(hash) ?? { commit, marks: 0 };
    level.set(hash, met);
    const before = met.marks;
    met.marks |= marks;
    this.highest = Math.max(this.highest, commit.generation);
    return { before, after: met.marks };
  }

  take(): [Hash, Met][] {
    const level = [...(this.levels.get(this.highest) ?? [])];
    this.levels.delete(this.highest);
    this.highest -= 1;
    return level;
  }
}

const isOpen = (marks: number): boolean => marks === WANTED;

/** @throws DvError `missing-object` */
export async function* walkWanted(
  objects: ObjectStore,
  { wants, commons, shallow, ends }: HistoryQuestion,
): AsyncGenerator<WantedCommit> {
  const levels = new Levels(objects);
  let open = 0;
  const meet = async (hash: Hash, marks: number): Promise<void> => {
    const { before, after } = await levels.meet(hash, marks);
    open += Number(isOpen(after)) - Number(isOpen(before));
  };
  for (const hash of commons) await meet(hash, HAD);
  for (const hash of wants) await meet(hash, WANTED);
  while (levels.highest > 0 && open > 0) {
    for (const [hash, { commit, marks }] of levels.take()) {
      if (isOpen(marks)) {
        open -= 1;
        yield { hash, commit };
      }
      if (ends.has(hash) || ((marks & HAD) !== 0 && shallow.has(hash))) continue;
      for (const parent of commit.parents) await meet(parent, (marks & HAD) === 0 ? WANTED : HAD);
    }
  }
}

export interface DeepHistory {
  readonly commits: readonly WantedCommit[];
  /** The commits whose parents the receiver will lack when it has these. */
  readonly shallow: readonly Hash[];
}

/** Cost: the commits within the depth, and as many of the receiver's. */
export async function wantedWithin(
  objects: ObjectStore,
  { wants, commons, shallow, ends }: HistoryQuestion,
  depth: number,
): Promise<DeepHistory> {
  const within = new Map<Hash, Commit>();
  let row = [...new Set(wants)];
  for (let steps = 0; steps < depth && row.length > 0; steps++) {
    const next = new Set<Hash>();
    for (const hash of row) {
      const commit = await readCommit(objects, hash);
      within.set(hash, commit);
      if (!ends.has(hash)) for (const parent of commit.parents) next.add(parent);
    }
    row = [...next].filter((hash) => !within.has(hash));
  }
  const beyond = new Set(row);
  let floor = Number.POSITIVE_INFINITY;
  for (const { generation } of within.values()) floor = Math.min(floor, generation);
  for (const hash of beyond) {
    floor = Math.min(floor, (await readCommit(objects, hash)).generation);
  }
  const had = await hadAbove(objects, { commons, shallow, ends }, floor);
  const lacks = (hash: Hash): boolean => !within.has(hash) && !had.has(hash);
  const ending = [...within].filter(
    ([hash, { parents }]) => (ends.has(hash) && parents.length > 0) || parents.some(lacks),
  );
  const still = [...shallow].filter((hash) => !within.has(hash));
  const commits = [...within].filter(([hash]) => !had.has(hash));
  return {
    commits: commits
      .map(([hash, commit]) => ({ hash, commit }))
      .sort((a, b) => b.commit.generation - a.commit.generation),
    shallow: [...ending.map(([hash]) => hash), ...still],
  };
}

/** What the receiver has, down to a generation. */
async function hadAbove(
  objects: ObjectStore,
  { commons, shallow, ends }: Omit<HistoryQuestion, 'wants'>,
  floor: number,
): Promise<ReadonlySet<Hash>> {
  const had = new Set<Hash>();
  const levels = new Levels(objects);
  for (const hash of commons) await levels.meet(hash, HAD);
  while (levels.highest > 0 && levels.highest >= floor) {
    for (const [hash, { commit }] of levels.take()) {
      had.add(hash);
      if (ends.has(hash) || shallow.has(hash)) continue;
      for (const parent of commit.parents) await levels.meet(parent, HAD);
    }
  }
  return had;
}
