/**
 * Bytes outside the tree: plain files and cells over 16 KiB, in content-defined pieces, so
 * that an edit in the middle of a large file stores the pieces round it and no more.
 *
 *   piece   u8 0x07, u8 version 1, the bytes
 *   index   u8 0x08, u8 version 1, u8 level, then per child 32 bytes hash, varint size
 *
 * A blob of one piece is that piece. Else pieces go into indexes of level 1, FANOUT each,
 * those into level 2, and so on to a single one. Sizes count the bytes of the blob below.
 * A piece ends where a rolling gear hash over the last 32 bytes has its upper MASK_BITS
 * clear, between MIN_PIECE and MAX_PIECE bytes. What that makes of each chunk: blob-check.ts.
 * Source: Xia and others, "FastCDC" (USENIX ATC 2016).
 */
import { ByteReader, ByteWriter } from '../bytes.ts';
import { DvError } from '../errors.ts';
import { HASH_BYTES, type Hash, hashFromBytes, hashOf, hashToBytes } from '../hash.ts';
import type { ChunkToPut, ObjectStore } from '../store/contract.ts';

export const PIECE_KIND = 0x07;
export const INDEX_KIND = 0x08;
const VERSION = 0x01;
const MIN_PIECE = 16 * 1024;
export const MAX_PIECE = 128 * 1024;
const MASK_BITS = 15;
/** Children of an index that is not the last of its level. */
export const FANOUT = 2048;
const MAX_LEVEL = 6;

/** 256 fixed 32-bit numbers (xorshift32 from a fixed seed): the gear of the rolling hash. */
const GEAR: Uint32Array = (() => {
  const gear = new Uint32Array(256);
  let x = 0x2545f491;
  for (let i = 0; i < 256; i++) {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    gear[i] = x >>> 0;
  }
  return gear;
})();

/** Length of the piece at bytes[start..) that ends at a boundary; -1: none does. */
function boundedLength(bytes: Uint8Array, start: number): number {
  const end = Math.min(bytes.length, start + MAX_PIECE);
  let hash = 0;
  for (let i = Math.min(end, start + MIN_PIECE - 32); i < end; i++) {
    hash = ((hash << 1) + GEAR[bytes[i]]) | 0;
    if (i - start >= MIN_PIECE && hash >>> (32 - MASK_BITS) === 0) return i + 1 - start;
  }
  return end - start === MAX_PIECE ? MAX_PIECE : -1;
}

/** Length of the first piece of bytes[start..); the rest of the bytes when none ends. */
function pieceLength(bytes: Uint8Array, start: number): number {
  const length = boundedLength(bytes, start);
  return length < 0 ? bytes.length - start : length;
}

/** Where in a piece, of at most MAX_PIECE bytes, the first boundary is. */
export function boundaryOf(piece: Uint8Array): 'before' | 'end' | 'none' {
  const length = boundedLength(piece, 0);
  return length < 0 ? 'none' : length < piece.length ? 'before' : 'end';
}

/** @throws DvError `newer-format` */
export function pieceBytes(bytes: Uint8Array): Uint8Array {
  if (bytes[1] !== VERSION) throw newer(bytes[1]);
  return bytes.subarray(2);
}

interface IndexEntry {
  readonly hash: Hash;
  readonly size: number;
}

/** Takes bytes as they come; hands finished chunks to `put`. */
export class BlobBuilder {
  private readonly put: (chunk: ChunkToPut) => void;
  private rest: Uint8Array = new Uint8Array(0);
  private readonly levels: IndexEntry[][] = [[]];
  private readonly fanout: number;
  size = 0;

  /** `fanout`: children of an index; another one gives another hash, so only for tests. */
  constructor(put: (chunk: ChunkToPut) => void, fanout = FANOUT) {
    this.put = put;
    this.fanout = fanout;
  }

  write(bytes: Uint8Array): void {
    const all = this.rest.length === 0 ? bytes : Buffer.concat([this.rest, bytes]);
    this.size += bytes.length;
    let start = 0;
    while (all.length - start >= MAX_PIECE) {
      const length = pieceLength(all, start);
      this.piece(all.subarray(start, start + length));
      start += length;
    }
    this.rest = Buffer.from(all.subarray(start));
  }

  private piece(bytes: Uint8Array): void {
    this.add(
      0,
      this.store(Buffer.concat([Buffer.from([PIECE_KIND, VERSION]), bytes])),
      bytes.length,
    );
  }

  private store(bytes: Buffer): Hash {
    const hash = hashOf(bytes);
    this.put({ hash, bytes });
    return hash;
  }

  private add(level: number, hash: Hash, size: number): void {
    const entries = this.levels[level] ?? [];
    this.levels[level] = entries;
    entries.push({ hash, size });
    if (entries.length === this.fanout) this.closeIndex(level);
  }

  private closeIndex(level: number): void {
    const entries = this.levels[level];
    this.levels[level] = [];
    const out = new ByteWriter(entries.length * 40)
      .u8(INDEX_KIND)
      .u8(VERSION)
      .u8(level + 1);
    for (const { hash, size } of entries) out.raw(hashToBytes(hash)).varint(size);
    const total = entries.reduce((sum, entry) => sum + entry.size, 0);
    this.add(level + 1, this.store(out.take()), total);
  }

  /** The blob's hash. */
  finish(): Hash {
    while (this.rest.length > 0) {
      const length = pieceLength(this.rest, 0);
      this.piece(this.rest.subarray(0, length));
      this.rest = this.rest.subarray(length);
    }
    if (this.size === 0) this.piece(new Uint8Array(0));
    for (let level = 0; ; level++) {
      const entries = this.levels[level];
      const isTop = this.levels.length === level + 1;
      if (isTop && entries.length === 1) return entries[0].hash;
      if (entries.length > 0) this.closeIndex(level);
    }
  }
}

/** Cuts bytes in memory into a blob. */
export function buildBlob(bytes: Uint8Array, put: (chunk: ChunkToPut) => void): Hash {
  const builder = new BlobBuilder(put);
  builder.write(bytes);
  return builder.finish();
}

/** Children of an index chunk. @throws DvError `corrupt` */
export function decodeIndex(bytes: Uint8Array): { level: number; children: IndexEntry[] } {
  if (bytes[0] !== INDEX_KIND) throw new DvError('corrupt', 'chunk is not a blob index');
  if (bytes[1] !== VERSION) throw newer(bytes[1]);
  const reader = new ByteReader(bytes, 2);
  const level = reader.u8();
  if (level < 1 || level > MAX_LEVEL) throw new DvError('corrupt', 'blob index is too deep');
  const children: IndexEntry[] = [];
  while (reader.remaining > 0) {
    const hash = hashFromBytes(reader.view(HASH_BYTES));
    children.push({ hash, size: reader.varint() });
  }
  return { level, children };
}

function newer(version: number): DvError {
  return new DvError('newer-format', `a blob has version ${version}, this dv knows ${VERSION}`, {
    hint: 'use a newer dv',
  });
}

/** The bytes of a blob, a piece at a time. @throws DvError `missing-object`, `corrupt` */
export async function* readBlob(store: ObjectStore, hash: Hash): AsyncGenerator<Uint8Array> {
  const [bytes] = await store.getMany([hash]);
  if (bytes === undefined) {
    throw new DvError('missing-object', `blob ${hash} is missing`, { hint: 'dv fsck' });
  }
  if (bytes[0] !== PIECE_KIND) {
    for (const child of decodeIndex(bytes).children) yield* readBlob(store, child.hash);
  } else yield pieceBytes(bytes);
}

/** The whole blob in memory: for cells. */
export async function readWholeBlob(store: ObjectStore, hash: Hash): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of readBlob(store, hash)) pieces.push(piece);
  return pieces.length === 1 ? pieces[0] : Buffer.concat(pieces);
}
