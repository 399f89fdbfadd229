/**
 * Where a node ends. A boundary after an entry depends on that entry's key and on the size
 * of the node so far, so the same entries always split alike and an edit of a value hardly
 * ever moves a boundary.
 *
 * The chance of a boundary grows with the size (the hazard of a Weibull distribution of
 * shape 4), so sizes cluster round the target. With x = (size - MIN) / SCALE before and
 * after the entry, d = after^4 - before^4 and p = d / (1 + d), there is a boundary when
 * hash32(key, level) < p * 2^32. Only additions, multiplications and divisions of doubles
 * occur, which IEEE 754 rounds alike everywhere; no exp, no pow.
 *
 * The size of an entry counts its key and value plus 2 in a leaf, its key plus 38 in an
 * internal node. An internal node takes at least two children, so a level is at most
 * half as long as the one below.
 *
 * Sources: T. Sehn and others, "Prolly trees" (dolthub.com/blog/2022-06-27-prolly-chunker);
 * FNV-1a; the 32-bit finalizer of MurmurHash3.
 */

/** Nodes below this size (bytes of entries) never split. */
export const MIN_NODE_BYTES = 4096;
/** Scale of the size distribution; the mean node is about MIN + 0.9 * SCALE. */
export const NODE_SCALE_BYTES = 13312;
/** At this size a node always splits. With the largest entry it stays below 256 KiB. */
export const MAX_NODE_BYTES = 65536;

export const LEAF_ENTRY_OVERHEAD = 2;
export const CHILD_ENTRY_OVERHEAD = 38;

/** The cheap 32-bit hash of source[start..end), salted by level. */
export function hashKey(source: Uint8Array, start: number, end: number, level: number): number {
  let hash = 0x811c9dc5 ^ Math.imul(level, 0x9e3779b1);
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ source[i], 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function fourth(size: number): number {
  const x = size <= MIN_NODE_BYTES ? 0 : (size - MIN_NODE_BYTES) / NODE_SCALE_BYTES;
  const square = x * x;
  return square * square;
}

/**
 * Is there a boundary after the entry with key source[start..end)?
 * `before` and `after` are the node's size without and with it; `count` includes it.
 */
export function isBoundary(
  source: Uint8Array,
  start: number,
  end: number,
  level: number,
  before: number,
  after: number,
  count: number,
): boolean {
  if (after < MIN_NODE_BYTES || (level > 0 && count < 2)) return false;
  if (after >= MAX_NODE_BYTES) return true;
  const d = fourth(after) - fourth(before);
  return hashKey(source, start, end, level) < (d / (1 + d)) * 4294967296;
}
