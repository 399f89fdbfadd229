/**
 * Remotes and upstreams as settings, in git's keys:
 *
 *   remote.NAME.url, .pushurl, .fetch (refspecs, several), .prune, .tagopt
 *   remote.pushDefault              where `dv push` goes when nothing else says
 *   branch.NAME.remote, .merge      the upstream of a branch: a remote and a ref there
 *   branch.NAME.pushRemote, .rebase
 */
import { DvError } from '../errors.ts';
import { BRANCH_PREFIX, checkRefName, REMOTE_PREFIX, shortRefName } from '../model/names.ts';
import {
  defaultFetchSpec,
  formatRefspec,
  mapRef,
  parseRefspec,
  type Refspec,
} from '../sync/refspec.ts';
import {
  addConfig,
  type Config,
  readConfig,
  repositoryConfigFile,
  setConfig,
  unsetConfig,
} from './config.ts';
import type { Environment } from './environment.ts';

export interface RemoteConfig {
  /** undefined: a URL that was typed, without a name. */
  readonly name: string | undefined;
  readonly url: string;
  readonly pushUrl: string;
  readonly fetch: readonly Refspec[];
  readonly prune: boolean;
  /** Tags: those of fetched commits (`auto`), all, none. */
  readonly tags: 'auto' | 'all' | 'none';
}

/** A repository, as far as its settings go. */
export interface ConfigHome {
  readonly dotDir: string;
  readonly env: Pick<Environment, 'userConfig'>;
}

export const DEFAULT_REMOTE = 'origin';

export function configOf(repo: ConfigHome): Config {
  return readConfig(repo.dotDir, repo.env.userConfig);
}

export function listRemotes(config: Config): RemoteConfig[] {
  return config
    .subsections('remote')
    .map((name) => findRemote(config, name))
    .filter((remote) => remote !== undefined);
}

export function findRemote(config: Config, name: string): RemoteConfig | undefined {
  const key = (part: string) => `remote.${name}.${part}`;
  const url = config.get(key('url'));
  if (name === '' || url === undefined) return undefined;
  const tags = config.get(key('tagopt'));
  return {
    name,
    url,
    pushUrl: config.get(key('pushurl')) ?? url,
    fetch: config.getAll(key('fetch')).map(parseRefspec),
    prune: config.getFlag(key('prune')) ?? config.getFlag('fetch.prune') ?? false,
    tags: tags === '--tags' ? 'all' : tags === '--no-tags' ? 'none' : 'auto',
  };
}

/** @throws DvError `unknown-remote` */
export function readRemote(config: Config, name: string): RemoteConfig {
  const found = findRemote(config, name);
  if (found !== undefined) return found;
  const names = listRemotes(config).map((remote) => remote.name);
  throw new DvError('unknown-remote', `there is no remote '${name}'`, {
    hint:
      names.length === 0
        ? `dv remote add ${name} URL makes one`
        : `there is ${names.join(', ')}; dv remote add ${name} URL makes another`,
    data: { remote: name, remotes: names },
  });
}

/** A remote's name is part of refs. @throws DvError `bad-name` */
export function checkRemoteName(name: string): string {
  if (name.includes('/')) {
    throw new DvError('bad-name', `remote name '${name}' has a slash`, { data: { name } });
  }
  try {
    return checkRefName('branch', name);
  } catch (cause) {
    const message = (cause as Error).message.replace(/^branch/, 'remote');
    throw new DvError('bad-name', message, { data: { name }, cause });
  }
}

/** @throws DvError `already-exists`, `bad-name` */
export function addRemote(
  repo: ConfigHome,
  name: string,
  url: string,
  fetch: readonly string[] = [],
): void {
  checkRemoteName(name);
  if (findRemote(configOf(repo), name) !== undefined) {
    throw new DvError('already-exists', `remote '${name}' exists already`, {
      hint: `dv remote set-url ${name} URL gives it another address`,
    });
  }
  const file = repositoryConfigFile(repo.dotDir);
  const specs = fetch.length > 0 ? fetch : [formatRefspec(defaultFetchSpec(name))];
  for (const spec of specs) parseRefspec(spec);
  setConfig(file, `remote.${name}.url`, url);
  for (const spec of specs) addConfig(file, `remote.${name}.fetch`, spec);
}

export interface Upstream {
  readonly remote: string;
  /** The ref at the remote, such as `refs/heads/main`. */
  readonly merge: string;
  /** What follows it here; undefined when no refspec keeps it, or the remote is `.`. */
  readonly tracking: string | undefined;
}

/** undefined: the branch has none. */
export function findUpstream(config: Config, branch: string): Upstream | undefined {
  const remote = config.get(`branch.${branch}.remote`);
  const merge = config.get(`branch.${branch}.merge`);
  if (remote === undefined || merge === undefined) return undefined;
  if (remote === '.') return { remote, merge, tracking: merge };
  const specs = findRemote(config, remote)?.fetch ?? [];
  const tracking = specs.map((spec) => mapRef(spec, merge)).find((ref) => ref !== undefined);
  return { remote, merge, tracking };
}

/** @throws DvError `no-upstream` */
export function readUpstream(config: Config, branch: string): Upstream {
  const found = findUpstream(config, branch);
  if (found !== undefined) return found;
  const remotes = listRemotes(config);
  const remote = remotes.length === 1 ? remotes[0].name : DEFAULT_REMOTE;
  throw new DvError('no-upstream', `branch '${branch}' has no upstream`, {
    hint: `dv branch -u ${remote}/${branch} sets it; dv push -u ${remote} ${branch} makes it`,
    data: { branch },
  });
}

export function setUpstream(repo: ConfigHome, branch: string, remote: string, merge: string): void {
  const file = repositoryConfigFile(repo.dotDir);
  setConfig(file, `branch.${branch}.remote`, remote);
  setConfig(file, `branch.${branch}.merge`, merge);
}

export function unsetUpstream(repo: ConfigHome, branch: string): boolean {
  const file = repositoryConfigFile(repo.dotDir);
  const found = unsetConfig(file, `branch.${branch}.remote`);
  return unsetConfig(file, `branch.${branch}.merge`) || found;
}

/**
 * The remote and the ref there that a tracking ref such as `refs/remotes/origin/main` follows;
 * a branch of this repository follows itself (remote `.`).
 */
export function sourceOfTracking(
  config: Config,
  ref: string,
): { readonly remote: string; readonly merge: string } | undefined {
  if (ref.startsWith(BRANCH_PREFIX)) return { remote: '.', merge: ref };
  for (const { name, fetch } of listRemotes(config)) {
    for (const { source, target } of fetch) {
      if (name === undefined || source === null || target === null) continue;
      const merge = mapRef({ force: false, source: target, target: source }, ref);
      if (merge !== undefined) return { remote: name, merge };
    }
  }
  return undefined;
}

/**
 * A branch that starts at a branch of a remote follows it, unless `branch.autoSetupMerge` is off.
 * @returns what it follows now; undefined: `start` is no branch of a remote
 */
export function followRemote(repo: ConfigHome, branch: string, start: string): string | undefined {
  const config = readConfig(repo.dotDir, repo.env.userConfig);
  const ref = start.startsWith(REMOTE_PREFIX) ? start : REMOTE_PREFIX + start;
  const source = sourceOfTracking(config, ref);
  if (source === undefined || config.getFlag('branch.autosetupmerge') === false) return undefined;
  setUpstream(repo, branch, source.remote, source.merge);
  return shortRefName(ref);
}

/** Where a fetch goes when nothing is named: the upstream's remote, the only one, `origin`. */
export function defaultRemote(config: Config, branch: string | null): string {
  const own = branch === null ? undefined : config.get(`branch.${branch}.remote`);
  if (own !== undefined && own !== '.') return own;
  const remotes = listRemotes(config);
  return remotes.length === 1 ? (remotes[0].name ?? DEFAULT_REMOTE) : DEFAULT_REMOTE;
}

/** Where a push goes when nothing is named. */
export function defaultPushRemote(config: Config, branch: string | null): string {
  const own = branch === null ? undefined : config.get(`branch.${branch}.pushremote`);
  return own ?? config.get('remote.pushdefault') ?? defaultRemote(config, branch);
}
