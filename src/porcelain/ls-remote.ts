/** `dv ls-remote`: what a remote has, without a repository here being needed. */
import { DvError } from '../errors.ts';
import { BRANCH_PREFIX, TAG_PREFIX } from '../model/names.ts';
import type { RemoteRefs } from '../sync/protocol.ts';
import { matchPattern } from '../sync/refspec.ts';
import { openRemote, type RemotePlace } from './open-remote.ts';
import { remoteMeant } from './remote-names.ts';
import type { Repository } from './repository.ts';

export interface LsRemoteOptions {
  readonly heads?: boolean;
  readonly tags?: boolean;
  /** With at most one `*`; the end of a name matches as well. */
  readonly patterns?: readonly string[];
}

/** @throws DvError `unknown-remote`, and what the way to the remote says */
export async function lsRemote(
  place: Repository | RemotePlace,
  word: string | undefined,
  { heads = false, tags = false, patterns = [] }: LsRemoteOptions = {},
): Promise<RemoteRefs> {
  const remote = await openRemote(place, await urlMeant(place, word));
  try {
    const found = await remote.refs();
    const refs = found.refs.filter(({ name }) => {
      const isKind = heads === tags || name.startsWith(heads ? BRANCH_PREFIX : TAG_PREFIX);
      return isKind && (patterns.length === 0 || patterns.some((one) => isMeant(one, name)));
    });
    return { ...found, refs };
  } finally {
    await remote.close();
  }
}

function isMeant(pattern: string, name: string): boolean {
  const ends = name.split('/').map((_, i, parts) => parts.slice(i).join('/'));
  return ends.some((end) => matchPattern(pattern, end) !== undefined);
}

async function urlMeant(
  place: Repository | RemotePlace,
  word: string | undefined,
): Promise<string> {
  if ('store' in place) return (await remoteMeant(place, word)).url;
  const url = word ?? place.env.variables.DV_REMOTE;
  if (url !== undefined) return url;
  throw new DvError('unknown-remote', 'no remote was named', { hint: 'dv ls-remote URL' });
}
