/**
 * Raw bytes out of what a pack carries. What a chunk may grow to is bounded before anything
 * is decompressed; the hash is checked after.
 */
import type { DvError } from '../errors.ts';
import { type Hash, hashOf } from '../hash.ts';
import {
  type Compression,
  canBeDictionary,
  type Dictionary,
  type PreparedDictionary,
} from '../store/compression.ts';
import type { EncodedChunk } from '../store/transfer.ts';
import { maxRawSize } from './pack.ts';
import { badPack, type DictionaryFrame } from './pack-reader.ts';

/** Dictionaries of one pack. */
const MOST_DICTIONARIES = 16;
/** Chunks lie one behind the other in slabs: a buffer for each is work for the collector. */
const SLAB_BYTES = 1024 * 1024;

export class ChunkDecoder {
  private readonly compression: Compression;
  private readonly dictionaries = new Map<Hash, PreparedDictionary>();
  private slab = Buffer.alloc(0);

  constructor(compression: Compression) {
    this.compression = compression;
  }

  hasDictionary(hash: Hash): boolean {
    return this.dictionaries.has(hash);
  }

  /** The dictionary's bytes. @throws DvError `bad-pack` */
  addFrame({ hash, rawSize, compressed, data }: DictionaryFrame): Uint8Array {
    if (this.dictionaries.has(hash)) throw badPack('a dictionary comes twice');
    const bytes = compressed ? this.decompress(hash, rawSize, data) : data;
    if (hashOf(bytes) !== hash) throw badPack(`dictionary ${hash} has other bytes`);
    this.addDictionary(hash, bytes);
    return bytes;
  }

  addDictionary(hash: Hash, bytes: Uint8Array): void {
    if (this.dictionaries.size >= MOST_DICTIONARIES) throw badPack('it has too many dictionaries');
    if (!canBeDictionary(bytes)) throw badPack(`dictionary ${hash} cannot be one`);
    this.dictionaries.set(hash, this.compression.prepare(Buffer.from(bytes)));
  }

  /** `base`: of a delta. @throws DvError `bad-pack` */
  decode({ hash, rawSize, form, data }: EncodedChunk, base: Uint8Array | undefined): Uint8Array {
    const bytes =
      form.kind === 'raw' ? data : this.inflate(hash, rawSize, data, this.with(form, base));
    if (hashOf(bytes) !== hash) throw badPack(`chunk ${hash} has other bytes`);
    return bytes;
  }

  private with(form: EncodedChunk['form'], base: Uint8Array | undefined): Dictionary | undefined {
    if (form.kind === 'delta') {
      if (base === undefined || !canBeDictionary(base)) {
        throw badPack(`a chunk is a delta against ${form.base}, which is not here`);
      }
      return base;
    }
    if (form.kind !== 'shared') return undefined;
    const dictionary = this.dictionaries.get(form.dictionary);
    if (dictionary === undefined) throw badPack(`dictionary ${form.dictionary} is not here`);
    return dictionary;
  }

  private inflate(
    hash: Hash,
    rawSize: number,
    data: Uint8Array,
    dictionary: Dictionary | undefined,
  ): Uint8Array {
    const extra =
      dictionary === undefined
        ? 0
        : dictionary instanceof Uint8Array
          ? dictionary.length
          : dictionary.bytes.length;
    if (rawSize > maxRawSize(data.length, extra)) {
      throw badPack(`chunk ${hash} would grow from ${data.length} to ${rawSize} bytes`);
    }
    return this.decompress(hash, rawSize, data, dictionary);
  }

  private decompress(
    hash: Hash,
    rawSize: number,
    data: Uint8Array,
    dictionary?: Dictionary,
  ): Uint8Array {
    if (this.slab.length < rawSize) {
      this.slab = Buffer.allocUnsafeSlow(Math.max(SLAB_BYTES, rawSize));
    }
    try {
      const bytes = this.compression.decompress(data, rawSize, dictionary, this.slab);
      if (bytes.buffer === this.slab.buffer) this.slab = this.slab.subarray(bytes.length);
      return bytes;
    } catch (error) {
      throw badPack(`chunk ${hash}: ${(error as DvError).message}`, error);
    }
  }
}
