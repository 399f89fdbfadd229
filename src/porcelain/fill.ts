/**
 * Bringing what a clone left out, when it is needed: tables of a partial clone, old commits of a
 * shallow one.
 *
 *   1. A command that can see what it will need asks beforehand (`needTables`): one request
 *      with all of it.
 *   2. Whatever else is asked of the store and missing is fetched by the batch (`fillMissing`).
 *      A parent of a commit at the boundary brings the rest of the history. A table, and a file
 *      or what else a root leads to, is brought whole.
 */
import { DvError } from '../errors.ts';
import type { Hash } from '../hash.ts';
import type { Edge, EdgeKind } from '../model/edges.ts';
import { readCommit } from '../model/object-reader.ts';
import { listRoot } from '../model/root.ts';
import type { Remote } from '../sync/protocol.ts';
import { withoutFilling } from './filling-store.ts';
import { missingParts, readPartial } from './missing-parts.ts';
import { openRemote } from './open-remote.ts';
import { configOf, DEFAULT_REMOTE, findRemote } from './remote-config.ts';
import type { Repository } from './repository.ts';
import { bring } from './transfer.ts';

/** Case 2. @throws DvError `remote-unreachable` and the like, saying what is lacking */
export async function fillMissing(repo: Repository, missing: readonly Hash[]): Promise<void> {
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
export async function unshallow(repo: Repository): Promise<boolean> {
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
 * What of the roots' tables is not here, in one request. `names`: only these; default all.
 * @throws DvError `remote-unreachable` and the like, naming the tables and the remote
 */
export async function needTables(
  repo: Repository,
  roots: readonly Hash[],
  names?: ReadonlySet<string>,
): Promise<readonly string[]> {
  if ((await readPartial(repo)) === undefined) return [];
  const wanted = new Map<string, { readonly name: string; readonly edge: Edge }>();
  for (const root of new Set(roots)) {
    for (const { name, entry } of await listRoot(repo.nodes, root)) {
      if (names !== undefined && !names.has(name)) continue;
      const edge: Edge =
        entry.kind === 'table'
          ? { kind: 'table', hash: entry.table }
          : { kind: 'blob', hash: entry.blob };
      wanted.set(edge.hash, { name, edge });
    }
  }
  const all = [...wanted.values()];
  const present = await repo.store.hasMany(all.map(({ edge }) => edge.hash));
  const lacking = all.filter((_, i) => !present[i]);
  if (lacking.length === 0) return [];
  const tables = [...new Set(lacking.map(({ name }) => name))];
  await withSource(repo, `'${tables.join("', '")}'`, async (remote) => {
    await bring(repo, remote, { roots: lacking.map(({ edge }) => edge) }, async () => ({}));
  });
  return tables;
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
