/**
 * `GET /v1/repos/:repo/watch`, the feed as frames, server-sent events or a long poll; what a
 * follower asks beside it, the commits and the changed rows between two commits; and who
 * follows. docs/live.md has the parameters.
 */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { DvError } from '../../errors.ts';
import { encodeChangeLines } from '../../live/change-lines.ts';
import { packOfChange } from '../../live/change-pack.ts';
import { commitRange } from '../../live/commit-range.ts';
import type { CommitInRange } from '../../live/contract.ts';
import { FeedHub, type Subscribed } from '../../live/hub.ts';
import { tableDiffsBetween } from '../../live/table-diffs.ts';
import { FEED_MEDIA_TYPE, SSE_MEDIA_TYPE } from '../../live/wire-events.ts';
import type { RegisterRoutes, Served, ServerContext } from '../contract.ts';
import { logDefect, toFailure } from '../http-errors.ts';
import { createEncoding, itemText, type MakePack } from '../watch-encoding.ts';
import {
  readChoice,
  readEnds,
  readWatchRequest,
  type WatchRequest,
  wantsCounts,
} from '../watch-request.ts';
import { runWatchStream, type WatchTimes } from '../watch-stream.ts';
import { Watchers } from '../watchers.ts';
import { CHANGES, COMMITS, WATCH, WATCHERS } from './watch-openapi.ts';

const TIMES: WatchTimes = { heartbeat: 15_000, stall: 30_000, life: 600_000 };
/** A stream lasts up to this part of its life longer, so that not all come back at once. */
const JITTER = 0.2;
const POLL_MS = 25_000;
const POLL_EVENTS = 100;
const LEAST_MS = 5_000;
const NDJSON = 'application/x-ndjson';

export const register: RegisterRoutes = (app, context) => {
  app.get('/v1/repos/:repo/watch', { config: { openapi: WATCH } }, async (request, reply) => {
    const served = await context.open(request, 'read');
    const asked = readWatchRequest(request);
    const hub = hubOf(served, context);
    await reachLeast(hub, asked.least, context.stopping);
    const { patterns, tables, since } = asked;
    const subscribed = await hub.subscribe({ patterns, tables }, since);
    if (asked.form === 'poll') {
      return reply
        .type('application/json')
        .send(await poll(request, asked, hub, subscribed, context));
    }
    await stream(request, reply, { served, asked, hub, subscribed, context });
    return reply;
  });
  app.get(
    '/v1/repos/:repo/feed/commits',
    { config: { openapi: COMMITS } },
    async (request, reply) => {
      const { repository } = await context.open(request, 'read');
      const { from, to } = readEnds(request);
      const commits = commitRange(repository.nodes, from, to, wantsCounts(request));
      await context.stream(reply, NDJSON, commitLines(commits));
      return reply;
    },
  );
  app.get(
    '/v1/repos/:repo/feed/changes',
    { config: { openapi: CHANGES } },
    async (request, reply) => {
      const { repository } = await context.open(request, 'read');
      const { from, to } = readEnds(request);
      const diffs = tableDiffsBetween(repository.nodes, from, to, readChoice(request));
      await context.stream(reply, NDJSON, encodeChangeLines(diffs));
      return reply;
    },
  );
  app.get('/v1/repos/:repo/watchers', { config: { openapi: WATCHERS } }, async (request) => {
    const served = await context.open(request, 'read');
    return { watchers: watchersOf(served, context).list() };
  });
};

/** The feed's hub of an open repository: one for all who watch. */
export function hubOf(served: Served, { environment }: ServerContext): FeedHub {
  const { store, nodes } = served.repository;
  return served.shared('feed-hub', () => new FeedHub(store, nodes, environment));
}

function watchersOf(served: Served, context: ServerContext): Watchers {
  return served.shared('watchers', () => new Watchers(served.repository.name, context));
}

/** Read-your-writes: nothing is told before the feed has come to `min-seq`. */
async function reachLeast(
  hub: FeedHub,
  least: number | undefined,
  stopping: AbortSignal,
): Promise<void> {
  if (least === undefined) return;
  const patience = AbortSignal.any([stopping, AbortSignal.timeout(LEAST_MS)]);
  if (await hub.reaches(least, patience)) return;
  throw new DvError('unavailable', `the feed has not come to sequence '${least}' yet`, {
    hint: 'try again, or ask the server that wrote it',
    data: { least, last: hub.last },
  });
}

interface StreamParts {
  readonly served: Served;
  readonly asked: WatchRequest;
  readonly hub: FeedHub;
  readonly subscribed: Subscribed;
  readonly context: ServerContext;
}

async function stream(
  request: FastifyRequest,
  reply: FastifyReply,
  { served, asked, hub, subscribed, context }: StreamParts,
): Promise<void> {
  const { environment, stopping } = context;
  const watchers = watchersOf(served, context);
  const id = `${served.principal.name}/${request.id.slice(0, 8)}`;
  const { form, patterns } = asked;
  watchers.add({
    id,
    principal: served.principal.name,
    form,
    patterns,
    since: environment.now(),
    subscription: subscribed.subscription,
  });
  writeHead(reply, form === 'frames' ? FEED_MEDIA_TYPE : SSE_MEDIA_TYPE);
  try {
    await runWatchStream({
      raw: reply.raw,
      hub,
      subscribed,
      encoding: createEncoding({
        hub,
        request: asked,
        changesPath: `/v1/repos/${encodeURIComponent(served.repository.name)}/feed/changes`,
        makePack: packMaker(served),
      }),
      times: { ...TIMES, life: TIMES.life * (1 + JITTER * fractionOf(environment.randomId())) },
      stopping,
      monotonic: environment.monotonic,
      count: (name, by) => context.count(name, {}, by),
      resumed: asked.since !== undefined,
    });
  } catch (error) {
    const { defect } = toFailure(error, request.id);
    if (defect !== undefined) logDefect(defect, request.id, environment);
  } finally {
    watchers.remove(id);
  }
}

function writeHead(reply: FastifyReply, contentType: string): void {
  reply.hijack();
  const headers = reply.getHeaders() as Record<string, string>;
  // The stream ends with its connection: events go out as they are shared, without chunk heads.
  reply.raw.useChunkedEncodingByDefault = false;
  reply.raw.writeHead(200, {
    ...headers,
    connection: 'close',
    'content-type': contentType,
    'cache-control': 'no-store, no-transform',
    'x-accel-buffering': 'no',
  });
  reply.raw.socket?.setNoDelay(true);
}

function packMaker({ repository }: Served): MakePack {
  return async ({ entry }) => {
    if (entry.new === null) return undefined;
    try {
      return await packOfChange(repository.store, entry.old, entry.new);
    } catch (error) {
      // It was thrown away since; whoever wants it asks for it, and is told so.
      if (error instanceof DvError && GONE.has(error.code)) return undefined;
      throw error;
    }
  };
}

const GONE = new Set(['unknown-ref', 'missing-object']);

/** From 0 to 1, out of random hex digits. */
function fractionOf(id: string): number {
  return Number.parseInt(id.slice(0, 4), 16) / 0x10000;
}

/** Answers as soon as there is something, at the latest after POLL_MS. */
async function poll(
  request: FastifyRequest,
  asked: WatchRequest,
  hub: FeedHub,
  { subscription, reset }: Subscribed,
  { stopping }: ServerContext,
): Promise<string> {
  const close = () => subscription.close();
  const timer = setTimeout(close, POLL_MS);
  request.raw.on('close', close);
  stopping.addEventListener('abort', close);
  const { repo } = request.params as { repo: string };
  const changesPath = `/v1/repos/${encodeURIComponent(repo)}/feed/changes`;
  try {
    const events: string[] = reset === undefined ? [] : [JSON.stringify(reset)];
    // Without a cursor there is nothing to wait for yet: here is one.
    const waits = asked.since !== undefined && reset === undefined;
    while (events.length < POLL_EVENTS) {
      for (const item of await subscription.take(POLL_EVENTS)) {
        const event = await item.event(asked.counts);
        if (event === undefined) continue;
        events.push(await itemText(item, event, { hub, request: asked, changesPath }));
      }
      if (subscription.hasMore && !subscription.closed) continue;
      if (events.length > 0 || !waits || subscription.closed) break;
      await subscription.wait();
    }
    const bookmark = JSON.stringify(await hub.bookmark(subscription.position));
    // As text: rows have numbers that no JavaScript number holds.
    return `{"events":[${events.join()}],"bookmark":${bookmark}}`;
  } finally {
    clearTimeout(timer);
    request.raw.off('close', close);
    stopping.removeEventListener('abort', close);
    subscription.close();
  }
}

async function* commitLines(commits: AsyncIterable<CommitInRange>): AsyncGenerator<Uint8Array> {
  for await (const commit of commits) yield Buffer.from(`${JSON.stringify(commit)}\n`);
  yield Buffer.from('{"end":true}\n');
}
