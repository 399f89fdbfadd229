/** `dv reflog`: where a ref, or HEAD, has been. */
import { DvError } from '../errors.ts';
import type { Hash } from '../hash.ts';
import { listHeadMoves } from '../model/head-log.ts';
import { findRef } from '../model/revision.ts';
import type { Repository } from './repository.ts';

export interface ReflogEntry {
  /** Full name, or HEAD. */
  readonly ref: string;
  /** 0: now. */
  readonly place: number;
  /** null: it was deleted. */
  readonly commit: Hash | null;
  readonly actor: string;
  /** ms since the epoch. */
  readonly time: number;
  readonly message: string;
}

const MOST = 1_000_000;

/** Newest first. @throws DvError `unknown-ref` */
export async function reflog(repo: Repository, name = 'HEAD'): Promise<ReflogEntry[]> {
  const isHead = name === 'HEAD' || name === '@';
  const ref = isHead ? 'HEAD' : ((await findRef(repo.store, name)) ?? name);
  const entries = isHead ? await listHeadMoves(repo.store) : await repo.store.readLog(ref, MOST);
  if (isHead && entries.length === 0) return [];
  if (entries.length === 0) {
    throw new DvError('unknown-ref', `there is no reflog of '${name}'`, { hint: 'dv branch' });
  }
  return entries.map(({ new: commit, actor, time, message }, place) => {
    return { ref, place, commit, actor, time, message };
  });
}
