/**
 * The other repository that a name, a URL or a path means, opened: a server (`http`, `https`),
 * a repository of this machine (a path, or `file://`), or the file of a bundle.
 */
import { existsSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DvError } from '../errors.ts';
import { isHttpUrl, parseHttpAddress, redactUrl } from '../sync/http-address.ts';
import type { Remote } from '../sync/protocol.ts';
import { findToken } from './credentials.ts';
import type { Environment } from './environment.ts';
import { DOT_DIR } from './worktree.ts';

const SCHEME = /^([a-z][a-z0-9+.-]*):\/\//i;

/** From where relative paths are meant, and in what world. */
export interface RemotePlace {
  /** The directory that a relative path starts at. */
  readonly worktree: string;
  readonly env: Environment;
}

/** @throws DvError `bad-name` for what no remote can be */
export function checkRemoteUrl(text: string): void {
  if (isHttpUrl(text)) {
    parseHttpAddress(text);
    return;
  }
  const scheme = SCHEME.exec(text)?.[1];
  if (scheme !== undefined && scheme.toLowerCase() !== 'file') {
    throw new DvError('bad-name', `dv does not speak '${scheme}' to '${redactUrl(text)}'`, {
      hint: 'https://, http://, file:// or a path',
    });
  }
  if (text === '' || text.includes('\0')) {
    throw new DvError('bad-name', `'${text}' is not a place where a repository can be`);
  }
}

/** The path that a remote's URL means; undefined: it is a server. */
export function pathOfRemote(text: string, from: string): string | undefined {
  checkRemoteUrl(text);
  if (isHttpUrl(text)) return undefined;
  if (!SCHEME.test(text)) return resolve(from, text);
  try {
    return fileURLToPath(text);
  } catch (cause) {
    throw new DvError('bad-name', `'${text}' is not the URL of a file`, {
      hint: 'file:///srv/data',
      cause,
    });
  }
}

/**
 * Close it. Nothing is asked of a server yet.
 * @throws DvError `remote-unreachable`, `bad-name`, `bad-option`, `bad-config`
 */
export async function openRemote(place: RemotePlace, url: string): Promise<Remote> {
  const path = pathOfRemote(url, place.worktree);
  if (path === undefined) return openServer(place.env, url);
  if (!existsSync(path)) {
    throw new DvError('remote-unreachable', `there is nothing at '${path}'`, {
      hint: 'a repository or a bundle is a path, a server has https:// in front',
      data: { url },
    });
  }
  if (!statSync(path).isDirectory()) {
    const { openBundleRemote } = await import('./bundle-remote.ts');
    return openBundleRemote(path, url);
  }
  if (!existsSync(join(path, DOT_DIR, 'store.db')) && !existsSync(join(path, 'store.db'))) {
    throw new DvError('not-dv', `there is no dv repository in '${path}'`, {
      hint: 'dv init there makes one',
      data: { url },
    });
  }
  const { openPathRemote } = await import('./path-remote.ts');
  return openPathRemote(place.env, path);
}

async function openServer(env: Environment, url: string): Promise<Remote> {
  const token = findToken(env, url);
  const { openHttpRemote } = await import('../sync/http-remote.ts');
  return openHttpRemote(url, {
    software: env.software ?? 'dv',
    jitter: () => Number.parseInt(env.randomId().slice(0, 8), 16) / 0x1_0000_0000,
    ...(token !== undefined && { token }),
  });
}
