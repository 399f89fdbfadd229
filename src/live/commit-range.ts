/** The commits between two, as a feed tells of them. */
import type { Hash } from '../hash.ts';
import { commitsBetween } from '../model/commits-between.ts';
import type { NodeStore } from '../prolly/node-store.ts';
import type { CommitInRange } from './contract.ts';
import { changedEntries, commitFacts, countTables } from './feed-item.ts';

/** @throws DvError `missing-object` when one of the two is gone */
export async function* commitRange(
  nodes: NodeStore,
  from: Hash | null,
  to: Hash,
  counts: boolean,
): AsyncGenerator<CommitInRange> {
  for await (const { hash, parent, commit } of commitsBetween(nodes.objects, from, to)) {
    const fact: CommitInRange = { hash, parent, ...commitFacts(commit) };
    const tables = counts
      ? await countTables(nodes, await changedEntries(nodes, parent, hash))
      : undefined;
    yield tables === undefined ? fact : { ...fact, tables };
  }
}
