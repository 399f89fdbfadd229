/** What every verb asks first: does a merge, or the like, wait for somebody? */
import { DvError } from '../errors.ts';
import { type MergeOperation, readMerge, type StoredMerge } from '../model/merge-state.ts';
import type { Repository } from './repository.ts';

/** @throws DvError `merge-in-progress` */
export async function requireNoMerge(repo: Repository): Promise<void> {
  const merge = await readMerge(repo.store);
  if (merge === undefined) return;
  const { operation } = merge.state;
  const isMerge = isOfMerge(operation);
  const ends = isMerge ? 'dv commit' : `dv ${operation} --continue`;
  const back = isMerge ? 'dv merge --abort' : `dv ${operation} --abort`;
  throw new DvError('merge-in-progress', `a ${operation} is in progress`, {
    hint: `dv status shows what is left; ${ends} ends it, ${back} goes back`,
    data: { operation },
  });
}

/** Whether `dv merge` ends it and goes back; else the verb of its own does. */
function isOfMerge(operation: MergeOperation): boolean {
  return operation === 'merge' || operation === 'stash';
}

export function noMerge(): DvError {
  return new DvError('no-merge', 'there is no merge in progress', { hint: 'dv merge BRANCH' });
}

/** What `dv merge --continue` and `--abort` are about. @throws DvError `no-merge` */
export async function requireOwnMerge(repo: Repository): Promise<StoredMerge> {
  const merge = await readMerge(repo.store);
  if (merge === undefined) throw noMerge();
  const { operation } = merge.state;
  if (isOfMerge(operation)) return merge;
  throw new DvError('no-merge', 'there is no merge in progress', {
    hint: `a ${operation} is: dv ${operation} --continue goes on, dv ${operation} --abort goes back`,
  });
}
