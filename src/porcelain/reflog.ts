/** `dv reflog`: where a ref, or HEAD, has been. */
import { DvError } from '../errors.ts';
import { type Hash, isHash } from '../hash.ts';
import { HEAD_KEY } from '../model/head.ts';
import { listOperations, type View } from '../model/operations.ts';
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
  if (name === 'HEAD' || name === '@') return reflogOfHead(repo);
  const ref = (await findRef(repo.store, name)) ?? name;
  const entries = await repo.store.readLog(ref, MOST);
  if (entries.length === 0) {
    throw new DvError('unknown-ref', `there is no reflog of '${name}'`, { hint: 'dv branch' });
  }
  return entries.map(({ new: commit, actor, time, message }, place) => {
    return { ref, place, commit, actor, time, message };
  });
}

/** The operations that moved it: as many as are kept. */
async function reflogOfHead(repo: Repository): Promise<ReflogEntry[]> {
  const entries: ReflogEntry[] = [];
  for (const { before, after, actor, time, message } of await listOperations(repo.store)) {
    const commit = headOf(after);
    if (commit === undefined && headText(after) === headText(before)) continue;
    const place = entries.length;
    entries.push({ ref: 'HEAD', place, commit: commit ?? null, actor, time, message });
  }
  return entries;
}

const headText = ({ state }: View): string => state[HEAD_KEY] ?? '';

/** HEAD's commit after an operation, where the operation says. */
function headOf({ refs, state }: View): Hash | undefined {
  const head = state[HEAD_KEY] ?? '';
  if (isHash(head)) return head;
  const name = head.replace(/^ref: /, '');
  return refs.find(([ref]) => ref === name)?.[1] ?? undefined;
}
