/**
 * The part of a JSON file that is in memory: a stretch of bytes known to be valid UTF-8, with
 * a zero behind it. The zero is a byte that no JSON token may contain, so scanners need no
 * bounds check: whatever they look for, they stop there, and `at === end` means that the bytes
 * ran out. Bytes in front of `start` have been read and go at the next `more()`.
 *
 * Used by json-reader.ts. Memory: the largest record twice, and one piece.
 */
import { isAscii, isUtf8 } from 'node:buffer';

/** Bytes taken from the source at once; bounds a batch, whatever the source's chunks. */
const PIECE = 256 * 1024;

export class ByteWindow {
  bytes: Buffer = Buffer.alloc(PIECE * 2);
  /** First byte not read yet. */
  start = 0;
  /** Behind the last valid byte; bytes[end] is 0. */
  end = 0;
  /** Offset in the file of bytes[0]. */
  base = 0;
  /** No more bytes will come. */
  ended = false;
  /** Offset in the file of the first byte that is not UTF-8; the window ends there. */
  flaw: number | undefined;
  /** The file starts with the byte order mark of UTF-16, either way round. */
  utf16 = false;
  bom = false;
  /** No byte above 0x7f so far, a byte order mark apart. */
  ascii = true;
  /** Where the piece added last begins. */
  fresh = 0;

  readonly #open: () => AsyncIterable<Uint8Array>;
  #source: AsyncIterator<Uint8Array> | undefined;
  #chunk: Uint8Array = new Uint8Array(0);
  /** The bytes of a character whose rest has not come yet. */
  #tail: Uint8Array = new Uint8Array(0);

  constructor(open: () => AsyncIterable<Uint8Array>) {
    this.#open = open;
  }

  /** Bytes not read yet. */
  get pending(): number {
    return this.end - this.start;
  }

  /** Adds a piece; false when there is none. Every offset into `bytes` becomes invalid. */
  async more(): Promise<boolean> {
    this.#source ??= this.#open()[Symbol.asyncIterator]();
    while (this.#chunk.length === 0 && !this.ended) {
      const next = await this.#source.next();
      if (next.done) this.#finish();
      else this.#chunk = next.value;
    }
    if (this.ended) return false;
    const piece = this.#chunk.subarray(0, PIECE);
    this.#chunk = this.#chunk.subarray(piece.length);
    this.#append(piece);
    return true;
  }

  /** Gives the source back before its end. */
  async close(): Promise<void> {
    this.ended = true;
    await this.#source?.return?.();
  }

  #finish(): void {
    this.ended = true;
    if (this.#tail.length > 0) this.flaw = this.base + this.end;
  }

  #append(piece: Uint8Array): void {
    this.#makeRoom(this.#tail.length + piece.length);
    const from = this.end;
    this.fresh = from;
    this.bytes.set(this.#tail, from);
    this.bytes.set(piece, from + this.#tail.length);
    const filled = from + this.#tail.length + piece.length;
    let whole = endOfWholeCharacters(this.bytes, from, filled);
    this.#tail = Uint8Array.from(this.bytes.subarray(whole, filled));
    if (!isUtf8(this.bytes.subarray(from, whole))) {
      whole = firstFlaw(this.bytes, from, whole);
      this.flaw = this.base + whole;
      this.utf16 = this.flaw === 0 && (hasMark(this.bytes, 0xff) || hasMark(this.bytes, 0xfe));
      this.ended = true;
    }
    this.#setEnd(whole);
    if (this.ascii) this.ascii = isAscii(this.bytes.subarray(Math.max(from, this.start), whole));
  }

  /** Moves what is not read yet to the front and grows where that is not enough. */
  #makeRoom(extra: number): void {
    const rest = this.pending;
    const needed = rest + extra + 1;
    const target = needed > this.bytes.length ? Buffer.alloc(needed * 2) : this.bytes;
    this.bytes.copy(target, 0, this.start, this.end);
    this.bytes = target;
    this.base += this.start;
    this.start = 0;
    this.end = rest;
  }

  #setEnd(end: number): void {
    if (this.base === 0 && this.end === 0 && end >= 3 && hasBom(this.bytes)) {
      this.bom = true;
      this.start = 3;
    }
    this.end = end;
    this.bytes[end] = 0;
  }
}

function hasMark(bytes: Uint8Array, first: number): boolean {
  return bytes[0] === first && bytes[1] === (first ^ 1);
}

function hasBom(bytes: Uint8Array): boolean {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
}

/** Bytes of the character that starts with `byte`; 0 where none does. */
function characterSize(byte: number): number {
  if (byte < 0x80) return 1;
  if (byte < 0xc0) return 0;
  return byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : byte < 0xf8 ? 4 : 0;
}

/** Leaves out the beginning of a character whose rest lies behind `end`. */
function endOfWholeCharacters(bytes: Uint8Array, start: number, end: number): number {
  for (let at = end - 1; at >= Math.max(start, end - 3); at--) {
    const size = characterSize(bytes[at]);
    if (size > 0) return size > end - at ? at : end;
  }
  return end;
}

function firstFlaw(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end) {
    const size = characterSize(bytes[at]);
    if (size === 0 || at + size > end || !isUtf8(bytes.subarray(at, at + size))) break;
    at += size;
  }
  return at;
}
