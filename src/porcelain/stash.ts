/**
 * `dv stash`: unfinished work put aside. An entry is a commit of the working files as they
 * were, with HEAD as its first parent and, as its second, a commit of what was staged. The
 * entries are listed, newest first, in the state `stash`; gc keeps them.
 */

import { DvError } from '../errors.ts';
import type { Hash } from '../hash.ts';
import { mergeRoots } from '../model/merge-roots.ts';
import type { EntryConflict } from '../model/merge-types.ts';
import { readCommit } from '../model/object-reader.ts';
import { diffRoots, editRoot, getRootEntry, listRoot, type RootEntry } from '../model/root.ts';
import { rootOfCommit, stagedUpdate, type WorkingSet } from '../model/working-set.ts';
import type { StateUpdate, Store } from '../store/contract.ts';
import { add, unknownTable } from './add.ts';
import { requireWorkingFiles } from './bare.ts';
import { type CheckoutItem, checkout, hasWorkingFile } from './checkout.ts';
import { type CommitSummary, firstLine, newCommit, summarize } from './commit.ts';
import { requireNoMerge } from './merge-guard.ts';
import { currentPerson } from './people.ts';
import { type Repository, tableNameOf } from './repository.ts';
import type { ResolveResult } from './resolve.ts';
import { selectRows } from './select-rows.ts';
import { requireNoSequence } from './sequence.ts';
import { settleMerge } from './settle-merge.ts';
import { workingSet } from './staging.ts';
import { actorName, moveWorkingSet } from './switch.ts';

const STASH_KEY = 'stash';

export interface StashEntry {
  readonly commit: Hash;
  readonly message: string;
}

interface StoredStash {
  readonly entries: readonly StashEntry[];
  readonly raw: Uint8Array | null;
}

async function readStash(store: Store): Promise<StoredStash> {
  const raw = (await store.getState(STASH_KEY)) ?? null;
  if (raw === null) return { entries: [], raw };
  return { entries: JSON.parse(Buffer.from(raw).toString()) as StashEntry[], raw };
}

function stashUpdate(entries: readonly StashEntry[], expect: Uint8Array | null): StateUpdate {
  const value = entries.length === 0 ? null : Buffer.from(JSON.stringify(entries));
  return { key: STASH_KEY, value, expect };
}

/** Newest first. */
export async function listStash({ store }: Repository): Promise<readonly StashEntry[]> {
  return (await readStash(store)).entries;
}

/** The entry that `2` or `stash@{2}` names; default the newest. @throws DvError `no-stash` */
export async function findStash(repo: Repository, text = '0'): Promise<StashEntry> {
  const { entries } = await readStash(repo.store);
  return entries[placeOf(entries, text)];
}

function placeOf(entries: readonly StashEntry[], text: string): number {
  const match = /^(?:stash@\{)?(\d{1,6})\}?$/.exec(text);
  const place = match === null ? -1 : Number(match[1]);
  if (place >= 0 && place < entries.length) return place;
  const what = entries.length === 0 ? 'nothing is stashed' : `there is no stash entry '${text}'`;
  throw new DvError('no-stash', what, { hint: 'dv stash list' });
}

export interface StashPushOptions {
  readonly message?: string;
  /** Only these tables. */
  readonly paths?: readonly string[];
  /** Only changed rows that match. */
  readonly where?: string;
}

export interface StashPushResult extends CommitSummary {
  /** null: there was nothing to put aside. */
  readonly entry: StashEntry | null;
}

/** @throws DvError `no-commits`, `merge-in-progress`, `bad-condition`, `ref-moved`, ... */
export async function stashPush(
  repo: Repository,
  options: StashPushOptions = {},
): Promise<StashPushResult> {
  requireWorkingFiles(repo);
  await requireNoMerge(repo);
  await requireNoSequence(repo);
  const before = await workingSet(repo);
  const head = requireHead(before);
  const names = (options.paths ?? []).map((path) => tableNameOf(repo, path));
  // Everything tracked is read into the stage first: whatever happens then, nothing is lost.
  await add(repo, [repo.worktree], { update: true });
  const set = await workingSet(repo);
  await requireKnown(repo, [before.headRoot, set.staged], names, options.paths ?? []);
  const parts = await divide(repo, before, set, names, options.where);
  const summary = await summarize(repo.nodes, before.headRoot, parts.aside);
  if (parts.aside === before.headRoot) {
    await unstageAgain(repo, set, parts.staged);
    return { entry: null, ...summary };
  }
  const entry = await makeEntry(repo, before, head, parts, options.message);
  const { entries, raw } = await readStash(repo.store);
  await transact(repo, parts.items, [
    stagedUpdate(set, parts.staged, before.headRoot),
    stashUpdate([entry, ...entries], raw),
  ]);
  return { entry, ...summary };
}

/** @throws DvError `unknown-table` for a path at which nothing is tracked */
async function requireKnown(
  { nodes }: Repository,
  roots: readonly Hash[],
  names: readonly string[],
  paths: readonly string[],
): Promise<void> {
  if (names.length === 0) return;
  const known: string[] = [];
  for (const root of roots) known.push(...(await listRoot(nodes, root)).map(({ name }) => name));
  for (const [i, name] of names.entries()) {
    if (!known.some((one) => isIn(one, [name]))) throw unknownTable(paths[i], 'what is tracked');
  }
}

/** Whether a table is one of some, or below a directory among them. */
function isIn(table: string, names: readonly string[]): boolean {
  return names.some((name) => name === '' || table === name || table.startsWith(`${name}/`));
}

function requireHead({ head }: WorkingSet): Hash {
  if (head.commit !== undefined) return head.commit;
  throw new DvError('no-commits', 'there is no commit yet to go back to', { hint: 'dv commit' });
}

interface Parts {
  /** What is put aside, and what of that was staged. */
  readonly aside: Hash;
  readonly asideStaged: Hash;
  /** What is staged afterwards. */
  readonly staged: Hash;
  readonly items: readonly CheckoutItem[];
}

/** Splits the work since HEAD into what goes and what stays. */
async function divide(
  repo: Repository,
  before: WorkingSet,
  set: WorkingSet,
  names: readonly string[],
  where: string | undefined,
): Promise<Parts> {
  const { nodes } = repo;
  const aside = new Map<string, RootEntry | null>();
  const kept = new Map<string, RootEntry | null>();
  const items: CheckoutItem[] = [];
  for (const { name, from, to } of await diffRoots(nodes, before.headRoot, set.staged)) {
    const isPicked = names.length === 0 || isIn(name, names);
    const stagedEntry = await getRootEntry(nodes, before.staged, name);
    if (!isPicked || (where !== undefined && !isTable(from, to))) {
      kept.set(name, stagedEntry ?? null);
      continue;
    }
    const goes = where === undefined ? (to ?? null) : await part(repo, name, from, to, where);
    const stays =
      where === undefined
        ? (from ?? null)
        : await part(repo, name, from, to, `(${where}) IS NOT TRUE`);
    aside.set(name, goes);
    const entry = stays ?? from ?? to;
    if (entry !== undefined && hasWorkingFile(name, entry)) items.push({ name, entry: stays });
  }
  const asideStaged = new Map<string, RootEntry | null>();
  for (const { name, to } of await diffRoots(nodes, before.headRoot, before.staged)) {
    if (aside.has(name)) asideStaged.set(name, to ?? null);
  }
  const result = {
    aside: await editRoot(nodes, before.headRoot, aside),
    asideStaged: await editRoot(nodes, before.headRoot, asideStaged),
    staged: await editRoot(nodes, before.headRoot, kept),
    items,
  };
  await nodes.flush();
  return result;
}

const isTable = (from: RootEntry | undefined, to: RootEntry | undefined): boolean =>
  to?.kind === 'table' && from?.kind !== 'file';

function part(
  repo: Repository,
  name: string,
  from: RootEntry | undefined,
  to: RootEntry | undefined,
  where: string,
): Promise<RootEntry | null> {
  return selectRows(repo, name, from, to ?? null, { where });
}

async function unstageAgain(repo: Repository, set: WorkingSet, staged: Hash): Promise<void> {
  if (set.staged !== staged) await transact(repo, [], [stagedUpdate(set, staged)]);
}

async function makeEntry(
  repo: Repository,
  { head }: WorkingSet,
  parent: Hash,
  { aside, asideStaged }: Parts,
  message: string | undefined,
): Promise<StashEntry> {
  const committer = await currentPerson(repo);
  const { message: subject } = await readCommit(repo.store, parent);
  const place = head.kind === 'branch' ? head.branch : '(no branch)';
  const at = `${parent.slice(0, 7)} ${firstLine(subject)}`;
  const text = message === undefined ? `WIP on ${place}: ${at}` : `On ${place}: ${message}`;
  const common = { author: committer, committer, extra: {} };
  const index = await newCommit(repo, {
    ...common,
    root: asideStaged,
    parents: [parent],
    message: `index on ${place}: ${at}`,
  });
  await repo.store.putMany([index]);
  const parents = [parent, index.hash];
  const work = await newCommit(repo, { ...common, root: aside, parents, message: text });
  await repo.store.putMany([work]);
  return { commit: work.hash, message: text };
}

async function transact(
  repo: Repository,
  items: readonly CheckoutItem[],
  state: readonly StateUpdate[],
): Promise<void> {
  const log = { actor: await actorName(repo), time: repo.env.now(), message: 'stash' };
  if (await checkout(repo, items, { state, log })) return;
  throw new DvError('ref-moved', 'another command changed the repository meanwhile', {
    hint: 'dv status, then try again',
  });
}

export interface StashApplyResult extends CommitSummary {
  readonly outcome: 'applied' | 'conflicts';
  readonly entry: StashEntry;
  /** The entry is gone from the list. */
  readonly dropped: boolean;
  readonly conflicts: readonly EntryConflict[];
  /** Conflicts that were settled as they were before (`rerere.enabled`). */
  readonly reused?: ResolveResult;
}

/**
 * Brings an entry back: into the files; tables that HEAD has not are staged as well. With
 * conflicts it stays in the list.
 * @throws DvError `no-stash`, `unsaved-changes`, `merge-in-progress`, `ref-moved`
 */
export async function stashApply(
  repo: Repository,
  text: string | undefined,
  { drop }: { readonly drop: boolean },
): Promise<StashApplyResult> {
  requireWorkingFiles(repo);
  await requireNoMerge(repo);
  const { entries, raw } = await readStash(repo.store);
  const place = placeOf(entries, text ?? '0');
  const entry = entries[place];
  const set = await workingSet(repo);
  requireHead(set);
  const stashed = await readCommit(repo.store, entry.commit);
  const base = await rootOfCommit(repo.nodes, stashed.parents[0]);
  const sides = { base, ours: set.headRoot, theirs: stashed.root };
  const merge = await mergeRoots(repo.nodes, sides);
  const summary = await summarize(repo.nodes, set.headRoot, merge.root);
  if (merge.conflicts.length > 0) {
    const settled = await settleMerge(repo, set, merge, {
      operation: 'stash',
      theirs: entry.commit,
      theirName: entry.message,
      parents: [],
      message: '',
      author: null,
      commit: false,
      reflog: 'stash',
    });
    const reused = settled.kind === 'stopped' ? settled.reused : undefined;
    const { conflicts } = merge;
    const stopped = { outcome: 'conflicts', entry, dropped: false, conflicts } as const;
    return { ...stopped, ...summary, ...(reused && { reused }) };
  }
  const left = entries.filter((_, i) => i !== place);
  const shown = { ...set, staged: set.headRoot };
  const { items } = await moveWorkingSet(repo, shown, merge.root, false);
  const staged = await withNewTables(repo, set, merge.root);
  const updates = drop ? [stashUpdate(left, raw)] : [];
  await transact(repo, items, [stagedUpdate(set, staged), ...updates]);
  return { outcome: 'applied', entry, dropped: drop, conflicts: [], ...summary };
}

/** A file that nobody stages would be a stranger: what HEAD has not is staged. */
async function withNewTables(repo: Repository, set: WorkingSet, root: Hash): Promise<Hash> {
  const added = new Map<string, RootEntry | null>();
  for (const { name, from, to } of await diffRoots(repo.nodes, set.headRoot, root)) {
    const shape = to ?? from;
    const isStored = shape !== undefined && !hasWorkingFile(name, shape);
    if (from === undefined || isStored) added.set(name, to ?? null);
  }
  const staged = await editRoot(repo.nodes, set.staged, added);
  await repo.nodes.flush();
  return staged;
}

/** @throws DvError `no-stash`, `ref-moved` */
export async function stashDrop(repo: Repository, text?: string): Promise<StashEntry> {
  const { entries, raw } = await readStash(repo.store);
  const place = placeOf(entries, text ?? '0');
  await transact(
    repo,
    [],
    [
      stashUpdate(
        entries.filter((_, i) => i !== place),
        raw,
      ),
    ],
  );
  return entries[place];
}

/** How many were dropped. */
export async function stashClear(repo: Repository): Promise<number> {
  const { entries, raw } = await readStash(repo.store);
  if (entries.length > 0) await transact(repo, [], [stashUpdate([], raw)]);
  return entries.length;
}
