/**
 * Counts the chunks of a pack as it goes by (layout: sync/pack.ts): reads frame lengths and
 * types and passes over the rest. For counters only; bytes that are no pack count as nothing.
 */
import { FRAME_TYPES } from '../sync/pack.ts';

/** Magic and version. */
const HEAD_BYTES = 5;
const MAX_VARINT_BYTES = 5;

export class PackMeter {
  chunks = 0;
  #skip = HEAD_BYTES;
  #length = 0;
  #lengthBytes = 0;
  #expectsType = false;
  #isOver = false;

  add(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length && !this.#isOver; ) {
      if (this.#skip > 0) {
        const passed = Math.min(this.#skip, bytes.length - at);
        this.#skip -= passed;
        at += passed;
      } else if (this.#expectsType) this.#takeType(bytes[at++]);
      else this.#takeLength(bytes[at++]);
    }
  }

  #takeLength(byte: number): void {
    this.#length += (byte & 0x7f) * 2 ** (7 * this.#lengthBytes++);
    if (byte < 0x80) this.#expectsType = true;
    else this.#isOver = this.#lengthBytes === MAX_VARINT_BYTES;
  }

  #takeType(type: number): void {
    if (type === FRAME_TYPES.chunk) this.chunks++;
    this.#isOver = this.#length === 0 || type === FRAME_TYPES.trailer;
    this.#skip = this.#length - 1;
    this.#length = 0;
    this.#lengthBytes = 0;
    this.#expectsType = false;
  }
}
