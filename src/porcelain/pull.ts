/**
 * `dv pull`: a fetch, and then what came into the current branch: merged, by the rules of the
 * tables, or with `rebase` the commits of the branch made again on top of it.
 */
import { DvError } from '../errors.ts';
import type { Hash } from '../hash.ts';
import { readHead } from '../model/head.ts';
import { REMOTE_PREFIX, shortRefName } from '../model/names.ts';
import { requireWorkingFiles } from './bare.ts';
import { type FetchedRef, type FetchOptions, type FetchResult, fetch } from './fetch.ts';
import { type MergeResult, type MergeVerbOptions, merge } from './merge.ts';
import { requireNoMerge } from './merge-guard.ts';
import { rebase } from './rebase.ts';
import { configOf, readUpstream } from './remote-config.ts';
import type { Repository } from './repository.ts';
import type { SequenceResult } from './sequencer.ts';

export interface PullOptions
  extends Pick<FetchOptions, 'remote' | 'refspecs' | 'prune' | 'tags' | 'depth' | 'unshallow'>,
    Pick<MergeVerbOptions, 'resolve' | 'renumber' | 'squash' | 'allowUnrelated'> {
  /** A merge commit even where a fast-forward would do (`no`), or nothing but one (`only`). */
  readonly fastForward?: 'no' | 'only';
  /** Default: `branch.NAME.rebase`, `pull.rebase`, else false. */
  readonly rebase?: boolean;
}

export type PullResult = { readonly fetched: FetchResult } & (
  | { readonly kind: 'merge'; readonly merge: MergeResult }
  | { readonly kind: 'rebase'; readonly rebase: SequenceResult }
);

/** @throws DvError `no-upstream`, `not-fast-forward`, and as `fetch`, `merge` and `rebase` */
export async function pull(repo: Repository, options: PullOptions = {}): Promise<PullResult> {
  requireWorkingFiles(repo);
  await requireNoMerge(repo);
  const head = await readHead(repo.store);
  const branch = head.kind === 'branch' ? head.branch : null;
  const { remote, refspecs = [] } = options;
  if (refspecs.length === 0) {
    if (branch === null) {
      throw new DvError('bad-option', 'HEAD is on no branch, so there is nothing to pull into', {
        hint: 'dv switch BRANCH',
      });
    }
    const upstream = readUpstream(configOf(repo), branch);
    if (remote !== undefined && remote !== upstream.remote) {
      throw new DvError('bad-option', `branch '${branch}' follows nothing of '${remote}'`, {
        hint: `dv pull ${remote} BRANCH`,
      });
    }
  }
  const [fetched] = await fetch(repo, options);
  const incoming = fetched.refs.filter(({ forMerge }) => forMerge);
  if (incoming.length === 0) throw nothingToMerge(fetched);
  const rebases = options.rebase ?? rebasesByDefault(repo, branch);
  if (rebases && head.commit !== undefined) {
    if (incoming.length > 1) {
      throw new DvError('bad-option', 'a branch cannot be rebased on several others at once');
    }
    return { fetched, kind: 'rebase', rebase: await rebase(repo, revisionOf(incoming[0])) };
  }
  const fastForward = options.fastForward ?? fastForwardByDefault(repo);
  const { resolve, renumber, squash, allowUnrelated } = options;
  const request = { fastForward, resolve, renumber, squash, allowUnrelated };
  const message = messageFor(fetched, incoming, branch);
  const merged = await merge(repo, incoming.map(revisionOf), { ...request, message });
  return { fetched, kind: 'merge', merge: merged };
}

function nothingToMerge({ url }: FetchResult): DvError {
  return new DvError('unknown-ref', `'${url}' has no branch to merge into this one`, {
    hint: 'dv branch -vv says what the branch follows; dv ls-remote what there is',
  });
}

/** Such as `origin/main`, where something here follows it. */
const revisionOf = ({ target, hash }: FetchedRef): string =>
  target?.startsWith(REMOTE_PREFIX) ? shortRefName(target) : (hash as Hash);

function rebasesByDefault(repo: Repository, branch: string | null): boolean {
  const config = configOf(repo);
  const own = branch === null ? undefined : config.getFlag(`branch.${branch}.rebase`);
  return own ?? config.getFlag('pull.rebase') ?? false;
}

function fastForwardByDefault(repo: Repository): 'no' | 'only' | undefined {
  const config = configOf(repo);
  if (config.get('pull.ff') === 'only') return 'only';
  return config.getFlag('pull.ff') === false ? 'no' : undefined;
}

/** As git writes it: `Merge branch 'main' of https://data.example.org/cities`. */
function messageFor(
  { url }: FetchResult,
  incoming: readonly FetchedRef[],
  branch: string | null,
): string {
  const names = incoming.map(({ source }) => `'${shortRefName(source ?? '')}'`);
  const kind = names.length === 1 ? 'branch' : 'branches';
  const into = branch === null || branch === 'main' ? '' : ` into ${branch}`;
  return `Merge ${kind} ${names.join(', ')} of ${url}${into}`;
}
