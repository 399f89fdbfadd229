/**
 * What is left of a cherry-pick, a revert or a rebase that stopped: the state `sequence`, JSON.
 * Steps that went through are commits already; nothing of a sequence that runs through is ever
 * stored here, as it ends in one transaction.
 */
import { DvError } from '../errors.ts';
import type { Hash } from '../hash.ts';
import { mergeUpdate, type StoredMerge } from '../model/merge-state.ts';
import type { StateUpdate, Store } from '../store/contract.ts';
import type { ColumnRule } from '../tuple/schema.ts';
import type { Repository } from './repository.ts';

export const SEQUENCE_KEY = 'sequence';

export type SequenceOperation = 'cherry-pick' | 'revert' | 'rebase';

export type StepAction = 'pick' | 'revert' | 'reword' | 'edit' | 'squash' | 'fixup';

export interface SequenceStep {
  readonly action: StepAction;
  readonly commit: Hash;
  /** In place of the commit's own. */
  readonly message?: string;
}

export interface SequenceOptions {
  /** Which parent of a merge counts as before it, from 1. */
  readonly mainline?: number;
  /** Say in the message where the commit comes from. */
  readonly record?: boolean;
  /** false: only stage what the steps bring. */
  readonly commit?: boolean;
  readonly resolve?: ColumnRule;
}

export interface SequenceState {
  readonly operation: SequenceOperation;
  /** The first is the one that it stopped at. */
  readonly todo: readonly SequenceStep[];
  /** HEAD's commit when it began, and its branch; null: detached. */
  readonly start: Hash;
  readonly branch: string | null;
  /** HEAD's commit when it stopped: another one means that somebody committed. */
  readonly at: Hash;
  readonly options: SequenceOptions;
  /** Commits that brought nothing. */
  readonly skipped: readonly Hash[];
}

export interface StoredSequence {
  readonly state: SequenceState;
  readonly raw: Uint8Array;
}

/** @throws DvError `corrupt` */
export async function readSequence(store: Store): Promise<StoredSequence | undefined> {
  const raw = await store.getState(SEQUENCE_KEY);
  if (raw === undefined) return undefined;
  try {
    return { state: JSON.parse(Buffer.from(raw).toString()) as SequenceState, raw };
  } catch (cause) {
    throw new DvError('corrupt', 'the state of the sequence in progress is not valid', { cause });
  }
}

export function sequenceUpdate(
  state: SequenceState | null,
  expect: Uint8Array | null,
): StateUpdate {
  const value = state === null ? null : Buffer.from(JSON.stringify(state));
  return { key: SEQUENCE_KEY, value, expect };
}

/**
 * What ends a merge that waits by other means than `--continue`; as in git that is the end of a
 * cherry-pick or revert, too, of which it is the last step. A rebase has its branch to move yet.
 */
export async function endOfMerge(
  store: Store,
  { state, raw }: StoredMerge,
): Promise<StateUpdate[]> {
  const over = mergeUpdate(null, raw);
  const sequence = await readSequence(store);
  if (sequence === undefined) return [over];
  const { operation, todo } = sequence.state;
  const isLast = operation === state.operation && operation !== 'rebase' && todo.length === 1;
  return isLast ? [over, sequenceUpdate(null, sequence.raw)] : [over];
}

/** @throws DvError `sequence-in-progress` */
export async function requireNoSequence(repo: Repository): Promise<void> {
  const sequence = await readSequence(repo.store);
  if (sequence === undefined) return;
  const { operation } = sequence.state;
  throw new DvError('sequence-in-progress', `a ${operation} is in progress`, {
    hint: `dv ${operation} --continue goes on, dv ${operation} --abort goes back`,
    data: { operation },
  });
}

/** @throws DvError `no-sequence` */
export async function requireSequence(
  repo: Repository,
  operation: SequenceOperation,
): Promise<StoredSequence> {
  const sequence = await readSequence(repo.store);
  if (sequence?.state.operation === operation) return sequence;
  const other = sequence?.state.operation;
  throw new DvError('no-sequence', `there is no ${operation} in progress`, {
    hint: other === undefined ? `dv ${operation} COMMIT` : `a ${other} is: dv ${other} --continue`,
  });
}
