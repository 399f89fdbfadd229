/**
 * Opening and making repositories. Everything else takes an open one (repository.ts).
 */
import { existsSync, mkdirSync, rmSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { DvError } from '../errors.ts';
import { headUpdate } from '../model/head.ts';
import { checkRefName } from '../model/names.ts';
import { NODE_KEY } from '../model/node-id.ts';
import { recordOperations } from '../model/operations.ts';
import { readShallow } from '../model/shallow.ts';
import { NodeStore } from '../prolly/node-store.ts';
import { openSqliteStore } from '../store/sqlite.ts';
import { BARE_KEY } from './bare.ts';
import { recoverCheckout } from './checkout.ts';
import { repositoryConfigFile, setConfig } from './config.ts';
import type { Environment } from './environment.ts';
import { fillingStore, NO_FILLER } from './filling-store.ts';
import type { Repository } from './repository.ts';
import { DOT_DIR, findWorktree } from './worktree.ts';
import { fileError } from './write-file.ts';

/**
 * Opens the repository that holds `cwd`, and finishes what a killed command left half done in
 * the working files. Close it.
 * @throws DvError `not-a-repository`, `newer-format`, `corrupt`, `read-only`, `locked`
 */
export async function openRepository(cwd: string, env: Environment): Promise<Repository> {
  const worktree = findWorktree(cwd);
  if (worktree === undefined) {
    throw new DvError('not-a-repository', `no dv repository here or above: '${resolve(cwd)}'`, {
      hint: 'dv init makes one',
    });
  }
  const repository = await openAt(worktree, cwd, env);
  try {
    await recoverCheckout(repository);
  } catch (error) {
    await repository.close();
    throw error;
  }
  return repository;
}

async function openAt(
  worktree: string,
  cwd: string,
  env: Environment,
  dotDir = join(worktree, DOT_DIR),
): Promise<Repository> {
  const inner = recordOperations(
    await openSqliteStore(join(dotDir, 'store.db'), {
      now: env.now,
      owner: env.owner,
      isAlive: env.isAlive,
      lockTimeoutMs: env.lockTimeout,
    }),
  );
  let boundary = await readShallow(inner);
  let filler = NO_FILLER;
  const store = fillingStore(
    inner,
    () => boundary,
    (missing) => filler.missing(missing),
  );
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
    renewBoundary: async () => {
      boundary = await readShallow(inner);
    },
    fillWith: (other) => {
      filler = other;
    },
    filler: () => filler,
    close: async () => {
      if (scratch !== undefined) rmSync(scratch, { recursive: true, force: true });
      scratch = undefined;
      await store.close();
    },
  };
}

/**
 * A repository for one command: its store is in `dotDir`, its files are those of `worktree`,
 * which holds none of it. The caller removes `dotDir`.
 */
export async function openScratch(
  worktree: string,
  dotDir: string,
  env: Environment,
  branch: string,
): Promise<Repository> {
  const repository = await openAt(resolve(worktree), worktree, env, dotDir);
  await setUp(repository, branch);
  return repository;
}

export interface InitOptions {
  /** Name of the first branch; an existing repository keeps its own. */
  readonly branch?: string;
  /** Without working files, for others to push to: sets `core.bare`. */
  readonly bare?: boolean;
}

/**
 * Makes (or opens, when there is one: `created` false) the repository of a directory.
 * @throws DvError `already-exists`, `bad-name`, `read-only`, `disk-full`
 */
export async function initRepository(
  directory: string,
  env: Environment,
  { branch = 'main', bare = false }: InitOptions = {},
): Promise<{ readonly repository: Repository; readonly created: boolean }> {
  checkRefName('branch', branch);
  const worktree = resolve(directory);
  if (existsSync(worktree) && !statSync(worktree).isDirectory()) {
    throw new DvError('already-exists', `'${directory}' is a file`);
  }
  try {
    mkdirSync(join(worktree, DOT_DIR), { recursive: true });
  } catch (cause) {
    throw fileError(cause, directory);
  }
  const repository = await openAt(worktree, worktree, env);
  try {
    if (bare) setConfig(repositoryConfigFile(repository.dotDir), BARE_KEY, 'true');
    return { repository, created: await setUp(repository, branch) };
  } catch (error) {
    await repository.close();
    throw error;
  }
}

/** False when it was set up before. What a killed or failed `init` left is set up now. */
async function setUp({ store, env }: Repository, branch: string): Promise<boolean> {
  if ((await store.getState(NODE_KEY)) !== undefined) return false;
  const node = { ...nodeIdUpdate(env), expect: null };
  return (await store.transact({ state: [node, headUpdate({ branch })] })).done;
}

function nodeIdUpdate(env: Environment): { key: string; value: Uint8Array } {
  return { key: NODE_KEY, value: Buffer.from(env.randomId().slice(0, 8)) };
}
