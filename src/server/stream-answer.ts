/**
 * Answers of any length, as the other end takes them: a piece is made when the one before
 * has gone out, and a reader that stands still is cut after `stallMs`.
 */
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { FastifyReply } from 'fastify';
import type { ServerContext } from './contract.ts';
import { logDefect, toFailure } from './http-errors.ts';

/** Resolves when the answer is over, also when it was cut. Throws what comes before a byte. */
export async function streamAnswer(
  reply: FastifyReply,
  contentType: string,
  bytes: AsyncIterable<Uint8Array>,
  context: Pick<ServerContext, 'environment' | 'http' | 'count'>,
): Promise<void> {
  const iterator = bytes[Symbol.asyncIterator]();
  try {
    // What fails before the first byte is an answer like any other.
    const first = await iterator.next();
    reply.hijack();
    writeHead(reply, contentType);
    await pump(reply.raw, first, iterator, context);
  } catch (error) {
    if (!reply.sent) throw error;
    const { defect } = toFailure(error, reply.request.id);
    if (defect !== undefined) logDefect(defect, reply.request.id, context.environment);
    reply.raw.destroy();
  } finally {
    await iterator.return?.(undefined);
  }
}

function writeHead(reply: FastifyReply, contentType: string): void {
  const headers = reply.getHeaders() as Record<string, string>;
  reply.raw.writeHead(reply.statusCode, {
    ...headers,
    'content-type': contentType,
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  });
}

async function pump(
  raw: ServerResponse,
  first: IteratorResult<Uint8Array>,
  iterator: AsyncIterator<Uint8Array>,
  { http, count }: Pick<ServerContext, 'http' | 'count'>,
): Promise<void> {
  for (let step = first; step.done !== true; step = await iterator.next()) {
    if (raw.destroyed) return;
    count('dv_body_bytes_sent_total', {}, step.value.length);
    if (!raw.write(step.value) && !(await drained(raw, http.stallMs))) {
      count('dv_stalled_readers_total');
      raw.destroy();
      return;
    }
  }
  raw.end();
}

/** False: nothing was taken in time, or the connection has gone. */
async function drained(raw: ServerResponse, ms: number): Promise<boolean> {
  const ended = new AbortController();
  const onClose = () => ended.abort();
  const timer = setTimeout(onClose, ms);
  raw.once('close', onClose);
  try {
    if (raw.destroyed) return false;
    await once(raw, 'drain', { signal: ended.signal });
    return true;
  } catch {
    return false;
  } finally {
    clearTimeout(timer);
    raw.off('close', onClose);
  }
}
