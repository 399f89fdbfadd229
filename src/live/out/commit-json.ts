/** Commits as messages: one a commit, under the name of its ref. */
import type { Hash } from '../../hash.ts';
import type { CommitInRange, TableRowCounts } from '../contract.ts';
import type { ChangeMessage } from './change-message.ts';

export interface ToldCommit {
  readonly repo: string;
  readonly ref: string;
  /** What the ref was at before; null: nothing. */
  readonly old: Hash | null;
  readonly commit: Pick<
    CommitInRange,
    'hash' | 'message' | 'author' | 'committed' | 'parents' | 'generation'
  >;
  readonly tables: readonly TableRowCounts[] | undefined;
}

export function commitMessage({ repo, ref, old, commit, tables }: ToldCommit): ChangeMessage {
  const { hash, message, author, committed, parents, generation } = commit;
  const value = JSON.stringify({
    ...{ type: 'commit', repo, ref, old, commit: hash, parents, message, author },
    ...{ time: committed, sequence: generation, tables },
  });
  return { key: ref, value };
}

export function refDeletedMessage(repo: string, ref: string, old: Hash): ChangeMessage {
  return { key: ref, value: JSON.stringify({ type: 'ref-deleted', repo, ref, old }) };
}
