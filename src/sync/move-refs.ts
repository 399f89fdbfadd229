/**
 * The end of a push: refs move by compare-and-swap, in one transaction with the chunks they
 * need. Whoever loses a swap is judged again by where the ref is then; with `merge` that goes
 * on for 5 s, so the pusher need not come back. Pushes to one ref are judged one behind the
 * other, and wait for the disk together (heads-under-way.ts).
 */
import { DvError } from '../errors.ts';
import type { Hash } from '../hash.ts';
import type { KnownAncestry } from '../model/known-ancestry.ts';
import type { CommitMerge } from '../model/merge-commits.ts';
import { NodeStore } from '../prolly/node-store.ts';
import type {
  ChunkToPut,
  ObjectStore,
  StateUpdate,
  Store,
  Transaction,
} from '../store/contract.ts';
import type { HeadsUnderWay, HeadUnderWay } from './heads-under-way.ts';
import { type ConflictError, judge, type Verdict } from './judge-update.ts';
import { conflictData } from './merge-conflicts.ts';
import type { Caller, PushRequest, RefCommand, RefOutcome } from './protocol.ts';
import type { TakenClocks } from './taken-clocks.ts';

export interface MoveOptions {
  readonly store: Store;
  /** The store with the chunks that came; merged chunks go in there too. */
  readonly objects: ObjectStore;
  readonly underWay: HeadsUnderWay;
  /** Runs `work` while no other push of this process judges one of the refs. */
  readonly inTurn: <T>(work: () => Promise<T>) => Promise<T>;
  readonly caller: Caller;
  /** Of this repository's refs. */
  readonly ancestry: KnownAncestry;
  readonly now: () => number;
  readonly random: () => number;
  readonly sleep: (ms: number) => Promise<void>;
  /** Throws when this repository's own rules forbid moving the ref. */
  readonly mayUpdate: (command: RefCommand) => void | Promise<void>;
  readonly clocks: TakenClocks;
  /** The commit with the latest clock of those that came; undefined: none came. */
  readonly brought: Hash | undefined;
  /** What has to be stored with the refs. */
  readonly chunks: () => readonly ChunkToPut[];
  readonly completes: readonly string[];
  /** State to change in the same transaction, given the outcomes. */
  readonly state?: (outcomes: readonly RefOutcome[]) => readonly StateUpdate[];
}

const FIRST_WAIT_MS = 5;
const LONGEST_WAIT_MS = 250;
const PATIENCE_MS = 5000;

/** One outcome for each update, in order. When all are refused nothing is stored. */
export async function moveRefs(
  request: PushRequest,
  options: MoveOptions,
): Promise<readonly RefOutcome[]> {
  const { inTurn, now, sleep, random } = options;
  const deadline = now() + PATIENCE_MS;
  for (let wait = FIRST_WAIT_MS; ; wait = Math.min(2 * wait, LONGEST_WAIT_MS)) {
    const { settled } = await inTurn(() => attempt(request, options));
    const outcomes = await settled;
    if (outcomes !== undefined) return outcomes;
    if (now() >= deadline) {
      const names = request.updates.map(({ ref }) => ref).join(', ');
      throw new DvError('ref-moved', `'${names}' keeps moving: the push gave up after 5 s`, {
        hint: 'push again',
      });
    }
    await sleep(wait * (0.5 + random() / 2));
  }
}

/** What was judged and given to the store; in an object, so that nobody's turn waits for it. */
interface Attempt {
  /** undefined: a ref is not where it was thought to be. */
  readonly settled: Promise<readonly RefOutcome[] | undefined>;
}

async function attempt({ updates, atomic }: PushRequest, options: MoveOptions): Promise<Attempt> {
  const behind = await headBehind(updates, options);
  const verdicts: Verdict[] = [];
  for (const command of updates) verdicts.push(await verdictOn(command, behind, options));
  const outcomes = settle(verdicts, atomic);
  const moves = verdicts.filter((_, i) => outcomes[i].status !== 'refused');
  const stood = behind?.settled ?? true;
  if (moves.length === 0) return { settled: both(stood, true, outcomes) };
  const transaction = await transactionOf(moves, outcomes, options);
  const result = options.underWay.submit(transaction, options.chunks());
  const done = result.then((one) => one.done);
  return { settled: both(stood, done, outcomes) };
}

async function both<T>(
  a: boolean | Promise<boolean>,
  b: boolean | Promise<boolean>,
  value: T,
): Promise<T | undefined> {
  const [first, second] = await Promise.all([a, b]);
  return first && second ? value : undefined;
}

/**
 * The head that the only update's ref is about to have. Pushes of several refs, or of more than
 * one request, wait until nothing of theirs is under way.
 */
async function headBehind(
  updates: readonly RefCommand[],
  { underWay, completes }: MoveOptions,
): Promise<HeadUnderWay | undefined> {
  if (updates.length === 1 && completes.length === 0) return underWay.get(updates[0].ref);
  for (const { ref } of updates) await underWay.get(ref)?.settled;
  return undefined;
}

/** What the update would do as things are now; refusals of any kind become outcomes. */
async function verdictOn(
  command: RefCommand,
  behind: HeadUnderWay | undefined,
  options: MoveOptions,
): Promise<Verdict> {
  const { store, underWay, objects, caller, mayUpdate, ancestry } = options;
  const stored = behind === undefined ? await store.getRef(command.ref) : behind.head;
  const head = stored ?? null;
  try {
    await caller.allow(command);
    await mayUpdate(command);
    const nodes = new NodeStore(underWay.over(objects));
    const conflicts: ConflictError = (merge, swapped) =>
      conflictsOf(nodes, command, merge, swapped);
    return await judge({ nodes, ancestry, conflicts }, command, head);
  } catch (error) {
    if (!(error instanceof DvError) || error.kind === 'internal') throw error;
    return { outcome: refusal(command.ref, error, head), update: undefined };
  }
}

async function conflictsOf(
  nodes: NodeStore,
  { ref }: RefCommand,
  merge: CommitMerge,
  swapped: boolean,
): Promise<DvError> {
  const data = await conflictData(nodes, merge, swapped);
  return new DvError('conflicts-left', `the push to '${ref}' conflicts with what is there`, {
    hint: 'dv pull, resolve the conflicts, then push again',
    data,
  });
}

export function refusal(ref: string, error: DvError, head: Hash | null): RefOutcome {
  const { code, message, hint, data } = error;
  return {
    ref,
    status: 'refused',
    code,
    message,
    ...(hint !== undefined && { hint }),
    ...(Object.keys(data).length > 0 && { data }),
    head,
  };
}

/** With `atomic` one refusal refuses all. */
function settle(verdicts: readonly Verdict[], atomic: boolean): RefOutcome[] {
  const refused = verdicts.find(({ outcome }) => outcome.status === 'refused');
  if (!atomic || refused === undefined) return verdicts.map(({ outcome }) => outcome);
  return verdicts.map(({ outcome, head = null }) => {
    if (outcome.status === 'refused') return outcome;
    const message = `'${outcome.ref}' was not moved, as '${refused.outcome.ref}' was refused`;
    return refusal(outcome.ref, new DvError('push-refused', message), head);
  });
}

async function transactionOf(
  moves: readonly Verdict[],
  outcomes: readonly RefOutcome[],
  { caller, now, completes, state, objects, clocks, brought }: MoveOptions,
): Promise<Transaction> {
  const refs = moves.flatMap(({ update }) => (update === undefined ? [] : [update]));
  const heads = refs.flatMap(({ new: to }) => to ?? []);
  const taken = await clocks.take(objects, brought === undefined ? heads : [...heads, brought]);
  return {
    refs,
    state: [...(state?.(outcomes) ?? []), ...taken],
    completes,
    log: { actor: caller.actor, time: now(), message: 'push' },
  };
}
