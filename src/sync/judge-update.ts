/**
 * What a ref command comes to, given where the ref is: a move, nothing to do, a merge, or a
 * refusal. Reads only, but that merged chunks are put into the node store it is given.
 */
import { DvError } from '../errors.ts';
import type { Hash } from '../hash.ts';
import { autoMerge } from '../model/auto-merge.ts';
import { findOrigins } from '../model/cell-origin.ts';
import { isAncestor } from '../model/history.ts';
import type { CommitMerge } from '../model/merge-commits.ts';
import { BRANCH_PREFIX, checkRefName, shortRefName, TAG_PREFIX } from '../model/names.ts';
import { peelToCommit, readChunk } from '../model/object-reader.ts';
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

/** @throws DvError why the update is refused; `conflicts` makes the error of a merge's */
export async function judge(
  nodes: NodeStore,
  command: RefCommand,
  head: Hash | null,
  conflicts: ConflictError,
): Promise<Verdict> {
  const { ref, old, strategy } = command;
  const to = command.new;
  if (to === head) return done(ref, to, head);
  if (to === null) {
    if (old !== head) throw moved(command, head);
    return move(ref, null, head);
  }
  await requireNameable(nodes, ref, to);
  if (strategy === 'merge') return merge(nodes, command, to, head, conflicts);
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
  nodes: NodeStore,
  { ref }: RefCommand,
  to: Hash,
  head: Hash | null,
  conflicts: ConflictError,
): Promise<Verdict> {
  if (head === null) return move(ref, to, head);
  if (ref.startsWith(TAG_PREFIX)) await requireForward(nodes, ref, head, to);
  const { objects } = nodes;
  if (await isAncestor(objects, to, head)) return done(ref, head, head);
  if (await isAncestor(objects, head, to)) return move(ref, to, head);
  const ours = await peelToCommit(objects, head);
  const merged = await autoMerge(nodes, [ours, to], findOrigins);
  if (merged.merge.bases.length === 0) {
    throw new DvError('unrelated-histories', `'${shortRefName(ref)}' has nothing in common`, {
      hint: 'dv pull --allow-unrelated-histories, then push',
    });
  }
  if (merged.commit === undefined) throw await conflicts(merged.merge, ours > to);
  nodes.put(merged.commit);
  await nodes.flush();
  const { hash } = merged.commit;
  return {
    outcome: { ref, status: 'merged', hash },
    update: { name: ref, old: head, new: hash },
    head,
  };
}
