/**
 * A push to the branch whose tables are in the working files. The files would be behind, and
 * the next `dv add` and `dv commit` there would take back what was pushed. So it is refused,
 * unless the repository is bare or `receive.denyCurrentBranch` says otherwise:
 *
 *   refuse          the default
 *   updateInstead   taken while nothing is unsaved; the working files follow
 *   ignore          taken; the files stay as they are
 */

import { join } from 'node:path';
import { DvError } from '../errors.ts';
import { readHead } from '../model/head.ts';
import { BRANCH_PREFIX } from '../model/names.ts';
import type { RefStore } from '../store/contract.ts';
import type { RefCommand } from '../sync/protocol.ts';
import { isBare } from './bare.ts';
import { readConfig } from './config.ts';
import type { Environment } from './environment.ts';
import { openRepository } from './open-repository.ts';
import { reset } from './reset.ts';
import { status } from './status.ts';
import { DOT_DIR } from './worktree.ts';

const KEY = 'receive.denyCurrentBranch';
const POLICIES = ['refuse', 'updateInstead', 'ignore'] as const;
type Policy = (typeof POLICIES)[number];

/** @throws DvError `push-refused`, `bad-config` */
export async function guardCheckedOut(
  worktree: string,
  store: RefStore,
  env: Environment,
  command: RefCommand,
): Promise<void> {
  if (!(await isCheckedOut(store, command.ref))) return;
  const policy = readPolicy(join(worktree, DOT_DIR), env);
  if (policy === 'ignore') return;
  if (policy === 'updateInstead' && command.new !== null) {
    await requireClean(worktree, env, command.ref);
    return;
  }
  throw refused(command.ref, 'is checked out at the remote', {
    hint: 'push another branch and merge it there; or, there: dv config receive.denyCurrentBranch updateInstead',
  });
}

/** Brings the working files to the pushed commit where the policy is `updateInstead`. */
export async function updateCheckedOut(
  worktree: string,
  store: RefStore,
  env: Environment,
  refs: readonly string[],
): Promise<void> {
  const isMoved = await Promise.all(refs.map((ref) => isCheckedOut(store, ref)));
  if (!isMoved.includes(true)) return;
  if (readPolicy(join(worktree, DOT_DIR), env) !== 'updateInstead') return;
  const repository = await openRepository(worktree, env);
  try {
    await reset(repository, 'HEAD', 'hard');
  } finally {
    await repository.close();
  }
}

async function isCheckedOut(store: RefStore, ref: string): Promise<boolean> {
  const head = await readHead(store);
  return head.kind === 'branch' && ref === BRANCH_PREFIX + head.branch;
}

function readPolicy(dotDir: string, env: Environment): Policy {
  if (isBare(dotDir)) return 'ignore';
  const entry = readConfig(dotDir, env.userConfig).find(KEY);
  if (entry === undefined) return 'refuse';
  const policy = POLICIES.find((name) => name.toLowerCase() === entry.value.toLowerCase());
  if (policy !== undefined) return policy;
  throw new DvError('bad-config', `${KEY} is '${entry.value}'`, {
    hint: `it can be ${POLICIES.join(', ')}`,
    data: { file: entry.file, line: entry.line },
  });
}

async function requireClean(worktree: string, env: Environment, ref: string): Promise<void> {
  const repository = await openRepository(worktree, env);
  try {
    if ((await status(repository, { untracked: 'no' })).clean) return;
  } finally {
    await repository.close();
  }
  throw refused(ref, 'is checked out at the remote, with changes that are not committed', {
    hint: 'commit or discard them there, then push again',
  });
}

function refused(ref: string, why: string, { hint }: { hint: string }): DvError {
  return new DvError('push-refused', `'${ref.slice(BRANCH_PREFIX.length)}' ${why}`, {
    hint,
    data: { ref },
  });
}
