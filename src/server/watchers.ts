/**
 * Who follows a repository's feed, and how far behind each of them is: for `/metrics` and
 * for `dv remote show`.
 */
import type { FeedSubscription } from '../live/subscription.ts';
import type { ServerContext } from './contract.ts';

export interface Watcher {
  /** Who, and which of their connections. */
  readonly id: string;
  readonly principal: string;
  readonly form: string;
  readonly patterns: readonly string[];
  /** ms since the epoch. */
  readonly since: number;
  readonly subscription: FeedSubscription;
}

export interface ShownWatcher extends Omit<Watcher, 'subscription'> {
  /** The last sequence that was sent. */
  readonly sent: number;
  /** Changes of the feed that were not sent yet. */
  readonly lag: number;
}

const PUBLISH_MS = 1000;
/** Followers with a series of their own; the rest is in `slowest`. */
const MOST_SERIES = 100;

export class Watchers {
  readonly #repository: string;
  readonly #context: ServerContext;
  readonly #watchers = new Map<string, Watcher>();
  #named = new Set<string>();
  #timer: NodeJS.Timeout | undefined;

  constructor(repository: string, context: ServerContext) {
    this.#repository = repository;
    this.#context = context;
  }

  add(watcher: Watcher): void {
    this.#watchers.set(watcher.id, watcher);
    this.#timer ??= setInterval(() => this.#publish(), PUBLISH_MS).unref();
    this.#publish();
  }

  remove(id: string): void {
    this.#watchers.delete(id);
    this.#publish();
    if (this.#watchers.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  list(): ShownWatcher[] {
    return [...this.#watchers.values()].map(({ subscription, ...facts }) => ({
      ...facts,
      sent: subscription.position,
      lag: subscription.lag,
    }));
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
  }

  #publish(): void {
    const repo = this.#repository;
    const shown = this.list();
    const slowest = shown.reduce((most, { lag }) => Math.max(most, lag), 0);
    this.#context.gauge('dv_watchers', { repo }, shown.length);
    this.#context.gauge('dv_watch_lag', { repo, follower: 'slowest' }, slowest);
    const named = new Set<string>();
    for (const { id, lag } of shown.slice(0, MOST_SERIES)) {
      named.add(id);
      this.#context.gauge('dv_watch_lag', { repo, follower: id }, lag);
    }
    for (const id of this.#named) {
      if (!named.has(id)) this.#context.dropGauge('dv_watch_lag', { repo, follower: id });
    }
    this.#named = named;
  }
}
