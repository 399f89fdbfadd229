/** Blobs as the builder would not have made them: cut and grouped anywhere. */
import { ByteWriter } from '../../src/bytes.ts';
import { type Hash, hashOf, hashToBytes } from '../../src/hash.ts';
import { buildBlob, FANOUT } from '../../src/model/blob.ts';
import type { ChunkToPut } from '../../src/store/contract.ts';

/** The same for the same seed; does not compress. */
export function randomBytes(size: number, seed: number): Buffer {
  const bytes = Buffer.alloc(size);
  let x = seed | 1;
  for (let i = 0; i < size; i++) {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    bytes[i] = x;
  }
  return bytes;
}

/** A blob cut at `ends`, and its indexes grouped as `fanouts` say, by turns. */
export function cutBlob(
  bytes: Buffer,
  ends: readonly number[],
  fanouts: readonly number[] = [FANOUT],
) {
  const chunks: ChunkToPut[] = [];
  const put = (...parts: readonly Uint8Array[]): Hash => {
    const chunk = Buffer.concat(parts);
    const hash = hashOf(chunk);
    chunks.push({ hash, bytes: chunk });
    return hash;
  };
  const cuts = [...new Set([...ends, bytes.length])].sort((a, b) => a - b);
  let entries = cuts.map((end, i) => {
    const piece = bytes.subarray(cuts[i - 1] ?? 0, end);
    return { hash: put(Buffer.from([7, 1]), piece), size: piece.length };
  });
  for (let level = 1; entries.length > 1; level++) {
    const above: typeof entries = [];
    for (let at = 0, turn = 0; at < entries.length; turn++) {
      const group = entries.slice(at, at + fanouts[turn % fanouts.length]);
      at += group.length;
      const out = new ByteWriter(64).u8(8).u8(1).u8(level);
      for (const { hash, size } of group) out.raw(hashToBytes(hash)).varint(size);
      above.push({ hash: put(out.take()), size: group.reduce((sum, one) => sum + one.size, 0) });
    }
    entries = above;
  }
  return { hash: entries[0].hash, chunks };
}

/** Where the builder cuts. */
export function endsOf(bytes: Buffer): number[] {
  const ends: number[] = [];
  buildBlob(bytes, (chunk) => {
    if (chunk.bytes[0] === 7) ends.push((ends.at(-1) ?? 0) + chunk.bytes.length - 2);
  });
  return ends;
}
