/**
 * What holds for every request before and after its route: the headers of each answer, the
 * log line and the counters, what is refused at once, and how failures are told.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { DvError } from '../errors.ts';
import { PROTOCOL_VERSIONS } from '../sync/protocol.ts';
import type { ServerContext, ServerOptions } from './contract.ts';
import { sendFailure } from './http-errors.ts';

const HOSTS_OF_THIS_MACHINE = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/i;

const replies = new WeakMap<FastifyRequest, FastifyReply>();

/** Runs `what` when the answer to a request is over, however it ended; at once if it is. */
export function atEndOf(request: FastifyRequest, what: () => void): void {
  const raw = replies.get(request)?.raw;
  if (raw === undefined || raw.destroyed) what();
  else raw.once('close', what);
}

export function installRequestRules(
  app: FastifyInstance,
  context: ServerContext,
  options: ServerOptions,
): void {
  const { environment } = context;
  // Bodies stay unread until a route wants them (request-body.ts).
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, payload, done) => done(null, payload));
  app.addHook('onRequest', async (request, reply) => {
    replies.set(request, reply);
    reply.headers({ 'dv-request-id': request.id, 'dv-protocol': String(PROTOCOL_VERSIONS[0]) });
    watchAnswer(request, reply, context);
    checkRequest(request, context, options);
    allowOrigin(request, reply, options);
  });
  app.setErrorHandler((error, request, reply) => {
    sendFailure(error, request, reply, environment);
    return reply;
  });
  app.setNotFoundHandler((request, reply) => {
    if (request.method === 'OPTIONS' && isAllowedOrigin(request, options)) {
      return answerPreflight(reply);
    }
    throw unknownRoute(request);
  });
}

/** @throws DvError `limit-exceeded`, `unavailable`, `protocol-mismatch`, `forbidden` */
function checkRequest(
  request: FastifyRequest,
  { http, stopping }: ServerContext,
  options: ServerOptions,
): void {
  if (stopping.aborted) {
    throw new DvError('unavailable', 'the server is stopping', { hint: 'try again in a moment' });
  }
  if (request.url.length > http.urlBytes) {
    throw new DvError('limit-exceeded', `the URL is longer than ${http.urlBytes} bytes`, {
      data: { status: 414, limit: http.urlBytes },
    });
  }
  checkProtocol(request);
  checkOrigin(request, options);
}

function checkProtocol({ headers }: FastifyRequest): void {
  const asked = headers['dv-protocol'];
  if (asked === undefined || PROTOCOL_VERSIONS.map(String).includes(String(asked))) return;
  throw mismatch(`version '${String(asked).slice(0, 20)}'`);
}

function mismatch(asked: string): DvError {
  const spoken = PROTOCOL_VERSIONS.join(', ');
  return new DvError('protocol-mismatch', `${asked} of the protocol is not spoken here`, {
    hint: `this server speaks ${spoken}: install a dv that does, or a newer one here`,
    data: { protocol: PROTOCOL_VERSIONS },
  });
}

/**
 * A web page must not use the server of the person who reads it: neither across origins nor,
 * by a name that it has pointed at this machine, as if it came from here.
 */
function checkOrigin(request: FastifyRequest, options: ServerOptions): void {
  const { origin, host = '' } = request.headers;
  if (origin !== undefined && !isAllowedOrigin(request, options)) {
    throw new DvError('forbidden', `pages of '${origin.slice(0, 120)}' may not use this server`, {
      hint: 'dv serve --allow-origin lets them',
    });
  }
  if (options.open && !HOSTS_OF_THIS_MACHINE.test(host)) {
    throw new DvError('forbidden', `'${host.slice(0, 120)}' is no name of this machine`, {
      hint: 'a server without tokens answers to localhost, 127.0.0.1 and [::1] only',
    });
  }
}

function isAllowedOrigin({ headers }: FastifyRequest, { origins = [] }: ServerOptions): boolean {
  return headers.origin !== undefined && origins.includes(headers.origin);
}

function allowOrigin(request: FastifyRequest, reply: FastifyReply, options: ServerOptions): void {
  if (!isAllowedOrigin(request, options)) return;
  reply.headers({
    'access-control-allow-origin': request.headers.origin,
    'access-control-expose-headers':
      'etag, dv-request-id, dv-protocol, dv-commit, dv-clock, retry-after',
    vary: 'origin',
  });
}

function answerPreflight(reply: FastifyReply): FastifyReply {
  return reply
    .code(204)
    .headers({
      'access-control-allow-methods': 'GET, POST, PUT, DELETE',
      'access-control-allow-headers':
        'authorization, content-type, dv-protocol, dv-source, idempotency-key, if-none-match',
      'access-control-max-age': '600',
    })
    .send();
}

function unknownRoute({ method, url }: FastifyRequest): DvError {
  const path = url.split('?')[0].slice(0, 200);
  const version = /^\/v(\d+)\//.exec(path)?.[1];
  if (version !== undefined && !PROTOCOL_VERSIONS.map(String).includes(version)) {
    return mismatch(`version '${version}'`);
  }
  return new DvError('unknown-route', `there is nothing at '${method} ${path}'`, {
    hint: 'this is a dv server: dv clone takes the URL of a repository, /v1/openapi.json lists paths',
  });
}

/** One log line and the counters of each request, when its answer is over or was cut. */
function watchAnswer(request: FastifyRequest, reply: FastifyReply, context: ServerContext): void {
  const { environment } = context;
  const start = environment.monotonic();
  context.count('dv_requests_started_total');
  reply.raw.once('close', () => {
    const seconds = environment.monotonic() - start;
    const route = request.routeOptions.url ?? 'none';
    const { method } = request;
    const status = reply.raw.headersSent ? reply.raw.statusCode : 499;
    const isCut = !reply.raw.writableFinished;
    context.count('dv_requests_total', { method, route, status: String(status) });
    context.observe('dv_request_seconds', { route }, seconds);
    environment.log({
      level: status >= 500 ? 'error' : 'info',
      event: 'request',
      request: request.id,
      method,
      path: request.url.slice(0, 300),
      status,
      ...(isCut ? { cut: true } : {}),
      ms: Math.round(seconds * 1e6) / 1000,
      address: request.ip,
      principal: context.callerOf(request)?.id,
    });
  });
}
