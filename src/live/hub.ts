/**
 * One store's feed to many watchers. The hub reads the feed once and keeps its newest part in
 * memory, with what was made of it; a watcher (subscription.ts) is a position in it. So
 * whoever is behind costs nothing: what it has not taken yet lies in the feed, not in a queue.
 */
import { nextClock, readClock } from '../model/clock.ts';
import { feedEpoch, formatCursor } from '../model/cursor.ts';
import { readNodeId } from '../model/node-id.ts';
import type { NodeStore } from '../prolly/node-store.ts';
import type { FeedEntry, Store } from '../store/contract.ts';
import type { BookmarkEvent, ResetEvent } from './contract.ts';
import { FeedItem } from './feed-item.ts';
import { wantsRef } from './ref-patterns.ts';
import { resolveSince } from './since.ts';
import { type FeedReader, FeedSubscription, type SubscriptionFilter } from './subscription.ts';

const RING_ITEMS = 2048;
const PAGE = 1000;
/** Bytes of wire forms that are kept with their items; older ones are made again if wanted. */
const KEPT_BYTES = 32 * 1024 * 1024;
const RETRY_MS = 200;

export interface HubOptions {
  /** 16 random hex digits: for the epoch of a feed that has none. */
  readonly randomId: () => string;
  /** ms since the epoch. */
  readonly now: () => number;
}

interface KeptForm {
  readonly item: FeedItem;
  readonly form: string;
  readonly size: number;
}

export interface Subscribed {
  readonly subscription: FeedSubscription;
  /** When `since` could not be resumed. */
  readonly reset: ResetEvent | undefined;
}

export class FeedHub implements FeedReader {
  readonly store: Store;
  readonly nodes: NodeStore;
  private readonly options: HubOptions;
  private epoch = '';
  /** The newest items, oldest first: all of the feed behind `ringAfter`. */
  private ring: FeedItem[] = [];
  private ringAfter = 0;
  private newest = 0;
  private kept: KeptForm[] = [];
  private keptBytes = 0;
  private readonly subscriptions = new Set<FeedSubscription>();
  /** Watchers that are not among them yet. */
  private joining = 0;
  private pump: { readonly stop: AbortController; readonly ended: Promise<void> } | undefined;
  private opening: Promise<void> | undefined;

  constructor(store: Store, nodes: NodeStore, options: HubOptions) {
    this.store = store;
    this.nodes = nodes;
    this.options = options;
  }

  /** The newest sequence that watchers are told of. */
  get last(): number {
    return this.newest;
  }

  /**
   * A watcher, from `since` (a cursor, `commit:<hash>` or `time:<ms>`) or from now on. Close it.
   * @throws DvError `bad-cursor` for what is no cursor at all, or no commit of the feed
   */
  async subscribe(filter: SubscriptionFilter, since?: string): Promise<Subscribed> {
    // Counted before anything is awaited: the last one may leave meanwhile, and must not stop
    // what this one needs.
    this.joining += 1;
    try {
      await this.start();
      return await this.join(filter, since);
    } finally {
      this.joining -= 1;
      this.stopUnused();
    }
  }

  private async join(filter: SubscriptionFilter, since: string | undefined): Promise<Subscribed> {
    const cursor =
      since === undefined ? undefined : await resolveSince(this.store, this.epoch, since);
    const { first, last } = await this.store.readFeed(Number.MAX_SAFE_INTEGER, 1);
    const oldest = first === 0 ? 0 : first - 1;
    const from = cursor?.sequence ?? last;
    const resumes = cursor === undefined || cursor.epoch === this.epoch;
    const kept = from >= oldest && from <= last;
    const subscription = new FeedSubscription(this, filter, resumes && kept ? from : last);
    this.subscriptions.add(subscription);
    const reset = resumes && kept ? undefined : await this.resetAt(last, filter.patterns);
    return { subscription, reset };
  }

  /** Called by a subscription that closes. */
  leave(subscription: FeedSubscription): void {
    this.subscriptions.delete(subscription);
    this.stopUnused();
  }

  cursorOf(sequence: number): string {
    return formatCursor({ epoch: this.epoch, sequence });
  }

  async bookmark(sequence: number): Promise<BookmarkEvent> {
    const latest = await readClock(this.store);
    const clock = nextClock(latest, this.options.now(), await readNodeId(this.store));
    return { type: 'bookmark', id: this.cursorOf(sequence), clock };
  }

  /** Items behind `after`, at most `limit`. Those in memory are shared. */
  async itemsAfter(after: number, limit: number): Promise<readonly FeedItem[]> {
    if (after >= this.ringAfter) {
      const start = this.placeBehind(after);
      return this.ring.slice(start, start + limit);
    }
    const { entries } = await this.store.readFeed(after, limit);
    return entries.map((entry) => this.itemOf(entry));
  }

  itemOf(entry: FeedEntry): FeedItem {
    return new FeedItem(this.nodes, this.cursorOf(entry.sequence), entry);
  }

  /** The bytes of an item in a form; made once, and kept while there is room. */
  bytes(item: FeedItem, form: string, make: () => Promise<Uint8Array>): Promise<Uint8Array> {
    return item.bytes(form, make, (made, name, size) =>
      this.keep({ item: made, form: name, size }),
    );
  }

  /** Resolves when the feed has reached `sequence` (true) or the signal aborts (false). */
  async reaches(sequence: number, signal: AbortSignal): Promise<boolean> {
    for (;;) {
      const { last } = await this.store.readFeed(Number.MAX_SAFE_INTEGER, 1);
      if (last >= sequence) return true;
      if (signal.aborted) return false;
      await this.store.waitForFeed(sequence - 1, signal);
    }
  }

  /** Ends every subscription. Idempotent. */
  async close(): Promise<void> {
    for (const subscription of [...this.subscriptions]) subscription.close();
    const { pump } = this;
    this.stopPump();
    await pump?.ended;
  }

  private async resetAt(last: number, patterns: readonly string[] = []): Promise<ResetEvent> {
    const refs = await this.store.listRefs('refs/');
    const heads = refs
      .filter(({ name }) => wantsRef(name, patterns))
      .map(({ name: ref, hash }) => ({ ref, hash }));
    return { type: 'reset', id: this.cursorOf(last), heads };
  }

  private keep(form: KeptForm): void {
    this.kept.push(form);
    this.keptBytes += form.size;
    let dropped = 0;
    for (const oldest of this.kept) {
      if (this.keptBytes <= KEPT_BYTES) break;
      oldest.item.dropForm(oldest.form);
      this.keptBytes -= oldest.size;
      dropped++;
    }
    if (dropped > 0) this.kept.splice(0, dropped);
  }

  /** Index of the first item in the ring behind `after`. */
  private placeBehind(after: number): number {
    let [low, high] = [0, this.ring.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.ring[middle].entry.sequence <= after) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  private async start(): Promise<void> {
    if (this.pump !== undefined) return;
    this.opening ??= this.open().finally(() => {
      this.opening = undefined;
    });
    await this.opening;
  }

  private async open(): Promise<void> {
    this.epoch = await feedEpoch(this.store, this.options.randomId);
    const { last } = await this.store.readFeed(Number.MAX_SAFE_INTEGER, 1);
    this.ring = [];
    this.ringAfter = last;
    this.newest = last;
    const stop = new AbortController();
    this.pump = { stop, ended: this.read(stop.signal) };
  }

  private stopUnused(): void {
    if (this.subscriptions.size === 0 && this.joining === 0) this.stopPump();
  }

  private stopPump(): void {
    this.pump?.stop.abort();
    this.pump = undefined;
  }

  /** Reads what is new as it comes, and wakes the watchers. */
  private async read(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.store.waitForFeed(this.newest, signal);
        if (signal.aborted) return;
        const { entries, last } = await this.store.readFeed(this.newest, PAGE);
        if (signal.aborted) return;
        this.append(entries, entries.length < PAGE ? last : (entries.at(-1)?.sequence ?? last));
      } catch (error) {
        if (signal.aborted) return;
        for (const subscription of [...this.subscriptions]) subscription.fail(error);
        await pause(RETRY_MS);
      }
    }
  }

  private append(entries: readonly FeedEntry[], last: number): void {
    for (const entry of entries) this.ring.push(this.itemOf(entry));
    const surplus = this.ring.length - RING_ITEMS;
    if (surplus > 0) {
      const dropped = this.ring.splice(0, surplus);
      this.ringAfter = dropped.at(-1)?.entry.sequence ?? this.ringAfter;
    }
    this.newest = Math.max(this.newest, last);
    for (const subscription of this.subscriptions) subscription.wake();
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
