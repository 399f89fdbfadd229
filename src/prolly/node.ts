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
import { ByteReader, ByteWriter, compareRanges } from '../bytes.ts';
import { DvError } from '../errors.ts';
import { HASH_BYTES, type Hash, hashFromBytes, hashOf, hashToBytes } from '../hash.ts';

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

/** A decoded node: keys put together, values and hashes views into its chunk. */
export class Node {
  readonly bytes: Uint8Array;
  readonly level: number;
  readonly flags: number;
  readonly count: number;
  /** Whole keys; key i is keyBytes[keys[i] .. keys[i + 1]). */
  private readonly keyBytes: Uint8Array;
  private readonly keys: Uint32Array;
  /** Leaf: count + 1 offsets of values. */
  private readonly values: Uint32Array;
  private readonly hashesAt: number = 0;
  private readonly childRows: Float64Array;
  private readonly childBytes: Float64Array;

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
    const shared = readNumbers(reader, count);
    const own = readNumbers(reader, count);
    const isLeaf = this.level === 0;
    this.values = isLeaf ? offsetsOf(readNumbers(reader, count)) : NO_OFFSETS;
    [this.keyBytes, this.keys] = joinKeys(reader, shared, own);
    this.childRows = isLeaf ? NO_NUMBERS : new Float64Array(count);
    this.childBytes = isLeaf ? NO_NUMBERS : new Float64Array(count);
    if (isLeaf) {
      const start = reader.offset;
      reader.view(this.values[count]);
      for (let i = 0; i <= count; i++) this.values[i] += start;
    } else {
      if (count === 0) throw new DvError('corrupt', 'internal node without children');
      this.hashesAt = reader.offset;
      reader.view(count * HASH_BYTES);
      for (let i = 0; i < count; i++) this.childRows[i] = reader.varint();
      for (let i = 0; i < count; i++) this.childBytes[i] = reader.varint();
    }
    if (reader.remaining > 0) throw new DvError('corrupt', 'tree node has the wrong length');
  }

  key(index: number): Uint8Array {
    return this.keyBytes.subarray(this.keys[index], this.keys[index + 1]);
  }

  value(index: number): Uint8Array {
    return this.bytes.subarray(this.values[index], this.values[index + 1]);
  }

  childHash(index: number): Hash {
    return hashFromBytes(this.bytes, this.hashesAt + index * HASH_BYTES);
  }

  child(index: number): NodeRef {
    return {
      key: this.key(index),
      hash: this.childHash(index),
      rows: this.childRows[index],
      bytes: this.childBytes[index],
    };
  }

  /** Undefined for the empty leaf only. */
  get lastKey(): Uint8Array | undefined {
    return this.count === 0 ? undefined : this.key(this.count - 1);
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
    return compareRanges(this.keyBytes, this.keys[index], this.keys[index + 1], key, 0, key.length);
  }

  /** Compares key `index` with key `other` of another node. */
  compareKeyTo(index: number, node: Node, other: number): number {
    const { keyBytes, keys } = node;
    const [start, end] = [keys[other], keys[other + 1]];
    return compareRanges(
      this.keyBytes,
      this.keys[index],
      this.keys[index + 1],
      keyBytes,
      start,
      end,
    );
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

function newerNode(version: number): DvError {
  return new DvError('newer-format', `tree node has version ${version}, this dv knows 1`, {
    hint: 'use a newer dv',
  });
}

const NO_OFFSETS = new Uint32Array(1);
const NO_NUMBERS = new Float64Array(0);

function readNumbers(reader: ByteReader, count: number): Uint32Array {
  const numbers = new Uint32Array(count);
  for (let i = 0; i < count; i++) {
    const number = reader.varint();
    if (number > reader.bytes.length) throw new DvError('corrupt', 'tree node ends too early');
    numbers[i] = number;
  }
  return numbers;
}

function offsetsOf(lengths: Uint32Array): Uint32Array {
  const offsets = new Uint32Array(lengths.length + 1);
  for (let i = 0; i < lengths.length; i++) offsets[i + 1] = offsets[i] + lengths[i];
  return offsets;
}

/** Whole keys out of shared and own parts; every shared part must be as long as it can. */
function joinKeys(
  reader: ByteReader,
  shared: Uint32Array,
  own: Uint32Array,
): [Uint8Array, Uint32Array] {
  const keys = new Uint32Array(shared.length + 1);
  for (let i = 0; i < shared.length; i++) keys[i + 1] = keys[i] + shared[i] + own[i];
  const total = keys[shared.length];
  if (total > MAX_KEY_BYTES_TOTAL) throw new DvError('corrupt', 'tree node has impossible keys');
  const bytes = Buffer.allocUnsafe(total);
  for (let i = 0; i < shared.length; i++) {
    const [at, common] = [keys[i], shared[i]];
    const before = i === 0 ? 0 : keys[i - 1];
    if (common > at - before) throw new DvError('corrupt', 'a key shares more than there is');
    bytes.copyWithin(at, before, before + common);
    bytes.set(reader.view(own[i]), at + common);
    const longer =
      common < at - before && own[i] > 0 && bytes[before + common] === bytes[at + common];
    if (longer) throw new DvError('corrupt', 'a key shares less than it could');
  }
  return [bytes, keys];
}

/** Keys of a node, put together: bounds what a hostile chunk can make us allocate. */
const MAX_KEY_BYTES_TOTAL = 64 * 1024 * 1024;

/** Collects the entries of one node, then encodes them. Reused from node to node. */
export class NodeWriter {
  readonly level: number;
  count = 0;
  private readonly shared = new ByteWriter(512);
  private readonly own = new ByteWriter(512);
  private readonly valueLengths = new ByteWriter(512);
  private readonly keys = new ByteWriter(16384);
  /** Values so far. A caller may append the next one here itself, then `addWritten`. */
  readonly values = new ByteWriter(32768);
  private readonly childBytes = new ByteWriter(512);
  /** The key added last: what the next one shares bytes with. */
  private readonly last = new ByteWriter(256);
  private flags = 0;
  private rows = 0;
  private bytesBelow = 0;

  constructor(level: number) {
    this.level = level;
  }

  /** Appends a leaf entry: key is source[start..keyEnd), value source[keyEnd..end). */
  addEntry(source: Uint8Array, start: number, keyEnd: number, end: number): void {
    this.addKey(source, start, keyEnd);
    this.addValue(source, keyEnd, end);
  }

  /** Appends a leaf entry whose key and value lie apart. */
  addPair(key: Uint8Array, value: Uint8Array): void {
    this.addKey(key, 0, key.length);
    this.addValue(value, 0, value.length);
  }

  /** Appends a leaf entry whose value is in `values` already, from `valueStart` on. */
  addWritten(key: Uint8Array, start: number, keyEnd: number, valueStart: number): void {
    this.addKey(key, start, keyEnd);
    const { bytes, length } = this.values;
    this.valueLengths.varint(length - valueStart);
    if (length > valueStart) this.flags |= bytes[valueStart] & FLAG_REFERS;
    this.rows += 1;
  }

  private addValue(source: Uint8Array, start: number, end: number): void {
    this.valueLengths.varint(end - start);
    if (end > start) this.flags |= source[start] & FLAG_REFERS;
    this.values.raw(source, start, end);
    this.rows += 1;
  }

  /** Appends a child; `flags` are the child's. */
  addChild(ref: NodeRef, flags: number): void {
    this.addKey(ref.key, 0, ref.key.length);
    this.values.raw(hashToBytes(ref.hash));
    this.valueLengths.varint(ref.rows);
    this.childBytes.varint(ref.bytes);
    this.flags |= flags;
    this.rows += ref.rows;
    this.bytesBelow += ref.bytes;
  }

  private addKey(source: Uint8Array, start: number, end: number): void {
    const { bytes: last, length } = this.last;
    const limit = this.count === 0 ? 0 : Math.min(length, end - start);
    let common = 0;
    while (common < limit && last[common] === source[start + common]) common += 1;
    this.shared.varint(common);
    this.own.varint(end - start - common);
    this.keys.raw(source, start + common, end);
    this.last.length = common;
    this.last.raw(source, start + common, end);
    this.count += 1;
  }

  /** True when `key` (source[start..end)) sorts after everything in this node. */
  isAfterLast(source: Uint8Array, start: number, end: number): boolean {
    if (this.count === 0) return true;
    return compareRanges(source, start, end, this.last.bytes, 0, this.last.length) > 0;
  }

  /** Encodes the node and empties the writer. */
  take(): { readonly bytes: Buffer; readonly flags: number; readonly ref: Omit<NodeRef, 'hash'> } {
    const head = new ByteWriter(16).u8(NODE_KIND).u8(NODE_VERSION).u8(this.level).u8(this.flags);
    head.varint(this.count);
    const { shared, own, valueLengths, keys, values, childBytes } = this;
    const parts =
      this.level === 0
        ? [head, shared, own, valueLengths, keys, values]
        : [head, shared, own, keys, values, valueLengths, childBytes];
    const bytes = Buffer.concat(parts.map((part) => part.bytes.subarray(0, part.length)));
    const ref = {
      key: this.last.take(),
      rows: this.rows,
      bytes: this.bytesBelow + bytes.length,
    };
    const flags = this.flags;
    for (const part of parts) part.clear();
    this.last.clear();
    this.count = this.flags = this.rows = this.bytesBelow = 0;
    return { bytes, flags, ref };
  }
}

/** The chunk of the empty tree: a leaf of no entries. Readable whether it is stored or not. */
export const EMPTY_TREE_BYTES: Uint8Array = new NodeWriter(0).take().bytes;
export const EMPTY_TREE: Hash = hashOf(EMPTY_TREE_BYTES);
