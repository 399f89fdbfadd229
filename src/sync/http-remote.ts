/**
 * A repository at a server: the calls of `Remote` as HTTP requests (docs/protocol.md). What
 * is only asked is asked again when the connection is lost; what is sent is not: whoever sent it
 * finds out what became of it (push-from.ts).
 */
import { DvError } from '../errors.ts';
import { parseHttpAddress } from './http-address.ts';
import { type Exchange, HttpExchange, type HttpOptions, type JsonAnswer } from './http-exchange.ts';
import { notDv } from './http-failure.ts';
import {
  type FetchRequest,
  PROTOCOL_VERSIONS,
  type PushAnswer,
  type PushRequest,
  type PushSession,
  type Remote,
  type RemoteInfo,
  type RemoteRefs,
} from './protocol.ts';

export const PACK_TYPE = 'application/vnd.dv.pack';
export const PUSH_TYPE = 'application/vnd.dv.push';
const TRIES = 4;
const FIRST_PAUSE_MS = 100;

export interface HttpRemoteOptions extends HttpOptions {
  /** From 0 to 1: spreads the tries of many clients. Default: no spread. */
  readonly jitter?: () => number;
}

/** @throws DvError `bad-name`, `bad-option`; nothing is asked yet */
export function openHttpRemote(url: string, options: HttpRemoteOptions): Remote {
  return new HttpRemote(new HttpExchange(parseHttpAddress(url), options), options.jitter);
}

class HttpRemote implements Remote {
  readonly url: string;
  readonly #http: HttpExchange;
  readonly #base: string;
  readonly #jitter: () => number;

  constructor(http: HttpExchange, jitter = () => 0) {
    this.#http = http;
    this.#jitter = jitter;
    this.url = http.address.url;
    this.#base = http.address.base;
  }

  async info(): Promise<RemoteInfo> {
    const { value } = await this.#ask({ method: 'GET', path: `${this.#base}/info` });
    const info = this.#shaped<RemoteInfo>(value, ['protocol', 'node', 'limits', 'clock']);
    if (info.protocol.some((version) => PROTOCOL_VERSIONS.includes(version))) return info;
    throw new DvError(
      'protocol-mismatch',
      `'${this.url}' (${info.software}) speaks protocol ${info.protocol.join(', ')}`,
      { hint: `this dv speaks ${PROTOCOL_VERSIONS.join(', ')}: one of the two has to be newer` },
    );
  }

  async refs(prefix = ''): Promise<RemoteRefs> {
    const query = prefix === '' ? '' : `?prefix=${encodeURIComponent(prefix)}`;
    const { value } = await this.#ask({ method: 'GET', path: `${this.#base}/refs${query}` });
    return this.#shaped<RemoteRefs>(value, ['refs', 'cursor']);
  }

  fetch(request: FetchRequest, signal?: AbortSignal): AsyncIterable<Uint8Array> {
    return this.#http.stream({
      method: 'POST',
      path: `${this.#base}/fetch`,
      json: request,
      accept: PACK_TYPE,
      ...(signal && { signal }),
    });
  }

  async push(request: PushRequest, pack?: Uint8Array): Promise<PushAnswer> {
    const body =
      pack === undefined || pack.length === 0
        ? { json: request }
        : { bytes: withHead(request, pack), type: PUSH_TYPE };
    const { value } = await this.#http.json({
      method: 'POST',
      path: `${this.#base}/push`,
      ...body,
    });
    return this.#shaped<PushAnswer>(value, ['kind']);
  }

  async openPush(request: PushRequest): Promise<PushSession> {
    const json = { ...request, open: true };
    const { value } = await this.#http.json({ method: 'POST', path: `${this.#base}/push`, json });
    return this.#shaped<PushSession>(value, ['id', 'next', 'pending']);
  }

  async getPush(id: string): Promise<PushSession | undefined> {
    try {
      const { value } = await this.#ask({ method: 'GET', path: this.#session(id) });
      return this.#shaped<PushSession>(value, ['id', 'next', 'pending']);
    } catch (error) {
      if ((error as DvError).code === 'unknown-session') return undefined;
      throw error;
    }
  }

  async putSegment(id: string, number: number, pack: Uint8Array): Promise<PushSession> {
    const { value } = await this.#http.json({
      method: 'PUT',
      path: `${this.#session(id)}/segments/${number}`,
      bytes: pack,
      type: PACK_TYPE,
    });
    return this.#shaped<PushSession>(value, ['id', 'next', 'pending']);
  }

  async commitPush(id: string): Promise<PushAnswer> {
    const path = `${this.#session(id)}/commit`;
    const { value } = await this.#http.json({ method: 'POST', path });
    return this.#shaped<PushAnswer>(value, ['kind']);
  }

  async abandonPush(id: string): Promise<void> {
    await this.#ask({ method: 'DELETE', path: this.#session(id) });
  }

  close(): Promise<void> {
    return this.#http.close();
  }

  #session(id: string): string {
    return `${this.#base}/push/${encodeURIComponent(id)}`;
  }

  /** For what may be asked twice. */
  async #ask(exchange: Exchange): Promise<JsonAnswer> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.#http.json(exchange);
      } catch (error) {
        if (tries === TRIES || !isPassing(error)) throw error;
        const pause = FIRST_PAUSE_MS * 2 ** (tries - 1);
        await sleep(pause * (1 + this.#jitter()));
      }
    }
  }

  #shaped<T>(value: unknown, fields: readonly string[]): T {
    const isObject = typeof value === 'object' && value !== null;
    if (isObject && fields.every((field) => field in value)) return value as T;
    throw notDv(this.url, `its answer lacks '${fields.join("', '")}'`);
  }
}

const isPassing = (error: unknown): boolean =>
  ['connection-lost', 'unavailable'].includes((error as { code?: string }).code ?? '');

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Length of the head (4 bytes, big-endian), the head as JSON, the pack. */
function withHead(request: PushRequest, pack: Uint8Array): Uint8Array {
  const head = Buffer.from(JSON.stringify(request));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(head.length);
  return Buffer.concat([length, head, pack]);
}
