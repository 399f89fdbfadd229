/**
 * `dv tag`: names for commits that do not move; annotated ones carry who, when and why.
 */

import { DvError } from '../errors.ts';
import type { Hash } from '../hash.ts';
import { checkMessage } from '../model/commit-message.ts';
import { checkRefName, TAG_PREFIX } from '../model/names.ts';
import { peelToCommit, readChunk } from '../model/object-reader.ts';
import { decodeTag, encodeTag, TAG_KIND, toChunk } from '../model/objects.ts';
import type { ChunkToPut } from '../store/contract.ts';
import { currentPerson } from './people.ts';
import { checkRefTwin } from './ref-twin.ts';
import { type Repository, resolveCommit } from './repository.ts';
import { actorName } from './switch.ts';

export interface TagInfo {
  readonly tag: string;
  readonly commit: Hash;
  /** Of an annotated tag. */
  readonly message?: string;
  readonly tagger?: { readonly name: string; readonly email: string };
  readonly time?: string;
}

export async function listTags(repo: Repository): Promise<TagInfo[]> {
  const tags: TagInfo[] = [];
  for (const { name, hash } of await repo.store.listRefs(TAG_PREFIX)) {
    tags.push(await describeTag(repo, name.slice(TAG_PREFIX.length), hash));
  }
  return tags;
}

async function describeTag(repo: Repository, tag: string, hash: Hash): Promise<TagInfo> {
  const bytes = await readChunk(repo.store, hash);
  const commit = await peelToCommit(repo.store, hash);
  if (bytes[0] !== TAG_KIND) return { tag, commit };
  const { tagger, message } = decodeTag(bytes);
  const { name, email } = tagger;
  return {
    tag,
    commit,
    message,
    tagger: { name, email },
    time: new Date(tagger.time).toISOString(),
  };
}

export interface CreateTagOptions {
  /** Makes the tag annotated. */
  readonly message?: string;
  readonly force?: boolean;
}

/** @throws DvError `already-exists`, `bad-name`, `bad-revision`, `no-author` (annotated) */
export async function createTag(
  repo: Repository,
  name: string,
  revision: string,
  options: CreateTagOptions = {},
): Promise<TagInfo> {
  const ref = TAG_PREFIX + checkRefName('tag', name);
  await checkRefTwin(repo, TAG_PREFIX, ref);
  const object = await resolveCommit(repo, revision);
  const old = (await repo.store.getRef(ref)) ?? null;
  if (old !== null && !options.force) {
    throw new DvError('already-exists', `tag '${name}' exists already`, {
      hint: 'dv tag --force moves it',
    });
  }
  const { message } = options;
  const chunk =
    message === undefined ? undefined : await tagChunk(repo, object, name, checkMessage(message));
  await update(repo, ref, old, chunk?.hash ?? object, chunk === undefined ? [] : [chunk]);
  return describeTag(repo, name, chunk?.hash ?? object);
}

async function tagChunk(
  repo: Repository,
  object: Hash,
  name: string,
  message: string,
): Promise<ChunkToPut> {
  return toChunk(encodeTag({ object, name, tagger: await currentPerson(repo), message }));
}

/** @throws DvError `unknown-ref` */
export async function deleteTag(repo: Repository, name: string): Promise<TagInfo> {
  const ref = TAG_PREFIX + name;
  const old = await repo.store.getRef(ref);
  if (old === undefined) {
    throw new DvError('unknown-ref', `there is no tag '${name}'`, { hint: 'dv tag lists them' });
  }
  const info = await describeTag(repo, name, old);
  await update(repo, ref, old, null, []);
  return info;
}

async function update(
  repo: Repository,
  ref: string,
  old: Hash | null,
  target: Hash | null,
  chunks: readonly { hash: Hash; bytes: Uint8Array }[],
): Promise<void> {
  const message = target === null ? 'tag: deleted' : 'tag: tagging';
  const log = { actor: await actorName(repo), time: repo.env.now(), message };
  const result = await repo.store.transact(
    { refs: [{ name: ref, old, new: target }], log },
    chunks,
  );
  if (!result.done) {
    throw new DvError('ref-moved', `'${result.name}' was changed by another command meanwhile`);
  }
}
