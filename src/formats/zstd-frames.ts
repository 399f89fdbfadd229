/**
 * Finds where the frames of a zstd file end, without decompressing. The decompressor of
 * `node:zlib` stops behind the first frame and takes a frame cut off between two blocks for
 * a whole one; with the frames known, all are read, and a missing end is noticed.
 *
 * Frame (RFC 8878, section 3.1), numbers little-endian:
 *
 *   size   meaning
 *   4      magic 0xFD2FB528
 *   1      descriptor: bits 7-6 size of content size, 5 single segment, 2 checksum,
 *          1-0 size of dictionary id
 *   0..13  window, dictionary id and content size, as the descriptor says
 *   3, n   a block: bit 0 last, bits 2-1 type (1: one byte, repeated), bits 23-3 size
 *   0 | 4  checksum
 *
 * A frame to be skipped: magic 0x184D2A50 to 0x184D2A5F, 4 bytes of size, that many bytes.
 */

const MAGIC = 0xfd2fb528;
const SKIPPABLE = 0x184d2a5;
const DICTIONARY_ID = [0, 1, 2, 4];
const CONTENT_SIZE = [0, 2, 4, 8];

type State = 'magic' | 'skip-size' | 'descriptor' | 'block-header' | 'pass' | 'bad';

export class ZstdFrames {
  #state: State = 'magic';
  /** Bytes of the field that is being read: so far, and in all. */
  #field = Buffer.alloc(4);
  #have = 0;
  #want = 4;
  /** While passing bytes: how many more, and what comes then. */
  #left = 0;
  #then: State = 'magic';
  #checksum = 0;
  #inFrame = false;

  /** True between frames: the file may end here. */
  get whole(): boolean {
    return !this.#inFrame && this.#have === 0;
  }

  /** True behind bytes that cannot start a frame. */
  get bad(): boolean {
    return this.#state === 'bad';
  }

  /** Offset in `bytes`, read from `from` on, where the current frame ends; or bytes.length. */
  advance(bytes: Uint8Array, from: number): number {
    let at = from;
    while (at < bytes.length && this.#state !== 'bad') {
      const wasInFrame = this.#inFrame;
      at = this.#state === 'pass' ? this.#pass(bytes, at) : this.#collect(bytes, at);
      if (wasInFrame && !this.#inFrame) return at;
    }
    return at;
  }

  #pass(bytes: Uint8Array, at: number): number {
    const step = Math.min(this.#left, bytes.length - at);
    this.#left -= step;
    if (this.#left === 0) this.#enter(this.#then);
    return at + step;
  }

  #collect(bytes: Uint8Array, at: number): number {
    this.#field[this.#have++] = bytes[at];
    if (this.#have === this.#want) this.#interpret(this.#field.readUIntLE(0, this.#want));
    return at + 1;
  }

  #interpret(value: number): void {
    if (this.#state === 'skip-size') this.#expect(value, 'magic');
    else if (this.#state === 'descriptor') this.#readDescriptor(value);
    else if (this.#state === 'block-header') this.#readBlock(value);
    else {
      this.#inFrame = true;
      if (value === MAGIC) this.#enter('descriptor');
      else this.#enter(value >>> 4 === SKIPPABLE ? 'skip-size' : 'bad');
    }
  }

  #readDescriptor(descriptor: number): void {
    const single = (descriptor >> 5) & 1;
    const size = CONTENT_SIZE[descriptor >> 6] || single;
    this.#checksum = descriptor & 4;
    this.#expect(1 - single + DICTIONARY_ID[descriptor & 3] + size, 'block-header');
  }

  #readBlock(header: number): void {
    const size = ((header >> 1) & 3) === 1 ? 1 : header >> 3;
    if ((header & 1) === 0) this.#expect(size, 'block-header');
    else this.#expect(size + this.#checksum, 'magic');
  }

  /** Passes `count` bytes, then goes on with `state`. */
  #expect(count: number, state: State): void {
    this.#left = count;
    this.#then = state;
    this.#enter(count === 0 ? state : 'pass');
  }

  #enter(state: State): void {
    this.#state = state;
    this.#have = 0;
    if (state === 'magic') this.#inFrame = false;
    this.#want = { descriptor: 1, 'block-header': 3 }[state as string] ?? 4;
  }
}
