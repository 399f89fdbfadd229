/** Packs taken apart and put together again, as somebody would who knows the format. */
import { ByteReader, ByteWriter } from '../../src/bytes.ts';
import { createHasher, digestOf, hashToBytes } from '../../src/hash.ts';
import type { PackHeader, PackTrailer } from '../../src/sync/pack.ts';
import { PackReader } from '../../src/sync/pack-reader.ts';

export interface RawFrame {
  readonly type: number;
  readonly payload: Uint8Array;
}

const HEAD_BYTES = 5;
const CHUNK = 3;
const KEEP_ALIVE = 4;
const TRAILER = 6;

/** The frames, trailer and all. */
export function splitPack(pack: Uint8Array): RawFrame[] {
  const reader = new ByteReader(pack, HEAD_BYTES);
  const frames: RawFrame[] = [];
  while (reader.remaining > 0) {
    const body = reader.view(reader.varint());
    frames.push({ type: body[0], payload: body.subarray(1) });
  }
  return frames;
}

/** A pack of these frames, with a trailer that fits them. */
export function joinPack(frames: readonly RawFrame[], complete = true): Buffer {
  const out = new ByteWriter().raw(Buffer.from('dvpk\u0001', 'latin1'));
  const hasher = createHasher();
  let chunks = 0;
  let rawBytes = 0;
  for (const { type, payload } of frames) {
    if (type === TRAILER) continue;
    const body = Buffer.concat([Buffer.from([type]), payload]);
    out.varint(body.length).raw(body);
    if (type !== KEEP_ALIVE) hasher.update(digestOf(body));
    if (type !== CHUNK) continue;
    chunks += 1;
    rawBytes += new ByteReader(payload, 33).varint();
  }
  const trailer = new ByteWriter()
    .u8(TRAILER)
    .u8(complete ? 1 : 0)
    .varint(chunks)
    .varint(rawBytes);
  hasher.update(trailer.take());
  trailer.raw(hashToBytes(hasher.digest()));
  return out.varint(trailer.length).raw(trailer.take()).take();
}

export async function bytesOf(pieces: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const piece of pieces) all.push(piece);
  return Buffer.concat(all);
}

/** What stands at the ends of a whole pack. */
export function packEnds(pack: Uint8Array): {
  readonly header: PackHeader;
  readonly trailer: PackTrailer;
} {
  const frames = new PackReader().push(pack);
  const first = frames[0];
  const last = frames.at(-1);
  if (first?.type !== 'header' || last?.type !== 'trailer') throw new Error('not a whole pack');
  return { header: first.header, trailer: last.trailer };
}
