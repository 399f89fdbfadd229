/**
 * A text file as blocks of valid UTF-8: reads a source into a buffer of our own, strips the
 * byte order mark, transcodes Latin-1, and refuses NUL bytes and bytes that are not UTF-8
 * with their offset and line. What a block holds depends on the file alone, never on how
 * the source cuts it into pieces. Used by the CSV reader.
 *
 * Invariant: bytes[start .. end) has been read and not consumed; bytes[end] is room for a
 * sentinel; all but an unfinished character at the very end has been checked.
 */
import { isUtf8 } from 'node:buffer';
import { DvError } from '../errors.ts';
import type { ByteSource } from './contract.ts';
import {
  countLines,
  type Encoding,
  firstFlaw,
  fromLatin1,
  startsWithMark,
  unfinishedBytes,
} from './text-encoding.ts';

const NO_BYTES = new Uint8Array(0);

export interface TextBlockOptions {
  readonly encoding: Encoding;
  /** Bytes read at a time. */
  readonly size: number;
  /** Bytes up to which the buffer grows for a record that does not fit. */
  readonly limit: number;
}

export class TextBlock {
  bytes: Buffer;
  start = 0;
  end = 0;
  /** Nothing comes after `end`. */
  atEnd = false;
  /** Line (1-based) that `start` is on; whoever moves `start` keeps it right. */
  line = 1;
  /** The last byte read so far; -1: none. */
  lastByte = -1;
  /** The file began with a UTF-8 byte order mark; it is not in `bytes`. */
  bom = false;

  readonly #name: string;
  readonly #encoding: Encoding;
  readonly #limit: number;
  readonly #pieces: AsyncIterator<Uint8Array>;
  #piece: Uint8Array = NO_BYTES;
  /** Up to here bytes have been checked. */
  #checked = 0;
  /** Offset in the file of bytes[0]. */
  #base = 0;

  constructor(source: ByteSource, options: TextBlockOptions) {
    this.#name = source.name;
    this.#encoding = options.encoding;
    this.#limit = options.limit;
    this.#pieces = source.stream()[Symbol.asyncIterator]();
    this.bytes = Buffer.allocUnsafe(options.size + 1);
  }

  /**
   * Reads until the buffer is full or the file ends. What was not consumed moves to the
   * front; when nothing was, the buffer doubles.
   * @throws DvError `record-too-large`, `invalid-utf8`, `nul-byte`
   */
  async fill(): Promise<void> {
    this.#makeRoom();
    const capacity = this.bytes.length - 1;
    while (this.end < capacity && !this.atEnd) {
      if (this.#piece.length === 0) await this.#nextPiece();
      const part = this.#piece.subarray(0, capacity - this.end);
      this.bytes.set(part, this.end);
      this.end += part.length;
      this.#piece = this.#piece.subarray(part.length);
    }
    if (this.end > 0) this.lastByte = this.bytes[this.end - 1];
    if (this.#base === 0 && this.#checked === 0) this.#readMark();
    this.#check();
  }

  /** Bytes before `start`, without the byte order mark. */
  get consumed(): number {
    return this.#base + this.start - (this.bom ? 3 : 0);
  }

  /** Consumes `count` bytes, filling as needed; only bytes that have been checked go. */
  async skip(count: number): Promise<void> {
    let left = count;
    for (;;) {
      const step = Math.min(left, this.#checked - this.start);
      this.start += step;
      left -= step;
      if (left === 0 || this.atEnd) return;
      await this.fill();
    }
  }

  /** Lets go of the source; needed where it was not read to its end. */
  async close(): Promise<void> {
    await this.#pieces.return?.();
  }

  #makeRoom(): void {
    if (this.start > 0) {
      this.bytes.copyWithin(0, this.start, this.end);
      this.#base += this.start;
      this.#checked -= this.start;
      this.end -= this.start;
      this.start = 0;
    } else if (this.end === this.bytes.length - 1) {
      if (this.end >= this.#limit) throw this.#tooLarge();
      const grown = Buffer.allocUnsafe(Math.min(this.end * 2, this.#limit) + 1);
      grown.set(this.bytes.subarray(0, this.end));
      this.bytes = grown;
    }
  }

  async #nextPiece(): Promise<void> {
    const { done, value } = await this.#pieces.next();
    if (done) this.atEnd = true;
    else this.#piece = this.#encoding === 'latin1' ? fromLatin1(value) : value;
  }

  /** At the start of the file: consumes a UTF-8 mark, refuses a UTF-16 one. */
  #readMark(): void {
    if (this.#encoding === 'latin1' || this.end < 2) return;
    const [a, b] = this.bytes;
    if ((a === 0xff && b === 0xfe) || (a === 0xfe && b === 0xff)) throw this.#utf16();
    if (this.end < 3 || !startsWithMark(this.bytes, 0)) return;
    this.bom = true;
    this.start = 3;
    this.#checked = 3;
  }

  #check(): void {
    const until = this.atEnd ? this.end : this.end - unfinishedBytes(this.bytes, this.end);
    const fresh = this.bytes.subarray(this.#checked, until);
    const nul = fresh.indexOf(0);
    if (!isUtf8(fresh)) {
      const flaw = firstFlaw(fresh);
      if (nul === -1 || flaw < nul) throw this.#invalid(this.#checked + flaw);
    }
    if (nul !== -1) throw this.#nul(this.#checked + nul);
    this.#checked = until;
  }

  #lineOf(at: number): number {
    return this.line + countLines(this.bytes.subarray(this.start, at));
  }

  #invalid(at: number): DvError {
    const line = this.#lineOf(at);
    const byte = this.bytes[at].toString(16).padStart(2, '0');
    const offset = this.#base + at;
    return new DvError(
      'invalid-utf8',
      `"${this.#name}" is not UTF-8: byte 0x${byte} at offset ${offset}, on line ${line}`,
      {
        hint: 'if it is Latin-1, add --encoding latin1; else convert it to UTF-8',
        data: { file: this.#name, line, offset },
      },
    );
  }

  #utf16(): DvError {
    return new DvError('invalid-utf8', `"${this.#name}" is UTF-16, not UTF-8`, {
      hint: 'convert it: iconv -f UTF-16 -t UTF-8 FILE > NEW',
      data: { file: this.#name, line: 1, offset: 0 },
    });
  }

  #nul(at: number): DvError {
    const line = this.#lineOf(at);
    return new DvError('nul-byte', `"${this.#name}" has a NUL byte on line ${line}`, {
      hint: 'is it text? UTF-16 files: iconv -f UTF-16 -t UTF-8 FILE > NEW',
      data: {
        file: this.#name,
        line,
        ...(this.#encoding === 'latin1' ? {} : { offset: this.#base + at }),
      },
    });
  }

  #tooLarge(): DvError {
    return new DvError(
      'record-too-large',
      `"${this.#name}" has a record of more than ${this.#limit} bytes on line ${this.line}`,
      {
        hint: 'look for a quote that is never closed',
        data: { file: this.#name, line: this.line, limit: this.#limit },
      },
    );
  }
}
