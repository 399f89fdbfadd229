/**
 * An open repository: its directory, its store, and the environment it was opened in.
 * Every verb takes one as its first argument. Layout:
 *
 *   .dv/store.db   objects, refs, feed, state (store/sqlite.ts)
 *   .dv/config     repository configuration (config.ts)
 *   .dv/tmp/       scratch of running commands; removed when stale
 */
import { join, relative, resolve, sep } from 'node:path';
import { DvError } from '../errors.ts';
import type { Hash } from '../hash.ts';
import { readHead } from '../model/head.ts';
import { walkHistory } from '../model/history.ts';
import { checkTableName } from '../model/names.ts';
import { resolveRevision } from '../model/revision.ts';
import type { BoundedStore } from '../model/shallow.ts';
import type { NodeStore } from '../prolly/node-store.ts';
import type { Store } from '../store/contract.ts';
import type { Maintenance } from '../store/maintenance.ts';
import { parseDate } from './dates.ts';
import type { Environment } from './environment.ts';
import type { Filler } from './filling-store.ts';
import { configOf, readUpstream } from './remote-config.ts';

export interface Repository {
  /** The directory that holds the working files and `.dv`. */
  readonly worktree: string;
  readonly dotDir: string;
  /** Where the caller stands: relative file names start here. */
  readonly cwd: string;
  /** ms since the epoch: a revision means its newest commit of then (`--as-of`). */
  readonly asOf?: number;
  readonly store: Store & Maintenance & BoundedStore;
  readonly nodes: NodeStore;
  readonly env: Environment;
  /** A directory of this process's own under `.dv/tmp`, made when first asked for. */
  readonly scratch: () => string;
  /** To be called when the boundary of a shallow history has moved. */
  renewBoundary(): Promise<void>;
  /** Who brings what is asked of the store and missing; until then it stays missing. */
  fillWith(filler: Filler): void;
  readonly filler: () => Filler;
  /** Idempotent. Removes the scratch directory. */
  close(): Promise<void>;
}

/** The commit a revision names. @throws DvError `bad-revision`, `ambiguous-hash`, ... */
export async function resolveCommit(repo: Repository, revision: string): Promise<Hash> {
  const { store, env, asOf } = repo;
  const commit = await resolveRevision(
    store,
    revision,
    (text) => parseDate(text, env.now()),
    (branch) => upstreamRef(repo, branch),
  );
  return asOf === undefined ? commit : commitAsOf(store, commit, asOf, revision);
}

/** The repository in which what no person named, such as HEAD, is what it is now. */
export function atPresent({ asOf: _, ...repo }: Repository): Repository {
  return repo;
}

/** @throws DvError `no-upstream` */
function upstreamRef(repo: Repository, branch: string): string {
  const { tracking, remote, merge } = readUpstream(configOf(repo), branch);
  if (tracking !== undefined) return tracking;
  throw new DvError('no-upstream', `nothing here follows '${merge}' of remote '${remote}'`, {
    hint: `dv config remote.${remote}.fetch says what is kept`,
  });
}

/** The newest commit of a history that was made by `time`. Cost: the commits made since. */
async function commitAsOf(store: Store, head: Hash, time: number, revision: string): Promise<Hash> {
  const stopAt = ({ committer }: { committer: { time: number } }) => committer.time <= time;
  for await (const { hash, commit } of walkHistory(store, [head], { stopAt })) {
    if (commit.committer.time <= time) return hash;
  }
  const when = new Date(time).toISOString();
  throw new DvError('bad-revision', `'${revision}' has no commit as old as ${when}`, {
    hint: 'dv log shows the first one',
  });
}

/** HEAD's commit, or undefined before the first. */
export async function headCommit(repo: Repository): Promise<Hash | undefined> {
  return (await readHead(repo.store)).commit;
}

/**
 * The table name of a path the user typed: relative to the worktree, with `/`.
 * @throws DvError `bad-name` outside the worktree
 */
export function tableNameOf(repo: Repository, path: string): string {
  const name = relative(repo.worktree, resolve(repo.cwd, path)).split(sep).join('/');
  if (name === '..' || name.startsWith('../')) {
    throw new DvError('bad-name', `'${path}' is outside the repository`, {
      hint: `the repository is ${repo.worktree}`,
    });
  }
  return name === '' ? '' : checkTableName(name);
}

/** The path of a table's working file. */
export function pathOf(repo: Repository, name: string): string {
  return join(repo.worktree, ...name.split('/'));
}
