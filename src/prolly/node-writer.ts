/**
 * Making nodes: the other half of node.ts, which has the format.
 */
import { ByteWriter, compareRanges } from '../bytes.ts';
import { HASH_BYTES, type Hash, hashOf, hashToBytes } from '../hash.ts';
import { FLAG_REFERS, NODE_KIND, NODE_VERSION, type Node, type NodeRef } from './node.ts';

/** Writers that wait for another tree, by level: their buffers are large beside one edit. */
const FREE: NodeWriter[][] = [];
const KEPT_WRITERS = 4;

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

  /** An empty one, with buffers that were used before where there are any. */
  static reuse(level: number): NodeWriter {
    return FREE[level]?.pop() ?? new NodeWriter(level);
  }

  /** Lends the buffers of a writer that nobody uses any more to the next. */
  static release(writer: NodeWriter): void {
    if (writer.count > 0) return;
    FREE[writer.level] ??= [];
    const free = FREE[writer.level];
    if (free.length < KEPT_WRITERS) free.push(writer);
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

  /**
   * Appends entries [start, end) of another leaf. All but the first share with the one before
   * them what they shared there, so their encodings are copied as they are.
   */
  copyEntries(node: Node, start: number, end: number): void {
    if (start === end) return;
    this.copyKeys(node, start, end);
    const { bytes, values } = node;
    for (let i = start; i < end; i++) {
      this.valueLengths.varint(values[i + 1] - values[i]);
      if (values[i + 1] > values[i]) this.flags |= bytes[values[i]] & FLAG_REFERS;
    }
    this.values.raw(bytes, values[start], values[end]);
    this.rows += end - start;
  }

  /** Appends children [start, end) of another internal node; `flags` are theirs together. */
  copyChildren(node: Node, start: number, end: number, flags: number): void {
    if (start === end) return;
    this.copyKeys(node, start, end);
    const at = node.hashesAt;
    this.values.raw(node.bytes, at + start * HASH_BYTES, at + end * HASH_BYTES);
    for (let i = start; i < end; i++) {
      this.valueLengths.varint(node.childRows[i]);
      this.childBytes.varint(node.childBytes[i]);
      this.rows += node.childRows[i];
      this.bytesBelow += node.childBytes[i];
    }
    this.flags |= flags;
  }

  private copyKeys(node: Node, start: number, end: number): void {
    const { bytes: whole, offsets } = node.wholeKeys;
    this.addKey(whole, offsets[start], offsets[start + 1]);
    if (end === start + 1) return;
    const rest = node.encodedKeys(start + 1, end);
    if (rest === undefined) {
      for (let i = start + 1; i < end; i++) this.addKey(whole, offsets[i], offsets[i + 1]);
      return;
    }
    const count = end - start - 1;
    this.shared.raw(node.bytes, rest.sharedAt, rest.sharedAt + count);
    this.own.raw(node.bytes, rest.ownAt, rest.ownAt + count);
    this.keys.raw(node.bytes, rest.from, rest.to);
    this.last.clear().raw(whole, rest.lastFrom, rest.lastTo);
    this.count += count;
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

  get refers(): boolean {
    return (this.flags & FLAG_REFERS) !== 0;
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
