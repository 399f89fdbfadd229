/**
 * The bytes in which a chunk goes out. As it is stored, wherever the receiver can read that:
 *
 *   1. Raw, or a zstd frame of its own: as it is.
 *   2. A delta against a chunk that the receiver has or was sent before: as it is.
 *   3. A delta against another: made anew against the counterpart that the receiver has, which
 *      costs 5 microseconds and some 50 bytes; without one, compressed whole.
 *   4. With a shared dictionary: the first few as in 3, as a dictionary of a hundred KB does not
 *      pay for them; then the dictionary goes out, and this and all others as they are.
 *   5. What would grow more than a receiver allows (pack.ts, maxRawSize) goes raw.
 */
import { bug, DvError } from '../errors.ts';
import type { Hash } from '../hash.ts';
import { EMPTY_TREE, EMPTY_TREE_BYTES } from '../prolly/node-writer.ts';
import { type Compression, canBeDictionary } from '../store/compression.ts';
import type { Store } from '../store/contract.ts';
import type { EncodedChunk } from '../store/transfer.ts';
import type { HashSet } from './hash-set.ts';
import { maxRawSize } from './pack.ts';
import type { Outgoing } from './send-walk.ts';

export type OutgoingFrame =
  | { readonly type: 'chunk'; readonly chunk: EncodedChunk; readonly like: Hash | undefined }
  | {
      readonly type: 'dictionary';
      readonly hash: Hash;
      readonly rawSize: number;
      readonly compressed: boolean;
      readonly data: Uint8Array;
    };

/** Chunks sent without a dictionary before the dictionary is worth its bytes. */
const PATIENCE = 64;

export class OutgoingChunks {
  private readonly store: Store;
  private readonly compression: Compression;
  private readonly sent: HashSet;
  private readonly dictionaries = new Set<Hash>();
  private readonly uses = new Map<Hash, number>();

  /** `sent`: what went out before, and all the items of which `encode` is given a part. */
  constructor(store: Store, compression: Compression, sent: HashSet) {
    this.store = store;
    this.compression = compression;
    this.sent = sent;
  }

  /** `items[from..to)`, the ones before them being out. @throws DvError `missing-object` */
  async encode(items: readonly Outgoing[], from: number, to: number): Promise<OutgoingFrame[]> {
    const batch = items.slice(from, to);
    const stored = await this.store.readEncoded(batch.map(({ hash }) => hash));
    const frames: OutgoingFrame[] = [];
    const places = new Map(items.map(({ hash }, i) => [hash, i - from]));
    for (const [i, item] of batch.entries()) {
      const chunk = stored[i] ?? emptyTree(item.hash);
      if (chunk === undefined) {
        throw new DvError('missing-object', `object ${item.hash} is missing`, { hint: 'dv fsck' });
      }
      const isThere = (hash: Hash): boolean => (places.get(hash) ?? -1) < i;
      const form = await this.formOf(chunk, item, isThere, frames);
      const usesBase = form.form.kind === 'delta';
      const like = item.isInternal && !usesBase ? item.known.find(isThere) : undefined;
      frames.push({ type: 'chunk', chunk: form, like });
    }
    return frames;
  }

  private async formOf(
    chunk: EncodedChunk,
    item: Outgoing,
    isThere: (hash: Hash) => boolean,
    frames: OutgoingFrame[],
  ): Promise<EncodedChunk> {
    const { form, rawSize, data } = chunk;
    const { known } = item;
    switch (form.kind) {
      case 'raw':
        return chunk;
      case 'zstd':
        return rawSize <= maxRawSize(data.length, 0) ? chunk : this.raw(chunk);
      case 'delta': {
        const isHad = known.includes(form.base) || this.sent.has(form.base);
        return isHad && isThere(form.base) ? chunk : this.anew(chunk, known.find(isThere));
      }
      case 'shared': {
        const pays = await this.paysDictionary(form.dictionary, frames);
        return pays ? chunk : this.anew(chunk, known.find(isThere));
      }
    }
  }

  /** Cases 3 and 4: against the counterpart, or whole. */
  private async anew(chunk: EncodedChunk, like: Hash | undefined): Promise<EncodedChunk> {
    const { hash, rawSize } = chunk;
    const [bytes, base] = await this.store.getMany(like === undefined ? [hash] : [hash, like]);
    if (bytes === undefined) throw bug(`chunk ${hash} has a form and no bytes`);
    if (like !== undefined && base !== undefined && canBeDictionary(base)) {
      const data = this.compression.compress(bytes, base);
      if (data.length <= rawSize / 8)
        return { hash, rawSize, form: { kind: 'delta', base: like }, data };
    }
    const data = this.compression.compress(bytes);
    const pays = data.length < rawSize && rawSize <= maxRawSize(data.length, 0);
    return pays ? { hash, rawSize, form: { kind: 'zstd' }, data } : this.raw(chunk);
  }

  private async raw({ hash, rawSize }: EncodedChunk): Promise<EncodedChunk> {
    const [data] = await this.store.getMany([hash]);
    if (data === undefined) throw bug(`chunk ${hash} has a form and no bytes`);
    return { hash, rawSize, form: { kind: 'raw' }, data };
  }

  /** Whether the receiver has the dictionary; sends it when it has become worth it. */
  private async paysDictionary(hash: Hash, frames: OutgoingFrame[]): Promise<boolean> {
    if (this.dictionaries.has(hash)) return true;
    const uses = (this.uses.get(hash) ?? 0) + 1;
    this.uses.set(hash, uses);
    if (uses <= PATIENCE) return false;
    const bytes = await this.store.getDictionary(hash);
    if (bytes === undefined) return false;
    this.dictionaries.add(hash);
    const data = this.compression.compress(bytes);
    const compressed = data.length < bytes.length;
    frames.push({
      type: 'dictionary',
      hash,
      rawSize: bytes.length,
      compressed,
      data: compressed ? data : bytes,
    });
    return true;
  }
}

/** Every store can answer for the empty tree, and need not have it. */
function emptyTree(hash: Hash): EncodedChunk | undefined {
  if (hash !== EMPTY_TREE) return undefined;
  return { hash, rawSize: EMPTY_TREE_BYTES.length, form: { kind: 'raw' }, data: EMPTY_TREE_BYTES };
}
