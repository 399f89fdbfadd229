/**
 * One request and its answer, over undici: the token, limits on what comes back, silence as a
 * lost connection, and redirects, which are followed to the same origin only: credentials
 * and data of one host are never sent to another because it says so.
 */
import { Readable } from 'node:stream';
import { Agent, type Dispatcher } from 'undici';
import { DvError } from '../errors.ts';
import { checkTokenIsSafe, type HttpAddress, redactUrl } from './http-address.ts';
import { answerError, connectionError, notDv } from './http-failure.ts';
import { PROTOCOL_VERSIONS } from './protocol.ts';

/** A connection is given up when nothing has come or gone for so long. */
export const STALL_MS = 30_000;
/** The server may work so long on an answer (a merge, the check of a push) before it begins. */
const ANSWER_MS = 120_000;
const MAX_JSON_BYTES = 64 * 1024 * 1024;
const MAX_REDIRECTS = 3;
/** Bytes that are handed to the connection at a time. */
const PIECE = 64 * 1024;

export interface HttpOptions {
  readonly token?: string;
  /** Such as `dv 0.1.0`: the user agent. */
  readonly software: string;
  /** Authorities to trust besides the usual ones, as PEM. */
  readonly ca?: string;
  readonly stallMs?: number;
}

export interface Exchange {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Path and query. */
  readonly path: string;
  readonly json?: unknown;
  readonly bytes?: Uint8Array;
  readonly type?: string;
  readonly accept?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

export interface JsonAnswer {
  readonly status: number;
  readonly value: unknown;
}

export class HttpExchange {
  readonly address: HttpAddress;
  readonly #agent: Agent;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #stallMs: number;

  /** @throws DvError `bad-option` for a token that others could read on its way */
  constructor(address: HttpAddress, { token, software, ca, stallMs = STALL_MS }: HttpOptions) {
    this.address = address;
    if (token !== undefined) checkTokenIsSafe(address);
    this.#stallMs = stallMs;
    this.#agent = new Agent({
      allowH2: false,
      bodyTimeout: stallMs,
      headersTimeout: Math.max(stallMs, ANSWER_MS),
      connect: { timeout: stallMs, ...(ca !== undefined && { ca }) },
    });
    this.#headers = {
      'user-agent': software,
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    };
  }

  close(): Promise<void> {
    return this.#agent.destroy();
  }

  /** An answer in JSON. @throws DvError the server's own, `not-dv`, `connection-lost`, ... */
  async json(exchange: Exchange): Promise<JsonAnswer> {
    const { statusCode, headers, body } = await this.#send({
      accept: 'application/json',
      ...exchange,
    });
    const text = await this.#readText(body);
    const value = statusCode === 204 ? undefined : parseJson(text);
    if (statusCode >= 400) throw answerError(statusCode, value, this.address.url);
    if (statusCode !== 204 && (value === undefined || !isJson(headers))) {
      throw notDv(this.address.url, 'its answer is not JSON');
    }
    return { status: statusCode, value };
  }

  /** An answer in bytes of media type `accept`, as they come. */
  async *stream(exchange: Exchange & { readonly accept: string }): AsyncGenerator<Uint8Array> {
    const { statusCode, headers, body } = await this.#send(exchange);
    if (statusCode >= 400) {
      throw answerError(statusCode, parseJson(await this.#readText(body)), this.address.url);
    }
    const type = String(headers['content-type'] ?? '').split(';')[0];
    if (type !== exchange.accept) {
      discard(body);
      throw notDv(this.address.url, `it sends '${type}' for '${exchange.accept}'`);
    }
    try {
      for await (const piece of body) yield piece as Uint8Array;
    } catch (cause) {
      if (exchange.signal?.aborted) throw exchange.signal.reason;
      throw connectionError(cause, this.address.url);
    } finally {
      discard(body);
    }
  }

  async #send(exchange: Exchange): Promise<Dispatcher.ResponseData> {
    let { path } = exchange;
    for (let hops = 0; ; hops++) {
      const answer = await this.#sendOnce({ ...exchange, path });
      if (![301, 302, 303, 307, 308].includes(answer.statusCode)) return this.#checked(answer);
      discard(answer.body);
      path = this.#redirected(answer, exchange, hops);
    }
  }

  /** @throws DvError `not-dv`, `protocol-mismatch`, `server-failed` (of a proxy) */
  #checked(answer: Dispatcher.ResponseData): Dispatcher.ResponseData {
    const { statusCode, headers, body } = answer;
    const version = headers['dv-protocol'];
    if (PROTOCOL_VERSIONS.includes(Number(version))) return answer;
    discard(body);
    if (version === undefined) throw answerError(statusCode, undefined, this.address.url);
    throw new DvError('protocol-mismatch', `'${this.address.url}' speaks protocol '${version}'`, {
      hint: `this dv speaks ${PROTOCOL_VERSIONS.join(' and ')}: one of the two has to be newer`,
      data: { theirs: String(version), ours: PROTOCOL_VERSIONS },
    });
  }

  async #sendOnce(exchange: Exchange): Promise<Dispatcher.ResponseData> {
    const { method, path, json, type, accept } = exchange;
    const bytes = json === undefined ? exchange.bytes : Buffer.from(JSON.stringify(json));
    const watch = new Watchdog(this.#stallMs, exchange.signal);
    try {
      return await this.#agent.request({
        origin: this.address.origin,
        path,
        method,
        signal: watch.signal,
        headers: {
          'dv-protocol': String(PROTOCOL_VERSIONS[0]),
          ...this.#headers,
          ...exchange.headers,
          ...(accept && { accept }),
          ...(bytes && { 'content-type': type ?? 'application/json' }),
          ...(bytes && { 'content-length': String(bytes.length) }),
        },
        body: bytes === undefined ? null : bytes.length <= PIECE ? bytes : watch.body(bytes),
      });
    } catch (cause) {
      if (exchange.signal?.aborted) throw exchange.signal.reason;
      throw connectionError(cause, this.address.url);
    } finally {
      watch.stop();
    }
  }

  /** Where to ask instead. @throws DvError `remote-unreachable` for another host */
  #redirected(answer: Dispatcher.ResponseData, exchange: Exchange, hops: number): string {
    const { url, origin } = this.address;
    const location = String(answer.headers.location ?? '');
    const target = URL.canParse(location, origin) ? new URL(location, origin) : undefined;
    const keepsMethod = exchange.method === 'GET' || [307, 308].includes(answer.statusCode);
    if (target?.origin === origin && keepsMethod && hops < MAX_REDIRECTS) {
      return target.pathname + target.search;
    }
    if (target === undefined || target.origin === origin)
      throw notDv(url, 'it redirects in circles');
    const shown = redactUrl(target.origin);
    throw new DvError('remote-unreachable', `'${url}' redirects to '${shown}', another host`, {
      hint: 'dv sends nothing there unless you name it: dv remote set-url NAME URL',
      data: { url, location: shown },
    });
  }

  async #readText(body: Dispatcher.ResponseData['body']): Promise<string> {
    const pieces: Uint8Array[] = [];
    let size = 0;
    try {
      for await (const piece of body) {
        size += (piece as Uint8Array).length;
        if (size > MAX_JSON_BYTES) throw notDv(this.address.url, 'its answer does not end');
        pieces.push(piece as Uint8Array);
      }
    } catch (cause) {
      throw connectionError(cause, this.address.url);
    }
    return Buffer.concat(pieces).toString('utf8');
  }
}

/** Nobody reads the rest; that it was cut short is then no error. */
function discard(body: Dispatcher.ResponseData['body']): void {
  body.on('error', () => undefined).destroy();
}

const isJson = (headers: Dispatcher.ResponseData['headers']): boolean =>
  /^application\/(?:[a-z.+-]*\+)?json\b/.test(String(headers['content-type'] ?? ''));

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // said by whoever expected some
  }
}

/** Aborts a request whose body is not taken: undici minds silence only in what it receives. */
class Watchdog {
  readonly #own = new AbortController();
  readonly #stallMs: number;
  #timer: NodeJS.Timeout | undefined;
  readonly signal: AbortSignal;

  constructor(stallMs: number, outer: AbortSignal | undefined) {
    this.#stallMs = stallMs;
    this.signal =
      outer === undefined ? this.#own.signal : AbortSignal.any([outer, this.#own.signal]);
  }

  body(bytes: Uint8Array): Readable {
    return Readable.from(this.#pieces(bytes), { objectMode: false, highWaterMark: PIECE });
  }

  async *#pieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < bytes.length; at += PIECE) {
      this.stop();
      this.#timer = setTimeout(() => this.#own.abort(new StalledError()), this.#stallMs);
      yield bytes.subarray(at, at + PIECE);
    }
    this.stop();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}

class StalledError extends Error {
  readonly code = 'UND_ERR_BODY_TIMEOUT';
}
