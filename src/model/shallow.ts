/**
 * The boundary of a shallow repository: commits that are here while their parents are not. It
 * is kept in the state `shallow`, one hash a line in order, and changes in the transaction that
 * brings the commits (sync/receive). Walks of the history stop there; whoever needs a parent
 * all the same gets `missing-object`, and porcelain fetches it.
 */
import { type Hash, isHash } from '../hash.ts';
import type { ObjectStore, RefStore, StateUpdate } from '../store/contract.ts';

export const SHALLOW_KEY = 'shallow';

const NONE: ReadonlySet<Hash> = new Set();

/** A store that knows its boundary: what `openRepository` makes of one. */
export interface BoundedStore {
  readonly shallow?: ReadonlySet<Hash>;
}

/** Empty: all of the history is here. */
export function boundaryOf(store: ObjectStore & BoundedStore): ReadonlySet<Hash> {
  return store.shallow ?? NONE;
}

/** The parents to walk on to: none where the boundary is. */
export function parentsHere(
  store: ObjectStore & BoundedStore,
  hash: Hash,
  { parents }: { readonly parents: readonly Hash[] },
): readonly Hash[] {
  return boundaryOf(store).has(hash) ? [] : parents;
}

export async function readShallow(store: RefStore): Promise<ReadonlySet<Hash>> {
  const value = await store.getState(SHALLOW_KEY);
  if (value === undefined) return NONE;
  return new Set(Buffer.from(value).toString('latin1').split('\n').filter(isHash));
}

/** The update that makes `now` the boundary, where it was `before`. */
export function shallowUpdate(now: ReadonlySet<Hash>, before: ReadonlySet<Hash>): StateUpdate {
  return { key: SHALLOW_KEY, value: encode(now), expect: encode(before) };
}

function encode(commits: ReadonlySet<Hash>): Uint8Array | null {
  return commits.size === 0 ? null : Buffer.from([...commits].sort().join('\n'), 'latin1');
}
