/**
 * The order of many byte keys, fast: the common prefix is skipped, the next four bytes of
 * each key are sorted by a least-significant-digit radix sort, and only keys that tie
 * there are compared byte by byte. Stable.
 */

/** Key i is bytes[starts[i] .. ends[i]). Returns the permutation that sorts them. */
export function radixOrder(
  bytes: Buffer,
  starts: Uint32Array,
  ends: Uint32Array,
  count: number,
): Uint32Array {
  const skip = commonPrefix(bytes, starts, ends, count);
  const digits = new Uint32Array(count);
  for (let i = 0; i < count; i++) digits[i] = fourBytes(bytes, starts[i] + skip, ends[i]);
  const order = radixSort(digits, count);
  sortTies(bytes, starts, ends, digits, order);
  return order;
}

function commonPrefix(
  bytes: Buffer,
  starts: Uint32Array,
  ends: Uint32Array,
  count: number,
): number {
  if (count === 0) return 0;
  let length = ends[0] - starts[0];
  for (let i = 1; i < count && length > 0; i++) {
    length = Math.min(length, ends[i] - starts[i]);
    for (let j = 0; j < length; j++) {
      if (bytes[starts[i] + j] !== bytes[starts[0] + j]) length = j;
    }
  }
  return length;
}

/** The first four bytes as a big-endian number, padded with zeros. */
function fourBytes(bytes: Buffer, start: number, end: number): number {
  let value = 0;
  for (let i = 0; i < 4; i++) value = (value << 8) | (start + i < end ? bytes[start + i] : 0);
  return value >>> 0;
}

function radixSort(digits: Uint32Array, count: number): Uint32Array {
  let order = new Uint32Array(count);
  let next = new Uint32Array(count);
  for (let i = 0; i < count; i++) order[i] = i;
  for (let shift = 0; shift < 32; shift += 8) {
    const places = new Uint32Array(257);
    for (let i = 0; i < count; i++) places[((digits[i] >>> shift) & 0xff) + 1] += 1;
    for (let d = 0; d < 256; d++) places[d + 1] += places[d];
    for (let i = 0; i < count; i++) {
      next[places[(digits[order[i]] >>> shift) & 0xff]++] = order[i];
    }
    [order, next] = [next, order];
  }
  return order;
}

/** Sorts each run of equal digits by the whole keys. */
function sortTies(
  bytes: Buffer,
  starts: Uint32Array,
  ends: Uint32Array,
  digits: Uint32Array,
  order: Uint32Array,
): void {
  const compare = (a: number, b: number): number =>
    bytes.compare(bytes, starts[b], ends[b], starts[a], ends[a]) || a - b;
  for (let from = 0; from < order.length; ) {
    let to = from + 1;
    while (to < order.length && digits[order[to]] === digits[order[from]]) to += 1;
    if (to - from > 1) order.subarray(from, to).sort(compare);
    from = to;
  }
}
