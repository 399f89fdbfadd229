/**
 * The order of many byte keys, fast: skip what all keys of a group share, sort the group by
 * the next four bytes with a least-significant-digit radix sort, and treat what ties there
 * as a group of its own. Small groups are compared byte by byte. Stable.
 */
import { compareRanges } from '../../bytes.ts';

/** Below this many keys comparing beats counting. */
const SMALL = 64;

/** Key i is bytes[starts[i] .. ends[i]). Returns the permutation that sorts them. */
export function radixOrder(
  bytes: Uint8Array,
  starts: Uint32Array,
  ends: Uint32Array,
  count: number,
): Uint32Array {
  const order = new Uint32Array(count);
  for (let i = 0; i < count; i++) order[i] = i;
  new Ordering(bytes, starts, ends, count).sort(order, 0);
  return order;
}

class Ordering {
  private readonly bytes: Uint8Array;
  private readonly starts: Uint32Array;
  private readonly ends: Uint32Array;
  private readonly digits: Uint32Array;
  private readonly scratch: Uint32Array;
  private readonly places = new Uint32Array(257);
  private readonly compare: (a: number, b: number) => number;

  constructor(bytes: Uint8Array, starts: Uint32Array, ends: Uint32Array, count: number) {
    this.bytes = bytes;
    this.starts = starts;
    this.ends = ends;
    this.digits = new Uint32Array(count);
    this.scratch = new Uint32Array(count);
    this.compare = (a, b) =>
      compareRanges(bytes, starts[a], ends[a], bytes, starts[b], ends[b]) || a - b;
  }

  /** Sorts a group (a view into the order) whose keys agree in their first `depth` bytes. */
  sort(group: Uint32Array, depth: number): void {
    if (group.length <= SMALL) {
      if (group.length > 1) group.sort(this.compare);
      return;
    }
    const shared = this.commonPrefix(group, depth);
    let longer = false;
    for (const key of group) {
      const at = this.starts[key] + shared;
      this.digits[key] = this.fourBytes(at, this.ends[key]);
      longer ||= at + 4 < this.ends[key];
    }
    this.radix(group);
    this.sortTies(group, longer ? shared + 4 : Number.POSITIVE_INFINITY);
  }

  private commonPrefix(group: Uint32Array, depth: number): number {
    const { bytes, starts, ends } = this;
    const first = starts[group[0]];
    let length = ends[group[0]] - first;
    for (const key of group) {
      const start = starts[key];
      const limit = Math.min(length, ends[key] - start);
      let same = depth;
      while (same < limit && bytes[start + same] === bytes[first + same]) same += 1;
      length = Math.min(length, same);
      if (length <= depth) return depth;
    }
    return length;
  }

  /** The next four bytes as a big-endian number, padded with zeros. */
  private fourBytes(at: number, end: number): number {
    const { bytes } = this;
    if (at + 4 <= end) {
      const high = (bytes[at] << 24) | (bytes[at + 1] << 16);
      return (high | (bytes[at + 2] << 8) | bytes[at + 3]) >>> 0;
    }
    let value = 0;
    for (let i = 0; i < 4; i++) value = (value << 8) | (at + i < end ? bytes[at + i] : 0);
    return value >>> 0;
  }

  private radix(group: Uint32Array): void {
    const { digits, places } = this;
    let from = group;
    let to = this.scratch.subarray(0, group.length);
    for (let shift = 0; shift < 32; shift += 8) {
      places.fill(0);
      for (const key of from) places[((digits[key] >>> shift) & 0xff) + 1] += 1;
      for (let d = 0; d < 256; d++) places[d + 1] += places[d];
      for (const key of from) to[places[(digits[key] >>> shift) & 0xff]++] = key;
      [from, to] = [to, from];
    }
  }

  /** Sorts each run of equal digits further, from `depth` on. */
  private sortTies(group: Uint32Array, depth: number): void {
    const { digits } = this;
    for (let from = 0; from < group.length; ) {
      let to = from + 1;
      while (to < group.length && digits[group[to]] === digits[group[from]]) to += 1;
      if (to - from > 1) this.sortRun(group.subarray(from, to), depth);
      from = to;
    }
  }

  /** Padding can make keys of different lengths tie: comparing tells them apart. */
  private sortRun(run: Uint32Array, depth: number): void {
    const short = run.some((key) => this.ends[key] - this.starts[key] < depth);
    if (short) run.sort(this.compare);
    else this.sort(run, depth);
  }
}
