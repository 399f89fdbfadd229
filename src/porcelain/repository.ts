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
import { checkTableName } from '../model/names.ts';
import { resolveRevision } from '../model/revision.ts';
import type { NodeStore } from '../prolly/node-store.ts';
import type { Store } from '../store/contract.ts';
import type { Maintenance } from '../store/maintenance.ts';
import { parseDate } from './dates.ts';
import type { Environment } from './environment.ts';

export const NODE_KEY = 'node';

export interface Repository {
  /** The directory that holds the working files and `.dv`. */
  readonly worktree: string;
  readonly dotDir: string;
  /** Where the caller stands: relative file names start here. */
  readonly cwd: string;
  readonly store: Store & Maintenance;
  readonly nodes: NodeStore;
  readonly env: Environment;
  /** A directory of this process's own under `.dv/tmp`, made when first asked for. */
  readonly scratch: () => string;
  /** Idempotent. Removes the scratch directory. */
  close(): Promise<void>;
}

/** The id of this repository in clocks: 8 hex digits, made at `init`. */
export async function readNodeId(store: Store): Promise<string> {
  const value = await store.getState(NODE_KEY);
  return value === undefined ? '00000000' : Buffer.from(value).toString('latin1');
}

/** The commit a revision names. @throws DvError `bad-revision`, `ambiguous-hash`, ... */
export function resolveCommit(repo: Repository, revision: string): Promise<Hash> {
  return resolveRevision(repo.store, revision, (text) => parseDate(text, repo.env.now()));
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
