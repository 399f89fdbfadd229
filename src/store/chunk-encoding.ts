/**
 * How one chunk is stored: as it is, as a zstd frame, or as a delta (a zstd frame with the
 * chunk it is like as the dictionary).
 *
 *   1. A delta that is tiny beside the raw chunk is taken at once (5 microseconds).
 *   2. Otherwise the chunk is also compressed whole (25 microseconds for 8 KiB), with the
 *      dictionary its neighbours have (sqlite-dictionaries.ts) if any, and the delta is
 *      taken only if it is much smaller: at most a third, or 7 times the square root, of the
 *      whole; for one more edit in a row of edits only the latter.
 *   3. What zstd does not shrink is stored as it is.
 *
 * Why the square root: deltas never chain, so in a row of edits each one repeats the edits
 * since the keyframe. With K bytes for a keyframe and g more for each edit, n edits between
 * keyframes cost K/n + g*n/2 each: least when the delta has grown to sqrt(2*g*K). g is 12
 * for a cell, 40 for a child's hash and counts; 7 is sqrt(2*g) in between, and a factor of
 * 1.4 beside the best costs 6 % more. A single large edit of a keyframe has no such row
 * behind it, and there a third pays.
 */
import { type Compression, canBeDictionary, type PreparedDictionary } from './compression.ts';

export interface DeltaBase {
  /** Raw bytes of the keyframe. */
  readonly bytes: Uint8Array;
  /** The chunk named as alike is itself a delta against that keyframe. */
  readonly grown: boolean;
}

export interface EncodedChunk {
  readonly data: Uint8Array;
  readonly form: 'raw' | 'frame' | 'frame with dictionary' | 'delta';
}

const TINY_SHARE = 1 / 32;
const FIRST_SHARE = 1 / 3;
const ROOT_FACTOR = 7;

export function encodeChunk(
  compression: Compression,
  bytes: Uint8Array,
  base: DeltaBase | undefined,
  dictionary: PreparedDictionary | undefined,
): EncodedChunk {
  if (base === undefined || !canBeDictionary(base.bytes)) {
    return encodeWhole(compression, bytes, dictionary);
  }
  const data = compression.compress(bytes, base.bytes);
  if (data.length <= bytes.length * TINY_SHARE) return { data, form: 'delta' };
  const whole = encodeWhole(compression, bytes, dictionary);
  return data.length <= largestDelta(whole.data.length, base) ? { data, form: 'delta' } : whole;
}

function largestDelta(whole: number, { grown }: DeltaBase): number {
  const inARow = Math.min(ROOT_FACTOR * Math.sqrt(whole), whole / 2);
  return grown ? inARow : Math.max(inARow, whole * FIRST_SHARE);
}

function encodeWhole(
  compression: Compression,
  bytes: Uint8Array,
  dictionary: PreparedDictionary | undefined,
): EncodedChunk {
  const data = compression.compress(bytes, dictionary);
  if (data.length >= bytes.length) return { data: bytes, form: 'raw' };
  return { data, form: dictionary === undefined ? 'frame' : 'frame with dictionary' };
}
