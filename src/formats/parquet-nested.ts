/**
 * Nested Parquet columns as JSON text, put together entry by entry from the leaves below them:
 * a list is an array, a struct an object with all its fields, a map an object with its keys as
 * names, in the order of the file. Nothing is lost between null, an empty list and a list of
 * null. Numbers are bare, except NaN and Infinity; everything else is a string.
 *
 * Source: the record assembly of Dremel (Melnik et al., VLDB 2010).
 */
import type { ByteWriter } from '../bytes.ts';
import { StringStyle, writeString } from './json-text.ts';
import { isQuoted } from './parquet-kinds.ts';
import type { LeafCursor } from './parquet-leaf.ts';
import { elementField, type Field } from './parquet-schema.ts';

const STYLE = new StringStyle({});
const NULL = Buffer.from('null');
const LAST_OF_NAN = 0x4e;
const LAST_OF_INFINITY = 0x79;

export class NestedColumn {
  readonly #root: Node;

  constructor(field: Field, cursors: readonly LeafCursor[]) {
    this.#root = new Node(field, cursors);
  }

  /** Appends the JSON text of the row at hand and moves on; false, and nothing, where null. */
  write(out: ByteWriter): boolean {
    if (this.#root.isNull) {
      this.#root.skip();
      return false;
    }
    this.#root.write(out);
    return true;
  }
}

class Node {
  readonly #field: Field;
  /** The leaves below; the first one's levels stand for all. */
  readonly #cursors: readonly LeafCursor[];
  readonly #first: LeafCursor;
  readonly #children: readonly Node[];
  /** The name and a colon, as JSON. */
  readonly #name: Uint8Array;
  readonly #quoted: boolean;
  /** Of a list: its elements are the children of the repeated field, not itself. */
  readonly #unwraps: boolean;

  constructor(field: Field, cursors: readonly LeafCursor[]) {
    this.#field = field;
    this.#cursors = field.leaves.map((leaf) => cursors[leaf.index]);
    this.#first = this.#cursors[0];
    this.#children = field.children.map((child) => new Node(child, cursors));
    this.#name = Buffer.from(`${JSON.stringify(field.name)}:`);
    this.#quoted = field.shape !== 'leaf' || isQuoted(field.leaves[0].kind);
    this.#unwraps = field.shape === 'list' && elementField(field) !== undefined;
  }

  get isNull(): boolean {
    return this.#field.repetition === 'OPTIONAL' && this.#first.def < this.#field.def;
  }

  skip(): void {
    for (const cursor of this.#cursors) cursor.next();
  }

  write(out: ByteWriter): void {
    if (this.isNull) {
      out.raw(NULL);
      this.skip();
    } else if (this.#field.repetition === 'REPEATED') {
      this.#writeAll(out, '[]', () => this.#writeContent(out));
    } else {
      this.#writeContent(out);
    }
  }

  /** The occurrences of this repeated field, in brackets. */
  #writeAll(out: ByteWriter, brackets: string, writeOne: () => void): void {
    out.u8(brackets.charCodeAt(0));
    if (this.#first.def < this.#field.def) {
      this.skip();
    } else {
      for (let more = false; ; more = true) {
        if (more) out.u8(0x2c);
        writeOne();
        if (this.#first.rep !== this.#field.rep) break;
      }
    }
    out.u8(brackets.charCodeAt(1));
  }

  #writeContent(out: ByteWriter): void {
    const [only] = this.#children;
    const { shape } = this.#field;
    if (shape === 'leaf') this.#writeLeaf(out);
    else if (shape === 'struct') this.#writeStruct(out);
    else if (shape === 'map') only.#writeAll(out, '{}', () => only.#writeEntry(out));
    else if (this.#unwraps) only.#writeAll(out, '[]', () => only.#children[0].write(out));
    else only.#writeAll(out, '[]', () => only.#writeContent(out));
  }

  #writeStruct(out: ByteWriter): void {
    out.u8(0x7b);
    this.#children.forEach((child, i) => {
      if (i > 0) out.u8(0x2c);
      out.raw(child.#name);
      child.write(out);
    });
    out.u8(0x7d);
  }

  /** One key and value of a map; `this` is its repeated field. */
  #writeEntry(out: ByteWriter): void {
    const [key, value] = this.#children;
    const cursor = key.#first;
    if (key.isNull) out.raw(Buffer.from('"null"'));
    else writeString(out, cursor.bytes, cursor.start, cursor.end, STYLE);
    key.skip();
    out.u8(0x3a);
    if (value === undefined) out.raw(NULL);
    else value.write(out);
  }

  #writeLeaf(out: ByteWriter): void {
    const { bytes, start, end } = this.#first;
    const last = bytes[end - 1];
    if (!this.#quoted && last !== LAST_OF_NAN && last !== LAST_OF_INFINITY)
      out.raw(bytes, start, end);
    else writeString(out, bytes, start, end, STYLE);
    this.#first.next();
  }
}
