/**
 * How one chunk is stored: as it is, as a zstd frame, or as a delta (a zstd frame with the
 * chunk it is like as the dictionary).
 *
 *   1. A delta that is tiny beside the raw chunk is taken at once (5 microseconds).
 *   2. Otherwise the chunk is also compressed whole (25 microseconds for 8 KiB), with the
 *      dictionary its neighbours have (sqlite-dictionaries.ts) if any, and the delta is
 *      taken only if it is much smaller: a third against a base that was whole when named,
 *      an eighth when the chunk named was a delta itself.
 *   3. What zstd does not shrink is stored as it is.
 *
 * Why an eighth: deltas never chain, so in a row of edits each one repeats the edits since
 * the keyframe. With K bytes for a keyframe and g more for each edit, n edits between
 * keyframes cost K/n + g*n/2 each, least when the delta has grown to sqrt(2*K*g): an eighth
 * to a tenth of K for the leaves and nodes there are (K 2,500 to 8,000; g 12 to 40). A
 * single large edit of a keyframe has no such row behind it, and there a third pays.
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
const GROWN_SHARE = 1 / 8;

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
  const share = base.grown ? GROWN_SHARE : FIRST_SHARE;
  return data.length <= whole.data.length * share ? { data, form: 'delta' } : whole;
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
