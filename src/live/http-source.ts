/**
 * The feed of a server. Streams end (the server closes them every ten minutes), are cut, or
 * fall silent; each time the next one goes on behind the last event that was taken. Three
 * streams in a row that die within a second say that something in between does not let this
 * form through: then the next form is tried.
 *
 *   frames -> sse -> poll
 *
 * A server that was never reached is an error at once; one that was reached is tried for
 * ever, with pauses that grow and are spread.
 */
import { createParser, type EventSourceMessage } from 'eventsource-parser';
import { DvError } from '../errors.ts';
import type { Hash } from '../hash.ts';
import type { TableDiff } from '../model/change.ts';
import { parseHttpAddress } from '../sync/http-address.ts';
import { HttpExchange, type HttpOptions } from '../sync/http-exchange.ts';
import { notDv } from '../sync/http-failure.ts';
import { decodeChangeLines, parseLines } from './change-lines.ts';
import type {
  BookmarkEvent,
  CommitInRange,
  FeedEvent,
  FeedSource,
  WatchOptions,
} from './contract.ts';
import type { DiffChoice } from './table-diffs.ts';
import { decodeFrames, FEED_MEDIA_TYPE, parseEvent, SSE_MEDIA_TYPE } from './wire-events.ts';

export type StreamForm = 'frames' | 'sse' | 'poll';

export interface HttpFeedOptions extends HttpOptions {
  /** From 0 to 1: spreads the tries of many followers. */
  readonly jitter: () => number;
  /** Seconds, never backwards. */
  readonly monotonic: () => number;
  /** Frames with what each commit brings: for who keeps the objects. */
  readonly packs?: boolean;
  /** Told when the connection is there, and when it is not. */
  readonly report?: (state: FeedState) => void;
  /** Where to begin; for tests. */
  readonly forms?: readonly StreamForm[];
  /** A stream that is silent so long, in ms, is given up: 2.5 heartbeats. */
  readonly silenceMs?: number;
  /** A sequence or cursor that the server must have come to before it tells anything. */
  readonly least?: string;
}

export type FeedState =
  | { readonly kind: 'live'; readonly form: StreamForm }
  | { readonly kind: 'waiting'; readonly error: DvError; readonly ms: number };

/** A follower of a server's feed. */
export interface FeedWatcher {
  readonly id: string;
  readonly principal: string;
  readonly form: string;
  readonly patterns: readonly string[];
  /** When it came, ms since the epoch. */
  readonly since: number;
  /** The last sequence that was sent to it, and how many changes it was not sent yet. */
  readonly sent: number;
  readonly lag: number;
}

const SILENCE_MS = 37_500;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 10_000;
const SHORT_LIFE_SECONDS = 1;
const SHORT_LIVES = 3;
const FORMS: readonly StreamForm[] = ['frames', 'sse', 'poll'];
/** What trying again does not mend. */
const FINAL = new Set([
  'unauthorized',
  'forbidden',
  'unknown-repository',
  'bad-cursor',
  'bad-option',
  'bad-condition',
  'bad-name',
]);

export class HttpFeedSource implements FeedSource {
  readonly url: string;
  private readonly options: HttpFeedOptions;
  private readonly base: string;
  /** Of its own, as streams are given up sooner than answers. */
  private readonly streams: HttpExchange;
  private readonly asks: HttpExchange;

  constructor(url: string, options: HttpFeedOptions) {
    const address = parseHttpAddress(url);
    this.url = address.url;
    this.base = address.base;
    this.options = options;
    this.streams = new HttpExchange(address, {
      ...options,
      stallMs: options.silenceMs ?? SILENCE_MS,
    });
    this.asks = new HttpExchange(address, options);
  }

  async *events(options: WatchOptions): AsyncGenerator<FeedEvent> {
    const { signal } = options;
    const course = new Course(this.options);
    let since = options.since;
    while (!signal.aborted) {
      const begun = this.options.monotonic();
      let heard = false;
      let failure: unknown;
      try {
        for await (const event of this.openStream(course.form, { ...options, since })) {
          if (!heard) this.options.report?.({ kind: 'live', form: course.form });
          heard = true;
          course.reached();
          yield event;
          since = event.id;
        }
      } catch (error) {
        failure = error;
      }
      if (signal.aborted) return;
      if (failure !== undefined && course.isFinal(failure)) throw failure;
      if (course.form !== 'poll') course.ended(this.options.monotonic() - begun, failure);
      await this.pause(course, failure, signal);
    }
  }

  async *changes(
    from: Hash | null,
    to: Hash,
    { tables = [], where }: DiffChoice = {},
  ): AsyncGenerator<TableDiff> {
    const query = rangeQuery(from, to);
    if (tables.length > 0) query.set('tables', tables.join());
    if (where !== undefined) query.set('where', where);
    yield* decodeChangeLines(this.lines('feed/changes', query));
  }

  async *commitsBetween(
    from: Hash | null,
    to: Hash,
    { counts = false }: { readonly counts?: boolean } = {},
  ): AsyncGenerator<CommitInRange> {
    const query = rangeQuery(from, to);
    if (counts) query.set('counts', '1');
    let isWhole = false;
    for await (const line of this.lines('feed/commits', query)) {
      isWhole = (line as { end?: unknown }).end === true;
      if (!isWhole) yield line as CommitInRange;
    }
    if (!isWhole) throw new DvError('connection-lost', 'the list of commits ends in the middle');
  }

  /** Who follows this feed just now. */
  async watchers(): Promise<readonly FeedWatcher[]> {
    const { value } = await this.asks.json({ method: 'GET', path: `${this.base}/watchers` });
    const { watchers } = value as { watchers?: unknown };
    if (!Array.isArray(watchers)) throw notDv(this.url, "its answer lacks 'watchers'");
    return watchers as FeedWatcher[];
  }

  async close(): Promise<void> {
    await Promise.all([this.streams.close(), this.asks.close()]);
  }

  private lines(path: string, query: URLSearchParams): AsyncGenerator<unknown> {
    return parseLines(
      this.asks.stream({
        method: 'GET',
        path: `${this.base}/${path}?${query}`,
        accept: 'application/x-ndjson',
      }),
    );
  }

  private openStream(form: StreamForm, options: WatchOptions): AsyncIterable<FeedEvent> {
    const path = `${this.base}/watch?${watchQuery(form, options, this.options)}`;
    if (form === 'poll') return this.poll(path, options);
    const accept = form === 'frames' ? FEED_MEDIA_TYPE : SSE_MEDIA_TYPE;
    const pieces = this.streams.stream({ method: 'GET', path, accept, signal: options.signal });
    return form === 'frames' ? decodeFrames(pieces) : decodeSse(pieces);
  }

  private async *poll(path: string, { signal }: WatchOptions): AsyncGenerator<FeedEvent> {
    const { value } = await this.asks.json({ method: 'GET', path, signal });
    const { events, bookmark } = value as { events?: unknown; bookmark?: unknown };
    if (!Array.isArray(events) || typeof bookmark !== 'object') {
      throw notDv(this.url, "its answer lacks 'events'");
    }
    for (const event of events) yield parseEvent(JSON.stringify(event));
    yield bookmark as BookmarkEvent;
  }

  /** A stream that ended as it should goes on at once. */
  private async pause(course: Course, failure: unknown, signal: AbortSignal): Promise<void> {
    if (failure === undefined && course.lives === 0) return;
    const ms = course.nextPause();
    if (failure instanceof DvError) this.options.report?.({ kind: 'waiting', error: failure, ms });
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      signal.addEventListener('abort', () => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
}

/** Which form is tried, and how long to wait before that. */
class Course {
  private readonly forms: readonly StreamForm[];
  private readonly jitter: () => number;
  private place = 0;
  private failures = 0;
  private wasReached = false;
  /** Streams in a row that died young. */
  lives = 0;

  constructor({ forms = FORMS, jitter }: HttpFeedOptions) {
    this.forms = forms;
    this.jitter = jitter;
  }

  get form(): StreamForm {
    return this.forms[this.place];
  }

  reached(): void {
    this.wasReached = true;
    this.failures = 0;
  }

  isFinal(error: unknown): boolean {
    if (!(error instanceof DvError)) return true;
    if (FINAL.has(error.code)) return true;
    if (error.code === 'missing-package' || error.kind === 'internal') return true;
    return !this.wasReached && (error.code === 'remote-unreachable' || this.mismatches(error));
  }

  ended(seconds: number, failure: unknown): void {
    const isAway = failure instanceof DvError && AWAY.has(failure.code);
    this.lives = seconds < SHORT_LIFE_SECONDS && !isAway ? this.lives + 1 : 0;
    if (this.lives < SHORT_LIVES || this.place === this.forms.length - 1) return;
    this.lives = 0;
    this.place += 1;
  }

  nextPause(): number {
    const longest = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this.failures);
    this.failures += 1;
    return longest * (0.5 + this.jitter() / 2);
  }

  /** Of another dv, as far as the last form can tell: another may pass what is in between. */
  private mismatches(error: DvError): boolean {
    const last = this.place === this.forms.length - 1;
    return last && (error.code === 'not-dv' || error.code === 'protocol-mismatch');
  }
}

/** Says nothing of the form: nobody was there. */
const AWAY = new Set(['remote-unreachable', 'server-failed', 'unavailable']);

function rangeQuery(from: Hash | null, to: Hash): URLSearchParams {
  const query = new URLSearchParams({ to });
  if (from !== null) query.set('from', from);
  return query;
}

function watchQuery(
  form: StreamForm,
  { patterns = [], tables = [], since, counts = false }: WatchOptions,
  { packs = false, least }: HttpFeedOptions,
): URLSearchParams {
  const query = new URLSearchParams({ live: form });
  for (const pattern of patterns) query.append('refs', pattern);
  for (const table of tables) query.append('tables', table);
  if (since !== undefined) query.set('since', since);
  if (counts) query.set('counts', '1');
  if (packs && form === 'frames') query.set('packs', '1');
  if (least !== undefined) query.set('min-seq', least);
  return query;
}

async function* decodeSse(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<FeedEvent> {
  const decoder = new TextDecoder();
  let messages: EventSourceMessage[] = [];
  const parser = createParser({ onEvent: (message) => messages.push(message) });
  for await (const piece of pieces) {
    parser.feed(decoder.decode(piece, { stream: true }));
    const complete = messages;
    messages = [];
    for (const { data } of complete) yield parseEvent(data);
  }
}
