/**
 * How one chunk is stored: as it is, as a zstd frame, or as a delta (a zstd frame with the
 * chunk it is like as the dictionary). A delta is against a keyframe (a whole chunk), or
 * against a delta of one; no chain is longer, so reading takes two steps at most.
 *
 *   1. A delta against a delta, when it is so small beside what one against the keyframe would
 *      be (about its base's size more) that it pays: at most 7 times the square root of that.
 *   2. A delta against the keyframe that is tiny beside the raw chunk is taken at once
 *      (5 microseconds).
 *   3. Otherwise the chunk is also compressed whole (25 microseconds for 8 KiB), with the
 *      dictionary its neighbours have (sqlite-dictionaries.ts) if any, and the delta is
 *      taken only if it is much smaller: at most a third, or 4.5 times the 2/3rd power, of the
 *      whole; for one more edit in a row of edits only the latter.
 *   4. What zstd does not shrink is stored as it is.
 *
 * Why these powers: each edit in a row repeats the edits since its base, g bytes each. With
 * K bytes for a keyframe, n edits before the next one, and m of them before the next delta to
 * be a base, an edit costs K/n for the keyframe, g*n/2m for such deltas and g*m/2 for those
 * against them. That is least for m = sqrt(n), where the last small delta has grown to the
 * square root of 2*g*(g*n), and n = (2K/g)^(2/3), where the last large one has grown to
 * g^(1/3) * (2K)^(2/3). g is 12 for a cell, 40 for a child's hash and counts; 7 and 4.5 are in
 * between. An edit of a node of 13 KB costs 0.5 KB so, and would cost 1.1 KB with keyframes as
 * the only bases. A single large edit of a keyframe has no such row behind it, and there a
 * third pays.
 */
import { type Compression, canBeDictionary, type PreparedDictionary } from './compression.ts';

/** A delta that may be the base of others. */
export interface NearBase {
  readonly bytes: Uint8Array;
  /** As a delta against the keyframe. */
  readonly storedSize: number;
}

export interface DeltaBase {
  /** Raw bytes of the keyframe. */
  readonly bytes: Uint8Array;
  /** The chunk named as alike is itself a delta. */
  readonly grown: boolean;
  readonly near: NearBase | undefined;
}

export interface MadeChunk {
  readonly data: Uint8Array;
  readonly form: 'raw' | 'frame' | 'frame with dictionary' | 'delta' | 'near delta';
}

const TINY_SHARE = 1 / 32;
const FIRST_SHARE = 1 / 3;
const NEAR_FACTOR = 7;
const FAR_FACTOR = 4.5;
/** Of small chunks that are mostly hashes, a delta saves little, but most of what can be saved. */
const MOST_SHARE = 3 / 4;

export function encodeChunk(
  compression: Compression,
  bytes: Uint8Array,
  base: DeltaBase | undefined,
  dictionary: PreparedDictionary | undefined,
): MadeChunk {
  if (base === undefined) return encodeWhole(compression, bytes, dictionary);
  const near = encodeNear(compression, bytes, base.near);
  if (near !== undefined) return near;
  if (!canBeDictionary(base.bytes)) return encodeWhole(compression, bytes, dictionary);
  const data = compression.compress(bytes, base.bytes);
  if (data.length <= bytes.length * TINY_SHARE) return { data, form: 'delta' };
  const whole = encodeWhole(compression, bytes, dictionary);
  return data.length <= largestDelta(whole.data.length, base) ? { data, form: 'delta' } : whole;
}

function encodeNear(
  compression: Compression,
  bytes: Uint8Array,
  near: NearBase | undefined,
): MadeChunk | undefined {
  if (near === undefined || !canBeDictionary(near.bytes)) return undefined;
  const data = compression.compress(bytes, near.bytes);
  const far = near.storedSize + data.length;
  if (data.length > Math.min(NEAR_FACTOR * Math.sqrt(far), far * MOST_SHARE)) return undefined;
  return { data, form: 'near delta' };
}

function largestDelta(whole: number, { grown }: DeltaBase): number {
  const inARow = Math.min(FAR_FACTOR * whole ** (2 / 3), whole * MOST_SHARE);
  return grown ? inARow : Math.max(inARow, whole * FIRST_SHARE);
}

function encodeWhole(
  compression: Compression,
  bytes: Uint8Array,
  dictionary: PreparedDictionary | undefined,
): MadeChunk {
  const data = compression.compress(bytes, dictionary);
  if (data.length >= bytes.length) return { data: bytes, form: 'raw' };
  return { data, form: dictionary === undefined ? 'frame' : 'frame with dictionary' };
}
