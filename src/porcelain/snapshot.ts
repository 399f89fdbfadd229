/**
 * `dv snapshot`: files as they are, to a branch of a remote, without a clone. For pipelines.
 *
 *   1. The branch's newest commit comes into a scratch store, with the tables that the files
 *      are and of those only the nodes above the leaves: that is what comparing takes.
 *   2. The files are read as `dv add` reads them, with the schema and dialect remembered. The
 *      same rows have the same hash: then there is nothing to do.
 *   3. Leaves that differ are fetched in one request, to count rows.
 *   4. A commit is pushed, if the branch is where it was. Else everything is done again: the
 *      file is the state of its table, whoever was faster.
 *
 * So it may run twice, and at the same time elsewhere: the second finds nothing to do, or comes
 * after the first.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { DvError } from '../errors.ts';
import type { Hash } from '../hash.ts';
import { checkMessage } from '../model/commit-message.ts';
import type { Edge } from '../model/edges.ts';
import { headUpdate } from '../model/head.ts';
import { BRANCH_PREFIX, checkRefName } from '../model/names.ts';
import { readTable } from '../model/object-reader.ts';
import type { EntryDifference } from '../model/root.ts';
import { missingNodes } from '../prolly/missing.ts';
import { DEFAULT_LIMITS, type Remote, type RemoteRefs } from '../sync/protocol.ts';
import { type AddedTable, type AddOptions, add } from './add.ts';
import { type CommitSummary, commit } from './commit.ts';
import type { Environment } from './environment.ts';
import { openRemote } from './open-remote.ts';
import { openScratch } from './open-repository.ts';
import { remoteRefs } from './push.ts';
import { type Repository, tableNameOf } from './repository.ts';
import { bring, retryOptions, sendPush } from './transfer.ts';

export interface SnapshotOptions extends Pick<AddOptions, 'key' | 'types' | 'format' | 'dialect'> {
  /** A URL or a path. */
  readonly remote: string;
  readonly branch: string;
  readonly message?: string;
  /** An empty directory for the scratch store; the caller removes it. */
  readonly scratch: string;
}

export interface SnapshotResult extends CommitSummary {
  readonly outcome: 'unchanged' | 'pushed';
  readonly url: string;
  readonly branch: string;
  /** The branch's newest commit; null: it has none. */
  readonly commit: Hash | null;
  readonly added: readonly AddedTable[];
  /** Times that somebody else was faster. */
  readonly races: number;
  /** Bytes of packs that came. */
  readonly bytes: number;
}

/** Times that the branch may move in between. */
const MOST_RACES = 20;
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 2000;

/** @throws DvError `ref-moved` when the branch kept moving, and as `add`, `commit`, `push` */
export async function snapshot(
  cwd: string,
  files: readonly string[],
  env: Environment,
  options: SnapshotOptions,
): Promise<SnapshotResult> {
  checkRefName('branch', options.branch);
  const remote = await openRemote({ worktree: cwd, env }, options.remote);
  const place = placeOf(cwd, files);
  const { sleep, random } = retryOptions(env);
  try {
    for (let races = 0; ; races++) {
      const dotDir = join(options.scratch, String(races));
      mkdirSync(dotDir);
      const found = await attempt(remote, place.folder, place.files, env, {
        ...options,
        scratch: dotDir,
      });
      rmSync(dotDir, { recursive: true, force: true });
      if (found !== 'raced') return { ...found, races };
      if (races >= MOST_RACES) throw keepsMoving(options.branch);
      const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** races);
      await sleep(pause * (0.5 + random()));
    }
  } finally {
    await remote.close();
  }
}

/**
 * Where names of tables start: here, or, with a file from elsewhere, in the deepest folder that
 * holds all of them.
 */
function placeOf(
  cwd: string,
  files: readonly string[],
): { readonly folder: string; readonly files: readonly string[] } {
  const paths = files.map((file) => resolve(cwd, file));
  if (paths.every((path) => isBelow(cwd, path))) return { folder: cwd, files };
  let folder = dirname(paths[0]);
  while (!paths.every((path) => isBelow(folder, path))) folder = dirname(folder);
  return { folder, files: paths };
}

function isBelow(folder: string, path: string): boolean {
  const name = relative(folder, path);
  return name !== '..' && !name.startsWith(`..${sep}`);
}

function keepsMoving(branch: string): DvError {
  return new DvError(
    'ref-moved',
    `branch '${branch}' keeps moving: given up after ${MOST_RACES} tries`,
    {
      hint: 'try again; nothing was changed',
    },
  );
}

async function attempt(
  remote: Remote,
  cwd: string,
  files: readonly string[],
  env: Environment,
  options: SnapshotOptions,
): Promise<Omit<SnapshotResult, 'races'> | 'raced'> {
  const repo = await openScratch(cwd, options.scratch, env, options.branch);
  try {
    return await compareAndPush(repo, remote, files, options);
  } finally {
    await repo.close();
  }
}

async function compareAndPush(
  repo: Repository,
  remote: Remote,
  files: readonly string[],
  options: SnapshotOptions,
): Promise<Omit<SnapshotResult, 'races'> | 'raced'> {
  const { branch } = options;
  const ref = BRANCH_PREFIX + branch;
  const there = await remoteRefs(remote);
  const head = there.refs.find(({ name }) => name === ref)?.hash ?? null;
  let bytes = 0;
  const count = (more: { readonly bytes: number }): void => {
    bytes += more.bytes;
  };
  if (head !== null) count(await bringOutline(repo, remote, head, ref, files, there));
  repo.fillWith({
    missing: async (hashes) => count(await bringObjects(repo, remote, hashes, 'tree')),
    entries: async () => [],
    history: async () => false,
  });
  const { key, types, format, dialect } = options;
  const { tables: added } = await add(repo, files, {
    key,
    types,
    format,
    dialect,
    force: true,
    beforeCompare: async (differences) => count(await bringLeaves(repo, remote, differences)),
  });
  const message = checkMessage(options.message ?? `Snapshot of ${files.join(', ')}`);
  const made = await commit(repo, { message, skipEmpty: true });
  const { tables, files: plain } = made;
  const result = { url: remote.url, branch, added, tables, files: plain, bytes };
  if (made.commit === null) return { ...result, outcome: 'unchanged', commit: head };
  const update = { ref, old: head, new: made.commit, strategy: 'ff-only' } as const;
  const [outcome] = await sendPush(repo, remote, { updates: [update], atomic: false }, there);
  if (outcome.status !== 'refused') return { ...result, outcome: 'pushed', commit: made.commit };
  if (outcome.code === 'ref-moved' || outcome.code === 'not-fast-forward') return 'raced';
  const { code, message: told, hint, data } = outcome;
  throw new DvError(code as 'push-refused', told, { ...(hint && { hint }), ...(data && { data }) });
}

/** Step 1. */
async function bringOutline(
  repo: Repository,
  remote: Remote,
  head: Hash,
  ref: string,
  files: readonly string[],
  there: RemoteRefs,
) {
  const tables = files.map((file) => tableNameOf(repo, file));
  const ask = { wants: [head], depth: 1, tables, levels: 'internal' } as const;
  const brought = await bring(
    repo,
    remote,
    ask,
    async () => ({
      refs: [{ name: ref, old: null, new: head }],
      state: [headUpdate({ branch: ref.slice(BRANCH_PREFIX.length) })],
    }),
    there,
  );
  await repo.renewBoundary();
  return brought;
}

/** Step 3: leaves that only the old version has. */
async function bringLeaves(
  repo: Repository,
  remote: Remote,
  differences: readonly EntryDifference[],
): Promise<{ readonly bytes: number }> {
  const leaves = new Set<Hash>();
  for (const { from, to } of differences) {
    if (from?.kind !== 'table' || to?.kind !== 'table' || from.table === to.table) continue;
    const [a, b] = [await readTable(repo.store, from.table), await readTable(repo.store, to.table)];
    for await (const nodes of missingNodes(repo.nodes, a.tree, [b.tree])) {
      for (const { hash, level } of nodes) if (level === 0) leaves.add(hash);
    }
  }
  return bringObjects(repo, remote, [...leaves], 'tree');
}

async function bringObjects(
  repo: Repository,
  remote: Remote,
  hashes: readonly Hash[],
  kind: Edge['kind'],
): Promise<{ readonly bytes: number }> {
  let bytes = 0;
  const present = await repo.store.hasMany(hashes);
  const lacking = hashes.filter((_, i) => !present[i]);
  for (let at = 0; at < lacking.length; at += DEFAULT_LIMITS.roots) {
    const roots = lacking
      .slice(at, at + DEFAULT_LIMITS.roots)
      .map((hash): Edge => ({ kind, hash }));
    bytes += (await bring(repo, remote, { roots }, async () => ({}))).bytes;
  }
  return { bytes };
}
