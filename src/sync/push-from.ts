/**
 * A whole push: one request when it is small, a session of segments when it is not. What was
 * cut is taken up again; when an answer is lost, the other side is asked what became of it.
 */
import { DvError } from '../errors.ts';
import type { Hash } from '../hash.ts';
import { isAncestor } from '../model/history.ts';
import type { Store } from '../store/contract.ts';
import { createMemoryStore } from '../store/memory.ts';
import { Backoff, type RetryOptions } from './backoff.ts';
import { planPush } from './negotiate.ts';
import {
  DEFAULT_LIMITS,
  type FetchRequest,
  type Limits,
  type PushAnswer,
  type PushRequest,
  type PushSession,
  type RefOutcome,
  type Remote,
  type RemoteRefs,
} from './protocol.ts';
import { Receiver } from './receiver.ts';
import { openSending, packOf, type Sending } from './sender.ts';

export interface PushFromOptions extends RetryOptions {
  /** What the other side's refs are; asked when not given. */
  readonly refs?: RemoteRefs;
  readonly limits?: Limits;
  readonly onProgress?: (progress: PushProgress) => void;
}

export interface PushProgress {
  /** Bytes of packs that were sent. */
  readonly bytes: number;
  readonly requests: number;
  /** Chunks that the other side took in segments, and about how many there are. */
  readonly chunks: number;
  readonly total?: number;
}

export interface Pushed {
  readonly outcomes: readonly RefOutcome[];
  /** Feed cursor at the other side behind the push; '' when the answer was lost. */
  readonly cursor: string;
  readonly progress: PushProgress;
}

const MOST_ENDED = 8;
/** Bytes of a segment left for the frame that goes over its size. */
const SEGMENT_SLACK = 2 * DEFAULT_LIMITS.chunkBytes;

/** @throws DvError of the way when trying again did not help; `missing-object` */
export async function pushFrom(
  remote: Remote,
  store: Store,
  request: PushRequest,
  options: PushFromOptions,
): Promise<Pushed> {
  const push = new Push(remote, store, request, options);
  return push.run();
}

class Push {
  private readonly remote: Remote;
  private readonly store: Store;
  private readonly request: PushRequest;
  private readonly options: PushFromOptions;
  private readonly limits: Limits;
  private readonly backoff: Backoff;
  private bytes = 0;
  private requests = 0;
  private chunks = 0;
  private total: number | undefined;
  private wants: readonly Hash[] = [];
  private haves: readonly Hash[] = [];
  /** An answer was lost, so a refusal may be of what was done. */
  private isDoubtful = false;
  /** Why the last segment did not arrive; undefined: it did. */
  private lost: unknown;
  /** Sessions that the other side ended. */
  private ended = 0;

  constructor(remote: Remote, store: Store, request: PushRequest, options: PushFromOptions) {
    this.remote = remote;
    this.store = store;
    this.request = request;
    this.options = options;
    this.limits = options.limits ?? DEFAULT_LIMITS;
    this.backoff = new Backoff(options);
  }

  async run(): Promise<Pushed> {
    const refs = this.options.refs ?? (await this.retrying(() => this.remote.refs()));
    const plan = await planPush(this.store, this.request.updates, refs, this.limits.haves);
    this.wants = plan.wants;
    this.haves = plan.haves;
    const sending = await this.open({ wants: this.wants, haves: this.haves });
    const first = await this.nextPack(sending, this.limits.inlinePackBytes);
    const answer = first.complete ? await this.inline(first.pack) : undefined;
    const done = answer?.kind === 'done' ? answer : await this.inSegments(answer?.pending);
    const outcomes = this.isDoubtful ? await this.clearUp(done.outcomes) : done.outcomes;
    return { outcomes, cursor: done.cursor, progress: this.progress };
  }

  private get progress(): PushProgress {
    const { bytes, requests, chunks, total } = this;
    return { bytes, requests, chunks, ...(total !== undefined && { total }) };
  }

  private open(request: FetchRequest, estimate = false): Promise<Sending> {
    const { signal } = this.options;
    return openSending(this.store, request, { estimate, ...(signal && { signal }) });
  }

  /** Of at most `limit` bytes. */
  private async nextPack(
    sending: Sending,
    limit: number,
  ): Promise<{ pack: Uint8Array; complete: boolean; chunks: number }> {
    const pieces: Uint8Array[] = [];
    const pack = packOf(sending, Math.max(1, limit - SEGMENT_SLACK));
    for (;;) {
      const next = await pack.next();
      if (next.done) return { pack: Buffer.concat(pieces), ...next.value };
      pieces.push(next.value);
    }
  }

  private async inline(pack: Uint8Array): Promise<PushAnswer> {
    const isEmpty = this.wants.length === 0;
    return this.retrying(
      () => this.remote.push(this.request, isEmpty ? undefined : pack),
      true,
      pack,
    );
  }

  /** One request and what it sends, again and again while the way fails. */
  private async retrying<T>(work: () => Promise<T>, moves = false, sends?: Uint8Array): Promise<T> {
    for (;;) {
      try {
        this.requests += 1;
        this.bytes += sends?.length ?? 0;
        const result = await work();
        this.backoff.succeeded();
        this.options.onProgress?.(this.progress);
        return result;
      } catch (error) {
        await this.backoff.failed(error);
        this.isDoubtful ||= moves;
      }
    }
  }

  private async inSegments(
    pending: readonly { readonly hash: Hash }[] | undefined,
  ): Promise<PushAnswer & { kind: 'done' }> {
    let session = await this.retrying(() => this.remote.openPush(this.request));
    // when it lacks what it seemed to have, what is said to be common is not to be relied on
    if (pending !== undefined) this.haves = [];
    for (let rounds = 0; ; rounds++) {
      session = await this.fill(session);
      const { id } = session;
      const answer = await this.orEnded(() =>
        this.retrying(() => this.remote.commitPush(id), true),
      );
      if (answer?.kind === 'done') return answer;
      if (answer === undefined) session = await this.reopen();
      else {
        if (rounds >= 3) throw lacking(answer.pending[0]?.hash);
        this.haves = [];
        session = (await this.retrying(() => this.remote.getPush(id))) ?? (await this.reopen());
      }
    }
  }

  /** undefined: the session is no more, and another one is to be begun, a few times. */
  private async orEnded<T>(work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      const isEnded = error instanceof DvError && error.code === 'unknown-session';
      this.ended += Number(isEnded);
      if (!isEnded || this.ended > MOST_ENDED) throw error;
      return undefined;
    }
  }

  private reopen(): Promise<PushSession> {
    return this.retrying(() => this.remote.openPush(this.request));
  }

  /** Sends segments until nothing is pending. */
  private async fill(begun: PushSession): Promise<PushSession> {
    let session = begun;
    let idle = 0;
    while (session.pending.length > 0) {
      const isFresh = session.next === 0 && this.haves.length > 0;
      const rest = isFresh ? {} : { roots: session.pending };
      const asked = { wants: this.wants, haves: this.haves, ...rest };
      const sending = await this.open(asked, this.total === undefined);
      this.total ??= sending.header.chunks;
      const before = frontierOf(session);
      session = await this.sendAll(sending, session);
      idle = frontierOf(session) === before ? idle + 1 : 0;
      if (idle >= 8) throw this.lost ?? lacking(session.pending[0]?.hash);
    }
    return session;
  }

  /** The segments of one sending; ends early when the session is not where it was left. */
  private async sendAll(sending: Sending, begun: PushSession): Promise<PushSession> {
    let session = begun;
    for (let complete = false; !complete && session.pending.length > 0; ) {
      const segment = await this.nextPack(sending, this.limits.segmentBytes);
      complete = segment.complete;
      const { id, next } = session;
      try {
        this.requests += 1;
        this.bytes += segment.pack.length;
        const taken = await this.orEnded(() => this.remote.putSegment(id, next, segment.pack));
        if (taken === undefined) return this.reopen();
        session = taken;
        this.chunks += segment.chunks;
        this.backoff.succeeded();
        this.lost = undefined;
        this.options.onProgress?.(this.progress);
      } catch (error) {
        await this.backoff.failed(error);
        this.lost = error;
        const found = await this.retrying(() => this.remote.getPush(id));
        session = found ?? (await this.reopen());
        if (session.id !== id || session.next !== next + 1) return session;
      }
    }
    return session;
  }

  /** An update that seems refused may be one whose answer was lost. */
  private async clearUp(outcomes: readonly RefOutcome[]): Promise<RefOutcome[]> {
    const cleared: RefOutcome[] = [];
    for (const [i, outcome] of outcomes.entries()) {
      const to = this.request.updates[i].new;
      const wasDone =
        outcome.status === 'refused' &&
        to !== null &&
        outcome.head !== null &&
        (outcome.head === to || (await this.isBelow(to, outcome.head)));
      cleared.push(wasDone ? { ref: outcome.ref, status: 'ok', hash: to } : outcome);
    }
    return cleared;
  }

  /** Is our commit an ancestor of the other side's head? Fetches the commits between. */
  private async isBelow(ours: Hash, head: Hash): Promise<boolean> {
    const both = scratchOver(this.store);
    const filter = { tables: [], levels: 'internal' } as const;
    const receiver = new Receiver(both, { transfer: 'ancestry', ...filter, acceptShallow: true });
    await receiver.expect([{ kind: 'named', hash: head }]);
    if (receiver.pendingCount > 0) {
      const request: FetchRequest = { wants: [head], haves: [ours, ...this.haves], ...filter };
      await this.retrying(() => receiver.receive(this.remote.fetch(request, this.options.signal)));
    }
    try {
      return await isAncestor(receiver.overlay(), ours, head);
    } catch (error) {
      if (error instanceof DvError && error.code === 'missing-object') return false;
      throw error;
    }
  }
}

/** Reads through to the store; what is put is forgotten with it. */
function scratchOver(store: Store): Store {
  const scratch = createMemoryStore();
  return {
    ...scratch,
    getMany: async (hashes) => {
      const [here, there] = [await scratch.getMany(hashes), await store.getMany(hashes)];
      return hashes.map((_, i) => here[i] ?? there[i]);
    },
    presence: async (hashes) => {
      const [here, there] = [await scratch.presence(hashes), await store.presence(hashes)];
      return hashes.map((_, i) => (there[i] === 'complete' ? there[i] : here[i]));
    },
  };
}

/** Changes with everything that the other side took. */
const frontierOf = ({ pending }: PushSession): string => pending.map(({ hash }) => hash).join();

function lacking(hash: Hash | undefined): DvError {
  return new DvError('missing-object', `the push does not bring object ${hash}, which is needed`, {
    hint: 'dv fsck',
  });
}
