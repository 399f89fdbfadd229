/**
 * Those who wait for the feed to go on: woken when somebody says how far it has gone. Whoever
 * finds that out is told when the first one begins to wait and when the last one stops.
 */
interface Waiter {
  readonly after: number;
  wake(): void;
}

export interface FeedSource {
  /** The newest sequence now. */
  last(): Promise<number>;
  /** Somebody waits: from now on, call `FeedWaiters.reached`. */
  start(): void;
  /** Nobody waits any more. */
  stop(): void;
}

export class FeedWaiters {
  private readonly source: FeedSource;
  private readonly waiters = new Set<Waiter>();

  constructor(source: FeedSource) {
    this.source = source;
  }

  /** Resolves when the feed is beyond `after`, `signal` aborts or the store closes. */
  async wait(after: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const wake = () => resolve();
    const waiter: Waiter = { after, wake };
    signal.addEventListener('abort', wake);
    if (this.waiters.size === 0) this.source.start();
    this.waiters.add(waiter);
    try {
      // Asked only now, so that nothing comes between the answer and the waiting.
      if ((await this.source.last()) > after) return;
      await promise;
    } finally {
      signal.removeEventListener('abort', wake);
      this.waiters.delete(waiter);
      if (this.waiters.size === 0) this.source.stop();
    }
  }

  get anybody(): boolean {
    return this.waiters.size > 0;
  }

  /** The feed has gone to `last`. */
  reached(last: number): void {
    for (const waiter of this.waiters) if (last > waiter.after) waiter.wake();
  }

  /** The store closes: there is nothing to wait for. */
  wakeAll(): void {
    for (const waiter of this.waiters) waiter.wake();
  }
}
