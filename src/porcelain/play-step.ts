/**
 * One step of a sequence, in memory: the commit it makes on top of another, or the conflicts it
 * runs into. Each is a merge of three roots:
 *
 *   pick    base is the commit's parent, theirs the commit
 *   revert  base is the commit, theirs its parent
 *   squash  as pick, and the new commit takes the place of the one below
 */
import { DvError } from '../errors.ts';
import type { Hash } from '../hash.ts';
import { resolvedExtra } from '../model/merge-record.ts';
import { mergeRoots } from '../model/merge-roots.ts';
import type { RootMerge } from '../model/merge-types.ts';
import { readCommit } from '../model/object-reader.ts';
import type { Commit, Person } from '../model/objects.ts';
import { rootOfCommit } from '../model/working-set.ts';
import type { ChunkToPut } from '../store/contract.ts';
import { firstLine, newCommit } from './commit.ts';
import { currentPerson } from './people.ts';
import type { Repository } from './repository.ts';
import type { SequenceOptions, SequenceStep } from './sequence.ts';

/** What the commit of a step says. */
export interface StepCommit {
  readonly parents: readonly Hash[];
  readonly message: string;
  readonly author: Person | null;
}

export type PlayedStep =
  | { readonly kind: 'made'; readonly root: Hash; readonly commit: ChunkToPut }
  /** The commit itself: it stands where it would be put. */
  | { readonly kind: 'kept'; readonly root: Hash; readonly commit: Hash }
  /** With `commit: false`. */
  | { readonly kind: 'merged'; readonly root: Hash }
  | { readonly kind: 'empty' }
  | { readonly kind: 'conflicts'; readonly merge: RootMerge; readonly plan: StepCommit };

/** @throws DvError `merge-commit` without a mainline */
export async function playStep(
  repo: Repository,
  step: SequenceStep,
  head: { readonly commit: Hash; readonly root: Hash },
  options: SequenceOptions,
): Promise<PlayedStep> {
  const commit = await readCommit(repo.store, step.commit);
  const parent = parentOf(step, commit, options);
  const isSame = step.action === 'pick' || step.action === 'edit';
  const stands = commit.parents.length === 1 && parent === head.commit;
  const isPlain = options.commit !== false && !options.record && step.message === undefined;
  if (isSame && stands && isPlain) return { kind: 'kept', root: commit.root, commit: step.commit };
  const before = await rootOfCommit(repo.nodes, parent);
  const [base, theirs] = step.action === 'revert' ? [commit.root, before] : [before, commit.root];
  const fallback = options.resolve === undefined ? {} : { fallback: options.resolve };
  const merge = await mergeRoots(repo.nodes, { base, ours: head.root, theirs }, fallback);
  const plan = await planOf(repo, step, commit, head.commit, options);
  if (merge.conflicts.length > 0) return { kind: 'conflicts', merge, plan };
  const isEmpty = merge.root === head.root;
  if (options.commit === false)
    return isEmpty ? { kind: 'empty' } : { kind: 'merged', root: merge.root };
  const changesMessage = step.action === 'squash';
  if (isEmpty && !changesMessage && base !== theirs) return { kind: 'empty' };
  return { kind: 'made', root: merge.root, commit: await makeCommit(repo, merge, plan) };
}

/** A commit as a plan says, with what rules decided. */
export async function makeCommit(
  repo: Repository,
  { root, resolved }: Pick<RootMerge, 'root' | 'resolved'>,
  plan: StepCommit,
): Promise<ChunkToPut> {
  const committer = await currentPerson(repo);
  return newCommit(repo, {
    root,
    parents: plan.parents,
    author: plan.author ?? committer,
    committer,
    message: plan.message,
    extra: resolvedExtra(resolved),
  });
}

function parentOf(
  step: SequenceStep,
  { parents }: Commit,
  { mainline }: SequenceOptions,
): Hash | undefined {
  const short = step.commit.slice(0, 12);
  if (parents.length > 1 && mainline === undefined) {
    throw new DvError(
      'merge-commit',
      `${short} is a merge, and has several parents to start from`,
      {
        hint: '-m 1 counts from its first parent',
        data: { commit: step.commit },
      },
    );
  }
  const place = parents.length > 1 ? (mainline ?? 1) : 1;
  if (place > Math.max(1, parents.length)) {
    throw new DvError('bad-option', `${short} has no parent ${place}`, {
      data: { commit: step.commit },
    });
  }
  return parents[place - 1];
}

async function planOf(
  repo: Repository,
  step: SequenceStep,
  commit: Commit,
  head: Hash,
  options: SequenceOptions,
): Promise<StepCommit> {
  if (step.action === 'revert') {
    const message = step.message ?? revertMessage(step.commit, commit);
    return { parents: [head], message, author: null };
  }
  if (step.action === 'squash' || step.action === 'fixup') {
    const below = await readCommit(repo.store, head);
    const joined =
      step.action === 'fixup' ? below.message : `${below.message}\n\n${commit.message}`;
    return { parents: below.parents, message: step.message ?? joined, author: below.author };
  }
  const origin = options.record ? `\n\n(cherry picked from commit ${step.commit})` : '';
  const message = (step.message ?? commit.message) + origin;
  return { parents: [head], message, author: commit.author };
}

function revertMessage(hash: Hash, { message }: Commit): string {
  return `Revert "${firstLine(message)}"\n\nThis reverts commit ${hash}.`;
}
