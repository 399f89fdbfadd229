/**
 * One chunk of a tree. A leaf holds entries (key, value); an internal node holds its
 * children, each under the last key of its subtree.
 *
 *   offset  size            meaning
 *   0       1               kind, 0x01
 *   1       1               version, 0x01
 *   2       1               level: 0 is a leaf, children of level n are of level n - 1
 *   3       1               flags: bit 0, some value below refers to chunks outside the tree
 *   4       varint          count of entries
 *           count varints   bytes each key shares with the key before it (the first: 0)
 *           count varints   bytes of each key behind those
 *           count varints   value lengths (leaf only)
 *           ...             the keys' own bytes, one behind the other; whole keys ascend
 *           ...             leaf: values; internal: count hashes of 32 bytes,
 *                           then count varints rows below, count varints bytes below
 *
 * Varints as in bytes.ts. "Bytes below" sums the raw size of every tree chunk in the
 * subtree. The hash covers all of it. A leaf's value has bit 0 of its first byte set when
 * it refers to chunks outside the tree; that is all a tree knows of values.
 *
 * Invariant: same entries, same bytes. The empty tree is a leaf of no entries; an internal
 * node has at least one child.
 */
import { ByteReader, compareBytes, compareRanges } from '../bytes.ts';
import { DvError } from '../errors.ts';
import { HASH_BYTES, type Hash, hashFromBytes } from '../hash.ts';
import { joinKeys, joinLastKey, type WholeKeys } from './node-keys.ts';
import { readOffsets, readVarints, skipNumbers, sumNumbers } from './node-numbers.ts';

export const NODE_KIND = 0x01;
export const NODE_VERSION = 0x01;
/** Flag: some value in this subtree refers to chunks outside the tree. */
export const FLAG_REFERS = 0x01;
/** Deeper trees are refused: 16 levels hold more rows than there are. */
export const MAX_LEVEL = 15;

/** A child as its parent knows it. `key` is the last key below. */
export interface NodeRef {
  readonly key: Uint8Array;
  readonly hash: Hash;
  /** Rows (leaf entries) below. */
  readonly rows: number;
  /** Raw bytes of all tree chunks below, this child's included. */
  readonly bytes: number;
}

/**
 * A decoded node. Values and hashes are views into its chunk; the keys are put together
 * when the first of them is asked for, as a diff of two leaves with the same keys never does.
 */
export class Node {
  readonly bytes: Uint8Array;
  readonly level: number;
  readonly flags: number;
  readonly count: number;
  /** Where the key lengths start, where they end, and where the keys' own bytes are. */
  private readonly lengthsAt: number;
  private readonly lengthsEnd: number;
  private readonly keysAt: number;
  private readonly keysEnd: number;
  private whole: WholeKeys | undefined;
  /** Leaf: count + 1 offsets of values in `bytes`. */
  readonly values: Uint32Array;
  /** Internal: where the children's hashes are. */
  readonly hashesAt: number = 0;
  readonly childRows: Float64Array;
  readonly childBytes: Float64Array;

  /** @throws DvError `corrupt` when the bytes are not a node's canonical encoding. */
  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    const reader = new ByteReader(bytes);
    if (reader.u8() !== NODE_KIND) throw new DvError('corrupt', 'chunk is not a tree node');
    const version = reader.u8();
    if (version !== NODE_VERSION) throw newerNode(version);
    this.level = reader.u8();
    this.flags = reader.u8();
    this.count = reader.varint();
    if (this.level > MAX_LEVEL || this.flags > FLAG_REFERS || this.count > bytes.length) {
      throw new DvError('corrupt', 'tree node has an impossible header');
    }
    const { count } = this;
    const isLeaf = this.level === 0;
    this.lengthsAt = reader.offset;
    skipNumbers(reader, count);
    const ownBytes = sumNumbers(reader, count);
    this.lengthsEnd = reader.offset;
    this.values = isLeaf ? readOffsets(reader, count) : NO_OFFSETS;
    this.keysAt = reader.offset;
    reader.view(ownBytes);
    this.keysEnd = reader.offset;
    if (isLeaf) {
      const start = reader.offset;
      reader.view(this.values[count]);
      for (let i = 0; i <= count; i++) this.values[i] += start;
    } else {
      if (count === 0) throw new DvError('corrupt', 'internal node without children');
      this.hashesAt = reader.offset;
      reader.view(count * HASH_BYTES);
    }
    this.childRows = isLeaf ? NO_NUMBERS : readVarints(reader, count);
    this.childBytes = isLeaf ? NO_NUMBERS : readVarints(reader, count);
    if (reader.remaining > 0) throw new DvError('corrupt', 'tree node has the wrong length');
  }

  /** @throws DvError `corrupt` when a key shares more or less than it can */
  get wholeKeys(): WholeKeys {
    this.whole ??= joinKeys(this.bytes, this.count, this.lengthsAt, this.keysAt);
    return this.whole;
  }

  /**
   * Has another node exactly the same keys? Cost: comparing their encodings. What one of the
   * two then knows of its keys serves both.
   */
  sameKeys(node: Node): boolean {
    const isSame =
      this.count === node.count &&
      sameRange(this, this.lengthsAt, this.lengthsEnd, node, node.lengthsAt, node.lengthsEnd) &&
      sameRange(this, this.keysAt, this.keysEnd, node, node.keysAt, node.keysEnd);
    if (isSame) this.whole = node.whole ??= this.whole;
    return isSame;
  }

  /**
   * Where the encoded keys of entries [start, end) lie in `bytes`; undefined where a number
   * takes more than a byte. Entry `start` shares with the one before it.
   */
  encodedKeys(start: number, end: number): EncodedKeys | undefined {
    const { bytes, count, lengthsAt, lengthsEnd } = this;
    if (lengthsEnd - lengthsAt !== 2 * count) return undefined;
    const { offsets } = this.wholeKeys;
    const ownAt = lengthsAt + count;
    let from = this.keysAt;
    for (let i = 0; i < start; i++) from += bytes[ownAt + i];
    let to = from;
    for (let i = start; i < end; i++) to += bytes[ownAt + i];
    const last = { lastFrom: offsets[end - 1], lastTo: offsets[end] };
    return { sharedAt: lengthsAt + start, ownAt: ownAt + start, from, to, ...last };
  }

  /** All keys, one behind the other: key i is bytes[offsets[i] .. offsets[i + 1]). */
  get keyRanges(): { readonly bytes: Uint8Array; readonly offsets: Uint32Array } {
    return this.wholeKeys;
  }

  valueLength(index: number): number {
    return this.values[index + 1] - this.values[index];
  }

  key(index: number): Uint8Array {
    const { bytes, offsets } = this.wholeKeys;
    return bytes.subarray(offsets[index], offsets[index + 1]);
  }

  value(index: number): Uint8Array {
    return this.bytes.subarray(this.values[index], this.values[index + 1]);
  }

  /** The first byte of a value, which holds its flags; 0 of an empty one. */
  valueFlags(index: number): number {
    return this.valueLength(index) === 0 ? 0 : this.bytes[this.values[index]];
  }

  childHash(index: number): Hash {
    return hashFromBytes(this.bytes, this.hashesAt + index * HASH_BYTES);
  }

  /** Is child `index` the same as child `other` of another node? */
  sameChild(index: number, node: Node, other: number): boolean {
    const [a, b] = [this.bytes, node.bytes];
    const from = this.hashesAt + index * HASH_BYTES;
    const shift = node.hashesAt + other * HASH_BYTES - from;
    for (let i = from; i < from + HASH_BYTES; i++) if (a[i] !== b[i + shift]) return false;
    return true;
  }

  child(index: number): NodeRef {
    return {
      key: this.key(index),
      hash: this.childHash(index),
      rows: this.childRows[index],
      bytes: this.childBytes[index],
    };
  }

  /** Undefined for the empty leaf only. @throws DvError `corrupt` */
  get lastKey(): Uint8Array | undefined {
    if (this.count === 0) return undefined;
    if (this.whole !== undefined) return this.key(this.count - 1);
    return joinLastKey(this.bytes, this.count, this.lengthsAt, this.keysEnd);
  }

  /** Rows in the whole subtree. */
  get rows(): number {
    return this.level === 0 ? this.count : this.childRows.reduce((sum, n) => sum + n, 0);
  }

  /** Raw bytes of all tree chunks in the subtree, this one included. */
  get treeBytes(): number {
    return this.bytes.length + this.childBytes.reduce((sum, n) => sum + n, 0);
  }

  /** Compares key `index` with `key`, without making a view. */
  compareKey(index: number, key: Uint8Array): number {
    const { bytes, offsets } = this.wholeKeys;
    return compareRanges(bytes, offsets[index], offsets[index + 1], key, 0, key.length);
  }

  /** Compares key `index` with key `other` of another node. */
  compareKeyTo(index: number, node: Node, other: number): number {
    const a = this.wholeKeys;
    const b = node.wholeKeys;
    const [start, end] = [a.offsets[index], a.offsets[index + 1]];
    return compareRanges(a.bytes, start, end, b.bytes, b.offsets[other], b.offsets[other + 1]);
  }

  /** Is value `index` the same bytes as value `other` of another node? */
  sameValue(index: number, node: Node, other: number): boolean {
    const size = this.values[index + 1] - this.values[index];
    if (node.values[other + 1] - node.values[other] !== size) return false;
    const [a, b] = [this.bytes, node.bytes];
    let [i, j] = [this.values[index], node.values[other]];
    for (const end = i + size; i < end; i++, j++) if (a[i] !== b[j]) return false;
    return true;
  }

  /** Are values `start` to before `end` the same bytes as those of another node? */
  sameValues(start: number, end: number, node: Node): boolean {
    const [from, other] = [this.values[start], node.values[start]];
    for (let i = start + 1; i <= end; i++) {
      if (this.values[i] - from !== node.values[i] - other) return false;
    }
    const bytes = this.bytes.subarray(from, this.values[end]);
    return compareBytes(bytes, node.bytes.subarray(other, node.values[end])) === 0;
  }

  /** Index of the first entry whose key is at or after `key`; `count` when there is none. */
  seek(key: Uint8Array): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.compareKey(middle, key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** The keys of a run of entries as they are encoded in a node. */
export interface EncodedKeys {
  /** One byte an entry: what it shares with the key before it, and what it has of its own. */
  readonly sharedAt: number;
  readonly ownAt: number;
  /** The keys' own bytes. */
  readonly from: number;
  readonly to: number;
  /** The last key, whole, in `wholeKeys`. */
  readonly lastFrom: number;
  readonly lastTo: number;
}

function newerNode(version: number): DvError {
  return new DvError('newer-format', `tree node has version ${version}, this dv knows 1`, {
    hint: 'use a newer dv',
  });
}

const NO_OFFSETS = new Uint32Array(1);
const NO_NUMBERS = new Float64Array(0);

function sameRange(
  a: Node,
  aStart: number,
  aEnd: number,
  b: Node,
  bStart: number,
  bEnd: number,
): boolean {
  if (aEnd - aStart !== bEnd - bStart) return false;
  const [left, right] = [a.bytes, b.bytes];
  for (let i = aStart, j = bStart; i < aEnd; i++, j++) if (left[i] !== right[j]) return false;
  return true;
}
