/**
 * Every version of one row, newest first.
 *
 * History is simplified as git does it for a file: a commit in which the row is as in one of
 * its parents is passed over, and that parent followed alone; where it is as in none, the commit
 * made a version, and all parents are followed.
 *
 * Cost: a commit that left the table alone is passed over by comparing one hash, one that left
 * the row's leaf alone by comparing a path. Commits, roots, tables and paths of a straight
 * stretch of history are read in batches.
 */
import type { Hash } from '../hash.ts';
import type { NodeStore } from '../prolly/node-store.ts';
import type { Cell } from '../tuple/schema.ts';
import { readCommit } from './object-reader.ts';
import type { Commit } from './objects.ts';
import { RowPaths, type RowState, type VersionedRow } from './row-paths.ts';
import { parentsHere } from './shallow.ts';

export interface RowVersion {
  readonly commit: Hash;
  readonly object: Commit;
  readonly change: 'added' | 'modified' | 'removed';
  /** Before (in the first parent) and after, with their columns; null: absent. */
  readonly from: VersionedRow | null;
  readonly to: VersionedRow | null;
}

/** Commits of a straight stretch that are looked at together. */
const STRETCH = 256;

interface Open {
  readonly hash: Hash;
  readonly commit: Commit;
}

/** @throws DvError `missing-object`, `corrupt` */
export async function* rowHistory(
  nodes: NodeStore,
  head: Hash,
  table: string,
  key: readonly Cell[],
): AsyncGenerator<RowVersion> {
  const paths = new RowPaths(nodes, table, key);
  const open = new Map<Hash, Open>();
  const seen = new Set<Hash>();
  const add = async (hash: Hash): Promise<void> => {
    if (seen.has(hash)) return;
    seen.add(hash);
    open.set(hash, { hash, commit: await readCommit(nodes.objects, hash) });
  };
  await add(head);
  for (let next = latest(open); next !== undefined; next = latest(open)) {
    open.delete(next.hash);
    const at = await passOver(nodes, paths, next);
    // Two branches may be passed over down to one commit: it is told once.
    if (at.hash !== next.hash && seen.has(at.hash)) continue;
    seen.add(at.hash);
    const state = await paths.at(at.commit);
    const before: RowState[] = [];
    let same: Hash | undefined;
    const parents = parentsHere(nodes.objects, at.hash, at.commit);
    for (const parent of parents) {
      const found = await paths.at(await readCommit(nodes.objects, parent));
      before.push(found);
      if (same === undefined && (await paths.isSame(found, state))) same = parent;
    }
    if (same !== undefined) {
      await add(same);
      continue;
    }
    const version = await versionOf(paths, at, before[0], state);
    if (version !== undefined) yield version;
    for (const parent of parents) await add(parent);
  }
}

/** The open commit with the largest generation; of several the later, then the larger hash. */
function latest(open: ReadonlyMap<Hash, Open>): Open | undefined {
  let best: Open | undefined;
  const isBefore = (a: Open, b: Open): boolean => {
    const [x, y] = [a.commit, b.commit];
    if (x.generation !== y.generation) return x.generation < y.generation;
    if (x.clock.ms !== y.clock.ms) return x.clock.ms < y.clock.ms;
    return a.hash < b.hash;
  };
  for (const one of open.values()) if (best === undefined || isBefore(best, one)) best = one;
  return best;
}

/** Down a straight stretch to the last commit that has the row as `from` has it. */
async function passOver(nodes: NodeStore, paths: RowPaths, from: Open): Promise<Open> {
  let at = from;
  for (;;) {
    const stretch: Open[] = [];
    for (let last = at; stretch.length < STRETCH; ) {
      const [hash, ...others] = parentsHere(nodes.objects, last.hash, last.commit);
      if (hash === undefined || others.length > 0) break;
      last = { hash, commit: await readCommit(nodes.objects, hash) };
      stretch.push(last);
    }
    if (stretch.length === 0) return at;
    const state = await paths.at(at.commit);
    const states = await paths.atMany(stretch.map(({ commit }) => commit));
    for (const [i, found] of states.entries()) {
      if (!(await paths.isSame(found, state))) return i === 0 ? at : stretch[i - 1];
    }
    at = stretch[stretch.length - 1];
    if (stretch.length < STRETCH) return at;
  }
}

async function versionOf(
  paths: RowPaths,
  { hash, commit }: Open,
  before: RowState | undefined,
  state: RowState,
): Promise<RowVersion | undefined> {
  const from = before === undefined ? null : await paths.read(before);
  const to = await paths.read(state);
  if (from === null && to === null) return undefined;
  const change = from === null ? 'added' : to === null ? 'removed' : 'modified';
  return { commit: hash, object: commit, change, from, to };
}
