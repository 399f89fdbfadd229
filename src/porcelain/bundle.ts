/**
 * `dv bundle`: a pack with refs in a file (sync/pack.ts), to carry a repository without a
 * network, or to keep as a backup. `dv clone` and `dv fetch` take such a file for a remote.
 */
import { createReadStream, existsSync, renameSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { DvError } from '../errors.ts';
import type { Hash } from '../hash.ts';
import { readHead } from '../model/head.ts';
import { BRANCH_PREFIX, TAG_PREFIX } from '../model/names.ts';
import { findRef } from '../model/revision.ts';
import type { PackRef, PackTrailer } from '../sync/pack.ts';
import { PackReader } from '../sync/pack-reader.ts';
import { sendPack } from '../sync/sender.ts';
import { readBundleHeader } from './bundle-header.ts';
import { openBundleRemote } from './bundle-remote.ts';
import { type Repository, resolveCommit } from './repository.ts';
import { bring } from './transfer.ts';
import { syncDirectory, writeNewFile } from './write-file.ts';

export interface BundleInfo {
  readonly path: string;
  readonly bytes: number;
  readonly refs: readonly PackRef[];
  readonly head: string | null;
  /** Commits that must be where the bundle is opened. */
  readonly prerequisites: readonly Hash[];
}

export interface BundleCreateOptions {
  /** Branches, tags, HEAD; `^REV` and `A..B` leave out what those have. Default: all refs. */
  readonly revisions?: readonly string[];
  readonly force?: boolean;
}

/** @throws DvError `already-exists`, `no-commits`, `unknown-ref`, `bad-revision`, `disk-full` */
export async function createBundle(
  repo: Repository,
  file: string,
  { revisions = [], force = false }: BundleCreateOptions = {},
): Promise<BundleInfo> {
  const path = resolve(repo.cwd, file);
  if (existsSync(path) && !force) {
    throw new DvError('already-exists', `'${file}' exists already`, {
      hint: 'dv bundle create --force replaces it',
    });
  }
  const { refs, excluded } = await choose(repo, revisions);
  const head = await readHead(repo.store);
  const current = head.kind === 'branch' ? BRANCH_PREFIX + head.branch : null;
  const headRef = refs.some(({ name }) => name === current) ? current : null;
  const wants = [...new Set(refs.map(({ hash }) => hash))];
  const pack = sendPack(
    repo.store,
    { wants, haves: excluded },
    { bundle: { refs, head: headRef }, estimate: true },
  );
  const temporary = join(dirname(path), `.${basename(path)}.${repo.env.randomId()}`);
  await writeNewFile(temporary, reported(repo, file, pack), file);
  try {
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  syncDirectory(dirname(path));
  return { path, bytes: statSync(path).size, refs, head: headRef, prerequisites: excluded };
}

async function* reported(
  { env }: Repository,
  label: string,
  pack: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  let done = 0;
  for await (const piece of pack) {
    done += piece.length;
    env.report({ label: `writing ${label}`, done, total: undefined, unit: 'bytes' });
    yield piece;
  }
}

async function choose(
  repo: Repository,
  revisions: readonly string[],
): Promise<{ refs: PackRef[]; excluded: Hash[] }> {
  const refs: PackRef[] = [];
  const excluded: Hash[] = [];
  const include = async (text: string): Promise<void> => {
    const name =
      text === 'HEAD' || text === '@' ? await currentRef(repo) : await findRef(repo.store, text);
    const hash = name === undefined ? undefined : await repo.store.getRef(name);
    if (name === undefined || hash === undefined) {
      throw new DvError('unknown-ref', `'${text}' is no branch or tag`, {
        hint: 'a bundle carries refs: dv branch or dv tag makes one',
      });
    }
    refs.push({ name, hash });
  };
  for (const text of revisions) {
    const range = /^(.*?)\.\.(.*)$/.exec(text);
    if (text.startsWith('^')) excluded.push(await resolveCommit(repo, text.slice(1)));
    else if (range === null) await include(text);
    else {
      excluded.push(await resolveCommit(repo, range[1] || 'HEAD'));
      await include(range[2] || 'HEAD');
    }
  }
  if (refs.length === 0) {
    for (const prefix of [BRANCH_PREFIX, TAG_PREFIX])
      refs.push(...(await repo.store.listRefs(prefix)));
  }
  if (refs.length === 0) {
    throw new DvError('no-commits', 'there is nothing to bundle yet', {
      hint: 'dv add FILE, then dv commit -m MESSAGE',
    });
  }
  return { refs: refs.map(({ name, hash }) => ({ name, hash })), excluded };
}

async function currentRef({ store }: Repository): Promise<string | undefined> {
  const head = await readHead(store);
  return head.kind === 'branch' ? BRANCH_PREFIX + head.branch : undefined;
}

export interface VerifiedBundle extends BundleInfo {
  readonly chunks: number;
  /** Prerequisites that this repository lacks: it cannot be opened here. */
  readonly missing: readonly Hash[];
}

/**
 * Reads all of it: every frame is as it was written, and what it needs is here.
 * @throws DvError `not-dv`, `bad-pack`, `connection-lost` (it was cut)
 */
export async function verifyBundle(
  repo: Pick<Repository, 'store' | 'cwd'> | { readonly cwd: string },
  file: string,
): Promise<VerifiedBundle> {
  const path = bundlePath(repo.cwd, file);
  const header = await readBundleHeader(path);
  const reader = new PackReader();
  let trailer: PackTrailer | undefined;
  for await (const bytes of createReadStream(path)) {
    for (const frame of reader.push(bytes as Uint8Array)) {
      if (frame.type === 'trailer') trailer = frame.trailer;
    }
  }
  if (trailer?.complete !== true) {
    throw new DvError('bad-pack', `the bundle '${file}' is not complete`, {
      hint: 'it was cut: copy it again',
      data: { file },
    });
  }
  const { refs, commons } = header;
  const present = 'store' in repo ? await repo.store.hasMany(commons) : commons.map(() => true);
  return {
    path,
    bytes: statSync(path).size,
    refs,
    head: header.head ?? null,
    prerequisites: commons,
    chunks: trailer.chunks,
    missing: commons.filter((_, i) => !present[i]),
  };
}

function bundlePath(cwd: string, file: string): string {
  const path = resolve(cwd, file);
  if (existsSync(path)) return path;
  throw new DvError('file-missing', `there is no file '${file}'`, { data: { file } });
}

/** Brings the objects, and moves no ref. @throws DvError `bad-pack`, `missing-object` */
export async function unbundle(repo: Repository, file: string): Promise<BundleInfo> {
  const path = bundlePath(repo.cwd, file);
  const remote = await openBundleRemote(path, path);
  const { refs, head, prerequisites, wants } = remote.bundle;
  await bring(repo, remote, { wants }, async () => ({}));
  return { path, bytes: statSync(path).size, refs, head, prerequisites };
}
