/** What every verb asks first: does a merge, or the like, wait for somebody? */
import { DvError } from '../errors.ts';
import { readMerge } from '../model/merge-state.ts';
import type { Repository } from './repository.ts';

/** @throws DvError `merge-in-progress` */
export async function requireNoMerge(repo: Repository): Promise<void> {
  const merge = await readMerge(repo.store);
  if (merge === undefined) return;
  const { operation } = merge.state;
  throw new DvError('merge-in-progress', `a ${operation} is in progress`, {
    hint: 'dv status shows what is left; dv commit ends it, dv merge --abort goes back',
    data: { operation },
  });
}

export function noMerge(): DvError {
  return new DvError('no-merge', 'there is no merge in progress', { hint: 'dv merge BRANCH' });
}
