/**
 * Bodies of requests. Fastify hands them over unread; a route first asks `context.open`, so
 * that nobody fills memory who may not, and then reads here: with the types it takes, up to
 * a limit, and with an end to whoever stops sending.
 */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { DvError } from '../errors.ts';
import type { ServerContext } from './contract.ts';

export interface BodyOptions {
  /** Such as `application/json`; parameters behind `;` do not count. */
  readonly types: readonly string[];
  /** In bytes. */
  readonly limit: number;
}

/** @throws DvError `bad-request`, `limit-exceeded`, `connection-lost` */
export async function readBody(
  request: FastifyRequest,
  reply: FastifyReply,
  context: ServerContext,
  options: BodyOptions,
): Promise<Buffer> {
  checkContentType(request, options.types);
  const declared = declaredLength(request);
  if (declared !== undefined && declared > options.limit) throw tooLarge(options.limit);
  const release = await context.bodies.take(declared ?? options.limit);
  reply.raw.once('close', release);
  if (reply.raw.destroyed) release();
  const pieces: Uint8Array[] = [];
  for await (const piece of bodyPieces(request, context, options.limit)) pieces.push(piece);
  return Buffer.concat(pieces);
}

/** @throws DvError as `readBody` */
export async function readJson(
  request: FastifyRequest,
  reply: FastifyReply,
  context: ServerContext,
): Promise<unknown> {
  const options = { types: ['application/json'], limit: context.http.jsonBytes };
  return parseJson(await readBody(request, reply, context, options));
}

/** The body as it comes, for routes that need not have it whole. @throws as `readBody` */
export async function* bodyPieces(
  request: FastifyRequest,
  context: ServerContext,
  limit: number,
): AsyncGenerator<Uint8Array> {
  const { raw } = request;
  let timer = startTimer();
  let length = 0;
  try {
    // Left early, the stream stays: its connection has yet to carry the answer.
    for await (const piece of raw.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      clearTimeout(timer);
      length += piece.length;
      context.count('dv_body_bytes_received_total', {}, piece.length);
      if (length > limit) throw tooLarge(limit);
      yield piece;
      timer = startTimer();
    }
  } catch (error) {
    if (error instanceof DvError) throw error;
    throw new DvError('connection-lost', 'the request ended in the middle of its body', {
      cause: error,
    });
  } finally {
    clearTimeout(timer);
  }

  function startTimer(): NodeJS.Timeout {
    const { stallMs } = context.http;
    return setTimeout(() => raw.destroy(stalled(stallMs)), stallMs);
  }
}

/** @throws DvError `bad-request` with status 415 */
export function checkContentType(request: FastifyRequest, types: readonly string[]): string {
  const given = (request.headers['content-type'] ?? '').split(';')[0].trim().toLowerCase();
  if (types.includes(given)) return given;
  throw new DvError('bad-request', `content type '${given}' is not taken here`, {
    hint: `send ${types.join(' or ')}`,
    data: { status: 415 },
  });
}

/** @throws DvError `bad-request` */
export function parseJson(bytes: Uint8Array): unknown {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return JSON.parse(text);
  } catch (cause) {
    throw new DvError('bad-request', `the body is no JSON: ${(cause as Error).message}`, { cause });
  }
}

function declaredLength(request: FastifyRequest): number | undefined {
  const text = request.headers['content-length'];
  return text === undefined ? undefined : Number(text);
}

function tooLarge(limit: number): DvError {
  return new DvError('limit-exceeded', `the body is larger than ${limit} bytes`, {
    hint: 'GET /v1/info has the limits of this server',
    data: { limit, status: 413 },
  });
}

function stalled(ms: number): DvError {
  return new DvError('connection-lost', `no byte of the body came for ${ms / 1000} seconds`, {
    hint: 'send it again',
  });
}
