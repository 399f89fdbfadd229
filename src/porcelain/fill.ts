/**
 * Bringing what a clone left out, when it is needed: tables of a partial clone, old commits of a
 * shallow one.
 *
 *   1. A command that can see what it will need asks beforehand (`fillEntries`): one request
 *      with all of it.
 *   2. Whatever else is asked of the store and missing is fetched by the batch (`fillMissing`).
 *      A parent of a commit at the boundary brings the rest of the history. A table, and a file
 *      or what else a root leads to, is brought whole.
 */
import { DvError } from '../errors.ts';
import type { Hash } from '../hash.ts';
import type { Edge, EdgeKind } from '../model/edges.ts';
import { readCommit } from '../model/object-reader.ts';
import type { NamedEntry } from '../model/root.ts';
import type { Remote } from '../sync/protocol.ts';
import { type Filler, withoutFilling } from './filling-store.ts';
import { missingParts, readPartial } from './missing-parts.ts';
import { openRemote } from './open-remote.ts';
import { configOf, DEFAULT_REMOTE, findRemote } from './remote-config.ts';
import type { Repository } from './repository.ts';
import { bring } from './transfer.ts';

/** Case 2. @throws DvError `remote-unreachable` and the like, saying what is lacking */
async function fillMissing(repo: Repository, missing: readonly Hash[]): Promise<void> {
  const { shallow, partial } = await missingParts(repo);
  if (shallow !== undefined && (await isBelowBoundary(repo, missing))) await unshallow(repo);
  else if (partial !== undefined) await fillObjects(repo, missing);
}

async function isBelowBoundary(repo: Repository, missing: readonly Hash[]): Promise<boolean> {
  const store = withoutFilling(repo.store);
  const asked = new Set(missing);
  for (const hash of repo.store.shallow ?? []) {
    if ((await readCommit(store, hash)).parents.some((parent) => asked.has(parent))) return true;
  }
  return false;
}

/**
 * Brings the commits that a shallow clone left out, in one request; false: none were.
 * @throws DvError `remote-unreachable` and the like, saying what is lacking
 */
async function unshallow(repo: Repository): Promise<boolean> {
  const { shallow } = await missingParts(repo);
  if (shallow === undefined) return false;
  await withSource(repo, 'the older commits', async (remote) => {
    const there = await remote.refs();
    const present = await repo.store.hasMany(there.refs.map(({ hash }) => hash));
    const wants = there.refs.filter((_, i) => present[i]).map(({ hash }) => hash);
    await bring(
      repo,
      remote,
      { wants: [...new Set(wants)], unshallow: true },
      async () => ({}),
      there,
    );
  });
  return true;
}

/** Of an object that is missing only its hash is known: most often it is a table. */
const KINDS: readonly EdgeKind[] = ['table', 'blob', 'tree'];

async function fillObjects(repo: Repository, missing: readonly Hash[]): Promise<void> {
  await withSource(repo, `object ${missing[0]}`, async (remote) => {
    for (const kind of KINDS) {
      const roots = missing.map((hash): Edge => ({ kind, hash }));
      try {
        await bring(repo, remote, { roots }, async () => ({}));
        return;
      } catch (error) {
        if (!isOtherKind(error) || kind === KINDS.at(-1)) throw error;
      }
    }
  });
}

const isOtherKind = (error: unknown): boolean =>
  ['corrupt', 'bad-pack', 'server-failed', 'missing-object'].includes(
    (error as DvError).code ?? '',
  );

/**
 * Those tables and files that are not here, in one request.
 * @throws DvError `remote-unreachable` and the like, naming the tables and the remote
 */
async function fillEntries(
  repo: Repository,
  entries: readonly NamedEntry[],
): Promise<readonly string[]> {
  const edges = entries.map(({ entry }): Edge => {
    if (entry.kind === 'table') return { kind: 'table', hash: entry.table };
    return { kind: 'blob', hash: entry.blob };
  });
  const present = await repo.store.hasMany(edges.map(({ hash }) => hash));
  const roots = new Map(edges.filter((_, i) => !present[i]).map((edge) => [edge.hash, edge]));
  if (roots.size === 0) return [];
  const names = entries.filter((_, i) => !present[i]).map(({ name }) => name);
  const tables = [...new Set(names)];
  await withSource(repo, `'${tables.join("', '")}'`, async (remote) => {
    await bring(repo, remote, { roots: [...roots.values()] }, async () => ({}));
  });
  return tables;
}

/** The filler of a repository whose remotes can be asked. */
export function fillerOf(repo: Repository): Filler {
  return {
    missing: (hashes) => fillMissing(repo, hashes),
    entries: (entries) => fillEntries(repo, entries),
    history: () => unshallow(repo),
  };
}

/** Opens the remote that has the rest. */
async function withSource(
  repo: Repository,
  what: string,
  work: (remote: Remote) => Promise<void>,
): Promise<void> {
  const name = (await readPartial(repo))?.remote ?? DEFAULT_REMOTE;
  const url = findRemote(configOf(repo), name)?.url;
  if (url === undefined) {
    throw new DvError(
      'unknown-remote',
      `${what} did not come along, and remote '${name}' is gone`,
      {
        hint: `dv remote add ${name} URL`,
      },
    );
  }
  try {
    const remote = await openRemote(repo, url);
    try {
      await work(remote);
    } finally {
      await remote.close();
    }
  } catch (error) {
    if (!(error instanceof DvError) || error.kind !== 'remote') throw error;
    throw new DvError(
      error.code,
      `${what} did not come along, and remote '${name}' fails: ${error.message}`,
      {
        hint: error.hint ?? `dv fetch ${name} when it can be reached`,
        data: { ...error.data, remote: name },
        cause: error,
      },
    );
  }
}
