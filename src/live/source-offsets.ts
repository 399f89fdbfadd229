/**
 * How far each stream has been taken into a branch: the map `source` in a commit's extra
 * fields, {source name: {partition: next offset}}.
 *
 * The nearest commit with such a map, from the head on, speaks for the branch: whoever writes
 * one copies the entries of all sources. Commits without one (made by hand) are passed over.
 * At a merge each parent's line is asked, and the answers are merged source by source: what
 * one line moved since they parted holds; where both did, that of the first parent.
 */
import type { Hash } from '../hash.ts';
import { isAncestor } from '../model/history.ts';
import { mergeBases } from '../model/merge-base.ts';
import { readCommit } from '../model/object-reader.ts';
import type { Commit } from '../model/objects.ts';
import type { ObjectStore } from '../store/contract.ts';
import type { SourceOffsets } from './contract.ts';

export type SourceMap = Readonly<Record<string, SourceOffsets>>;

const NONE: SourceMap = Object.freeze({});

/** The map in a commit itself; undefined: it has none. */
export function sourcesOf({ extra }: Commit): SourceMap | undefined {
  const { source } = extra;
  if (!isRecord(source)) return undefined;
  const isWhole = (offsets: unknown) =>
    isRecord(offsets) && Object.values(offsets).every((offset) => typeof offset === 'string');
  return Object.values(source).every(isWhole) ? (source as SourceMap) : undefined;
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What is known of commits passed before, so that nothing is walked twice. */
export type KnownSources = (commit: Hash) => SourceMap | undefined;

interface Found {
  readonly commit: Hash;
  readonly sources: SourceMap;
}

/** The map that holds at `head`. Cost: the commits since the nearest that has one, or is known. */
export async function readSources(
  store: ObjectStore,
  head: Hash | null,
  known: KnownSources = () => undefined,
): Promise<SourceMap> {
  if (head === null) return NONE;
  return (await new SourceWalk(store, known).find(head))?.sources ?? NONE;
}

class SourceWalk {
  readonly #store: ObjectStore;
  readonly #known: KnownSources;
  /** Commits whose line is being walked or was: what several lines share is walked once. */
  readonly #seen = new Set<Hash>();

  constructor(store: ObjectStore, known: KnownSources) {
    this.#store = store;
    this.#known = known;
  }

  /** Lines are walked one after the other, with a list of their own and no recursion. */
  async find(head: Hash): Promise<Found | undefined> {
    const starts = [head];
    let best: Found | undefined;
    while (starts.length > 0) {
      const found = await this.#walkLine(starts.pop() as Hash, starts);
      if (found !== undefined) best = await this.#join(best, found);
    }
    return best;
  }

  /** Down first parents to the nearest map; other parents met are left in `starts`. */
  async #walkLine(start: Hash, starts: Hash[]): Promise<Found | undefined> {
    const others: Hash[] = [];
    let found: Found | undefined;
    for (let hash: Hash | undefined = start; hash !== undefined && !this.#seen.has(hash); ) {
      this.#seen.add(hash);
      const known = this.#known(hash);
      const commit: Commit | undefined =
        known === undefined ? await readCommit(this.#store, hash) : undefined;
      const sources = known ?? (commit && sourcesOf(commit));
      if (sources !== undefined || commit === undefined) {
        found = { commit: hash, sources: sources ?? NONE };
        break;
      }
      others.push(...commit.parents.slice(1));
      hash = commit.parents[0];
    }
    starts.push(...others.reverse());
    return found;
  }

  /** What holds where two lines meet; the first found is nearer the first parent. */
  async #join(best: Found | undefined, found: Found): Promise<Found> {
    if (best === undefined || best.commit === found.commit) return found;
    if (await isAncestor(this.#store, best.commit, found.commit)) return found;
    const [base] = await mergeBases(this.#store, best.commit, found.commit);
    if (base === found.commit) return best;
    const before = await readSources(this.#store, base ?? null);
    const sources = new Map(Object.entries(best.sources));
    for (const [name, offsets] of Object.entries(found.sources)) {
      if (sameOffsets(sources.get(name) ?? null, before[name] ?? null)) sources.set(name, offsets);
    }
    return { commit: best.commit, sources: Object.fromEntries(sources) };
  }
}

export function sameOffsets(a: SourceOffsets | null, b: SourceOffsets | null): boolean {
  if (a === null || b === null) return a === b;
  const names = Object.keys(a);
  return (
    names.length === Object.keys(b).length &&
    names.every((name) => Object.hasOwn(b, name) && a[name] === b[name])
  );
}
