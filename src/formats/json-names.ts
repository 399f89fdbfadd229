/**
 * The member names of a JSON table, in order of first appearance, found by their bytes: a guess
 * is compared in place, anything else goes through a hash table. No strings are made.
 *
 * Used by json-record.ts.
 */
import { ByteWriter } from '../bytes.ts';
import { BACKSLASH, QUOTE } from './json-tokens.ts';

export class NameTable {
  readonly list: string[] = [];
  /** All names one behind the other: name i is bytes[starts[i] .. starts[i + 1]). */
  readonly #store = new ByteWriter(1024);
  readonly #starts: number[] = [0];
  /** Whether the name is written in JSON just as it is, so that raw bytes may be compared. */
  readonly #plain: boolean[] = [];
  /** Open addressing: name index + 1, or 0. */
  #slots = new Int32Array(64);

  get count(): number {
    return this.list.length;
  }

  /**
   * Whether name `index` stands in quotes in `b`, its first byte at `at`: the offset of the
   * closing quote, or -1. `b` must end with a byte that no plain name contains.
   */
  matches(index: number, b: Uint8Array, at: number): number {
    if (!this.#plain[index]) return -1;
    const store = this.#store.bytes;
    const start = this.#starts[index];
    const size = this.#starts[index + 1] - start;
    for (let i = 0; i < size; i++) if (b[at + i] !== store[start + i]) return -1;
    return b[at + size] === QUOTE ? at + size : -1;
  }

  /** Index of the name b[start..end), unescaped; -1 when it is new. */
  find(b: Uint8Array, start: number, end: number): number {
    const mask = this.#slots.length - 1;
    for (let slot = hash(b, start, end) & mask; ; slot = (slot + 1) & mask) {
      const index = this.#slots[slot] - 1;
      if (index < 0 || this.#equals(index, b, start, end)) return index;
    }
  }

  /** Appends a name that `find` does not know; its index. */
  add(b: Uint8Array, start: number, end: number): number {
    const index = this.list.length;
    this.#store.raw(b, start, end);
    this.#starts.push(this.#store.length);
    this.#plain.push(isPlain(b, start, end));
    this.list.push(Buffer.from(b.buffer, b.byteOffset + start, end - start).toString());
    if (this.list.length * 2 > this.#slots.length) this.#rehash(this.#slots.length * 2);
    else this.#enter(index);
    return index;
  }

  #equals(index: number, b: Uint8Array, start: number, end: number): boolean {
    const own = this.#starts[index];
    if (this.#starts[index + 1] - own !== end - start) return false;
    const store = this.#store.bytes;
    for (let i = 0; i < end - start; i++) if (store[own + i] !== b[start + i]) return false;
    return true;
  }

  #rehash(size: number): void {
    this.#slots = new Int32Array(size);
    for (let index = 0; index < this.list.length; index++) this.#enter(index);
  }

  #enter(index: number): void {
    const mask = this.#slots.length - 1;
    const code = hash(this.#store.bytes, this.#starts[index], this.#starts[index + 1]);
    let slot = code & mask;
    while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
    this.#slots[slot] = index + 1;
  }
}

/** FNV-1a, its high bits folded in. */
function hash(b: Uint8Array, start: number, end: number): number {
  let code = 0x811c9dc5;
  for (let i = start; i < end; i++) code = Math.imul(code ^ b[i], 0x01000193);
  return code ^ (code >>> 15);
}

function isPlain(b: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) {
    if (b[i] < 0x20 || b[i] === QUOTE || b[i] === BACKSLASH) return false;
  }
  return true;
}
