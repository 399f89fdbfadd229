/** The names that commits have: what `log` and `show` write behind a hash. */
import type { Hash } from '../hash.ts';
import { readHead } from '../model/head.ts';
import { BRANCH_PREFIX, shortRefName, TAG_PREFIX } from '../model/names.ts';
import { peelToCommit } from '../model/object-reader.ts';
import type { Repository } from './repository.ts';

export interface Decoration {
  readonly kind: 'head' | 'branch' | 'tag' | 'remote';
  /** Of HEAD: the branch that it is on, or `HEAD` when it is on none. */
  readonly name: string;
}

export type Decorations = ReadonlyMap<Hash, readonly Decoration[]>;

/** HEAD first, then tags, then branches, as git has them. Cost: the refs. */
export async function readDecorations(repo: Repository): Promise<Decorations> {
  const found = new Map<Hash, Decoration[]>();
  const add = (hash: Hash, decoration: Decoration): void => {
    found.set(hash, [...(found.get(hash) ?? []), decoration]);
  };
  const head = await readHead(repo.store);
  const current = head.kind === 'branch' ? BRANCH_PREFIX + head.branch : undefined;
  if (head.commit !== undefined) {
    add(head.commit, { kind: 'head', name: head.kind === 'branch' ? head.branch : 'HEAD' });
  }
  for (const { name, hash } of await repo.store.listRefs(TAG_PREFIX)) {
    add(await peelToCommit(repo.store, hash), { kind: 'tag', name: shortRefName(name) });
  }
  for (const { name, hash } of await repo.store.listRefs('refs/')) {
    if (name === current || name.startsWith(TAG_PREFIX)) continue;
    const kind = name.startsWith(BRANCH_PREFIX) ? 'branch' : 'remote';
    add(hash, { kind, name: shortRefName(name) });
  }
  return found;
}
