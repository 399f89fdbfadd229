/**
 * How deep CBOR is nested, without decoding it and without recursion: bytes from outside must
 * not be able to exhaust the stack. Only what dv writes passes: definite lengths, no tags.
 * Source: RFC 8949.
 */
import { DvError } from '../errors.ts';

export const MAX_CBOR_DEPTH = 32;

/** @throws DvError `corrupt` when it is nested deeper, cut, or not such CBOR */
export function checkCborDepth(bytes: Uint8Array): void {
  /** Items left to read at each level of nesting. */
  const left = [1];
  let at = 0;
  while (left.length > 0) {
    if (left[left.length - 1] === 0) {
      left.pop();
      continue;
    }
    left[left.length - 1] -= 1;
    const major = bytes[at] >> 5;
    const [value, end] = readArgument(bytes, at);
    at = end;
    if (major === 2 || major === 3) at += value;
    else if (major === 4 || major === 5) {
      if (left.length > MAX_CBOR_DEPTH) throw wrong('is nested too deep');
      left.push(major === 4 ? value : 2 * value);
    } else if (major === 6) throw wrong('has a tag');
    if (at > bytes.length) throw wrong('ends too early');
  }
  if (at !== bytes.length) throw wrong('goes on behind its end');
}

/** The number in an item's head, and the offset behind it. */
function readArgument(bytes: Uint8Array, at: number): [value: number, end: number] {
  const first = bytes[at];
  if (first === undefined) throw wrong('ends too early');
  const short = first & 0x1f;
  if (short < 24) return [short, at + 1];
  if (short > 27) throw wrong('has an item without a length');
  const size = 1 << (short - 24);
  const end = at + 1 + size;
  if (end > bytes.length) throw wrong('ends too early');
  let value = 0;
  for (let i = at + 1; i < end; i++) value = value * 256 + bytes[i];
  return [value, end];
}

function wrong(what: string): DvError {
  return new DvError('corrupt', `a stored object's CBOR ${what}`);
}
