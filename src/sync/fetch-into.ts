/**
 * A whole fetch: asks, verifies, and after a cut asks for the rest, until everything wanted is
 * here. What came is kept under a name made of the remote and the request, so that a run that
 * was killed is gone on with by the next one. When the remote has moved on, the next one takes
 * over what it needs of it, and the rest is given up after a day (transfer-lease.ts).
 */
import { DvError } from '../errors.ts';
import { type Hash, hashOf } from '../hash.ts';
import { refuseAhead } from '../model/clock.ts';
import { readShallow, shallowUpdate } from '../model/shallow.ts';
import type { StateUpdate, Store, Transaction, TransactResult } from '../store/contract.ts';
import type { ReceivedChunk } from '../store/transfer.ts';
import { Backoff, type RetryOptions } from './backoff.ts';
import type { Expectation } from './expectation.ts';
import type { PackHeader } from './pack.ts';
import { DEFAULT_LIMITS, type FetchRequest, type Remote } from './protocol.ts';
import { Receiver, type Reception } from './receiver.ts';
import { type BroughtClock, takeFetched } from './taken-clocks.ts';
import { dropStaleTransfers, TransferLease } from './transfer-lease.ts';

export interface FetchIntoOptions extends RetryOptions {
  readonly onProgress?: (reception: Reception, header: PackHeader | undefined) => void;
  /** The remote's limit of roots in a request. */
  readonly roots?: number;
  /**
   * ms since the epoch. Without it no clock is taken in or refused, and what earlier runs left is
   * not given up.
   */
  readonly now?: () => number;
}

/** Everything wanted is here; `commit` makes it count. */
export interface Fetched {
  readonly reception: Reception;
  /** The first pack's header; undefined: nothing had to be fetched. */
  readonly header: PackHeader | undefined;
  /** Verified chunks that are not in the store yet. */
  readonly chunks: readonly ReceivedChunk[];
  /** Commits whose parents are not here, as they are with this. */
  readonly shallow: readonly Hash[];
  /** The latest clock of a commit that came. */
  readonly latest: BroughtClock | undefined;
  /** The transaction, and with it what was fetched. May be tried again when it loses. */
  commit(transaction: Transaction): Promise<TransactResult>;
}

/**
 * Names the transfer by all that decides what is in it: what a name has is complete as a whole,
 * so nothing that only another request reaches may be in it.
 */
export function fetchTransfer(url: string, request: FetchRequest): string {
  const { wants = [], roots = [], depth, tables, levels } = request;
  const asked = [[...wants].sort(), roots.map(({ hash }) => hash).sort(), depth, tables, levels];
  return `${transfersOf(url)}${hashOf(Buffer.from(JSON.stringify(asked))).slice(0, 16)}`;
}

const transfersOf = (url: string): string => `fetch:${hashOf(Buffer.from(url)).slice(0, 16)}:`;

/**
 * @throws DvError `bad-pack` (what came is dropped), `connection-lost` and other errors of the
 * way when trying again did not help (what came is kept), `missing-object` when the remote
 * does not have what it should, `clock-ahead` when a commit is from the future (what came is kept)
 */
export async function fetchInto(
  remote: Remote,
  store: Store,
  request: FetchRequest,
  options: FetchIntoOptions,
): Promise<Fetched> {
  const fetch = new Fetch(remote, store, request, options);
  await fetch.run();
  return fetch.result();
}

class Fetch {
  private readonly remote: Remote;
  private readonly store: Store;
  private readonly request: FetchRequest;
  private readonly options: FetchIntoOptions;
  private readonly transfer: string;
  private readonly lease: TransferLease | undefined;
  private receiver: Receiver;
  private shallow: readonly Hash[] = [];
  private header: PackHeader | undefined;

  constructor(remote: Remote, store: Store, request: FetchRequest, options: FetchIntoOptions) {
    this.remote = remote;
    this.store = store;
    this.request = request;
    this.options = options;
    this.transfer = fetchTransfer(remote.url, request);
    this.lease = options.now && new TransferLease(store, this.transfer, options.now);
    this.receiver = this.newReceiver();
  }

  private newReceiver(): Receiver {
    const { tables, levels } = this.request;
    const { onProgress } = this.options;
    return new Receiver(this.store, {
      transfer: this.transfer,
      ...(this.lease && { lease: this.lease }),
      acceptShallow: true,
      shallow: this.shallow,
      ...(tables && { tables }),
      ...(levels && { levels }),
      ...(onProgress && { onChunk: (counts) => onProgress(counts, this.header) }),
    });
  }

  async run(): Promise<void> {
    this.shallow = [...(await readShallow(this.store))];
    this.receiver = this.newReceiver();
    await this.receiver.expect(this.wanted());
    const backoff = new Backoff(this.options);
    let isFirst = !(await this.wasBegun());
    if (!isFirst) await this.lease?.renew();
    // what is shallow may be wanted deeper, though all the wants are here
    let isOver = this.request.depth === undefined || this.shallow.length === 0;
    while (!isOver || this.receiver.pendingCount > 0) {
      const before = this.receiver.counts.chunks;
      try {
        const request = isFirst ? this.firstRequest() : this.nextRequest();
        const { trailer } = await this.receiver.receive(
          this.remote.fetch(request, this.options.signal),
          (header) => this.takeHeader(header),
        );
        const gained = this.receiver.counts.chunks > before;
        if (trailer.complete && !gained && this.receiver.pendingCount > 0) throw this.lacking();
        backoff.succeeded();
        isOver = true;
      } catch (error) {
        await this.keepOrDrop(error);
        if (this.receiver.counts.chunks > before) backoff.succeeded();
        await backoff.failed(error);
      }
      isFirst = false;
    }
    await this.receiver.checkRoots();
    await this.refuseAhead();
  }

  /** What came stays, as time may make it right. */
  private async refuseAhead(): Promise<void> {
    const { latest } = this.receiver;
    const { now } = this.options;
    const error = latest && now && refuseAhead(latest, now());
    if (error === undefined) return;
    await this.keepOrDrop(error);
    throw error;
  }

  private wanted(): Expectation[] {
    const { wants = [], roots = [] } = this.request;
    return [...wants.map((hash): Expectation => ({ kind: 'named', hash })), ...roots];
  }

  /** Whether an earlier run left chunks: then the wants alone do not say what is pending. */
  private async wasBegun(): Promise<boolean> {
    const begun = transfersOf(this.remote.url);
    return (await this.store.listTransfers()).some((name) => name.startsWith(begun));
  }

  private async takeHeader(header: PackHeader): Promise<void> {
    this.header ??= header;
    await this.expectDeepened(header);
  }

  /** Commits that are no longer shallow: their parents come now. */
  private async expectDeepened({ shallow }: PackHeader): Promise<void> {
    if (this.request.depth === undefined) return;
    await this.receiver.deepen(this.shallow.filter((hash) => !shallow.includes(hash)));
  }

  private firstRequest(): FetchRequest {
    const { shallow } = this;
    return { ...this.request, ...(shallow.length > 0 && { shallow }) };
  }

  /**
   * The frontier. Of the wants only the commits whose objects are under way are named, so that
   * the sender need not look through what came before; and a commit that came whole, but for
   * its parents, is something to send the difference to. With a depth the sender has to count
   * from the wants.
   */
  private nextRequest(): FetchRequest {
    const { roots: limit = DEFAULT_LIMITS.roots } = this.options;
    const frontier = this.receiver.frontier(limit);
    const roots = frontier.map(({ kind, hash }) => ({ kind, hash }));
    const request = this.firstRequest();
    if (request.depth !== undefined) return { ...request, roots };
    const { under, whole } = this.receiver.commitsUnderWay();
    const { haves = [], shallow = [], wants = [] } = request;
    return {
      ...request,
      wants: under.length > DEFAULT_LIMITS.wants ? wants : under,
      haves: [...whole, ...haves].slice(0, DEFAULT_LIMITS.haves),
      shallow: [...whole, ...shallow],
      roots,
    };
  }

  private lacking(): DvError {
    const [first] = this.receiver.frontier(1);
    const message = `'${this.remote.url}' does not send object ${first?.hash}, which it should have`;
    return new DvError('missing-object', message, { hint: 'dv fsck there' });
  }

  /** Verified chunks are kept over a cut; a sender that cheats leaves nothing. */
  private async keepOrDrop(error: unknown): Promise<void> {
    const code = error instanceof DvError ? error.code : undefined;
    if (code === 'bad-pack') await this.store.dropTransfer(this.receiver.transfer);
    else if (code !== undefined && code !== 'missing-object') await this.receiver.spill();
  }

  private leaseEnd(): StateUpdate[] {
    return this.lease?.end() ?? [];
  }

  result(): Fetched {
    const { receiver, store, header } = this;
    const shallow = receiver.shallowCommits;
    return {
      reception: receiver.counts,
      header,
      chunks: receiver.chunks,
      shallow,
      latest: receiver.latest,
      commit: async (transaction) => {
        const completes = receiver.spilled ? [receiver.transfer] : [];
        const isMoved = shallow.join() !== [...this.shallow].sort().join();
        const boundary = shallowUpdate(new Set(shallow), new Set(this.shallow));
        const { state = [] } = transaction;
        const { latest } = receiver;
        const clock = latest && this.options.now ? await takeFetched(store, latest) : [];
        const result = await store.transact(
          {
            ...transaction,
            state: [...state, ...clock, ...(isMoved ? [boundary] : []), ...this.leaseEnd()],
            completes: [...(transaction.completes ?? []), ...completes],
          },
          receiver.chunks,
        );
        const { now } = this.options;
        const kind = transfersOf(this.remote.url);
        if (result.done && now !== undefined) await dropStaleTransfers(store, kind, now());
        return result;
      },
    };
  }
}
