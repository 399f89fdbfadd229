/**
 * What a ref command comes to, given where the ref is: a move, nothing to do, a merge, or a
 * refusal. Reads only, but that merged chunks are put into the node store it is given.
 */
import { DvError } from '../errors.ts';
import type { Hash } from '../hash.ts';
import { autoMerge } from '../model/auto-merge.ts';
import { findOrigins } from '../model/cell-origin.ts';
import { isAncestor } from '../model/history.ts';
import type { KnownAncestry } from '../model/known-ancestry.ts';
import type { CommitMerge } from '../model/merge-commits.ts';
import { BRANCH_PREFIX, checkRefName, shortRefName, TAG_PREFIX } from '../model/names.ts';
import { readChunk } from '../model/object-reader.ts';
import { COMMIT_KIND, TAG_KIND } from '../model/objects.ts';
import type { NodeStore } from '../prolly/node-store.ts';
import type { RefUpdate } from '../store/contract.ts';
import type { RefCommand, RefOutcome } from './protocol.ts';

export interface Verdict {
  readonly outcome: RefOutcome;
  /** undefined: nothing to move. */
  readonly update: RefUpdate | undefined;
  readonly head?: Hash | null;
}

/** Makes the error of a merge with conflicts; `swapped`: what is there is its theirs. */
export type ConflictError = (merge: CommitMerge, swapped: boolean) => Promise<DvError>;

/** The name as it must be for a push. @throws DvError `bad-name` */
export function checkPushedRef(ref: string): void {
  if (ref.startsWith(BRANCH_PREFIX)) checkRefName('branch', ref.slice(BRANCH_PREFIX.length));
  else if (ref.startsWith(TAG_PREFIX)) checkRefName('tag', ref.slice(TAG_PREFIX.length));
  else {
    throw new DvError('bad-name', `'${ref.slice(0, 120)}' is neither a branch nor a tag`, {
      hint: 'refs/heads/NAME or refs/tags/NAME',
      data: { ref },
    });
  }
}

export interface Judging {
  readonly nodes: NodeStore;
  readonly ancestry: KnownAncestry;
  /** Makes the error of a merge that does not go through. */
  readonly conflicts: ConflictError;
}

/** @throws DvError why the update is refused */
export async function judge(
  judging: Judging,
  command: RefCommand,
  head: Hash | null,
): Promise<Verdict> {
  const { nodes } = judging;
  const { ref, old, strategy } = command;
  const to = command.new;
  if (to === head) return done(ref, to, head);
  if (to === null) {
    if (old !== head) throw moved(command, head);
    return move(ref, null, head);
  }
  await requireNameable(nodes, ref, to);
  if (strategy === 'merge') return merge(judging, command, to, head);
  if (old !== head) throw moved(command, head);
  if (head !== null && strategy === 'ff-only') await requireForward(nodes, ref, head, to);
  return move(ref, to, head);
}

const done = (ref: string, hash: Hash | null, head: Hash | null): Verdict => ({
  outcome: { ref, status: 'ok', hash },
  update: undefined,
  head,
});

const move = (name: string, to: Hash | null, head: Hash | null): Verdict => ({
  outcome: { ref: name, status: 'ok', hash: to },
  update: { name, old: head, new: to },
  head,
});

function moved({ ref, old }: RefCommand, head: Hash | null): DvError {
  const name = shortRefName(ref);
  const where = head === null ? 'is not there' : `is at ${head.slice(0, 12)}`;
  return new DvError('ref-moved', `push to '${name}' refused: it ${where} on the other side`, {
    hint: 'dv pull, then push again',
    data: { ref, expected: old, head },
  });
}

/** A branch leads to a commit, a tag to a commit or an annotated tag. */
async function requireNameable(nodes: NodeStore, ref: string, hash: Hash): Promise<void> {
  const [kind] = await readChunk(nodes.objects, hash);
  if (kind === COMMIT_KIND || (kind === TAG_KIND && ref.startsWith(TAG_PREFIX))) return;
  throw new DvError('push-refused', `'${ref}' cannot point at '${hash}', which is no commit`);
}

async function requireForward(nodes: NodeStore, ref: string, head: Hash, to: Hash): Promise<void> {
  const name = shortRefName(ref);
  if (ref.startsWith(TAG_PREFIX)) {
    throw new DvError('already-exists', `the tag '${name}' is there and points elsewhere`, {
      hint: 'dv push --force',
      data: { ref, head },
    });
  }
  if (await isAncestor(nodes.objects, head, to)) return;
  throw new DvError(
    'not-fast-forward',
    `push to '${name}' refused: the remote has commits you do not have`,
    { hint: 'dv pull, then push again', data: { ref, head } },
  );
}

async function merge(
  { nodes, ancestry, conflicts }: Judging,
  { ref }: RefCommand,
  to: Hash,
  head: Hash | null,
): Promise<Verdict> {
  if (head === null) return move(ref, to, head);
  if (ref.startsWith(TAG_PREFIX)) await requireForward(nodes, ref, head, to);
  const { objects } = nodes;
  const met = await ancestry.meet(objects, ref, head, to);
  if (met?.has(to) ?? (await isAncestor(objects, to, head))) return done(ref, head, head);
  if (met?.has(head) ?? (await isAncestor(objects, head, to))) return move(ref, to, head);
  const bases = met !== undefined && met.size < 2 ? [...met] : undefined;
  const merged = await autoMerge(nodes, [head, to], findOrigins, bases);
  if (merged.merge.bases.length === 0) {
    throw new DvError('unrelated-histories', `'${shortRefName(ref)}' has nothing in common`, {
      hint: 'dv pull --allow-unrelated-histories, then push',
    });
  }
  if (merged.commit === undefined) throw await conflicts(merged.merge, head > to);
  nodes.put(merged.commit);
  await nodes.flush();
  const { hash } = merged.commit;
  return {
    outcome: { ref, status: 'merged', hash },
    update: { name: ref, old: head, new: hash },
    head,
  };
}
