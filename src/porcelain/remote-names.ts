/** Which remote a word on the command line means: a configured name, or else a URL or path. */
import { DvError } from '../errors.ts';
import { currentBranch } from './branch.ts';
import { checkRemoteUrl } from './open-remote.ts';
import {
  configOf,
  defaultPushRemote,
  defaultRemote,
  findRemote,
  type RemoteConfig,
} from './remote-config.ts';
import type { Repository } from './repository.ts';

/**
 * Without a word: what the branch follows, the only remote, `origin`, and at last DV_REMOTE.
 * @throws DvError `unknown-remote`, `bad-name`
 */
export async function remoteMeant(
  repo: Repository,
  word: string | undefined,
  purpose: 'fetch' | 'push' = 'fetch',
): Promise<RemoteConfig> {
  const config = configOf(repo);
  const choose = purpose === 'push' ? defaultPushRemote : defaultRemote;
  const name = word ?? choose(config, await currentBranch(repo));
  const found = findRemote(config, name);
  if (found !== undefined) return found;
  const url = word ?? repo.env.variables.DV_REMOTE;
  if (url !== undefined && looksLikePlace(url)) {
    checkRemoteUrl(url);
    return { name: undefined, url, pushUrl: url, fetch: [], prune: false, tags: 'auto' };
  }
  throw new DvError('unknown-remote', `there is no remote '${name}'`, {
    hint: `dv remote add ${name} URL makes one; a path needs a slash, such as ./${name}`,
    data: { remote: name },
  });
}

/** A word without slashes and dots is a name that is not configured. */
const looksLikePlace = (word: string): boolean => /[/\\]|^\.{1,2}$|\.bundle$/.test(word);
