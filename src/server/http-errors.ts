/**
 * A failure as an HTTP answer: the status of every code in one table, the body
 * `{"error":{code,message,hint,data}}`. What is not a DvError is a defect: the caller learns
 * the request id and nothing else, the log everything. docs/protocol.md has the same table.
 */
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { DvError, type ErrorCode, type ErrorKind } from '../errors.ts';
import type { ServerEnvironment } from './contract.ts';

const STATUS_BY_KIND: Readonly<Record<ErrorKind, number>> = {
  usage: 400,
  refused: 409,
  remote: 400,
  corrupt: 500,
  internal: 500,
};

const STATUS_BY_CODE: Partial<Readonly<Record<ErrorCode, number>>> = {
  unauthorized: 401,
  forbidden: 403,
  'read-only': 403,
  'unknown-repository': 404,
  'unknown-ref': 404,
  'unknown-table': 404,
  'unknown-row': 404,
  'unknown-route': 404,
  'unknown-session': 404,
  'missing-object': 404,
  'connection-lost': 408,
  'push-refused': 409,
  'limit-exceeded': 413,
  unavailable: 503,
  locked: 503,
  'disk-full': 507,
  'server-failed': 500,
  'remote-unreachable': 502,
};

/** What Fastify itself refuses, by its code. */
const STATUS_OF_FRAMEWORK: Readonly<Record<string, number>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 413,
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 415,
};

const SECONDS_TO_WAIT = 1;
const MOST_DROPPED_BYTES = 8 * 1024 * 1024;

export interface Failure {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: { readonly error: Record<string, unknown> };
  /** What to log; undefined when the body says it all. */
  readonly defect?: unknown;
}

/** `data.status` of an error overrides the table: one code, several statuses (413, 414, 429). */
export function statusOf(error: DvError): number {
  const { status } = error.data;
  if (typeof status === 'number') return status;
  return STATUS_BY_CODE[error.code] ?? STATUS_BY_KIND[error.kind];
}

export function toFailure(thrown: unknown, requestId: string): Failure {
  const error = thrown instanceof DvError ? thrown : fromFramework(thrown);
  if (error === undefined) return defect(thrown, requestId);
  const status = statusOf(error);
  if (status === 500) return defect(thrown, requestId);
  const headers: Record<string, string> = {};
  if (status === 401) headers['www-authenticate'] = 'Bearer realm="dv"';
  if (status === 429 || status === 503) {
    const { retryAfter } = error.data;
    headers['retry-after'] = String(typeof retryAfter === 'number' ? retryAfter : SECONDS_TO_WAIT);
  }
  return { status, headers, body: { error: error.toJSON() } };
}

/** A person's mistake that Fastify found before a route could. */
function fromFramework(thrown: unknown): DvError | undefined {
  const { code, statusCode, message } = thrown as Partial<FastifyError>;
  const status = STATUS_OF_FRAMEWORK[code ?? ''] ?? statusCode;
  if (status === undefined || status < 400 || status >= 500) return undefined;
  const name = status === 413 ? 'limit-exceeded' : 'bad-request';
  return new DvError(name, message ?? 'the request makes no sense', { data: { status } });
}

function defect(thrown: unknown, requestId: string): Failure {
  const error = new DvError('server-failed', 'the server failed to answer', {
    hint: `its log has the reason under request ${requestId}`,
    data: { request: requestId },
  });
  return { status: 500, headers: {}, body: { error: error.toJSON() }, defect: thrown };
}

/** Answers a request with a failure, unless something was sent already: then it is cut. */
export function sendFailure(
  thrown: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  environment: ServerEnvironment,
): void {
  const failure = toFailure(thrown, request.id);
  if (failure.defect !== undefined) logDefect(failure.defect, request.id, environment);
  if (reply.raw.headersSent || reply.raw.destroyed) {
    reply.raw.destroy();
    return;
  }
  reply.code(failure.status).headers(failure.headers).type('application/json');
  if (leavesTooMuch(request)) reply.header('connection', 'close');
  reply.send(JSON.stringify(failure.body));
}

/**
 * What is left of a body that was refused is read and dropped, so that its sender comes to
 * read the answer; unless there is no telling how much it is.
 */
function leavesTooMuch({ raw, headers }: FastifyRequest): boolean {
  const declared = Number(headers['content-length'] ?? Number.POSITIVE_INFINITY);
  return !raw.complete && declared > MOST_DROPPED_BYTES && hasBody(headers);
}

function hasBody(headers: FastifyRequest['headers']): boolean {
  return headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined;
}

export function logDefect(thrown: unknown, request: string, { log }: ServerEnvironment): void {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const { code } = error as { code?: unknown };
  log({
    level: 'error',
    event: 'defect',
    request,
    code,
    message: error.message,
    stack: error.stack,
  });
}
