/**
 * One watcher of a hub: a position in the feed, and what it wants of it. It takes items when
 * it can use them. A watcher that was slow calls `conflate`: what it missed becomes one slot
 * per ref, the newest value and how many changes it stands for.
 *
 *   base      the cursor that loses nothing: behind what was taken whole
 *   scanned   how far the feed has been looked at; beyond `base` only while slots wait
 *
 * Of several slots only the last one moves the cursor: who goes on from an earlier one's is
 * told some again, and misses none. A ref that began while nobody took is told twice, its
 * first commit and its newest, so that what lies between can be told from history.
 */
import type { NodeStore } from '../prolly/node-store.ts';
import type { FeedEntry } from '../store/contract.ts';
import type { FeedItem as Item } from './feed-item.ts';
import { FeedItem } from './feed-item.ts';
import { wantsRef } from './ref-patterns.ts';

/** What a subscription asks of its hub. */
export interface FeedReader {
  readonly nodes: NodeStore;
  readonly last: number;
  cursorOf(sequence: number): string;
  itemsAfter(after: number, limit: number): Promise<readonly Item[]>;
  leave(subscription: FeedSubscription): void;
}

export interface SubscriptionFilter {
  readonly patterns?: readonly string[];
  readonly tables?: readonly string[];
}

interface Slot {
  readonly ref: string;
  readonly old: FeedEntry['old'];
  newest: FeedEntry;
  changes: number;
}

const PAGE = 1000;

export class FeedSubscription {
  private readonly hub: FeedReader;
  private readonly filter: SubscriptionFilter;
  private base: number;
  private scanned: number;
  /** By ref; a ref that began has its beginning under another key. */
  private readonly slots = new Map<string, Slot>();
  private waiting:
    | { readonly resolve: () => void; readonly reject: (error: unknown) => void }
    | undefined;
  private failure: { readonly error: unknown } | undefined;
  private ended = false;

  constructor(hub: FeedReader, filter: SubscriptionFilter, position: number) {
    this.hub = hub;
    this.filter = filter;
    this.base = position;
    this.scanned = position;
  }

  get closed(): boolean {
    return this.ended;
  }

  /** The sequence to go on from when everything taken so far has arrived. */
  get position(): number {
    return this.base;
  }

  /** Changes of the feed that this watcher has not been told of. */
  get lag(): number {
    return Math.max(0, this.hub.last - this.base);
  }

  get hasMore(): boolean {
    return this.slots.size > 0 || this.hub.last > this.scanned;
  }

  /** What is there and wanted, at most `limit` items; none does not mean that no more come. */
  async take(limit = 256): Promise<readonly Item[]> {
    if (this.slots.size > 0) return this.takeSlots(limit);
    const wanted: Item[] = [];
    const { last } = this.hub;
    const items = await this.hub.itemsAfter(this.scanned, limit);
    if (items.length === 0) this.scanned = Math.max(this.scanned, last);
    for (const item of items) {
      this.scanned = item.entry.sequence;
      if (isChange(item.entry) && (await this.wants(item))) wanted.push(item);
    }
    this.base = this.scanned;
    return wanted;
  }

  /** Folds everything up to now into slots. Memory: two slots per ref. */
  async conflate(): Promise<void> {
    while (this.hub.last > this.scanned) {
      const { last } = this.hub;
      const items = await this.hub.itemsAfter(this.scanned, PAGE);
      if (items.length === 0) this.scanned = last;
      for (const { entry } of items) {
        this.scanned = entry.sequence;
        if (isChange(entry) && wantsRef(entry.name, this.filter.patterns)) this.fold(entry);
      }
    }
    if (this.slots.size === 0) this.base = this.scanned;
  }

  /** Resolves when there is more, or the subscription is closed. */
  wait(): Promise<void> {
    if (this.failure !== undefined) {
      const { error } = this.failure;
      this.failure = undefined;
      return Promise.reject(error);
    }
    if (this.ended || this.hasMore) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.waiting = { resolve, reject };
    });
  }

  wake(): void {
    this.waiting?.resolve();
    this.waiting = undefined;
  }

  /** The feed cannot be read just now: whoever waits is told. */
  fail(error: unknown): void {
    if (this.waiting === undefined) this.failure = { error };
    else this.waiting.reject(error);
    this.waiting = undefined;
  }

  /** Idempotent. */
  close(): void {
    this.ended = true;
    this.wake();
    this.hub.leave(this);
  }

  private async wants(item: Item): Promise<boolean> {
    const { patterns, tables } = this.filter;
    if (!wantsRef(item.entry.name, patterns)) return false;
    return tables === undefined || tables.length === 0 || item.touches(tables);
  }

  private fold(entry: FeedEntry): void {
    const { name: ref, old } = entry;
    const slot = this.slots.get(ref);
    if (slot === undefined || isBeginning(slot)) {
      // A beginning keeps its place, and the ref goes on in a slot of its own.
      if (slot !== undefined) {
        this.slots.delete(ref);
        this.slots.set(`${ref}\n`, slot);
      }
      this.slots.set(ref, { ref, old, newest: entry, changes: 1 });
    } else {
      slot.newest = entry;
      slot.changes += 1;
    }
  }

  private async takeSlots(limit: number): Promise<readonly Item[]> {
    const wanted: Item[] = [];
    for (const [key, slot] of this.slots) {
      if (wanted.length >= limit) break;
      this.slots.delete(key);
      if (this.slots.size === 0) this.base = this.scanned;
      const { newest, old, changes } = slot;
      if (newest.new === old) continue;
      const id = this.hub.cursorOf(this.base);
      const entry = { ...newest, old };
      const conflated = { skipped: changes - 1, more: this.slots.size > 0 };
      const item = new FeedItem(this.hub.nodes, id, entry, conflated);
      if (await this.wants(item)) wanted.push(item);
    }
    return wanted;
  }
}

const isChange = ({ old, new: to }: FeedEntry): boolean => old !== to;

/** Made, and not changed since. */
function isBeginning({ old, newest, changes }: Slot): boolean {
  return old === null && newest.new !== null && changes === 1;
}
