/**
 * What `dv watch [REMOTE] [PATTERN...]` names: the first word is a remote where it is a URL,
 * the name of one, or the path of another repository; everything else is a branch pattern of
 * the repository one is in.
 */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { DvError } from '../errors.ts';
import type { FeedSource } from '../live/contract.ts';
import {
  type FeedState,
  type FeedWatcher,
  type HttpFeedOptions,
  HttpFeedSource,
} from '../live/http-source.ts';
import { isHttpUrl } from '../sync/http-address.ts';
import { findToken } from './credentials.ts';
import type { Environment } from './environment.ts';
import { openRepository } from './open-repository.ts';
import { configOf, findRemote, type RemoteConfig } from './remote-config.ts';
import type { Repository } from './repository.ts';
import { openLocalFeed } from './watch.ts';
import { DOT_DIR } from './worktree.ts';

export interface OpenedFeed {
  readonly source: FeedSource;
  /** Which branches. */
  readonly patterns: readonly string[];
  /** The remote, where it has a name. */
  readonly remote: RemoteConfig | undefined;
  /** Hears of the connection; undefined: there is none. */
  readonly listen: ((listener: (state: FeedState) => void) => void) | undefined;
}

export interface FeedPlace {
  /** undefined: not in a repository; then the feed is one of a URL. */
  readonly repo: Repository | undefined;
  readonly cwd: string;
  readonly env: Environment;
}

export interface FeedChoice {
  /** With what each commit brings, to keep it. */
  readonly packs?: boolean;
  /** A cursor that the server must have come to. */
  readonly least?: string;
}

/** @throws DvError `not-a-repository`, `bad-name`, `bad-option` */
export async function openFeed(
  place: FeedPlace,
  operands: readonly string[],
  choice: FeedChoice = {},
): Promise<OpenedFeed> {
  const [first, ...rest] = operands;
  const { repo, env } = place;
  if (first !== undefined) {
    if (isHttpUrl(first)) return { ...openServerFeed(env, first, choice), patterns: rest };
    const remote = repo === undefined ? undefined : findRemote(configOf(repo), first);
    if (remote !== undefined) {
      const opened = isHttpUrl(remote.url)
        ? openServerFeed(env, remote.url, choice)
        : await openPathFeed(env, resolve(repo?.worktree ?? place.cwd, pathOf(remote.url)));
      return { ...opened, patterns: rest, remote };
    }
    const path = resolve(place.cwd, pathOf(first));
    if (existsSync(join(path, DOT_DIR)) || existsSync(join(path, 'store.db'))) {
      return { ...(await openPathFeed(env, path)), patterns: rest };
    }
  }
  if (repo === undefined) {
    throw new DvError('not-a-repository', `no dv repository here or above: '${place.cwd}'`, {
      hint: 'dv watch URL follows a server from anywhere',
    });
  }
  return { source: openLocalFeed(repo), patterns: operands, remote: undefined, listen: undefined };
}

type Opened = Omit<OpenedFeed, 'patterns'>;

const pathOf = (url: string): string => url.replace(/^file:\/\//, '');

async function openPathFeed(env: Environment, path: string): Promise<Opened> {
  const other = await openRepository(path, env);
  const source = openLocalFeed(other);
  const close = async () => {
    await source.close();
    await other.close();
  };
  const closing: FeedSource = {
    url: source.url,
    events: (options) => source.events(options),
    changes: (from, to, options) => source.changes(from, to, options),
    commitsBetween: (from, to, options) => source.commitsBetween(from, to, options),
    close,
  };
  return { source: closing, remote: undefined, listen: undefined };
}

/** Who follows the feed of a server; nobody follows a path that way. */
export async function followersAt(env: Environment, url: string): Promise<readonly FeedWatcher[]> {
  if (!isHttpUrl(url)) return [];
  const source = new HttpFeedSource(url, feedOptions(env, url));
  try {
    return await source.watchers();
  } finally {
    await source.close();
  }
}

function openServerFeed(env: Environment, url: string, choice: FeedChoice): Opened {
  let listener: (state: FeedState) => void = () => undefined;
  const source = new HttpFeedSource(url, {
    ...feedOptions(env, url),
    report: (state) => listener(state),
    ...choice,
  });
  const listen = (next: (state: FeedState) => void) => {
    listener = next;
  };
  return { source, remote: undefined, listen };
}

function feedOptions(env: Environment, url: string): HttpFeedOptions {
  const token = findToken(env, url);
  return {
    software: env.software ?? 'dv',
    jitter: () => Number.parseInt(env.randomId().slice(0, 8), 16) / 0x1_0000_0000,
    monotonic: () => env.now() / 1000,
    ...(token !== undefined && { token }),
  };
}
