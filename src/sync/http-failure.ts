/**
 * What can go wrong on the way to a server, as DvErrors: the server's own come through as it
 * made them, everything else says whether trying again makes sense (`connection-lost`).
 */
import { DvError, ERROR_KINDS, type ErrorCode } from '../errors.ts';
import { redactTokens } from './http-address.ts';

const TLS_CODES =
  /^(?:CERT_|ERR_TLS_|ERR_SSL_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|HOSTNAME_MISMATCH)/;
const NOT_THERE = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
]);
const STALLED = new Set(['UND_ERR_BODY_TIMEOUT', 'UND_ERR_HEADERS_TIMEOUT']);

/** A failure of undici, of a socket or of TLS. */
export function connectionError(cause: unknown, url: string): DvError {
  if (cause instanceof DvError) return cause;
  const code = codeOf(cause);
  if (TLS_CODES.test(code)) {
    return new DvError('remote-unreachable', `the certificate of '${url}' does not verify`, {
      hint: 'if it is your own, name the authority: NODE_EXTRA_CA_CERTS=ca.pem',
      data: { url, reason: code },
      cause,
    });
  }
  if (NOT_THERE.has(code) || code === 'UND_ERR_CONNECT_TIMEOUT') {
    return new DvError('remote-unreachable', `'${url}' does not answer (${code})`, {
      hint: 'is the address right, and the server running?',
      data: { url, reason: code },
      cause,
    });
  }
  if (code.startsWith('HPE_')) return notDv(url, 'its answer is not HTTP');
  const what = STALLED.has(code) ? 'went silent' : 'was lost';
  return new DvError('connection-lost', `the connection to '${url}' ${what}`, {
    hint: 'run the command again: it goes on where it was cut',
    data: { url, reason: code },
    cause,
  });
}

function codeOf(cause: unknown): string {
  const error = cause as { code?: unknown; cause?: unknown; errors?: unknown[] } | undefined;
  if (typeof error?.code === 'string') return error.code;
  if (error?.cause !== undefined) return codeOf(error.cause);
  if (Array.isArray(error?.errors)) return codeOf(error.errors[0]);
  return (cause as Error | undefined)?.name ?? 'unknown';
}

export function notDv(url: string, why: string): DvError {
  return new DvError('not-dv', `there is no dv server at '${url}': ${why}`, {
    hint: 'dv serve prints the URL of each repository',
    data: { url },
  });
}

/** The error of an answer that says it failed, or (`body` undefined) does not come from dv. */
export function answerError(status: number, body: unknown, url: string): DvError {
  const error = errorIn(body);
  if (error !== undefined) return rebuild(error, status);
  if (status === 429 || status === 408 || status >= 500) {
    return new DvError('server-failed', `'${url}' failed with status ${status}`, {
      hint: 'try again later',
      data: { url, status },
    });
  }
  if (status === 401 || status === 407) {
    return new DvError('unauthorized', `'${url}' wants to know who you are`, {
      hint: 'DV_TOKEN=... or dv login',
      data: { url, status },
    });
  }
  return notDv(url, `it answers with status ${status}`);
}

interface ErrorBody {
  readonly code: string;
  readonly message: string;
  readonly hint?: unknown;
  readonly data?: unknown;
}

function errorIn(body: unknown): ErrorBody | undefined {
  const candidate = (body as { error?: unknown } | null)?.error ?? body;
  const { code, message } = (candidate ?? {}) as Partial<ErrorBody>;
  return typeof code === 'string' && typeof message === 'string'
    ? (candidate as ErrorBody)
    : undefined;
}

/** The server's error as it was; of a code that this dv does not know, its text. */
function rebuild({ code, message, hint, data }: ErrorBody, status: number): DvError {
  const known = Object.hasOwn(ERROR_KINDS, code) && code !== 'bug';
  const facts = typeof data === 'object' && data !== null ? data : {};
  return new DvError(known ? (code as ErrorCode) : 'server-failed', redactTokens(message), {
    ...(typeof hint === 'string' && { hint: redactTokens(hint) }),
    data: known ? (facts as Record<string, unknown>) : { ...facts, code, status },
  });
}
