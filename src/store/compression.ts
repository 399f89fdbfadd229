/**
 * Zstandard for chunks: one frame a chunk, level 1, with the content size, without a
 * checksum (the chunk's hash is one). A dictionary is the raw bytes of another chunk.
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
import zlib from 'node:zlib';
import { DvError } from '../errors.ts';
import { MAX_CHUNK_BYTES } from './contract.ts';

export interface Compression {
  readonly name: 'zstd-napi' | 'zlib';
  /** A new buffer with one frame. `dictionary` must pass `canBeDictionary`. */
  compress(bytes: Uint8Array, dictionary?: Uint8Array): Uint8Array;
  /**
   * Exactly `rawSize` bytes; no more memory than that is spent on hostile input.
   * @throws DvError `corrupt`
   */
  decompress(frame: Uint8Array, rawSize: number, dictionary?: Uint8Array): Uint8Array;
}

const LEVEL = 1;
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

let loaded: Compression | undefined;

/** The fastest there is, loaded when first asked for (2 ms). */
export function loadCompression(): Compression {
  loaded ??= loadNativeCompression() ?? zlibCompression;
  return loaded;
}

/** The part of `zstd-napi/binding` that is used here; the package may be absent. */
interface NativeZstd {
  compressBound(size: number): number;
  readonly CCtx: new () => {
    compress(out: Uint8Array, bytes: Uint8Array, level: number): number;
    compressUsingDict(
      out: Uint8Array,
      bytes: Uint8Array,
      dictionary: Uint8Array,
      level: number,
    ): number;
  };
  readonly DCtx: new () => {
    decompress(out: Uint8Array, frame: Uint8Array): number;
    decompressUsingDict(out: Uint8Array, frame: Uint8Array, dictionary: Uint8Array): number;
  };
}

export function loadNativeCompression(): Compression | undefined {
  try {
    const require = createRequire(import.meta.url);
    return nativeCompression(require('zstd-napi/binding') as NativeZstd);
  } catch {
    return undefined; // not installed or no binary for this platform: the caller falls back
  }
}

function nativeCompression(zstd: NativeZstd): Compression {
  const compressor = new zstd.CCtx();
  const decompressor = new zstd.DCtx();
  const room = Buffer.allocUnsafeSlow(zstd.compressBound(MAX_CHUNK_BYTES));
  return {
    name: 'zstd-napi',
    compress(bytes, dictionary) {
      const size =
        dictionary === undefined
          ? compressor.compress(room, bytes, LEVEL)
          : compressor.compressUsingDict(room, bytes, dictionary, LEVEL);
      return Buffer.from(room.subarray(0, size));
    },
    decompress(frame, rawSize, dictionary) {
      const out = Buffer.allocUnsafe(checkRawSize(rawSize));
      return checkedFrame(rawSize, () => {
        const size =
          dictionary === undefined
            ? decompressor.decompress(out, frame)
            : decompressor.decompressUsingDict(out, frame, dictionary);
        return out.subarray(0, size);
      });
    },
  };
}

/** Node's own zstd: always there, a new context for every call. */
export const zlibCompression: Compression = {
  name: 'zlib',
  compress(bytes, dictionary) {
    const params = { [zlib.constants.ZSTD_c_compressionLevel]: LEVEL };
    return zlib.zstdCompressSync(bytes, {
      params,
      pledgedSrcSize: bytes.length,
      ...(dictionary && { dictionary }),
    });
  },
  decompress(frame, rawSize, dictionary) {
    const params = { [zlib.constants.ZSTD_d_windowLogMax]: WINDOW_LOG_MAX };
    // zlib refuses 0 as a limit
    const maxOutputLength = Math.max(1, checkRawSize(rawSize));
    return checkedFrame(rawSize, () =>
      zlib.zstdDecompressSync(frame, {
        params,
        maxOutputLength,
        ...(dictionary && { dictionary }),
      }),
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
