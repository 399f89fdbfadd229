/**
 * Decoded objects out of a store, one call each; the batched walks (gc, fsck, sync) read
 * chunks themselves.
 */
import { DvError } from '../errors.ts';
import type { Hash } from '../hash.ts';
import type { ObjectStore } from '../store/contract.ts';
import type { Schema } from '../tuple/schema.ts';
import {
  type Commit,
  decodeCommit,
  decodeSchema,
  decodeTable,
  decodeTag,
  TAG_KIND,
  type Table,
  type Tag,
} from './objects.ts';

/** @throws DvError `missing-object` */
export async function readChunk(store: ObjectStore, hash: Hash): Promise<Uint8Array> {
  const [bytes] = await store.getMany([hash]);
  if (bytes === undefined) throw missing(hash);
  return bytes;
}

function missing(hash: Hash): DvError {
  return new DvError('missing-object', `object ${hash} is missing`, { hint: 'dv fsck' });
}

export async function readCommit(store: ObjectStore, hash: Hash): Promise<Commit> {
  return decodeCommit(await readChunk(store, hash));
}

export async function readTable(store: ObjectStore, hash: Hash): Promise<Table> {
  return decodeTable(await readChunk(store, hash));
}

/** In the order asked for, read together. */
export async function readTables(store: ObjectStore, hashes: readonly Hash[]): Promise<Table[]> {
  const chunks = await store.getMany(hashes);
  return chunks.map((bytes, i) => {
    if (bytes === undefined) throw missing(hashes[i]);
    return decodeTable(bytes);
  });
}

export async function readSchema(store: ObjectStore, hash: Hash): Promise<Schema> {
  return decodeSchema(await readChunk(store, hash));
}

export async function readTag(store: ObjectStore, hash: Hash): Promise<Tag> {
  return decodeTag(await readChunk(store, hash));
}

/** Follows annotated tags to the commit they name. */
export async function peelToCommit(store: ObjectStore, hash: Hash): Promise<Hash> {
  let current = hash;
  for (;;) {
    const bytes = await readChunk(store, current);
    if (bytes[0] !== TAG_KIND) return current;
    current = decodeTag(bytes).object;
  }
}
