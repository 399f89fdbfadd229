/**
 * The pack, `application/vnd.dv.pack`: how chunks go from one repository to another. Byte
 * order does not occur: numbers are varints (bytes.ts), hashes 32 bytes.
 *
 *   offset  size    meaning
 *   0       4       64 76 70 6b, "dvpk"
 *   4       1       version, 0x01
 *   5       ...     frames, one behind the other:
 *
 *     varint        bytes of the frame behind this number, at most MAX_FRAME_BYTES
 *     1             type
 *     ...           payload
 *
 *   type  frame       payload
 *   0x01  header      JSON (PackHeader); the first frame, once
 *   0x02  dictionary  32 bytes hash of the dictionary; varint raw size, at most 262,144; u8
 *                     encoding, 0 raw or 1 zstd; the bytes. Comes before its first user
 *   0x03  chunk       32 bytes hash; u8 encoding, 0 raw, 1 zstd, 2 delta, 3 shared, plus 0x10
 *                     when a "like" is named; varint raw size, at most 262,144; delta: 32
 *                     bytes hash of the base; shared: 32 bytes hash of the dictionary; with
 *                     0x10: 32 bytes hash of an internal node at the same place in another
 *                     tree, which the receiver has; the bytes (store/transfer.ts, ChunkForm)
 *   0x04  keep-alive  nothing; anywhere behind the header
 *   0x05  error       JSON (a DvError); the pack ends here
 *   0x06  trailer     u8 complete, 0 or 1; varint chunks; varint raw bytes of them; 32 bytes
 *                     digest. The last frame: a pack without one was cut
 *
 * The digest is BLAKE3 over the BLAKE3 hashes of all frames before it but keep-alives (type
 * and payload, no length), and then the trailer's own bytes from its type to the digest.
 *
 * Chunks come depth first, parents before children, the newest commit first; no chunk comes
 * twice. `complete` says that everything asked for was sent; otherwise the sender stopped at
 * the size it was given, and the receiver asks for the rest (receiver.ts).
 */
import { ByteWriter, varintSize } from '../bytes.ts';
import { createHasher, digestOf, HASH_BYTES, type Hash, hashToBytes } from '../hash.ts';
import type { Clock } from '../model/objects.ts';
import { MAX_CHUNK_BYTES } from '../store/contract.ts';
import type { EncodedChunk } from '../store/transfer.ts';

export const PACK_MEDIA_TYPE = 'application/vnd.dv.pack';
export const PACK_MAGIC: Uint8Array = Buffer.from('dvpk');
export const PACK_VERSION = 0x01;
/** Checked before a frame is collected. */
export const MAX_FRAME_BYTES = 2 * MAX_CHUNK_BYTES;
export const MAX_DICTIONARY_BYTES = 262_144;

export const FRAME_TYPES = {
  header: 0x01,
  dictionary: 0x02,
  chunk: 0x03,
  keepAlive: 0x04,
  error: 0x05,
  trailer: 0x06,
} as const;

export const ENCODINGS = ['raw', 'zstd', 'delta', 'shared'] as const;
export const LIKE_FLAG = 0x10;

/** A ref as bundles carry it. */
export interface PackRef {
  readonly name: string;
  readonly hash: Hash;
}

export interface PackHeader {
  /** Commits and tags that the pack leads to. */
  readonly wants: readonly Hash[];
  /** Commits whose objects were left out: the receiver has them with all they reach. */
  readonly commons: readonly Hash[];
  /** Commits whose parents the receiver will lack. */
  readonly shallow: readonly Hash[];
  /** About how much was asked for, and the raw bytes of that; undefined: not known. */
  readonly chunks?: number;
  readonly bytes?: number;
  /** The sender's clock. */
  readonly clock?: Clock;
  /** Of a bundle: what the refs are, and which of them HEAD stands for. */
  readonly refs?: readonly PackRef[];
  readonly head?: string | null;
}

export interface PackTrailer {
  readonly complete: boolean;
  readonly chunks: number;
  readonly rawBytes: number;
}

/** Bytes are handed on when this many are together; no piece is larger than this and a frame. */
const PIECE_BYTES = 64 * 1024;
const FIRST_BYTES = 4 * 1024;

/**
 * No chunk may grow by more than this on decompression, beyond what its base brings in. A
 * sender sends what grows more as raw bytes.
 */
export function maxRawSize(dataBytes: number, baseBytes: number): number {
  return Math.min(MAX_CHUNK_BYTES, 100 * dataBytes + baseBytes + 16_384);
}

/** Writes frames; `take` hands over what is ready. Pieces consist of whole frames. */
export class PackWriter {
  /** Grows as needed: most packs are small. */
  private readonly out = new ByteWriter(FIRST_BYTES);
  private readonly hasher = createHasher();
  chunks = 0;
  private rawBytes = 0;
  /** Bytes written so far, taken or not. */
  written = 0;

  constructor(header: PackHeader) {
    this.out.raw(PACK_MAGIC).u8(PACK_VERSION);
    this.written = this.out.length;
    this.frame(FRAME_TYPES.header, Buffer.from(JSON.stringify(header)));
  }

  chunk({ hash, rawSize, form, data }: EncodedChunk, like?: Hash): void {
    const reference =
      form.kind === 'delta' ? form.base : form.kind === 'shared' ? form.dictionary : undefined;
    const references = (reference === undefined ? 0 : 1) + (like === undefined ? 0 : 1);
    const size = 1 + HASH_BYTES + 1 + varintSize(rawSize) + references * HASH_BYTES + data.length;
    const start = this.begin(size, FRAME_TYPES.chunk);
    const encoding = ENCODINGS.indexOf(form.kind) | (like === undefined ? 0 : LIKE_FLAG);
    this.out.raw(hashToBytes(hash)).u8(encoding).varint(rawSize);
    if (reference !== undefined) this.out.raw(hashToBytes(reference));
    if (like !== undefined) this.out.raw(hashToBytes(like));
    this.out.raw(data);
    this.end(start);
    this.chunks += 1;
    this.rawBytes += rawSize;
  }

  /** `data`: the dictionary as it is, or compressed. */
  dictionary(hash: Hash, rawSize: number, compressed: boolean, data: Uint8Array): void {
    const head = new ByteWriter(48)
      .raw(hashToBytes(hash))
      .varint(rawSize)
      .u8(compressed ? 1 : 0);
    this.frame(FRAME_TYPES.dictionary, Buffer.concat([head.take(), data]));
  }

  error(error: Readonly<Record<string, unknown>>): void {
    this.frame(FRAME_TYPES.error, Buffer.from(JSON.stringify(error)));
  }

  trailer(complete: boolean): void {
    const bytes = new ByteWriter(64).u8(FRAME_TYPES.trailer).u8(complete ? 1 : 0);
    bytes.varint(this.chunks).varint(this.rawBytes);
    this.hasher.update(bytes.take());
    const digest = hashToBytes(this.hasher.digest());
    const before = this.out.length;
    this.out
      .varint(bytes.length + HASH_BYTES)
      .raw(bytes.take())
      .raw(digest);
    this.written += this.out.length - before;
  }

  private frame(type: number, payload: Uint8Array): void {
    const start = this.begin(1 + payload.length, type);
    this.out.raw(payload);
    this.end(start);
  }

  private begin(size: number, type: number): number {
    this.written += varintSize(size) + size;
    this.out.reserve(size + 16);
    this.out.varint(size);
    const start = this.out.length;
    this.out.u8(type);
    return start;
  }

  private end(start: number): void {
    this.hasher.update(digestOf(this.out.bytes.subarray(start, this.out.length)));
  }

  /** True when a piece is together. */
  get ready(): boolean {
    return this.out.length >= PIECE_BYTES;
  }

  /** What was written since the last time, empty when nothing was. */
  take(): Buffer {
    const piece = this.out.take();
    this.out.clear();
    return piece;
  }
}

/** A keep-alive frame: belongs between two pieces. */
export const KEEP_ALIVE: Uint8Array = new ByteWriter(2).varint(1).u8(FRAME_TYPES.keepAlive).take();
