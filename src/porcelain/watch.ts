/**
 * `dv watch`: which feed is followed, from where. A repository of this machine is read
 * directly; no server is needed, and other processes may commit meanwhile.
 */
import { DvError } from '../errors.ts';
import { isHash } from '../hash.ts';
import type { FeedSource } from '../live/contract.ts';
import { FeedHub } from '../live/hub.ts';
import { LocalFeedSource } from '../live/local-source.ts';
import { compileCondition } from '../store/sqlite-condition.ts';
import { parseDate } from './dates.ts';
import { type Repository, resolveCommit } from './repository.ts';

/** The feed of an open repository. Closing it leaves the repository open. */
export function openLocalFeed(repo: Repository): FeedSource {
  const { store, nodes, env } = repo;
  const hub = new FeedHub(store, nodes, env);
  return new LocalFeedSource(repo.worktree, hub);
}

/**
 * Where to begin, as feeds take it: a cursor as it is, a revision (of this repository, when
 * there is one) as its commit, a time. @throws DvError `bad-cursor`
 */
export async function resolveBeginning(
  repo: Repository | undefined,
  text: string,
  now: number,
): Promise<string> {
  if (/^[0-9a-f]{16}\.\d+$/.test(text)) return text;
  if (isHash(text)) return `commit:${text}`;
  const commit = await commitNamed(repo, text);
  if (commit !== undefined) return `commit:${commit}`;
  const time = parseDate(text, now);
  if (time !== undefined) return `time:${time}`;
  throw new DvError('bad-cursor', `'${text}' is neither a cursor nor a commit nor a time`, {
    hint: 'for example --since main~5, --since "1 hour ago", or the id of an event',
  });
}

async function commitNamed(
  repo: Repository | undefined,
  text: string,
): Promise<string | undefined> {
  if (repo === undefined) return undefined;
  try {
    return await resolveCommit(repo, text);
  } catch (error) {
    // No revision: then perhaps a time.
    const { code } = error as DvError;
    if (code === 'bad-revision' || code === 'no-commits') return undefined;
    throw error;
  }
}

/**
 * A condition whose columns are not known yet: over a feed, tables come and go.
 * @throws DvError `bad-condition` when it is none for any table
 */
export function checkConditionText(where: string): void {
  try {
    compileCondition(where, []).close();
  } catch (error) {
    const cause = (error as DvError).cause;
    const reason = cause instanceof Error ? cause.message : '';
    if (/no such column/.test(reason)) return;
    throw new DvError('bad-condition', (error as DvError).message, {
      hint: 'an SQL expression over the columns, such as "price > 10 or from_price is null"',
      data: { condition: where },
      cause: error,
    });
  }
}
