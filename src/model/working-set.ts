/**
 * What is staged: a root, kept in the store's state with the root of HEAD it was made from.
 * Nothing staged means HEAD's own root.
 *
 * When HEAD's branch has moved on meanwhile (another process committed), the staged
 * differences are carried over to the new root table by table; a table that changed on
 * both sides is refused rather than overwritten.
 */
import { DvError } from '../errors.ts';
import { type Hash, parseHash } from '../hash.ts';
import type { NodeStore } from '../prolly/node-store.ts';
import { EMPTY_TREE } from '../prolly/node-writer.ts';
import type { StateUpdate, Store } from '../store/contract.ts';
import { type Head, readHead } from './head.ts';
import { readCommit } from './object-reader.ts';
import { diffRoots, editRoot, type RootEntry } from './root.ts';

export const STAGED_KEY = 'staged';

export interface WorkingSet {
  readonly head: Head;
  /** Root of HEAD's commit; the empty root before the first. */
  readonly headRoot: Hash;
  /** Equal to `headRoot` when nothing is staged. */
  readonly staged: Hash;
  /** What the state holds now: the `expect` of an update. */
  readonly raw: Uint8Array | null;
}

interface StagedRecord {
  readonly root: Hash;
  readonly base: Hash;
}

function parseStaged(bytes: Uint8Array): StagedRecord {
  const [root, base] = Buffer.from(bytes).toString('latin1').split(' ');
  return { root: parseHash(root ?? ''), base: parseHash(base ?? '') };
}

/** The root of a commit, or the empty root when there is none. */
export async function rootOfCommit(nodes: NodeStore, commit: Hash | undefined): Promise<Hash> {
  if (commit === undefined) return EMPTY_TREE;
  return (await readCommit(nodes.objects, commit)).root;
}

/** @throws DvError `ref-moved` when staged work and the branch changed the same table */
export async function readWorkingSet(store: Store, nodes: NodeStore): Promise<WorkingSet> {
  const head = await readHead(store);
  const headRoot = await rootOfCommit(nodes, head.commit);
  const raw = (await store.getState(STAGED_KEY)) ?? null;
  if (raw === null) return { head, headRoot, staged: headRoot, raw };
  const { root, base } = parseStaged(raw);
  const staged = base === headRoot ? root : await carryOver(nodes, base, root, headRoot);
  return { head, headRoot, staged, raw };
}

async function carryOver(nodes: NodeStore, base: Hash, staged: Hash, head: Hash): Promise<Hash> {
  const moved = new Set((await diffRoots(nodes, base, head)).map(({ name }) => name));
  const changes = new Map<string, RootEntry | null>();
  for (const { name, to } of await diffRoots(nodes, base, staged)) {
    if (moved.has(name)) {
      throw new DvError('ref-moved', `the branch changed '${name}' since it was staged`, {
        hint: `dv restore --staged ${name}, then dv add ${name} again`,
        data: { table: name },
      });
    }
    changes.set(name, to ?? null);
  }
  return editRoot(nodes, head, changes);
}

/** The state update that stages `root` on top of what `set` saw. */
export function stagedUpdate(set: WorkingSet, root: Hash, headRoot = set.headRoot): StateUpdate {
  const value = root === headRoot ? null : Buffer.from(`${root} ${headRoot}`, 'latin1');
  return { key: STAGED_KEY, value, expect: set.raw };
}
