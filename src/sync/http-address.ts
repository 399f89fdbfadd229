/**
 * Where an HTTP remote is. People write `https://HOST[:PORT]/NAME`, what `dv serve` prints;
 * requests go to `/v1/repos/NAME` there. A token never goes over a connection that others
 * can read: plain HTTP is for this machine only, unless there is no token.
 */
import { DvError } from '../errors.ts';
import { repositoryPath } from './repository-name.ts';

export interface HttpAddress {
  /** As people write it, without credentials and without a `/` at the end. */
  readonly url: string;
  /** Scheme, host and port. */
  readonly origin: string;
  /** Name of the repository. */
  readonly name: string;
  /** Path that all requests of the repository begin with. */
  readonly base: string;
}

export const isHttpUrl = (text: string): boolean => /^https?:\/\//i.test(text);

/** @throws DvError `bad-name`; the message never has what may be a secret */
export function parseHttpAddress(text: string): HttpAddress {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !isHttpUrl(text)) {
    throw new DvError('bad-name', `'${redactUrl(text)}' is not the URL of a repository`, {
      hint: 'for example https://data.example.org/cities',
    });
  }
  if (url.username !== '' || url.password !== '') {
    throw new DvError('bad-name', `the URL '${redactUrl(text)}' has credentials in it`, {
      hint: 'leave them out: DV_TOKEN or dv login says who you are',
    });
  }
  const name = decodePath(url.pathname.replace(/^\/+|\/+$/g, ''), text);
  if (name === '' || url.search !== '' || url.hash !== '') {
    throw new DvError('bad-name', `'${redactUrl(text)}' names no repository`, {
      hint: `dv serve prints the URL of each, such as ${url.origin}/NAME`,
    });
  }
  const base = repositoryPath(name);
  return {
    url: `${url.origin}/${url.pathname.replace(/^\/+|\/+$/g, '')}`,
    origin: url.origin,
    name,
    base,
  };
}

function decodePath(path: string, text: string): string {
  try {
    return decodeURIComponent(path);
  } catch (cause) {
    throw new DvError('bad-name', `'${redactUrl(text)}' has a bad escape`, { cause });
  }
}

/** The text without what stands before `@`, and without a query: both may be secrets. */
export function redactUrl(text: string): string {
  return text.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/@]*@/i, '$1…@').replace(/[?#].*$/s, '?…');
}

/** Tokens in any text, such as a message from elsewhere. */
export function redactTokens(text: string): string {
  return text.replace(/\bdv_[a-z]+_[A-Za-z0-9_-]+/g, 'dv_…');
}

/** Does this host mean this machine, whatever a name server says? */
export function isLoopback(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, '').toLowerCase();
  return host === 'localhost' || host === '::1' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host);
}

/** @throws DvError `bad-option` */
export function checkTokenIsSafe({ origin, url }: HttpAddress): void {
  const { protocol, hostname } = new URL(origin);
  if (protocol === 'https:' || isLoopback(hostname)) return;
  throw new DvError('bad-option', `dv sends no token over plain HTTP to '${url}'`, {
    hint: `use https://${url.slice('http://'.length)}`,
  });
}
