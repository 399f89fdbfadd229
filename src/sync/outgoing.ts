/**
 * The bytes in which a chunk goes out. As it is stored, wherever the receiver can read that:
 *
 *   1. A delta against a chunk that the receiver has or was sent before: as it is.
 *   2. Where the receiver has a counterpart: a delta against that, if it is much smaller. It
 *      costs 5 microseconds; an edited leaf takes 50 bytes instead of 2,400. A store keeps the
 *      old version whole and the new one as a delta, and the new one is sent first: so they
 *      change places on the way.
 *   3. Raw, or a zstd frame of its own: as it is.
 *   4. With a shared dictionary: the first few compressed anew, as a dictionary of a hundred KB
 *      does not pay for them; then the dictionary goes out, and all others as they are.
 *   5. Compressed anew; raw, when it would grow more than a receiver allows (maxRawSize).
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
/** Not worth a delta. */
const SMALL_BYTES = 200;

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
    const like = known.find(isThere);
    if (form.kind === 'delta') {
      const isHad = known.includes(form.base) || this.sent.has(form.base);
      if (isHad && isThere(form.base)) return chunk;
    }
    const delta = like === undefined ? undefined : await this.delta(chunk, like);
    if (delta !== undefined) return delta;
    if (form.kind === 'raw') return chunk;
    if (form.kind === 'zstd' && rawSize <= maxRawSize(data.length, 0)) return chunk;
    if (form.kind === 'shared' && (await this.paysDictionary(form.dictionary, frames)))
      return chunk;
    return this.whole(chunk);
  }

  /** Against the counterpart, where that is much smaller. */
  private async delta(chunk: EncodedChunk, base: Hash): Promise<EncodedChunk | undefined> {
    const { hash, rawSize, form } = chunk;
    const isSmall = form.kind !== 'delta' && chunk.data.length < SMALL_BYTES;
    if (isSmall) return undefined;
    const [bytes, like] = await this.store.getMany([hash, base]);
    if (bytes === undefined || like === undefined || !canBeDictionary(like)) return undefined;
    const data = this.compression.compress(bytes, like);
    const most = form.kind === 'delta' ? rawSize / 8 : chunk.data.length / 3;
    const isAllowed = rawSize <= maxRawSize(data.length, like.length);
    if (data.length > most || !isAllowed) return undefined;
    return { hash, rawSize, form: { kind: 'delta', base }, data };
  }

  private async whole(chunk: EncodedChunk): Promise<EncodedChunk> {
    const { hash, rawSize } = chunk;
    const [bytes] = await this.store.getMany([hash]);
    if (bytes === undefined) throw bug(`chunk ${hash} has a form and no bytes`);
    const data = this.compression.compress(bytes);
    if (data.length < rawSize && rawSize <= maxRawSize(data.length, 0)) {
      return { hash, rawSize, form: { kind: 'zstd' }, data };
    }
    return { hash, rawSize, form: { kind: 'raw' }, data: bytes };
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
