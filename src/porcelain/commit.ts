/**
 * `dv commit`: what is staged becomes a commit, and HEAD's branch moves to it. The commit
 * object, the ref, the feed entry and the emptied stage are one transaction.
 */
import { DvError } from '../errors.ts';
import type { Hash } from '../hash.ts';
import { clockUpdate, latestClock, nextClock, readClock } from '../model/clock.ts';
import { checkMessage } from '../model/commit-message.ts';
import { type Head, headUpdate } from '../model/head.ts';
import { resolvedExtra } from '../model/merge-record.ts';
import { countConflicts, readMerge, type StoredMerge } from '../model/merge-state.ts';
import { BRANCH_PREFIX } from '../model/names.ts';
import { readNodeId } from '../model/node-id.ts';
import { readCommit } from '../model/object-reader.ts';
import { type Clock, type Commit, encodeCommit, toChunk } from '../model/objects.ts';
import { diffRoots, type EntryDifference, listRoot } from '../model/root.ts';
import { countChanges, type RowCounts } from '../model/table-stat.ts';
import { rootOfCommit, STAGED_KEY, type WorkingSet } from '../model/working-set.ts';
import type { NodeStore } from '../prolly/node-store.ts';
import type { RefUpdate, StateUpdate } from '../store/contract.ts';
import { type AddedTable, add } from './add.ts';
import { actorOf, currentPerson, overridePerson, type PersonOptions } from './people.ts';
import { keepResolutions } from './remember.ts';
import type { Repository } from './repository.ts';
import { endOfMerge } from './sequence.ts';
import { workingSet } from './staging.ts';

export interface CommitOptions extends PersonOptions {
  /** A text, or who to ask for one once there is something to commit. */
  readonly message?: string | AskForMessage;
  /** Stage every tracked file first. */
  readonly all?: boolean;
  /** Replace HEAD's commit. */
  readonly amend?: boolean;
  readonly allowEmpty?: boolean;
  /** Nothing to commit is a success that changes nothing. */
  readonly skipEmpty?: boolean;
}

/** `previous` is the message of the commit that is amended, or the one that a merge proposes. */
export type AskForMessage = (previous: string | undefined) => Promise<string>;

export interface TableCounts extends RowCounts {
  readonly table: string;
}

export interface CommitSummary {
  readonly tables: readonly TableCounts[];
  /** Plain files that differ. */
  readonly files: readonly { readonly file: string; readonly change: string }[];
}

export interface CommitResult extends CommitSummary {
  /** null: nothing to commit, with `skipEmpty`. */
  readonly commit: Hash | null;
  /** null on a detached HEAD. */
  readonly branch: string | null;
  readonly message: string;
  /** True for the first commit of a branch. */
  readonly isRoot: boolean;
  /** What `all` staged. */
  readonly staged: readonly AddedTable[];
}

/**
 * @throws DvError `nothing-to-commit`, `no-author`, `no-message`, `no-commits` (amend),
 * `ref-moved` when another process moved the branch
 */
export async function commit(repo: Repository, options: CommitOptions): Promise<CommitResult> {
  const committer = await currentPerson(repo);
  overridePerson(committer, options, repo.env.now()); // a bad author is told before all is read
  const staged = options.all ? await stageAll(repo) : [];
  const set = await workingSet(repo);
  const merge = await mergeToEnd(repo, options);
  const old = await amended(repo, set.head, options);
  const parents = old?.parents ?? parentsOf(set.head, merge);
  const parentRoot = await rootOfCommit(repo.nodes, parents[0]);
  const branch = set.head.kind === 'branch' ? set.head.branch : null;
  const isEmpty = set.staged === parentRoot && parents.length < 2;
  if (isEmpty && !options.allowEmpty && old === undefined) {
    if (!options.skipEmpty) throw await nothing(repo, set);
    return { commit: null, branch, message: '', tables: [], files: [], isRoot: false, staged };
  }
  const message = await messageOf(options, old?.message ?? merge?.state.message);
  const written = old?.author ?? merge?.state.author ?? committer;
  const author = overridePerson(written, options, repo.env.now());
  const extra = old?.extra ?? (merge === undefined ? {} : resolvedExtra(merge.state.resolved));
  const object = { root: set.staged, parents, author, committer, message, extra };
  const made = await newCommit(repo, object);
  if (merge !== undefined) await keepResolutions(repo, merge.state);
  const reflog = `${verbOf(parents, old, merge)}: ${firstLine(message)}`;
  await moveHead(repo, set, made, { message: reflog, actor: actorOf(committer), merge });
  const summary = await summarize(repo.nodes, parentRoot, set.staged);
  return { commit: made.hash, branch, message, ...summary, isRoot: parents.length === 0, staged };
}

/** The merge that this commit ends. @throws DvError `conflicts-left`, `merge-in-progress` */
async function mergeToEnd(
  repo: Repository,
  { amend }: CommitOptions,
): Promise<StoredMerge | undefined> {
  const merge = await readMerge(repo.store);
  if (merge === undefined) return undefined;
  const { operation, conflicts } = merge.state;
  if (amend) {
    throw new DvError('merge-in-progress', `a ${operation} is in progress`, {
      hint: 'dv commit ends it; amend its commit then',
      data: { operation },
    });
  }
  const left = countConflicts(conflicts);
  if (left === 0) return merge;
  const [first] = conflicts;
  const many = left === 1 ? '1 conflict is' : `${left} conflicts are`;
  throw new DvError('conflicts-left', `${many} not resolved, the first in '${first.table}'`, {
    hint: 'dv conflicts shows them, dv resolve settles them',
    data: { conflicts: left, tables: conflicts.map(({ table }) => table) },
  });
}

function parentsOf(head: Head, merge: StoredMerge | undefined): readonly Hash[] {
  if (merge !== undefined && merge.state.parents.length > 0) return merge.state.parents;
  return head.commit === undefined ? [] : [head.commit];
}

function verbOf(
  parents: readonly Hash[],
  old: Commit | undefined,
  merge: StoredMerge | undefined,
): string {
  if (old !== undefined) return 'commit (amend)';
  if (merge !== undefined) return `commit (${merge.state.operation})`;
  return parents.length === 0 ? 'commit (initial)' : 'commit';
}

async function stageAll(repo: Repository): Promise<readonly AddedTable[]> {
  return (await add(repo, [repo.worktree], { update: true })).tables;
}

async function amended(
  repo: Repository,
  head: Head,
  options: CommitOptions,
): Promise<Commit | undefined> {
  if (!options.amend) return undefined;
  if (head.commit === undefined) {
    throw new DvError('no-commits', 'there is no commit to amend yet', { hint: 'dv commit' });
  }
  return readCommit(repo.store, head.commit);
}

async function messageOf(options: CommitOptions, previous: string | undefined): Promise<string> {
  const given = options.message ?? previous ?? '';
  const message = (typeof given === 'string' ? given : await given(previous)).trim();
  if (message !== '') return checkMessage(message);
  throw new DvError('no-message', 'a commit needs a message', { hint: 'dv commit -m MESSAGE' });
}

async function nothing(repo: Repository, set: WorkingSet): Promise<DvError> {
  const empty = (await listRoot(repo.nodes, set.staged)).length === 0;
  return new DvError('nothing-to-commit', 'nothing to commit', {
    hint: empty ? 'dv add FILE stages a table' : 'dv add stages what changed; dv status shows it',
  });
}

export const firstLine = (text: string): string => text.split('\n', 1)[0];

/** A commit's chunk, not stored yet, and its stamp: to be kept with it (`clockUpdate`). */
export interface NewCommit {
  readonly hash: Hash;
  readonly bytes: Uint8Array;
  readonly clock: Clock;
}

/** A commit object with generation and clock filled in. */
export async function newCommit(
  repo: Repository,
  object: Omit<Commit, 'clock' | 'generation'>,
): Promise<NewCommit> {
  const parents: Commit[] = [];
  for (const hash of object.parents) parents.push(await readCommit(repo.store, hash));
  const generation = 1 + Math.max(0, ...parents.map((parent) => parent.generation));
  const latest = latestClock([
    ...parents.map((parent) => parent.clock),
    await readClock(repo.store),
  ]);
  const clock = nextClock(latest, object.committer.time, await readNodeId(repo.store));
  return { ...toChunk(encodeCommit({ ...object, clock, generation })), clock };
}

interface MoveLog {
  readonly message: string;
  readonly actor: string;
  /** The merge that is over with this. */
  readonly merge: StoredMerge | undefined;
}

/**
 * Moves HEAD (its branch, or HEAD itself) to a commit, and empties the stage.
 * @throws DvError `ref-moved`
 */
async function moveHead(
  repo: Repository,
  set: WorkingSet,
  made: NewCommit,
  log: MoveLog,
): Promise<void> {
  const old = set.head.commit ?? null;
  const refs: RefUpdate[] = [];
  const state: StateUpdate[] = [
    { key: STAGED_KEY, value: null, expect: set.raw },
    clockUpdate(made.clock),
  ];
  if (set.head.kind === 'branch') {
    refs.push({ name: BRANCH_PREFIX + set.head.branch, old, new: made.hash });
  } else {
    const expect = Buffer.from(set.head.commit);
    state.push({ ...headUpdate({ commit: made.hash }), expect });
  }
  if (log.merge !== undefined) state.push(...(await endOfMerge(repo.store, log.merge)));
  const { actor, message } = log;
  const entry = { actor, time: repo.env.now(), message };
  const result = await repo.store.transact({ refs, state, log: entry }, [
    { hash: made.hash, bytes: made.bytes },
  ]);
  if (result.done) return;
  throw new DvError('ref-moved', `'${result.name}' was changed by another command meanwhile`, {
    hint: 'dv status, then try again',
  });
}

/** Rows that differ per table between two roots. */
export async function summarize(nodes: NodeStore, from: Hash, to: Hash): Promise<CommitSummary> {
  const tables: TableCounts[] = [];
  const files: { file: string; change: string }[] = [];
  for (const difference of await diffRoots(nodes, from, to)) {
    const { name, from: before, to: after } = difference;
    const table = (e: typeof before) => (e?.kind === 'table' ? e.table : undefined);
    if (before?.kind === 'table' || after?.kind === 'table') {
      tables.push({ table: name, ...(await countChanges(nodes, table(before), table(after))) });
    }
    if (before?.kind === 'file' || after?.kind === 'file') {
      files.push({ file: name, change: fileChange(difference) });
    }
  }
  return { tables, files };
}

function fileChange({ from, to }: EntryDifference): string {
  if (from?.kind !== 'file') return 'added';
  return to?.kind === 'file' ? 'modified' : 'removed';
}
