/** `dv merge-base`: where two histories part. */
import { DvError } from '../errors.ts';
import type { Hash } from '../hash.ts';
import { isAncestor } from '../model/history.ts';
import { mergeBases } from '../model/merge-base.ts';
import { type Repository, resolveCommit } from './repository.ts';

/** All best common ancestors, in hash order; none: unrelated. @throws DvError `bad-revision` */
export async function listMergeBases(repo: Repository, a: string, b: string): Promise<Hash[]> {
  return mergeBases(repo.store, await resolveCommit(repo, a), await resolveCommit(repo, b));
}

/** One of them. @throws DvError `unrelated-histories`, `bad-revision` */
export async function mergeBaseOf(repo: Repository, a: string, b: string): Promise<Hash> {
  const [base] = await listMergeBases(repo, a, b);
  if (base !== undefined) return base;
  throw new DvError('unrelated-histories', `'${a}' and '${b}' have no commit in common`, {
    hint: 'dv log --graph --all shows how the histories run',
  });
}

export async function descends(repo: Repository, ancestor: string, from: string): Promise<boolean> {
  const [a, b] = [await resolveCommit(repo, ancestor), await resolveCommit(repo, from)];
  return isAncestor(repo.store, a, b);
}
