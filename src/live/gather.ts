/**
 * Events of a source, as many together as are there: whoever works at one for a while takes all
 * that came meanwhile at once. The source is read ahead so far, in number and in bytes of packs,
 * and no further; what it fails with is told behind what came before.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { FeedEvent, FeedSource, WatchOptions } from './contract.ts';

const MOST_EVENTS = 64;
const MOST_PACK_BYTES = 1024 * 1024;

/** Lists of one event or more, in order, until the source ends. */
export async function* gatherEvents(
  source: Pick<FeedSource, 'events'>,
  options: WatchOptions,
): AsyncGenerator<readonly FeedEvent[]> {
  const stop = new AbortController();
  const signal = AbortSignal.any([options.signal, stop.signal]);
  const waiting = new Waiting();
  const reading = read(source.events({ ...options, signal }), waiting, signal);
  reading.catch(() => undefined); // told below, behind what came before
  try {
    for (;;) {
      await waiting.some();
      await nextTurn(); // events that arrive together are taken together
      const events = waiting.take();
      if (events.length > 0) yield events;
      else if (waiting.ended) break;
    }
    await reading;
  } finally {
    stop.abort();
    waiting.take();
    await reading.catch(() => undefined); // told above, unless nobody listens any more
  }
}

async function read(
  events: AsyncIterable<FeedEvent>,
  waiting: Waiting,
  signal: AbortSignal,
): Promise<void> {
  try {
    for await (const event of events) {
      waiting.add(event);
      await waiting.room();
      if (signal.aborted) return;
    }
  } finally {
    waiting.end();
  }
}

class Waiting {
  private events: FeedEvent[] = [];
  private bytes = 0;
  private arrived = Promise.withResolvers<void>();
  private taken = Promise.withResolvers<void>();
  ended = false;

  add(event: FeedEvent): void {
    this.events.push(event);
    if (event.type === 'commit') this.bytes += event.pack?.length ?? 0;
    this.arrived.resolve();
  }

  end(): void {
    this.ended = true;
    this.arrived.resolve();
  }

  /** Resolves when there is something to take, or nothing comes any more. */
  some(): Promise<void> {
    return this.arrived.promise;
  }

  async room(): Promise<void> {
    const isFull = this.events.length >= MOST_EVENTS || this.bytes >= MOST_PACK_BYTES;
    if (isFull) await this.taken.promise;
  }

  take(): readonly FeedEvent[] {
    const { events } = this;
    this.events = [];
    this.bytes = 0;
    if (!this.ended) this.arrived = Promise.withResolvers();
    this.taken.resolve();
    this.taken = Promise.withResolvers();
    return events;
  }
}
