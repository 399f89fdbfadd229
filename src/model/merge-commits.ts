/**
 * Two commits into one root. With one merge base that is a merge of three roots. Criss-cross
 * histories have several bases: those are merged into a virtual one first, in which a conflict
 * keeps what *their* base has, so that it is asked again and never settled in silence.
 */
import type { Hash } from '../hash.ts';
import type { NodeStore } from '../prolly/node-store.ts';
import { EMPTY_TREE } from '../prolly/node-writer.ts';
import type { FindOrigins } from './cell-origin.ts';
import { mergeBases } from './merge-base.ts';
import { mergeRoots } from './merge-roots.ts';
import type { AskOrigins, MergeOptions, RootMerge } from './merge-types.ts';
import { readCommit } from './object-reader.ts';

export interface CommitMerge extends RootMerge {
  /** In hash order; none: nothing in common, and the base is the empty root. */
  readonly bases: readonly Hash[];
  readonly base: Hash;
}

export interface MergeCommitsOptions extends Omit<MergeOptions, 'origins' | 'keep'> {
  /** For the rule `latest`. */
  readonly findOrigins: FindOrigins;
  /** The merge bases, for who knows them. */
  readonly bases?: readonly Hash[];
}

/** @throws DvError `corrupt`, `missing-object` */
export async function mergeCommits(
  nodes: NodeStore,
  ours: Hash,
  theirs: Hash,
  { findOrigins, bases: known, ...options }: MergeCommitsOptions,
): Promise<CommitMerge> {
  const bases = known ?? (await mergeBases(nodes.objects, ours, theirs));
  const base = await virtualBase(nodes, bases, findOrigins);
  const sides = { base, ours: await rootOf(nodes, ours), theirs: await rootOf(nodes, theirs) };
  const origins = {
    ours: asking(nodes, ours, findOrigins),
    theirs: asking(nodes, theirs, findOrigins),
  };
  return { ...(await mergeRoots(nodes, sides, { ...options, origins })), bases, base };
}

const rootOf = async (nodes: NodeStore, commit: Hash): Promise<Hash> =>
  (await readCommit(nodes.objects, commit)).root;

const asking = (nodes: NodeStore, head: Hash, find: FindOrigins): AskOrigins => {
  return (table, cells) => find(nodes, head, table, cells);
};

/**
 * The root that stands for several bases; of one its own, of none the empty one. A function of
 * the commits alone: they are taken in hash order.
 */
export async function virtualBase(
  nodes: NodeStore,
  bases: readonly Hash[],
  findOrigins: FindOrigins,
): Promise<Hash> {
  const [first, ...others] = [...bases].sort();
  if (first === undefined) return EMPTY_TREE;
  let root = await rootOf(nodes, first);
  for (const other of others) {
    const below = await mergeBases(nodes.objects, first, other);
    const sides = {
      base: await virtualBase(nodes, below, findOrigins),
      ours: root,
      theirs: await rootOf(nodes, other),
    };
    const origins = {
      ours: asking(nodes, first, findOrigins),
      theirs: asking(nodes, other, findOrigins),
    };
    ({ root } = await mergeRoots(nodes, sides, { keep: 'base', origins }));
  }
  return root;
}
