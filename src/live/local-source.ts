/**
 * The feed of a repository of this machine, without a server: also what other processes
 * commit, as they commit it. Nothing is ever conflated here, for the feed lies on the disk.
 */
import type { Hash } from '../hash.ts';
import type { TableDiff } from '../model/change.ts';
import { commitRange } from './commit-range.ts';
import type { CommitInRange, FeedEvent, FeedSource, WatchOptions } from './contract.ts';
import type { FeedHub } from './hub.ts';
import { type DiffChoice, tableDiffsBetween } from './table-diffs.ts';

export class LocalFeedSource implements FeedSource {
  readonly url: string;
  private readonly hub: FeedHub;

  /** `close` closes the hub, not its store. */
  constructor(url: string, hub: FeedHub) {
    this.url = url;
    this.hub = hub;
  }

  async *events(options: WatchOptions): AsyncGenerator<FeedEvent> {
    const { signal, counts, since, patterns, tables } = options;
    if (signal.aborted) return;
    const { subscription, reset } = await this.hub.subscribe({ patterns, tables }, since);
    const stop = () => subscription.close();
    signal.addEventListener('abort', stop);
    try {
      if (reset !== undefined) yield reset;
      let isNew = since !== undefined;
      if (!isNew) yield this.hub.bookmark(subscription.position);
      while (!signal.aborted && !subscription.closed) {
        for (const item of await subscription.take()) {
          const event = await item.event(counts);
          if (event !== undefined) yield event;
          isNew = true;
          if (signal.aborted) return;
        }
        if (subscription.hasMore) continue;
        // Caught up: says so, once for everything that came before.
        if (isNew) yield this.hub.bookmark(subscription.position);
        isNew = false;
        await subscription.wait();
      }
    } finally {
      signal.removeEventListener('abort', stop);
      subscription.close();
    }
  }

  changes(from: Hash | null, to: Hash, choice: DiffChoice = {}): AsyncIterable<TableDiff> {
    return tableDiffsBetween(this.hub.nodes, from, to, choice);
  }

  commitsBetween(
    from: Hash | null,
    to: Hash,
    options: { readonly counts?: boolean } = {},
  ): AsyncIterable<CommitInRange> {
    return commitRange(this.hub.nodes, from, to, options.counts ?? false);
  }

  async close(): Promise<void> {
    await this.hub.close();
  }
}
