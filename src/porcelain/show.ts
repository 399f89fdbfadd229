/**
 * `dv show`: what a text names: a commit, a tag and its commit, or a table of a commit.
 */
import type { Hash } from '../hash.ts';
import { TAG_PREFIX } from '../model/names.ts';
import { readChunk, readCommit, readTag } from '../model/object-reader.ts';
import { type Commit, TAG_KIND, type Tag } from '../model/objects.ts';
import { findRef, splitTableRevision } from '../model/revision.ts';
import type { RootEntry } from '../model/root.ts';
import { resolveEntry } from './inspect.ts';
import { type Repository, resolveCommit } from './repository.ts';

export interface ShownCommit {
  readonly kind: 'commit';
  readonly hash: Hash;
  readonly commit: Commit;
  /** The annotated tag that was named. */
  readonly tag: Tag | undefined;
}

export type Shown =
  | ShownCommit
  | { readonly kind: 'table' | 'file'; readonly table: string; readonly entry: RootEntry };

/** @throws DvError `bad-revision`, `ambiguous-hash`, `no-commits`, `unknown-table` */
export async function findShown(repo: Repository, text: string): Promise<Shown> {
  if (splitTableRevision(text)[0] !== undefined) {
    const { table, entry } = await resolveEntry(repo, text);
    return { kind: entry.kind, table, entry };
  }
  const hash = await resolveCommit(repo, text);
  return {
    kind: 'commit',
    hash,
    commit: await readCommit(repo.store, hash),
    tag: await tagOf(repo, text),
  };
}

async function tagOf(repo: Repository, text: string): Promise<Tag | undefined> {
  const ref = await findRef(repo.store, text);
  if (!ref?.startsWith(TAG_PREFIX)) return undefined;
  const object = await repo.store.getRef(ref);
  if (object === undefined) return undefined;
  const bytes = await readChunk(repo.store, object);
  return bytes[0] === TAG_KIND ? readTag(repo.store, object) : undefined;
}
