/** The keys of a node: each is stored as what it shares with the one before, and its own bytes. */
import { ByteReader } from '../bytes.ts';
import { DvError } from '../errors.ts';
import { MAX_KEY_BYTES_TOTAL, readNumber, readVarints } from './node-numbers.ts';

/** Keys one behind the other; key i is bytes[offsets[i] .. offsets[i + 1]). */
export interface WholeKeys {
  readonly bytes: Buffer;
  readonly offsets: Uint32Array;
}

/** Whole keys out of shared and own parts; every shared part must be as long as it can. */
export function joinKeys(
  chunk: Uint8Array,
  count: number,
  lengthsAt: number,
  keysAt: number,
): WholeKeys {
  const lengths = new ByteReader(chunk, lengthsAt);
  const shared = new Uint32Array(count);
  for (let i = 0; i < count; i++) shared[i] = readNumber(lengths);
  const offsets = new Uint32Array(count + 1);
  let total = 0;
  for (let i = 0; i < count; i++) {
    total += shared[i] + readNumber(lengths);
    if (total > MAX_KEY_BYTES_TOTAL) throw new DvError('corrupt', 'tree node has impossible keys');
    offsets[i + 1] = total;
  }
  const bytes = Buffer.allocUnsafe(total);
  let from = keysAt;
  for (let i = 0; i < count; i++) {
    const [at, end, common] = [offsets[i], offsets[i + 1], shared[i]];
    const before = i === 0 ? 0 : offsets[i - 1];
    if (common > at - before) throw sharesTooMuch();
    for (let j = 0; j < common; j++) bytes[at + j] = bytes[before + j];
    for (let j = at + common; j < end; j++) bytes[j] = chunk[from++];
    const more = common < at - before && at + common < end;
    if (more && bytes[before + common] === bytes[at + common]) {
      throw new DvError('corrupt', 'a key shares less than it could');
    }
  }
  return { bytes, offsets };
}

/**
 * The last key alone: from the end on, each key before gives the part of it that all keys
 * between share.
 */
export function joinLastKey(
  chunk: Uint8Array,
  count: number,
  lengthsAt: number,
  keysEnd: number,
): Uint8Array {
  const lengths = new ByteReader(chunk, lengthsAt);
  const shared = readVarints(lengths, count);
  const own = readVarints(lengths, count);
  let from = keysEnd - own[count - 1];
  let missing = shared[count - 1];
  if (missing > keysEnd) throw sharesTooMuch();
  const key = Buffer.allocUnsafe(missing + own[count - 1]);
  key.set(chunk.subarray(from, keysEnd), missing);
  for (let i = count - 2; missing > 0; i--) {
    if (i < 0 || missing > shared[i] + own[i]) throw sharesTooMuch();
    from -= own[i];
    if (missing <= shared[i]) continue;
    key.set(chunk.subarray(from, from + missing - shared[i]), shared[i]);
    missing = shared[i];
  }
  return key;
}

function sharesTooMuch(): DvError {
  return new DvError('corrupt', 'a key shares more than there is');
}
