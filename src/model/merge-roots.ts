/**
 * Three roots into one: names that one side changed are taken whole, names that both changed
 * are merged by table (merge-table.ts) or, as plain files, as a whole.
 *
 * A merged root is always whole: where a name is in conflict it has what ours has.
 */
import type { Hash } from '../hash.ts';
import type { NodeStore } from '../prolly/node-store.ts';
import { DecisionLog, NOTHING_RESOLVED } from './decisions.ts';
import { mergeTables } from './merge-table.ts';
import type { EntryConflict, MergeOptions, Renumbered, RootMerge, Sides } from './merge-types.ts';
import { foldName } from './names.ts';
import {
  type DialectRecord,
  diffRoots,
  type EntryDifference,
  editRoot,
  listRoot,
  type RootEntry,
  sameEntry,
} from './root.ts';

/**
 * New chunks are in the store when it resolves. Cost: what both sides changed. With a `log` of
 * the caller's own what rules decide goes there, and `resolved` says nothing.
 * @throws DvError `corrupt`, `missing-object`
 */
export async function mergeRoots(
  nodes: NodeStore,
  sides: Sides<Hash>,
  options: MergeOptions = {},
  log?: DecisionLog,
): Promise<RootMerge> {
  const decisions = log ?? new DecisionLog();
  const merge = new RootMerger(nodes, options, decisions);
  const inOurs = new Map(
    (await diffRoots(nodes, sides.base, sides.ours)).map((difference) => [
      difference.name,
      difference,
    ]),
  );
  const theirs = await diffRoots(nodes, sides.base, sides.theirs);
  const twins = await findTwins(nodes, sides.ours, inOurs, theirs);
  for (const difference of theirs) {
    await merge.add(difference, inOurs.get(difference.name), twins.get(difference.name));
  }
  const resolved = log === undefined ? decisions.finish() : NOTHING_RESOLVED;
  return { ...(await merge.finish(sides.ours)), resolved };
}

class RootMerger {
  readonly #nodes: NodeStore;
  readonly #options: MergeOptions;
  readonly #log: DecisionLog;
  readonly #changes = new Map<string, RootEntry | null>();
  readonly #conflicts: EntryConflict[] = [];
  readonly #renumbered: Renumbered[] = [];

  constructor(nodes: NodeStore, options: MergeOptions, log: DecisionLog) {
    this.#nodes = nodes;
    this.#options = options;
    this.#log = log;
  }

  /** `ours` undefined: ours left the name alone. `twin`: a name of ours that this one clashes with. */
  async add(
    { name, from, to }: EntryDifference,
    ours: EntryDifference | undefined,
    twin: string | undefined,
  ): Promise<void> {
    const sides = { base: from ?? null, ours: ours?.to ?? null, theirs: to ?? null };
    if (twin !== undefined) this.#refuse(name, sides, [`'${twin}' differs from it only in case`]);
    else if (ours === undefined) this.#changes.set(name, to ?? null);
    else if (!sameEntry(ours.to, to)) await this.#mergeEntries(name, sides);
  }

  async #mergeEntries(name: string, sides: Sides<RootEntry | null>): Promise<void> {
    const { base, ours, theirs } = sides;
    if (ours?.kind === 'table' && theirs?.kind === 'table' && base?.kind !== 'file') {
      await this.#mergeTable(name, sides, { base, ours, theirs });
      return;
    }
    const { fallback } = this.#options;
    const isChosen = fallback === 'ours' || fallback === 'theirs';
    if (isChosen) this.#choose(name, sides, fallback);
    else if ([base, ours, theirs].every((entry) => entry === null || entry.kind === 'file')) {
      this.#keep(name, sides);
      this.#conflicts.push({ kind: 'file', table: name, sides });
    } else {
      const isMixed = ours !== null && theirs !== null;
      const reason = isMixed
        ? 'it is a table on one side and a plain file on the other'
        : 'one side removed it and the other changed it';
      this.#refuse(name, sides, [reason]);
    }
  }

  #choose(name: string, sides: Sides<RootEntry | null>, rule: 'ours' | 'theirs'): void {
    const none = { base: null, ours: null, theirs: null };
    this.#log.add({ table: name, key: [], column: null, rule, sides: none, result: null });
    if (rule === 'theirs') this.#changes.set(name, sides.theirs);
  }

  #keep(name: string, { base }: Sides<RootEntry | null>): void {
    if (this.#options.keep === 'base') this.#changes.set(name, base);
  }

  #refuse(name: string, sides: Sides<RootEntry | null>, reasons: readonly string[]): void {
    this.#keep(name, sides);
    this.#conflicts.push({ kind: 'table', table: name, sides, reasons });
  }

  async #mergeTable(
    name: string,
    sides: Sides<RootEntry | null>,
    { base, ours, theirs }: TablesOf,
  ): Promise<void> {
    const versions = { base: base?.table ?? null, ours: ours.table, theirs: theirs.table };
    const dialect = mergeDialects(base?.dialect, ours.dialect, theirs.dialect);
    const result = await mergeTables(this.#nodes, name, versions, this.#options, this.#log);
    if (result.kind === 'refused') {
      const { fallback } = this.#options;
      if (fallback === 'ours' || fallback === 'theirs') this.#choose(name, sides, fallback);
      else this.#refuse(name, sides, result.reasons);
      return;
    }
    if (result.conflicts !== undefined) this.#conflicts.push(result.conflicts);
    this.#renumbered.push(...result.renumbered);
    this.#changes.set(name, { kind: 'table', table: result.table, dialect });
  }

  async finish(ours: Hash): Promise<Omit<RootMerge, 'resolved'>> {
    const root = await editRoot(this.#nodes, ours, this.#changes);
    await this.#nodes.flush();
    const [conflicts, renumbered] = [this.#conflicts, this.#renumbered];
    return { root, conflicts, renumbered };
  }
}

type TableEntry = RootEntry & { readonly kind: 'table' };

interface TablesOf {
  readonly base: TableEntry | null;
  readonly ours: TableEntry;
  readonly theirs: TableEntry;
}

/** How a file is written: the side's that changed it, else ours. */
function mergeDialects(
  base: DialectRecord | undefined,
  ours: DialectRecord | undefined,
  theirs: DialectRecord | undefined,
): DialectRecord | undefined {
  const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);
  return same(ours, base) ? theirs : ours;
}

/** Names that theirs adds and that one of ours is the same as but for case, by name. */
async function findTwins(
  nodes: NodeStore,
  ours: Hash,
  inOurs: ReadonlyMap<string, EntryDifference>,
  theirs: readonly EntryDifference[],
): Promise<ReadonlyMap<string, string>> {
  const added = theirs.filter(({ from, to }) => from === undefined && to !== undefined);
  const ourNew = [...inOurs.values()].some(({ from }) => from === undefined);
  if (added.length === 0 || !ourNew) return new Map();
  const folded = new Map<string, string>();
  for (const { name } of await listRoot(nodes, ours)) folded.set(foldName(name), name);
  const twins = new Map<string, string>();
  for (const { name } of added) {
    const twin = folded.get(foldName(name));
    if (twin !== undefined && twin !== name) twins.set(name, twin);
  }
  return twins;
}
