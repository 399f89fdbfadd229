/**
 * `dv clone`: another repository, here. A clone that fails leaves nothing; one that is killed or
 * cut leaves what came, and the same command goes on with it.
 *
 *   .dv/cloning   JSON {"url","table","depth"}: a clone that is not over. Written before anything
 *                 else, removed at the end.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { DvError } from '../errors.ts';
import type { Hash } from '../hash.ts';
import { headUpdate } from '../model/head.ts';
import { BRANCH_PREFIX, REMOTE_PREFIX, shortRefName, TAG_PREFIX } from '../model/names.ts';
import { peelToCommit, readCommit } from '../model/object-reader.ts';
import type { RefUpdate, StateUpdate } from '../store/contract.ts';
import type { Remote, RemoteRefs } from '../sync/protocol.ts';
import { checkout } from './checkout.ts';
import type { Environment } from './environment.ts';
import { PARTIAL_KEY } from './missing-parts.ts';
import { openRemote, pathOfRemote } from './open-remote.ts';
import { initRepository } from './open-repository.ts';
import {
  addRemote,
  checkRemoteName,
  configOf,
  DEFAULT_REMOTE,
  findRemote,
  setUpstream,
} from './remote-config.ts';
import type { Repository } from './repository.ts';
import { workingSet } from './staging.ts';
import { actorName, moveWorkingSet } from './switch.ts';
import { bring } from './transfer.ts';
import { DOT_DIR } from './worktree.ts';
import { fileError } from './write-file.ts';

export interface CloneOptions {
  /** Where to; default: the last part of the URL. */
  readonly directory?: string;
  readonly depth?: number;
  /** Whose files to check out; a tag detaches HEAD. Default: the remote's HEAD. */
  readonly branch?: string;
  readonly bare?: boolean;
  /** Only these tables; the others are fetched when they are needed. */
  readonly tables?: readonly string[];
  /** The remote's name; default `origin`. */
  readonly origin?: string;
  readonly checkout?: boolean;
}

export interface CloneResult {
  readonly path: string;
  readonly url: string;
  /** What is checked out; null: a detached HEAD, or an empty repository. */
  readonly branch: string | null;
  readonly commit: Hash | null;
  readonly branches: number;
  readonly tags: number;
  readonly chunks: number;
  readonly bytes: number;
  /** An earlier, cut clone went on. */
  readonly resumed: boolean;
}

/** @throws DvError `already-exists`, `unknown-ref`, and what the way to the remote says */
export async function clone(
  cwd: string,
  url: string,
  env: Environment,
  options: CloneOptions = {},
): Promise<CloneResult> {
  checkRemoteName(options.origin ?? DEFAULT_REMOTE);
  const address = pathOfRemote(url, cwd) ?? url;
  const path = resolve(cwd, options.directory ?? directoryFor(address));
  const remote = await openRemote({ worktree: cwd, env }, address);
  try {
    const there = await remote.refs();
    const start = startOf(there, options.branch);
    const place = prepare(path, { url: address, tables: options.tables, depth: options.depth });
    try {
      return await cloneInto(place, remote, there, start, env, options);
    } catch (error) {
      if (!mayGoOn(error)) place.undo();
      throw error;
    }
  } finally {
    await remote.close();
  }
}

/** `cities` of `https://data.example.org/cities`, `/srv/cities/.dv`, `cities.bundle`. */
export function directoryFor(url: string): string {
  const path = /^https?:/i.test(url) ? decodeURIComponent(new URL(url).pathname) : url;
  const name = basename(path.replace(/[/\\]+$/, '').replace(/[/\\]\.dv$/, '')).replace(
    /\.bundle$/,
    '',
  );
  if (name !== '' && name !== '.' && name !== '..') return name;
  throw new DvError('bad-option', `'${url}' gives the clone no name`, {
    hint: `dv clone ${url} DIRECTORY`,
  });
}

/** A cut is gone on from; everything else would fail again. */
const mayGoOn = (error: unknown): boolean =>
  ['connection-lost', 'unavailable', 'disk-full'].includes((error as DvError).code ?? '');

interface Start {
  readonly ref: string;
  readonly hash: Hash;
}

/** undefined: the remote is empty. @throws DvError `unknown-ref` */
function startOf({ head, refs }: RemoteRefs, branch: string | undefined): Start | undefined {
  const find = (name: string | null) => refs.find((ref) => ref.name === name);
  if (branch !== undefined) {
    const found = find(BRANCH_PREFIX + branch) ?? find(TAG_PREFIX + branch);
    if (found !== undefined) return { ref: found.name, hash: found.peeled ?? found.hash };
    throw new DvError('unknown-ref', `the remote has no branch '${branch}'`, {
      hint: 'dv ls-remote lists what it has',
    });
  }
  const branches = refs.filter(({ name }) => name.startsWith(BRANCH_PREFIX));
  const found = find(head) ?? find(`${BRANCH_PREFIX}main`) ?? branches[0];
  return found && { ref: found.name, hash: found.hash };
}

interface Marker {
  readonly url: string;
  readonly tables?: readonly string[];
  readonly depth?: number;
}

interface Place {
  readonly path: string;
  readonly marker: string;
  readonly resumed: boolean;
  /** Takes away what this clone made. */
  undo(): void;
}

/** @throws DvError `already-exists` */
function prepare(path: string, wanted: Marker): Place {
  const marker = join(path, DOT_DIR, 'cloning');
  const text = JSON.stringify(wanted);
  const isNew = !existsSync(path);
  const undo = (): void => {
    rmSync(isNew ? path : join(path, DOT_DIR), { recursive: true, force: true });
  };
  if (existsSync(marker)) {
    if (readFileSync(marker, 'utf8') === text) return { path, marker, resumed: true, undo };
    throw new DvError('already-exists', `'${path}' holds another clone that is not over`, {
      hint: `remove it, or run the same dv clone again`,
    });
  }
  if (!isNew && !isEmptyDirectory(path)) {
    throw new DvError('already-exists', `'${path}' exists and is not empty`, {
      hint: 'dv clone URL DIRECTORY clones elsewhere',
    });
  }
  try {
    mkdirSync(join(path, DOT_DIR), { recursive: true });
    writeFileSync(marker, text);
  } catch (cause) {
    throw fileError(cause, path);
  }
  return { path, marker, resumed: false, undo };
}

function isEmptyDirectory(path: string): boolean {
  try {
    return readdirSync(path).length === 0;
  } catch {
    return false; // a file
  }
}

async function cloneInto(
  place: Place,
  remote: Remote,
  there: RemoteRefs,
  start: Start | undefined,
  env: Environment,
  options: CloneOptions,
): Promise<CloneResult> {
  const { path, marker, resumed } = place;
  const head = start?.ref ?? there.head;
  const branch = head?.startsWith(BRANCH_PREFIX) ? head.slice(BRANCH_PREFIX.length) : undefined;
  const init = { ...(branch && { branch }), ...(options.bare && { bare: true }) };
  const { repository: repo } = await initRepository(path, env, init);
  try {
    const name = options.origin ?? DEFAULT_REMOTE;
    // The URL without what is only meant for one time is what the marker has.
    const { url } = JSON.parse(readFileSync(marker, 'utf8')) as Marker;
    if (findRemote(configOf(repo), name) === undefined) addRemote(repo, name, url);
    const brought = await bringAll(repo, remote, there, start, { ...options, origin: name });
    if (branch !== undefined && start !== undefined) {
      setUpstream(repo, branch, name, BRANCH_PREFIX + branch);
    }
    if (options.checkout !== false && !options.bare) await writeFiles(repo, start);
    rmSync(marker, { force: true });
    const isKind = (prefix: string) => there.refs.filter((ref) => ref.name.startsWith(prefix));
    return {
      path,
      url: remote.url,
      branch: branch ?? null,
      commit: start === undefined ? null : await peelToCommit(repo.store, start.hash),
      branches: isKind(BRANCH_PREFIX).length,
      tags: isKind(TAG_PREFIX).length,
      ...brought,
      resumed,
    };
  } finally {
    await repo.close();
  }
}

/** All branches as remote-tracking ones, all tags, the first branch, and HEAD. */
async function bringAll(
  repo: Repository,
  remote: Remote,
  there: RemoteRefs,
  start: Start | undefined,
  { origin, depth, tables, bare, branch }: CloneOptions,
) {
  const wanted = there.refs.filter(
    ({ name }) =>
      (name.startsWith(BRANCH_PREFIX) || name.startsWith(TAG_PREFIX)) &&
      // As in git, a shallow clone takes one branch.
      (depth === undefined || name === start?.ref),
  );
  const target = (name: string): string =>
    bare || !name.startsWith(BRANCH_PREFIX)
      ? name
      : `${REMOTE_PREFIX}${origin}/${shortRefName(name)}`;
  const wants = [...new Set(wanted.map(({ hash }) => hash))];
  const ask = { wants, ...(depth !== undefined && { depth }), ...(tables && { tables }) };
  return bring(repo, remote, ask, async (incoming) => {
    const refs: RefUpdate[] = [];
    for (const { name, hash } of wanted) refs.push(await update(repo, target(name), hash));
    const state: StateUpdate[] = [];
    if (start?.ref.startsWith(BRANCH_PREFIX) && !bare) {
      refs.push(await update(repo, start.ref, start.hash));
    } else if (start !== undefined && branch !== undefined && start.ref.startsWith(TAG_PREFIX)) {
      state.push(headUpdate({ commit: await peelToCommit(incoming, start.hash) }));
    }
    if (tables) {
      const partial = { remote: origin, tables };
      state.push({ key: PARTIAL_KEY, value: Buffer.from(JSON.stringify(partial)) });
    }
    const log = {
      actor: await actorName(repo),
      time: repo.env.now(),
      message: `clone: from ${remote.url}`,
    };
    return { refs, state, log };
  });
}

async function update({ store }: Repository, name: string, hash: Hash): Promise<RefUpdate> {
  return { name, old: (await store.getRef(name)) ?? null, new: hash };
}

async function writeFiles(repo: Repository, start: Start | undefined): Promise<void> {
  if (start === undefined) return;
  const { root } = await readCommit(repo.store, await peelToCommit(repo.store, start.hash));
  const moved = await moveWorkingSet(repo, await workingSet(repo), root, true);
  await checkout(repo, moved.items, { state: moved.state });
}
