/**
 * Zstandard for chunks: one frame a chunk, level 1, with the content size, without a
 * checksum (the chunk's hash is one). A dictionary is plain content: the raw bytes of another
 * chunk, or pieces of several (dictionary.ts).
 *
 * `zstd-napi` where it is installed and loads, else `node:zlib`; each reads what the other
 * wrote. On 8 KiB leaves (microseconds, two-core machine, Node 24):
 *
 *   |           | compress | delta | decompress delta |
 *   |-----------|----------|-------|------------------|
 *   | zstd-napi |       25 |     5 |                6 |
 *   | node:zlib |       62 |    60 |               31 |
 *
 * Level 1 is also the smallest below level 5 on chunks of this size (0.325 of raw, level 3:
 * 0.338), so there is nothing to choose. `compressUsingDict` takes the dictionary without
 * copying and preparing it, which `loadDictionary` does in 20 microseconds.
 *
 * Sources: RFC 8878; https://facebook.github.io/zstd/zstd_manual.html
 */
import { createRequire } from 'node:module';
import { DvError } from '../errors.ts';
import { MAX_CHUNK_BYTES } from './contract.ts';

export interface Compression {
  readonly name: 'zstd-napi' | 'zlib';
  /** For bytes that serve as dictionary many times: 100 microseconds once, then none. */
  prepare(bytes: Uint8Array): PreparedDictionary;
  /** One frame, to be used soon and let go. `dictionary` must pass `canBeDictionary`. */
  compress(bytes: Uint8Array, dictionary?: Dictionary): Uint8Array;
  /**
   * Exactly `rawSize` bytes; no more memory than that is spent on hostile input. They may be put
   * at the start of `room`, which has as many.
   * @throws DvError `corrupt`
   */
  decompress(
    frame: Uint8Array,
    rawSize: number,
    dictionary?: Dictionary,
    room?: Buffer,
  ): Uint8Array;
}

/** What `prepare` answers; good for the compression that made it only. */
export interface PreparedDictionary {
  readonly bytes: Uint8Array;
}

export type Dictionary = Uint8Array | PreparedDictionary;

const LEVEL = 1;
/** Frames share a buffer of this size; it lives as long as any of them. */
const SLAB_BYTES = 1024 * 1024;
/** No window is larger than the largest chunk (2 to the 18th). */
const WINDOW_LOG_MAX = 18;
/** Bytes that zstd would take for a trained dictionary, little endian at the start. */
const DICTIONARY_MAGIC = 0xec30a437;
/** zstd ignores a raw dictionary below this size. */
const MIN_DICTIONARY_BYTES = 8;

/** False where zstd would not take the bytes as plain content. */
export function canBeDictionary(bytes: Uint8Array): boolean {
  if (bytes.length < MIN_DICTIONARY_BYTES) return false;
  const start = bytes[0] | (bytes[1] << 8) | (bytes[2] << 16) | (bytes[3] << 24);
  return start >>> 0 !== DICTIONARY_MAGIC;
}

const require = createRequire(import.meta.url);

/** Loaded when first used: 2 ms that a start with `zstd-napi` need not spend. */
const loadZlib = (): typeof import('node:zlib') => require('node:zlib');

let loaded: Compression | undefined;

/** The fastest there is, loaded when first asked for (2 ms). */
export function loadCompression(): Compression {
  loaded ??= loadNativeCompression() ?? zlibCompression;
  return loaded;
}

declare const prepared: unique symbol;
/** zstd's own form of a dictionary. */
type NativeDictionary = object & { readonly [prepared]: true };

/** The part of `zstd-napi/binding` that is used here; the package may be absent. */
interface NativeZstd {
  compressBound(size: number): number;
  readonly CCtx: new () => NativeCompressor;
  readonly DCtx: new () => NativeDecompressor;
  readonly CDict: new (bytes: Uint8Array, level: number) => NativeDictionary;
  readonly DDict: new (bytes: Uint8Array) => NativeDictionary;
}

interface NativeCompressor {
  compress(out: Uint8Array, bytes: Uint8Array, level: number): number;
  compressUsingDict(out: Uint8Array, bytes: Uint8Array, raw: Uint8Array, level: number): number;
  compressUsingCDict(out: Uint8Array, bytes: Uint8Array, dictionary: NativeDictionary): number;
}

interface NativeDecompressor {
  decompress(out: Uint8Array, frame: Uint8Array): number;
  decompressUsingDict(out: Uint8Array, frame: Uint8Array, raw: Uint8Array): number;
  decompressUsingDDict(out: Uint8Array, frame: Uint8Array, dictionary: NativeDictionary): number;
}

export function loadNativeCompression(): Compression | undefined {
  try {
    return new NativeCompression(require('zstd-napi/binding') as NativeZstd);
  } catch {
    return undefined; // not installed or no binary for this platform: the caller falls back
  }
}

class NativeCompression implements Compression {
  readonly name = 'zstd-napi';
  private readonly zstd: NativeZstd;
  private readonly compressor: NativeCompressor;
  private readonly decompressor: NativeDecompressor;
  private slab = Buffer.alloc(0);

  constructor(zstd: NativeZstd) {
    this.zstd = zstd;
    this.compressor = new zstd.CCtx();
    this.decompressor = new zstd.DCtx();
  }

  prepare(bytes: Uint8Array): NativePrepared {
    return new NativePrepared(this.zstd, bytes);
  }

  compress(bytes: Uint8Array, dictionary?: Dictionary): Uint8Array {
    // frames lie one behind the other in a slab: a buffer for each costs 6 microseconds
    const bound = this.zstd.compressBound(bytes.length);
    if (this.slab.length < bound) {
      this.slab = Buffer.allocUnsafeSlow(Math.max(SLAB_BYTES, bound));
    }
    const frame = this.slab.subarray(0, this.compressInto(this.slab, bytes, dictionary));
    this.slab = this.slab.subarray(frame.length);
    return frame;
  }

  private compressInto(out: Uint8Array, bytes: Uint8Array, dictionary?: Dictionary): number {
    if (dictionary === undefined) return this.compressor.compress(out, bytes, LEVEL);
    return dictionary instanceof NativePrepared
      ? this.compressor.compressUsingCDict(out, bytes, dictionary.forCompression)
      : this.compressor.compressUsingDict(out, bytes, bytesOf(dictionary), LEVEL);
  }

  decompress(
    frame: Uint8Array,
    rawSize: number,
    dictionary?: Dictionary,
    room?: Buffer,
  ): Uint8Array {
    const size = checkRawSize(rawSize);
    const out = room?.subarray(0, size) ?? Buffer.allocUnsafe(size);
    return checkedFrame(rawSize, () =>
      out.subarray(0, this.decompressInto(out, frame, dictionary)),
    );
  }

  private decompressInto(out: Uint8Array, frame: Uint8Array, dictionary?: Dictionary): number {
    if (dictionary === undefined) return this.decompressor.decompress(out, frame);
    return dictionary instanceof NativePrepared
      ? this.decompressor.decompressUsingDDict(out, frame, dictionary.forDecompression)
      : this.decompressor.decompressUsingDict(out, frame, bytesOf(dictionary));
  }
}

class NativePrepared implements PreparedDictionary {
  readonly bytes: Uint8Array;
  private readonly zstd: NativeZstd;
  private compression: NativeDictionary | undefined;
  private decompression: NativeDictionary | undefined;

  constructor(zstd: NativeZstd, bytes: Uint8Array) {
    this.zstd = zstd;
    this.bytes = bytes;
  }

  get forCompression(): NativeDictionary {
    this.compression ??= new this.zstd.CDict(this.bytes, LEVEL);
    return this.compression;
  }

  get forDecompression(): NativeDictionary {
    this.decompression ??= new this.zstd.DDict(this.bytes);
    return this.decompression;
  }
}

function bytesOf(dictionary: Dictionary): Uint8Array {
  return dictionary instanceof Uint8Array ? dictionary : dictionary.bytes;
}

/** Node's own zstd: always there, a new context for every call. */
export const zlibCompression: Compression = {
  name: 'zlib',
  prepare: (bytes) => ({ bytes }),
  compress(bytes, dictionary) {
    const zlib = loadZlib();
    const params = { [zlib.constants.ZSTD_c_compressionLevel]: LEVEL };
    return zlib.zstdCompressSync(bytes, {
      params,
      pledgedSrcSize: bytes.length,
      ...(dictionary && { dictionary: bytesOf(dictionary) }),
    });
  },
  decompress(frame, rawSize, dictionary) {
    const zlib = loadZlib();
    const params = { [zlib.constants.ZSTD_d_windowLogMax]: WINDOW_LOG_MAX };
    // zlib refuses 0 as a limit
    const maxOutputLength = Math.max(1, checkRawSize(rawSize));
    const known = dictionary && { dictionary: bytesOf(dictionary) };
    return checkedFrame(rawSize, () =>
      zlib.zstdDecompressSync(frame, { params, maxOutputLength, ...known }),
    );
  },
};

function checkRawSize(rawSize: number): number {
  if (Number.isInteger(rawSize) && rawSize >= 0 && rawSize <= MAX_CHUNK_BYTES) return rawSize;
  throw new DvError('corrupt', `a chunk of ${rawSize} bytes is over the limit`);
}

function checkedFrame(rawSize: number, decompress: () => Uint8Array): Uint8Array {
  let bytes: Uint8Array;
  try {
    bytes = decompress();
  } catch (cause) {
    throw new DvError('corrupt', 'a chunk does not decompress', { cause });
  }
  if (bytes.length === rawSize) return bytes;
  throw new DvError('corrupt', `a chunk has ${bytes.length} bytes instead of ${rawSize}`);
}
