/**
 * An open repository: its directory, its store, and the environment it was opened in.
 * Every verb takes one as its first argument. Layout:
 *
 *   .dv/store.db   objects, refs, feed, state (store/sqlite.ts)
 *   .dv/config     repository configuration (config.ts)
 *   .dv/tmp/       scratch of running commands; removed when stale
 */
import { existsSync, mkdirSync, rmSync, statSync } from 'node:fs';
import { join, relative, resolve, sep } from 'node:path';
import { DvError } from '../errors.ts';
import type { Hash } from '../hash.ts';
import { headUpdate, readHead } from '../model/head.ts';
import { checkRefName, checkTableName } from '../model/names.ts';
import { resolveRevision } from '../model/revision.ts';
import { NodeStore } from '../prolly/node-store.ts';
import type { Store } from '../store/contract.ts';
import type { Maintenance } from '../store/maintenance.ts';
import { openSqliteStore } from '../store/sqlite.ts';
import { parseDate } from './dates.ts';
import type { Environment } from './environment.ts';
import { DOT_DIR, findWorktree } from './worktree.ts';

export { DOT_DIR, findWorktree };

const NODE_KEY = 'node';

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

/**
 * Opens the repository that holds `cwd`. Close it.
 * @throws DvError `not-a-repository`, `newer-format`, `corrupt`, `read-only`, `locked`
 */
export async function openRepository(cwd: string, env: Environment): Promise<Repository> {
  const worktree = findWorktree(cwd);
  if (worktree === undefined) {
    throw new DvError('not-a-repository', `no dv repository here or above: '${resolve(cwd)}'`, {
      hint: 'dv init makes one',
    });
  }
  return openAt(worktree, cwd, env);
}

async function openAt(worktree: string, cwd: string, env: Environment): Promise<Repository> {
  const dotDir = join(worktree, DOT_DIR);
  const store = await openSqliteStore(join(dotDir, 'store.db'), {
    now: env.now,
    owner: env.owner,
    isAlive: env.isAlive,
    lockTimeoutMs: env.lockTimeout,
  });
  let scratch: string | undefined;
  return {
    worktree,
    dotDir,
    cwd: resolve(cwd),
    store,
    nodes: new NodeStore(store),
    env,
    scratch: () => {
      scratch ??= join(dotDir, 'tmp', env.randomId());
      mkdirSync(scratch, { recursive: true });
      return scratch;
    },
    close: async () => {
      if (scratch !== undefined) rmSync(scratch, { recursive: true, force: true });
      scratch = undefined;
      await store.close();
    },
  };
}

export interface InitOptions {
  /** Name of the first branch; an existing repository keeps its own. */
  readonly branch?: string;
}

/**
 * Makes (or opens, when there is one: `created` false) the repository of a directory.
 * @throws DvError `already-exists`, `bad-name`, `read-only`
 */
export async function initRepository(
  directory: string,
  env: Environment,
  { branch = 'main' }: InitOptions = {},
): Promise<{ readonly repository: Repository; readonly created: boolean }> {
  checkRefName('branch', branch);
  const worktree = resolve(directory);
  if (existsSync(worktree) && !statSync(worktree).isDirectory()) {
    throw new DvError('already-exists', `'${directory}' is a file`);
  }
  const created = !existsSync(join(worktree, DOT_DIR, 'store.db'));
  try {
    mkdirSync(join(worktree, DOT_DIR), { recursive: true });
  } catch (cause) {
    throw new DvError('read-only', `cannot write to '${directory}'`, { cause });
  }
  const repository = await openAt(worktree, worktree, env);
  if (created) {
    await repository.store.transact({ state: [nodeIdUpdate(env), headUpdate({ branch })] });
  }
  return { repository, created };
}

function nodeIdUpdate(env: Environment): { key: string; value: Uint8Array } {
  return { key: NODE_KEY, value: Buffer.from(env.randomId().slice(0, 8)) };
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
