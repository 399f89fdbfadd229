/** Chunks for store tests: the same number makes the same chunk. */
import { hashOf } from '../../src/hash.ts';
import type { ChunkToPut } from '../../src/store/contract.ts';

export function chunkOf(bytes: Uint8Array | string, like?: ChunkToPut): ChunkToPut {
  const raw = typeof bytes === 'string' ? Buffer.from(bytes) : bytes;
  return { hash: hashOf(raw), bytes: raw, ...(like === undefined ? {} : { like: like.hash }) };
}

/** Numbers from 0 up to 2^31, the same for the same seed. */
export function numbers(seed: number): () => number {
  let state = (seed * 2_654_435_761) >>> 0;
  return () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return state >>> 1;
  };
}

const CITIES = ['Bergen', 'Cork', 'Delft', 'Esbjerg', 'Faro', 'Gent', 'Huelva', 'Izmir'];

/** Bytes like those of a leaf: rows with names, numbers and dates, `size` bytes or a bit more. */
export function leafBytes(seed: number, size = 8192): Buffer {
  const next = numbers(seed);
  let text = '';
  while (text.length < size) {
    const amount = `${next() % 10_000}.${10 + (next() % 90)}`;
    const day = `20${10 + (next() % 20)}-0${1 + (next() % 9)}-${10 + (next() % 19)}`;
    text += `${next() % 1_000_000}\tuser${next() % 100_000}\t${CITIES[next() % 8]}\t${amount}\t${day}\n`;
  }
  return Buffer.from(text);
}

/** A copy with a few bytes overwritten, as when one cell is edited. */
export function editBytes(bytes: Uint8Array, seed: number, size = 6): Buffer {
  const next = numbers(seed);
  const edited = Buffer.from(bytes);
  const at = next() % (bytes.length - size);
  for (let i = 0; i < size; i++) edited[at + i] = 48 + (next() % 10);
  return edited;
}
