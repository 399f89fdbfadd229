/**
 * What of a repository is not here: old commits of a shallow clone, other tables of a partial
 * one. The state `partial` holds `{"remote","tables"}` as JSON: the remote that has the rest,
 * and the tables that are here always.
 */
import type { EntryDifference, RootEntry } from '../model/root.ts';
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

/** Fetches what of these is not here, in one request. Free where nothing was left out. */
export async function needEntries(
  repo: Repository,
  entries: readonly { readonly name: string; readonly entry: RootEntry | undefined }[],
): Promise<readonly string[]> {
  if ((await readPartial(repo)) === undefined) return [];
  const wanted = entries.flatMap(({ name, entry }) =>
    entry === undefined ? [] : [{ name, entry }],
  );
  return repo.filler().entries(wanted);
}

/** The same for both sides of what differs. */
export function needDifferences(
  repo: Repository,
  differences: readonly EntryDifference[],
): Promise<readonly string[]> {
  const sides = differences.flatMap(({ name, from, to }) => [
    { name, entry: from },
    { name, entry: to },
  ]);
  return needEntries(repo, sides);
}

/** Tables that a partial clone left out, and that so have no file unless somebody made one. */
export async function leftOut({
  store,
}: Pick<Repository, 'store'>): Promise<(name: string) => boolean> {
  const partial = await readPartial({ store });
  if (partial === undefined) return () => false;
  const tables = new Set(partial.tables);
  return (name) => !tables.has(name);
}
