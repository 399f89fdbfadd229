/**
 * One stream of events to one watcher, until it goes, the server stops, or its time is up.
 *
 *   1. The head, and a bookmark or a reset, go out at once.
 *   2. What the reader takes is sent as it comes. Beyond BUFFER_BYTES that it has not taken,
 *      nothing more is written; when it has, everything in between is conflated, and the
 *      newest goes out. A reader that takes nothing for STALL_MS is cut.
 *   3. A bookmark when all that was there is told, and after HEARTBEAT_MS without anything.
 */
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { FeedEvent } from '../live/contract.ts';
import type { FeedItem } from '../live/feed-item.ts';
import type { FeedHub, Subscribed } from '../live/hub.ts';

/** Times in ms. */
export interface WatchTimes {
  readonly heartbeat: number;
  readonly stall: number;
  /** How long a stream lasts. */
  readonly life: number;
}

export const BUFFER_BYTES = 1024 * 1024;
const BATCH = 16;

export interface WatchEncoding {
  /** What a stream begins with. */
  readonly head: Uint8Array;
  /** undefined: not wanted, or gone. */
  item(item: FeedItem): Promise<Uint8Array | undefined>;
  event(event: FeedEvent): Uint8Array;
}

export interface WatchStreamParts {
  readonly raw: ServerResponse;
  readonly hub: FeedHub;
  readonly subscribed: Subscribed;
  readonly encoding: WatchEncoding;
  readonly times: WatchTimes;
  readonly stopping: AbortSignal;
  /** Seconds, never backwards. */
  readonly monotonic: () => number;
  /** Tells of bytes that were sent, and of a reader that was cut. */
  readonly count: (name: string, by: number) => void;
  /** Told everything up to where the watcher asked from: it had a cursor. */
  readonly resumed: boolean;
}

export async function runWatchStream(parts: WatchStreamParts): Promise<void> {
  const { raw, subscribed, times, stopping } = parts;
  const { subscription } = subscribed;
  const close = () => subscription.close();
  const life = setTimeout(close, times.life);
  const beat = setInterval(() => subscription.wake(), times.heartbeat);
  raw.on('close', close);
  stopping.addEventListener('abort', close);
  if (stopping.aborted || raw.destroyed) close();
  try {
    await new WatchStream(parts).run();
    if (!raw.destroyed) raw.end();
  } catch (error) {
    raw.destroy();
    throw error;
  } finally {
    clearTimeout(life);
    clearInterval(beat);
    raw.off('close', close);
    stopping.removeEventListener('abort', close);
    close();
  }
}

class WatchStream {
  readonly #parts: WatchStreamParts;
  #lastWrite = 0;

  constructor(parts: WatchStreamParts) {
    this.#parts = parts;
  }

  async run(): Promise<void> {
    const { hub, encoding, subscribed, times, resumed, monotonic } = this.#parts;
    const { subscription, reset } = subscribed;
    this.#write(encoding.head);
    if (reset !== undefined) this.#write(encoding.event(reset));
    let tells = resumed || reset !== undefined;
    if (!tells) this.#write(encoding.event(await hub.bookmark(subscription.position)));
    while (!subscription.closed) {
      const isWhole = await this.#sendBatch();
      if (!isWhole) return;
      if (subscription.hasMore) continue;
      const isSilent = (monotonic() - this.#lastWrite) * 1000 >= times.heartbeat;
      if (tells || isSilent) {
        this.#write(encoding.event(await hub.bookmark(subscription.position)));
      }
      tells = false;
      await subscription.wait();
    }
  }

  /** False: the reader is gone, or was cut. */
  async #sendBatch(): Promise<boolean> {
    const { encoding, subscribed, raw } = this.#parts;
    const { subscription } = subscribed;
    let waited = false;
    for (const item of await subscription.take(BATCH)) {
      const bytes = await encoding.item(item);
      if (raw.destroyed) return false;
      if (bytes === undefined) continue;
      this.#write(bytes);
      if (raw.writableLength <= BUFFER_BYTES) continue;
      waited = true;
      if (!(await this.#drained())) return false;
    }
    if (waited) await subscription.conflate();
    return true;
  }

  #write(bytes: Uint8Array): void {
    const { raw, count, monotonic } = this.#parts;
    if (raw.destroyed) return;
    raw.write(bytes);
    this.#lastWrite = monotonic();
    count('dv_body_bytes_sent_total', bytes.length);
  }

  /** Waits for the reader for as long as it takes something now and then. */
  async #drained(): Promise<boolean> {
    const { raw, times, count } = this.#parts;
    count('dv_watch_conflated_total', 1);
    for (;;) {
      const before = raw.writableLength;
      const ended = new AbortController();
      const stop = () => ended.abort();
      const timer = setTimeout(stop, times.stall);
      raw.once('close', stop);
      try {
        await once(raw, 'drain', { signal: ended.signal });
        return true;
      } catch {
        if (raw.destroyed) return false;
        if (raw.writableLength < before) continue;
        count('dv_stalled_readers_total', 1);
        raw.destroy();
        return false;
      } finally {
        clearTimeout(timer);
        raw.off('close', stop);
      }
    }
  }
}
