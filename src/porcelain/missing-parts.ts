/**
 * What of a repository is not here: old commits of a shallow clone, other tables of a partial
 * one. The state `partial` holds `{"remote","tables"}` as JSON: the remote that has the rest,
 * and the tables that are here always.
 */
import { readShallow } from '../model/shallow.ts';
import type { Repository } from './repository.ts';

export const PARTIAL_KEY = 'partial';

export interface Partial {
  readonly remote: string;
  readonly tables: readonly string[];
}

export interface MissingParts {
  readonly shallow?: { readonly boundary: number };
  readonly partial?: Partial;
}

export async function readPartial({
  store,
}: Pick<Repository, 'store'>): Promise<Partial | undefined> {
  const value = await store.getState(PARTIAL_KEY);
  return value === undefined ? undefined : (JSON.parse(Buffer.from(value).toString()) as Partial);
}

export async function missingParts(repo: Pick<Repository, 'store'>): Promise<MissingParts> {
  const shallow = await readShallow(repo.store);
  const partial = await readPartial(repo);
  return {
    ...(shallow.size > 0 && { shallow: { boundary: shallow.size } }),
    ...(partial && { partial }),
  };
}
