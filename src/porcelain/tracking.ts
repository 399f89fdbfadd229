/**
 * Where a branch is against the one it follows, as `status`, `branch -vv` and `switch` say it.
 * Nothing is asked of the remote: what the last fetch brought counts.
 */
import type { Hash } from '../hash.ts';
import { countDivergence } from '../model/divergence.ts';
import { shortRefName } from '../model/names.ts';
import type { Config } from './config.ts';
import { findUpstream } from './remote-config.ts';
import type { Repository } from './repository.ts';

export interface Tracking {
  /** Such as `origin/main`. */
  readonly upstream: string;
  /** Commits that only the branch, and only its upstream, has; undefined: it is gone. */
  readonly ahead?: number;
  readonly behind?: number;
  readonly gone?: true;
}

/** undefined: it follows none. Cost: the commits between the two. */
export async function trackingOf(
  repo: Repository,
  config: Config,
  branch: string,
  commit: Hash | undefined,
): Promise<Tracking | undefined> {
  const upstream = findUpstream(config, branch);
  if (upstream === undefined) return undefined;
  const { tracking, remote, merge } = upstream;
  if (tracking === undefined) return { upstream: `${remote}/${shortRefName(merge)}`, gone: true };
  const there = await repo.store.getRef(tracking);
  const name = shortRefName(tracking);
  if (there === undefined) return { upstream: name, gone: true };
  if (commit === undefined) return { upstream: name };
  return { upstream: name, ...(await countDivergence(repo.store, commit, there)) };
}
