/**
 * What one store answers to other repositories: the far end of every `Remote`. It decides
 * nothing about who may do what (`Caller`, `mayUpdate`), and keeps nothing in memory that a
 * restart must not lose. docs/protocol.md.
 */
import { DvError } from '../errors.ts';
import type { Hash } from '../hash.ts';
import { nextClock, readClock, refuseAhead } from '../model/clock.ts';
import { feedEpoch, formatCursor } from '../model/cursor.ts';
import { readHead } from '../model/head.ts';
import { KnownAncestry } from '../model/known-ancestry.ts';
import { BRANCH_PREFIX, TAG_PREFIX } from '../model/names.ts';
import { peelToCommit, readChunk } from '../model/object-reader.ts';
import { type Clock, TAG_KIND } from '../model/objects.ts';
import type { Store } from '../store/contract.ts';
import { HeadsUnderWay } from './heads-under-way.ts';
import { withKeepAlive } from './keep-alive.ts';
import { moveRefs, refusal } from './move-refs.ts';
import {
  type Caller,
  DEFAULT_LIMITS,
  type FetchRequest,
  type Limits,
  PROTOCOL_VERSIONS,
  type PushAnswer,
  type PushRequest,
  type PushSession,
  type RefCommand,
  type RefOutcome,
  type RemoteInfo,
  type RemoteRef,
  type RemoteRefs,
} from './protocol.ts';
import {
  endSession,
  findSession,
  type SessionRecord,
  type StoredSession,
  sessionUpdate,
  transferOf,
} from './push-sessions.ts';
import { Receiver } from './receiver.ts';
import { RefLocks } from './ref-locks.ts';
import { checkFetchRequest, checkPushRequest } from './request-checks.ts';
import { openSending, packOf } from './sender.ts';
import { SessionRoom } from './session-room.ts';
import { laterClock, TakenClocks } from './taken-clocks.ts';
import { dropStaleTransfers, TransferLease } from './transfer-lease.ts';

export interface ServiceOptions {
  readonly store: Store;
  /** Such as `dv 0.1.0`. */
  readonly software: string;
  /** ms since the epoch. */
  readonly now: () => number;
  /** 16 random hex digits. */
  readonly randomId: () => string;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly sleep: (ms: number) => Promise<void>;
  readonly limits?: Partial<Limits>;
  readonly features?: readonly string[];
  /** Throws when this repository does not let the ref be moved: its checked-out branch, say. */
  readonly mayUpdate?: (command: RefCommand) => void | Promise<void>;
}

const FEATURES = ['fetch', 'push', 'merge', 'depth', 'tables', 'levels'];
const NODE_KEY = 'node';
const INLINE = 'inline:';

export class SyncService {
  readonly limits: Limits;
  private readonly options: ServiceOptions;
  private readonly store: Store;
  private readonly locks = new RefLocks();
  private readonly ancestry = new KnownAncestry();
  private readonly clocks: TakenClocks;
  private readonly underWay: HeadsUnderWay;
  private readonly room: SessionRoom;
  /** Receivers of open sessions: what is pending, so that it need not be found again. */
  private readonly receivers = new Map<string, { receiver: Receiver; next: number }>();

  constructor(options: ServiceOptions) {
    this.options = options;
    this.store = options.store;
    this.clocks = new TakenClocks(options.store);
    this.underWay = new HeadsUnderWay(options.store);
    this.limits = { ...DEFAULT_LIMITS, ...options.limits };
    const { now, randomId } = options;
    const onEnded = (id: string) => this.receivers.delete(id);
    this.room = new SessionRoom(options.store, { limits: this.limits, now, randomId, onEnded });
  }

  async info(): Promise<RemoteInfo> {
    const clock = await this.clock();
    const { software, features = FEATURES } = this.options;
    const { limits } = this;
    return { protocol: PROTOCOL_VERSIONS, software, node: clock.node, features, limits, clock };
  }

  private async clock(): Promise<Clock> {
    const value = await this.store.getState(NODE_KEY);
    const node = value === undefined ? '00000000' : Buffer.from(value).toString('latin1');
    return nextClock(await readClock(this.store), this.options.now(), node);
  }

  /** Branches and tags whose full names start with `prefix`. */
  async refs(prefix = ''): Promise<RemoteRefs> {
    const cursor = await this.cursor();
    const head = await readHead(this.store);
    const found = await this.store.listRefs(prefix);
    const refs: RemoteRef[] = [];
    for (const ref of found) {
      if (ref.name.startsWith(BRANCH_PREFIX)) refs.push(ref);
      if (ref.name.startsWith(TAG_PREFIX)) refs.push(await this.peeled(ref));
    }
    return { head: head.kind === 'branch' ? BRANCH_PREFIX + head.branch : null, refs, cursor };
  }

  /** Read before the refs: what moves meanwhile is told again. */
  private async cursor(): Promise<string> {
    const epoch = await feedEpoch(this.store, this.options.randomId);
    const { last } = await this.store.readFeed(Number.MAX_SAFE_INTEGER, 1);
    return formatCursor({ epoch, sequence: last });
  }

  private async peeled(ref: RemoteRef): Promise<RemoteRef> {
    const [kind] = await readChunk(this.store, ref.hash);
    if (kind !== TAG_KIND) return ref;
    return { ...ref, peeled: await peelToCommit(this.store, ref.hash) };
  }

  /**
   * One pack. What fails behind its first bytes is told in it.
   * @throws DvError `unknown-ref`, `limit-exceeded`, `bad-request`
   */
  async fetch(request: FetchRequest, signal?: AbortSignal): Promise<AsyncGenerator<Uint8Array>> {
    checkFetchRequest(request, this.limits);
    const clock = await this.clock();
    const options = { clock, estimate: true, ...(signal && { signal }) };
    const sending = await openSending(this.store, request, options);
    return withKeepAlive(packOf(sending, request.maxBytes), signal);
  }

  /** Moves refs; what they need comes with it or is here. */
  async push(caller: Caller, request: PushRequest, pack?: Uint8Array): Promise<PushAnswer> {
    checkPushRequest(request);
    if (pack !== undefined && pack.length > this.limits.inlinePackBytes) {
      throw this.tooLarge(pack.length, this.limits.inlinePackBytes);
    }
    const transfer = `${INLINE}${this.options.randomId()}`;
    const lease = new TransferLease(this.store, transfer, this.options.now);
    const receiver = new Receiver(this.store, { transfer, lease });
    try {
      await receiver.expect(wantsOf(request));
      if (pack !== undefined) await receiver.receive([pack]);
      const answer = await this.finish(caller, request, receiver);
      if (answer.kind === 'incomplete' && receiver.spilled) await this.store.dropTransfer(transfer);
      return answer;
    } catch (error) {
      if (receiver.spilled) await this.store.dropTransfer(transfer);
      throw error;
    }
  }

  private tooLarge(found: number, limit: number): DvError {
    return new DvError('limit-exceeded', `a pack of ${found} bytes is over the limit of ${limit}`, {
      data: { found, limit },
    });
  }

  /**
   * Of the caller's open pushes, the one that has been idle for longest gives way when there are
   * too many. @throws DvError `limit-exceeded`: all of them are receiving; `forbidden`
   */
  async openPush(caller: Caller, request: PushRequest): Promise<PushSession> {
    checkPushRequest(request);
    for (const command of request.updates) await caller.allow(command);
    await dropStaleTransfers(this.store, INLINE, this.options.now());
    const record = await this.room.open(caller.actor, request);
    return this.describe(record, await this.receiverOf(record));
  }

  /** undefined: unknown, expired, or somebody else's. */
  async getPush(caller: Caller, id: string): Promise<PushSession | undefined> {
    const session = await this.find(caller, id);
    return session && this.describe(session.record, await this.receiverOf(session.record));
  }

  private find(caller: Caller, id: string): Promise<StoredSession | undefined> {
    return findSession(this.store, id, caller.actor, this.options.now());
  }

  private async require(caller: Caller, id: string): Promise<StoredSession> {
    const session = this.room.isEnding(id) ? undefined : await this.find(caller, id);
    if (session !== undefined) return session;
    const message = `there is no open push '${id.slice(0, 64)}': it has ended, or gave way to a newer one of yours`;
    throw new DvError('unknown-session', message, { hint: 'push again' });
  }

  /** Does what brings something for a push, which is not ended meanwhile. */
  receiving<T>(caller: Caller, id: string, work: () => Promise<T>): Promise<T> {
    const touch = () => this.locks.with([transferOf(id)], () => this.touch(caller, id));
    return this.room.receiving(id, touch, work);
  }

  private async touch(caller: Caller, id: string): Promise<void> {
    const { record, raw } = await this.require(caller, id);
    if (record.answer !== undefined || this.room.isFresh(record)) return;
    await this.store.transact({ state: [sessionUpdate(this.room.touched(record), raw)] });
  }

  private describe({ id, next, answer }: SessionRecord, receiver: Receiver): PushSession {
    const pending = answer === undefined ? receiver.frontier(this.limits.roots) : [];
    return { id, next, pending: pending.map(({ kind, hash }) => ({ kind, hash })) };
  }

  /** What is pending is known, or found from what the transfer brought so far. */
  private async receiverOf({ id, request, next }: SessionRecord): Promise<Receiver> {
    const known = this.receivers.get(id);
    // another process may have taken segments since
    if (known?.next === next) return known.receiver;
    const receiver = new Receiver(this.store, { transfer: transferOf(id) });
    await receiver.expect(wantsOf(request));
    this.receivers.set(id, { receiver, next });
    return receiver;
  }

  /** Idempotent. @throws DvError `bad-pack`, `unknown-session`, `push-refused`, `limit-exceeded` */
  putSegment(caller: Caller, id: string, number: number, pack: Uint8Array): Promise<PushSession> {
    const take = () => this.takeSegment(caller, id, number, pack);
    return this.receiving(caller, id, () => this.locks.with([transferOf(id)], take));
  }

  private async takeSegment(
    caller: Caller,
    id: string,
    number: number,
    pack: Uint8Array,
  ): Promise<PushSession> {
    if (pack.length > this.limits.segmentBytes) {
      throw this.tooLarge(pack.length, this.limits.segmentBytes);
    }
    const { record, raw } = await this.require(caller, id);
    const receiver = await this.receiverOf(record);
    if (number < record.next || record.answer !== undefined) return this.describe(record, receiver);
    if (number > record.next) {
      throw new DvError('push-refused', `segment ${number} came before segment ${record.next}`, {
        data: { next: record.next },
      });
    }
    try {
      await receiver.receive([pack]);
      await receiver.spill();
    } catch (error) {
      // what it had pending is in doubt: it is found again from the store
      this.receivers.delete(id);
      throw error;
    }
    const latest = laterClock(record.latest, receiver.latest);
    const taken = this.room.touched({ ...record, next: number + 1, ...(latest && { latest }) });
    const { done } = await this.store.transact({ state: [sessionUpdate(taken, raw)] });
    if (!done) return this.describeAgain(caller, id);
    this.receivers.set(id, { receiver, next: taken.next });
    return this.describe(taken, receiver);
  }

  /** Another process took the segment, or ended the session. */
  private async describeAgain(caller: Caller, id: string): Promise<PushSession> {
    this.receivers.delete(id);
    const session = await this.find(caller, id);
    if (session === undefined) await this.store.dropTransfer(transferOf(id));
    const { record } = session ?? (await this.require(caller, id));
    return this.describe(record, await this.receiverOf(record));
  }

  commitPush(caller: Caller, id: string): Promise<PushAnswer> {
    return this.receiving(caller, id, () => this.commit(caller, id));
  }

  private commit(caller: Caller, id: string): Promise<PushAnswer> {
    return this.locks.with([transferOf(id)], async () => {
      const session = await this.require(caller, id);
      const { record } = session;
      if (record.answer?.kind === 'done') return { ...record.answer, cursor: await this.cursor() };
      const receiver = await this.receiverOf(record);
      const answer = await this.finish(caller, record.request, receiver, session);
      if (answer.kind === 'incomplete') this.receivers.delete(id);
      else if (answer.outcomes.some(({ status }) => status !== 'refused')) {
        this.receivers.delete(id);
      }
      return answer;
    });
  }

  /** Idempotent. */
  abandonPush(caller: Caller, id: string): Promise<void> {
    return this.locks.with([transferOf(id)], async () => {
      if ((await this.find(caller, id)) === undefined) return;
      this.receivers.delete(id);
      await endSession(this.store, id);
    });
  }

  private async finish(
    caller: Caller,
    request: PushRequest,
    receiver: Receiver,
    session?: StoredSession,
  ): Promise<PushAnswer> {
    if (receiver.pendingCount > 0) return this.incomplete(receiver.frontier(this.limits.roots));
    if (!(await receiver.stillThere())) return this.incomplete(wantsOf(request));
    await receiver.checkRoots();
    const latest = laterClock(session?.record.latest, receiver.latest);
    const outcomes =
      this.clockRefusals(request, latest) ??
      (await this.move(caller, request, receiver, session, latest));
    return { kind: 'done', outcomes, cursor: await this.cursor() };
  }

  private incomplete(pending: readonly { kind: 'named' | string; hash: Hash }[]): PushAnswer {
    const edges = pending.map(({ kind, hash }) => ({ kind, hash }));
    return { kind: 'incomplete', pending: edges } as PushAnswer;
  }

  private clockRefusals(
    { updates }: PushRequest,
    latest: SessionRecord['latest'],
  ): RefOutcome[] | undefined {
    const error = latest && refuseAhead(latest, this.options.now());
    return error && updates.map(({ ref }) => refusal(ref, error, null));
  }

  private move(
    caller: Caller,
    request: PushRequest,
    receiver: Receiver,
    session: StoredSession | undefined,
    latest: SessionRecord['latest'],
  ): Promise<readonly RefOutcome[]> {
    const { now, random, sleep, mayUpdate = () => {} } = this.options;
    const refs = request.updates.map(({ ref }) => ref);
    return moveRefs(request, {
      store: this.store,
      underWay: this.underWay,
      inTurn: (work) => this.locks.with(refs, work),
      objects: receiver.overlay(),
      caller,
      ancestry: this.ancestry,
      now,
      random,
      sleep,
      mayUpdate,
      chunks: () => receiver.chunks,
      clocks: this.clocks,
      brought: latest?.commit,
      completes: receiver.spilled || session !== undefined ? [receiver.transfer] : [],
      state: (outcomes) =>
        session === undefined ? receiver.leaseEnd() : [this.answered(session, outcomes)],
    });
  }

  /** The session keeps its answer, in the transaction that makes it true. */
  private answered({ record, raw }: StoredSession, outcomes: readonly RefOutcome[]) {
    return sessionUpdate({ ...record, answer: { kind: 'done', outcomes, cursor: '' } }, raw);
  }
}

/** Nothing named twice. */
function wantsOf({ updates }: PushRequest): { kind: 'named'; hash: Hash }[] {
  const hashes = new Set(updates.flatMap(({ new: to }) => (to === null ? [] : [to])));
  return [...hashes].map((hash) => ({ kind: 'named', hash }));
}
