/**
 * The repositories that `dv serve` serves: one, named after its directory, or every one below
 * a directory, named by its path from there (`team/data` is `DIR/team/data/.dv`). Fits the
 * server's `RepositoryDirectory`. What a push creates is bare. Commands may run in the same
 * directories meanwhile: all of them meet in the store.
 */
import { existsSync, readdirSync, realpathSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { DvError } from '../errors.ts';
import { foldName } from '../model/names.ts';
import { NodeStore } from '../prolly/node-store.ts';
import { openSqliteStore } from '../store/sqlite.ts';
import type { RefCommand } from '../sync/protocol.ts';
import { checkRepositoryName } from '../sync/repository-name.ts';
import { guardCheckedOut, updateCheckedOut } from './checked-out.ts';
import type { Environment } from './environment.ts';
import { initRepository } from './open-repository.ts';
import { DOT_DIR } from './worktree.ts';

/** Directories in directories: deeper repositories are not found. */
const MAX_DEPTH = 5;

export interface ServedRepository {
  readonly name: string;
  readonly store: Awaited<ReturnType<typeof openSqliteStore>>;
  readonly nodes: NodeStore;
  readonly guard: (command: RefCommand) => Promise<void>;
  readonly moved: (refs: readonly string[]) => Promise<void>;
  close(): Promise<void>;
}

export interface ServedDirectory {
  /** `DIR` is itself a repository: then it is the only one. */
  readonly single: boolean;
  list(): Promise<readonly string[]>;
  open(name: string): Promise<ServedRepository | undefined>;
  readonly create?: (name: string) => Promise<ServedRepository>;
}

/** @throws DvError `bad-option` when there is no such directory */
export function serveDirectory(directory: string, env: Environment): ServedDirectory {
  const top = resolve(directory);
  if (!existsSync(top)) {
    throw new DvError('bad-option', `there is no directory '${directory}'`, {
      hint: 'dv serve DIR serves a repository, or the repositories below a directory',
    });
  }
  return isRepository(top) ? serveOne(realpathSync(top), env) : serveAll(top, env);
}

function serveOne(worktree: string, env: Environment): ServedDirectory {
  const name = nameOfWorktree(worktree);
  return {
    single: true,
    list: async () => [name],
    open: async (asked) => (asked === name ? openServed(name, worktree, env) : undefined),
  };
}

/** @throws DvError `bad-name` when the directory has a name that no repository has */
function nameOfWorktree(worktree: string): string {
  const name = basename(worktree);
  try {
    return checkRepositoryName(name);
  } catch (cause) {
    throw new DvError('bad-name', `a repository cannot be served as '${name}'`, {
      hint: 'rename its directory, or serve the one above',
      cause,
    });
  }
}

function serveAll(top: string, env: Environment): ServedDirectory {
  const pathOf = (name: string) => join(top, ...checkRepositoryName(name).split('/'));
  return {
    single: false,
    list: async () => findRepositories(top, '', MAX_DEPTH).sort(),
    async open(name) {
      const path = pathOf(name);
      return isRepository(path) ? openServed(name, path, env) : undefined;
    },
    async create(name) {
      const path = pathOf(name);
      checkPlace(top, name);
      const { repository } = await initRepository(path, env, { bare: true });
      await repository.close();
      return openServed(name, path, env);
    },
  };
}

function isRepository(path: string): boolean {
  return existsSync(join(path, DOT_DIR, 'store.db'));
}

function findRepositories(top: string, prefix: string, depth: number): string[] {
  return readdirSync(join(top, prefix), { withFileTypes: true }).flatMap((entry) => {
    if (!entry.isDirectory() || entry.name.startsWith('.')) return [];
    const name = prefix === '' ? entry.name : `${prefix}/${entry.name}`;
    if (isRepository(join(top, name))) return isServable(name) ? [name] : [];
    return depth > 1 ? findRepositories(top, name, depth - 1) : [];
  });
}

function isServable(name: string): boolean {
  try {
    checkRepositoryName(name);
    return true;
  } catch {
    return false;
  }
}

/** Not inside another repository, not too deep to be listed, not another's name in other case. */
function checkPlace(top: string, name: string): void {
  const parts = name.split('/');
  if (parts.length > MAX_DEPTH) {
    throw new DvError('bad-name', `'${name}' has more than ${MAX_DEPTH} parts`);
  }
  let path = top;
  for (const [at, part] of parts.entries()) {
    const twin = existsSync(path)
      ? readdirSync(path).find((other) => other !== part && foldName(other) === foldName(part))
      : undefined;
    if (twin !== undefined) {
      throw new DvError('already-exists', `'${part}' and '${twin}' would be one directory`);
    }
    path = join(path, part);
    if (at < parts.length - 1 && isRepository(path)) {
      throw new DvError('bad-name', `'${name}' would lie inside another repository`);
    }
  }
}

async function openServed(
  name: string,
  worktree: string,
  env: Environment,
): Promise<ServedRepository> {
  // Not as `openRepository` does: what others push is none of this repository's own
  // operations, so `dv undo` does not offer to undo it.
  const store = await openSqliteStore(join(worktree, DOT_DIR, 'store.db'), {
    now: env.now,
    owner: env.owner,
    isAlive: env.isAlive,
    lockTimeoutMs: env.lockTimeout,
  });
  return {
    name,
    store,
    nodes: new NodeStore(store),
    guard: (command) => guardCheckedOut(worktree, store, env, command),
    moved: (refs) => updateCheckedOut(worktree, store, env, refs),
    close: () => store.close(),
  };
}
