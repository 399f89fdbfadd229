/**
 * What commands did to refs, HEAD and the stage: for `undo`, `redo` and HEAD's reflog. Written
 * in the transaction of the command itself, so the log never lacks one nor has one too many.
 *
 *   operations       {"last": n, "at": n}   the newest operation, and the one that is in effect:
 *                                           less than `last` after an undo
 *   operation:N      one operation as JSON; N from 1, in 10 digits
 *
 * What a remote is known to have is no work of one's own: moves of refs/remotes/ alone are no
 * operation. The last KEPT are kept. A view holds what one side of an operation had: only refs that it
 * changed, and what a merge or a sequence in progress had in the state.
 */
import { type Hash, isHash } from '../hash.ts';
import { EMPTY_TREE } from '../prolly/node-writer.ts';
import type {
  ChunkToPut,
  RefUpdate,
  StateUpdate,
  Store,
  Transaction,
  TransactResult,
} from '../store/contract.ts';
import type { Edge } from './edges.ts';
import { HEAD_KEY } from './head.ts';
import { REMOTE_PREFIX } from './names.ts';
import { STAGED_KEY } from './working-set.ts';

export const OPERATIONS_KEY = 'operations';
const PREFIX = 'operation:';
const KEPT = 100;

/** State that an operation is undone with, besides refs. */
export const VIEW_KEYS = [HEAD_KEY, STAGED_KEY, 'merge', 'sequence'] as const;

export interface View {
  /** HEAD's commit; null: it had none. */
  readonly head: Hash | null;
  readonly refs: readonly (readonly [name: string, hash: Hash | null])[];
  /** By key, as text; null: nothing. */
  readonly state: Readonly<Record<string, string | null>>;
}

export interface Operation {
  readonly message: string;
  readonly actor: string;
  /** ms since the epoch. */
  readonly time: number;
  readonly before: View;
  readonly after: View;
}

export interface OperationLog {
  readonly last: number;
  readonly at: number;
  readonly raw: Uint8Array | null;
}

export async function readOperations(store: Store): Promise<OperationLog> {
  const raw = (await store.getState(OPERATIONS_KEY)) ?? null;
  if (raw === null) return { last: 0, at: 0, raw };
  const { last, at } = JSON.parse(Buffer.from(raw).toString()) as { last: number; at: number };
  return { last, at, raw };
}

export function operationsUpdate(last: number, at: number, expect: Uint8Array | null): StateUpdate {
  return { key: OPERATIONS_KEY, value: Buffer.from(JSON.stringify({ last, at })), expect };
}

const keyOf = (number: number): string => PREFIX + String(number).padStart(10, '0');

/** Undefined: it is not kept any more. */
export async function readOperation(store: Store, number: number): Promise<Operation | undefined> {
  const value = await store.getState(keyOf(number));
  return value && (JSON.parse(Buffer.from(value).toString()) as Operation);
}

/** Newest first, from the one in effect. */
export async function listOperations(store: Store): Promise<Operation[]> {
  const { at } = await readOperations(store);
  const found: Operation[] = [];
  for (let number = at; number > 0; number--) {
    const operation = await readOperation(store, number);
    if (operation === undefined) break;
    found.push(operation);
  }
  return found;
}

/** What undone and undoable operations need to be kept: for gc. */
export async function operationEdges(store: Store): Promise<Edge[]> {
  const edges: Edge[] = [];
  for (const { value } of await store.listState(PREFIX)) {
    const { before, after } = JSON.parse(Buffer.from(value).toString()) as Operation;
    for (const { head, refs, state } of [before, after]) {
      if (head) edges.push({ kind: 'named', hash: head });
      for (const [, hash] of refs) if (hash !== null) edges.push({ kind: 'named', hash });
      for (const hash of (state[STAGED_KEY] ?? '').split(' ')) {
        if (isHash(hash) && hash !== EMPTY_TREE) edges.push({ kind: 'root', hash });
      }
    }
  }
  return edges;
}

/**
 * The store, with every transaction that moves a ref or HEAD written down. One that changes
 * the log itself (`undo`) is not.
 */
export function recordOperations<S extends Store>(store: S): S {
  const transact = async (
    transaction: Transaction,
    chunks?: readonly ChunkToPut[],
  ): Promise<TransactResult> => {
    if (!isOperation(transaction)) return store.transact(transaction, chunks);
    for (;;) {
      const record = await recordOf(store, transaction);
      const state = [...(transaction.state ?? []), ...record];
      const result = await store.transact({ ...transaction, state }, chunks);
      // Another operation was written down meanwhile: this one may still hold.
      if (!result.done && result.name === OPERATIONS_KEY) continue;
      return result;
    }
  };
  return new Proxy(store, {
    get(target, name) {
      const own = name === 'transact' ? transact : Reflect.get(target, name);
      return typeof own === 'function' && own !== transact ? own.bind(target) : own;
    },
  });
}

function isOperation({ refs = [], state = [] }: Transaction): boolean {
  if (state.some(({ key }) => key === OPERATIONS_KEY)) return false;
  return refs.some(isOwnMove) || state.some(({ key }) => key === HEAD_KEY);
}

const isOwnMove = ({ name, old, new: hash }: RefUpdate): boolean =>
  old !== hash && !name.startsWith(REMOTE_PREFIX);

async function recordOf(store: Store, transaction: Transaction): Promise<StateUpdate[]> {
  const { refs = [], state = [], log } = transaction;
  const before: Record<string, string | null> = {};
  const after: Record<string, string | null> = {};
  for (const key of VIEW_KEYS) {
    before[key] = textOf(await store.getState(key));
    const update = state.find((one) => one.key === key);
    after[key] = update === undefined ? before[key] : textOf(update.value ?? undefined);
  }
  // A repository that has no HEAD yet is being made: there is nothing to go back to.
  if (before[HEAD_KEY] === null) return [];
  const own = refs.filter(isOwnMove);
  const moved = endsOf(own);
  // What is written together may say of each ref what it was.
  const said = own.findLast((update) => update.log !== undefined)?.log ?? log;
  const heads = [
    await headIn(store, before[HEAD_KEY], new Map()),
    await headIn(store, after[HEAD_KEY], new Map(moved.map((update) => [update.name, update.new]))),
  ];
  const operation: Operation = {
    message: said?.message ?? '',
    actor: said?.actor ?? '',
    time: said?.time ?? 0,
    before: { head: heads[0], refs: moved.map(({ name, old }) => [name, old]), state: before },
    after: { head: heads[1], refs: moved.map((update) => [update.name, update.new]), state: after },
  };
  const { last, at, raw } = await readOperations(store);
  const number = at + 1;
  const gone = [number - KEPT].filter((n) => n > 0).map((n) => ({ key: keyOf(n), value: null }));
  // What was undone cannot be done again once something else was.
  for (let n = number + 1; n <= last; n++) gone.push({ key: keyOf(n), value: null });
  return [
    operationsUpdate(number, number, raw),
    { key: keyOf(number), value: Buffer.from(JSON.stringify(operation)) },
    ...gone,
  ];
}

/** Each ref once, from where it was first to where it ended: one may go several steps at once. */
function endsOf(moves: readonly RefUpdate[]): RefUpdate[] {
  const ends = new Map<string, RefUpdate>();
  for (const move of moves) {
    const before = ends.get(move.name);
    ends.set(move.name, before === undefined ? move : { ...move, old: before.old });
  }
  return [...ends.values()].filter(isOwnMove);
}

/** The commit that the text of HEAD names, with refs as they are to be. */
async function headIn(
  store: Store,
  head: string | null,
  moved: ReadonlyMap<string, Hash | null>,
): Promise<Hash | null> {
  if (head === null || isHash(head)) return head;
  const name = head.replace(/^ref: /, '');
  return moved.has(name) ? moved.get(name)! : ((await store.getRef(name)) ?? null);
}

const textOf = (value: Uint8Array | undefined): string | null =>
  value === undefined ? null : Buffer.from(value).toString();
