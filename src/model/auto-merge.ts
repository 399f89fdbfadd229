/**
 * The commit that an automatic merge of two heads makes: a pure function of the two, so that
 * two nodes that merge the same pair make the same commit, byte for byte, and need not exchange
 * it. Ours is the head with the smaller hash; parents in hash order; author, message and clock
 * are fixed or taken from the heads.
 */
import type { Hash } from '../hash.ts';
import type { NodeStore } from '../prolly/node-store.ts';
import type { ChunkToPut } from '../store/contract.ts';
import type { FindOrigins } from './cell-origin.ts';
import { compareClocks } from './clock.ts';
import { type CommitMerge, mergeCommits } from './merge-commits.ts';
import { resolvedExtra } from './merge-record.ts';
import { readCommit } from './object-reader.ts';
import { type Clock, encodeCommit, type Person, toChunk } from './objects.ts';

export const AUTO_MERGE_MESSAGE = 'Merge automatically';

export interface AutoMerge {
  readonly merge: CommitMerge;
  /** The merge commit, not stored yet; undefined when there are conflicts. */
  readonly commit: ChunkToPut | undefined;
}

/** Only rules of the tables decide; `bases`: the merge bases, for who knows them. @throws DvError `corrupt`, `missing-object` */
export async function autoMerge(
  nodes: NodeStore,
  heads: readonly [Hash, Hash],
  findOrigins: FindOrigins,
  bases?: readonly Hash[],
): Promise<AutoMerge> {
  const [ours, theirs] = [...heads].sort();
  const merge = await mergeCommits(nodes, ours, theirs, { findOrigins, ...(bases && { bases }) });
  if (merge.conflicts.length > 0) return { merge, commit: undefined };
  const parents = [await readCommit(nodes.objects, ours), await readCommit(nodes.objects, theirs)];
  const later = parents.map(({ clock }) => clock).sort(compareClocks)[1];
  const clock: Clock = { ...later, counter: later.counter + 1 };
  const person: Person = { name: 'dv', email: '', time: clock.ms, zone: 0 };
  const bytes = encodeCommit({
    root: merge.root,
    parents: [ours, theirs],
    author: person,
    committer: person,
    message: AUTO_MERGE_MESSAGE,
    clock,
    generation: 1 + Math.max(...parents.map(({ generation }) => generation)),
    extra: resolvedExtra(merge.resolved),
  });
  return { merge, commit: toChunk(bytes) };
}
