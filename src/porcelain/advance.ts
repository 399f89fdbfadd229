/**
 * After a push that the remote merged: its merge comes here, what follows the branch goes to it,
 * and the branch itself too, where it has nothing of its own since and no unsaved work is in
 * the way. Else the person is told to pull.
 */
import type { DvError } from '../errors.ts';
import type { Hash } from '../hash.ts';
import { readHead } from '../model/head.ts';
import { isAncestor } from '../model/history.ts';
import { BRANCH_PREFIX, shortRefName } from '../model/names.ts';
import type { RefUpdate } from '../store/contract.ts';
import type { Remote } from '../sync/protocol.ts';
import { mapRef } from '../sync/refspec.ts';
import { merge } from './merge.ts';
import type { RemoteConfig } from './remote-config.ts';
import type { Repository } from './repository.ts';
import { actorName } from './switch.ts';
import { bring } from './transfer.ts';

export interface Advanced {
  readonly advanced: readonly { readonly branch: string; readonly commit: Hash }[];
  readonly toPull: readonly string[];
}

export interface MergedRef {
  /** Here, in full where it is a ref. */
  readonly source: string | null;
  /** At the remote. */
  readonly target: string;
  readonly hash: Hash | null;
}

export async function advanceToMerge(
  repo: Repository,
  remote: Remote,
  config: RemoteConfig,
  merged: readonly MergedRef[],
): Promise<Advanced> {
  const wants = merged.flatMap(({ hash }) => (hash === null ? [] : [hash]));
  const actor = await actorName(repo);
  await bring(repo, remote, { wants }, async () => {
    const refs: RefUpdate[] = [];
    for (const { target, hash } of merged) {
      const name = config.fetch
        .map((spec) => mapRef(spec, target))
        .find((ref) => ref !== undefined);
      if (name === undefined) continue;
      refs.push({ name, old: (await repo.store.getRef(name)) ?? null, new: hash });
    }
    return { refs, log: { actor, time: repo.env.now(), message: 'update by push' } };
  });
  const advanced: { branch: string; commit: Hash }[] = [];
  const toPull: string[] = [];
  for (const { source, hash } of merged) {
    if (!source?.startsWith(BRANCH_PREFIX) || hash === null) continue;
    const branch = shortRefName(source);
    if (await advance(repo, source, hash, actor)) advanced.push({ branch, commit: hash });
    else toPull.push(branch);
  }
  return { advanced, toPull };
}

/** False: it has commits of its own since, or unsaved work is in the way. */
async function advance(repo: Repository, ref: string, to: Hash, actor: string): Promise<boolean> {
  const old = await repo.store.getRef(ref);
  if (old === undefined || !(await isAncestor(repo.store, old, to))) return false;
  const head = await readHead(repo.store);
  if (head.kind === 'branch' && BRANCH_PREFIX + head.branch === ref) {
    try {
      await merge(repo, [to], { fastForward: 'only' });
      return true;
    } catch (error) {
      if ((error as DvError).kind === 'refused') return false;
      throw error;
    }
  }
  const log = { actor, time: repo.env.now(), message: 'push: merged by the remote' };
  return (await repo.store.transact({ refs: [{ name: ref, old, new: to }], log })).done;
}
