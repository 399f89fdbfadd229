/**
 * The store of a repository that lacks something: old commits of a shallow clone, tables of a
 * partial one. What is asked for and missing is fetched, a batch at a time, and then given.
 * Commands fetch beforehand what they see they will need (fill.ts); this is for the rest.
 */
import type { Hash } from '../hash.ts';
import type { NamedEntry } from '../model/root.ts';
import type { BoundedStore } from '../model/shallow.ts';
import type { Store } from '../store/contract.ts';

/** Who brings what a repository lacks. */
export interface Filler {
  /** Chunks into the store; those that it cannot bring stay missing. */
  missing(hashes: readonly Hash[]): Promise<void>;
  /** Tables and files, in one request; the names of those that were lacking. */
  entries(entries: readonly NamedEntry[]): Promise<readonly string[]>;
  /** The commits that a shallow clone left out; false: none were. */
  history(): Promise<boolean>;
}

/** What is missing stays so. */
export const NO_FILLER: Filler = {
  missing: async () => undefined,
  entries: async () => [],
  history: async () => false,
};

const INNER = Symbol('inner');

interface Filling {
  readonly [INNER]?: Store;
}

/** `boundary`: where the history that is here ends, as it is now. */
export function fillingStore<S extends Store>(
  inner: S,
  boundary: () => ReadonlySet<Hash>,
  fill: Filler['missing'],
): S & BoundedStore {
  const getMany = async (hashes: readonly Hash[]) => {
    const found = await inner.getMany(hashes);
    const missing = hashes.filter((_, i) => found[i] === undefined);
    if (missing.length === 0) return found;
    await fill([...new Set(missing)]);
    return inner.getMany(hashes);
  };
  return new Proxy(inner, {
    get(target, name) {
      if (name === INNER) return inner;
      if (name === 'getMany') return getMany;
      if (name === 'shallow') return boundary();
      const own = Reflect.get(target, name);
      return typeof own === 'function' ? own.bind(target) : own;
    },
  }) as S & BoundedStore;
}

/** The store as it is: for sync itself, which must see what is missing. */
export function withoutFilling<S extends Store>(store: S): S {
  return ((store as Filling)[INNER] as S | undefined) ?? store;
}
