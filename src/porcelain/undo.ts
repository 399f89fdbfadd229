/**
 * `dv undo` and `dv redo`: refs, HEAD, the stage and the working files as they were before (or
 * after) the last command that moved any of them. Work that is not committed is never lost: what
 * was staged since, and files that changed, refuse it.
 */
import { DvError } from '../errors.ts';
import type { Hash } from '../hash.ts';
import { parseHash } from '../hash.ts';
import { HEAD_KEY, readHead } from '../model/head.ts';
import { isAncestor } from '../model/history.ts';
import { REMOTE_PREFIX, shortRefName } from '../model/names.ts';
import {
  type Operation,
  operationsUpdate,
  readOperation,
  readOperations,
  VIEW_KEYS,
  type View,
} from '../model/operations.ts';
import { rootOfCommit, STAGED_KEY } from '../model/working-set.ts';
import type { RefUpdate, StateUpdate } from '../store/contract.ts';
import { checkout } from './checkout.ts';
import type { Repository } from './repository.ts';
import { workingSet } from './staging.ts';
import { actorName, moveWorkingSet } from './switch.ts';

export interface UndoResult {
  /** What was undone or done again: what the reflog says of it. */
  readonly operation: string;
  readonly time: number;
  /** Refs that moved; null: gone, or not there before. */
  readonly refs: readonly {
    readonly name: string;
    readonly from: Hash | null;
    readonly to: Hash | null;
  }[];
  readonly files: readonly string[];
  /** Remote branches that have what was undone: others may have it, too. */
  readonly pushed: readonly string[];
}

/** @throws DvError `nothing-to-undo`, `ref-moved`, `unsaved-changes` */
export async function undo(repo: Repository, dryRun = false): Promise<UndoResult> {
  const { last, at, raw } = await readOperations(repo.store);
  const operation = at === 0 ? undefined : await readOperation(repo.store, at);
  if (operation === undefined) throw nothing('undo');
  const pushed = await remotesWith(repo, operation);
  const next = await readOperation(repo.store, at + 1);
  const step = {
    verb: 'undo',
    operation,
    from: operation.after,
    to: operation.before,
    other: next?.before,
    log: operationsUpdate(last, at - 1, raw),
  } as const;
  return { ...(await move(repo, step, dryRun)), pushed };
}

/** @throws DvError `nothing-to-undo`, `ref-moved`, `unsaved-changes` */
export async function redo(repo: Repository, dryRun = false): Promise<UndoResult> {
  const { last, at, raw } = await readOperations(repo.store);
  const operation = at === last ? undefined : await readOperation(repo.store, at + 1);
  if (operation === undefined) throw nothing('redo');
  const previous = at === 0 ? undefined : await readOperation(repo.store, at);
  const step = {
    verb: 'redo',
    operation,
    from: operation.before,
    to: operation.after,
    other: previous?.after,
    log: operationsUpdate(last, at + 1, raw),
  } as const;
  return move(repo, step, dryRun);
}

function nothing(what: 'undo' | 'redo'): DvError {
  return new DvError('nothing-to-undo', `there is nothing to ${what}`, {
    hint: 'dv reflog shows what was done',
  });
}

interface Step {
  readonly verb: 'undo' | 'redo';
  readonly operation: Operation;
  readonly from: View;
  readonly to: View;
  /** What the neighbouring operation has at the same moment: work staged in between. */
  readonly other: View | undefined;
  readonly log: StateUpdate;
}

async function move(repo: Repository, step: Step, dryRun: boolean): Promise<UndoResult> {
  const { from, to, operation, verb } = step;
  const refs = from.refs.map(([name, old], i): RefUpdate => ({ name, old, new: to.refs[i][1] }));
  const set = await workingSet(repo);
  const state = await stateUpdates(repo, step);
  const headRoot = await rootOfCommit(repo.nodes, await commitOf(repo, to, refs));
  const [staged] = (to.state[STAGED_KEY] ?? '').split(' ');
  const root = staged === '' ? headRoot : parseHash(staged);
  // The files show what is staged: that is what they move from.
  const shown = { ...set, headRoot: set.staged };
  const { items } = await moveWorkingSet(repo, shown, root, false);
  const moved = refs.map(({ name, old, new: hash }) => ({ name, from: old, to: hash }));
  const files = items.map(({ name }) => name);
  const { message, time } = operation;
  const result = { operation: message, time, refs: moved, files, pushed: [] };
  if (dryRun) return result;
  const log = {
    actor: await actorName(repo),
    time: repo.env.now(),
    message: `${verb}: ${message}`,
  };
  if (!(await checkout(repo, items, { refs, state, log }))) {
    throw new DvError('ref-moved', `something else was changed since '${message}'`, {
      hint: 'dv reflog shows what; dv reset goes to any commit',
    });
  }
  return result;
}

/** @throws DvError `unsaved-changes` when there is work that no operation knows */
async function stateUpdates(repo: Repository, step: Step): Promise<StateUpdate[]> {
  const updates: StateUpdate[] = [step.log];
  for (const key of VIEW_KEYS) {
    const value = (await repo.store.getState(key)) ?? null;
    const now = value === null ? null : Buffer.from(value).toString();
    const isKnown = [step.from, step.other].some(
      (view) => view && (view.state[key] ?? null) === now,
    );
    if (!isKnown) throw unknownWork(key);
    const text = step.to.state[key] ?? null;
    updates.push({ key, value: text === null ? null : Buffer.from(text), expect: value });
  }
  return updates;
}

function unknownWork(key: string): DvError {
  if (key === HEAD_KEY) {
    return new DvError('ref-moved', 'HEAD is somewhere else now', { hint: 'dv reflog' });
  }
  if (key === STAGED_KEY) {
    return new DvError('unsaved-changes', 'something was staged since', {
      hint: 'dv commit it, dv stash it, or dv restore --staged it',
    });
  }
  return new DvError('unsaved-changes', 'a merge or the like was begun, or ended, since', {
    hint: 'dv status shows whether one waits, and what ends it and what goes back',
  });
}

/** HEAD's commit in a view. */
async function commitOf(
  repo: Repository,
  { state }: View,
  refs: readonly RefUpdate[],
): Promise<Hash | undefined> {
  const head = state[HEAD_KEY] ?? '';
  if (!head.startsWith('ref: ')) {
    return head === '' ? (await readHead(repo.store)).commit : parseHash(head);
  }
  const name = head.slice('ref: '.length);
  const moved = refs.find((update) => update.name === name);
  return moved === undefined ? repo.store.getRef(name) : (moved.new ?? undefined);
}

async function remotesWith(repo: Repository, { before, after }: Operation): Promise<string[]> {
  const names: string[] = [];
  const undone = after.refs
    .map(([, hash], i) => (hash === before.refs[i][1] ? null : hash))
    .filter((hash) => hash !== null);
  for (const { name, hash } of await repo.store.listRefs(REMOTE_PREFIX)) {
    for (const commit of undone) {
      if (await isAncestor(repo.store, commit, hash)) names.push(shortRefName(name));
    }
  }
  return [...new Set(names)];
}
