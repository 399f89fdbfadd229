/**
 * HEAD: the branch (or, detached, the commit) that the next commit builds on. It is kept
 * in the store's state as `ref: refs/heads/main` or as a hash.
 */
import { type Hash, isHash, parseHash } from '../hash.ts';
import type { RefStore, StateUpdate } from '../store/contract.ts';
import { BRANCH_PREFIX } from './names.ts';

export const HEAD_KEY = 'HEAD';

export type Head =
  /** `commit` undefined: the branch is not born yet. */
  | { readonly kind: 'branch'; readonly branch: string; readonly commit: Hash | undefined }
  | { readonly kind: 'detached'; readonly commit: Hash };

export async function readHead(store: RefStore): Promise<Head> {
  const value = await store.getState(HEAD_KEY);
  const text = value === undefined ? `ref: ${BRANCH_PREFIX}main` : Buffer.from(value).toString();
  if (isHash(text)) return { kind: 'detached', commit: text };
  const ref = text.replace(/^ref: /, '');
  if (!ref.startsWith(BRANCH_PREFIX)) return { kind: 'detached', commit: parseHash(ref) };
  const branch = ref.slice(BRANCH_PREFIX.length);
  return { kind: 'branch', branch, commit: await store.getRef(ref) };
}

/** The state update that points HEAD at a branch name or a commit. */
export function headUpdate(target: { branch: string } | { commit: Hash }): StateUpdate {
  const text = 'branch' in target ? `ref: ${BRANCH_PREFIX}${target.branch}` : target.commit;
  return { key: HEAD_KEY, value: Buffer.from(text) };
}
