/**
 * Commits of this store whose parents are not here: the end of a shallow clone. Kept in the
 * state `shallow` as hashes in hex, a line each; everything that walks history stops there.
 */
import { type Hash, parseHash } from '../hash.ts';
import type { RefStore, StateUpdate } from '../store/contract.ts';

export const SHALLOW_KEY = 'shallow';

/** In hash order. @throws DvError `corrupt` */
export async function readShallow(store: RefStore): Promise<Hash[]> {
  const value = await store.getState(SHALLOW_KEY);
  const text = value === undefined ? '' : Buffer.from(value).toString('latin1');
  return text === '' ? [] : text.split('\n').map(parseHash);
}

/** The update that says so. */
export function shallowUpdate(commits: readonly Hash[]): StateUpdate {
  const lines = [...new Set(commits)].sort().join('\n');
  return { key: SHALLOW_KEY, value: lines === '' ? null : Buffer.from(lines, 'latin1') };
}
