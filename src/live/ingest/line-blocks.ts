/**
 * Bytes of a growing file or a pipe into blocks of lines. A line's end is a newline; in CSV
 * one that is not within quotes. A line without its newline waits for it, unless the source
 * has ended for good; one that grows beyond the limit is passed over as a flaw, its first
 * bytes kept.
 */
import type { Flaw, RecordBlock } from './record.ts';

const LF = 0x0a;
const CR = 0x0d;
const QUOTE = 0x22;
/** Bytes of a byte order mark. */
const MARK = 3;
/** Of a record that is too large. */
const KEPT = 64 * 1024;

export interface LineOptions {
  /** Newlines within quotes do not end a record. */
  readonly quotes: boolean;
  /** Largest record in bytes. */
  readonly maxRecord: number;
}

export class LineBlocks {
  readonly #options: LineOptions;
  readonly #partition: number;
  /** The beginning of a line whose end has not come. */
  #rest: Uint8Array = new Uint8Array(0);
  /** Position of the first byte of `rest`, and its line. */
  #position: number;
  #line: number;
  /** Bytes of a line beyond the limit that were let go. */
  #dropped = 0;
  /** How much of `rest` is known to hold no end. */
  #scanned = 0;
  #inQuotes = false;

  constructor(options: LineOptions, partition: number, position: number, line: number) {
    this.#options = options;
    this.#partition = partition;
    this.#position = position;
    this.#line = line;
  }

  /** Position behind the last whole line. */
  get position(): number {
    return this.#position;
  }

  get line(): number {
    return this.#line;
  }

  /** Bytes that wait for their line's end. */
  get pending(): number {
    return this.#rest.length + this.#dropped;
  }

  /** The whole lines that end within `chunk`; undefined when none does. */
  push(chunk: Uint8Array): RecordBlock | undefined {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    return this.#cut(bytes, false);
  }

  /** What is left, as a last line without its end. */
  finish(): RecordBlock | undefined {
    return this.pending === 0 ? undefined : this.#cut(this.#rest, true);
  }

  #cut(bytes: Uint8Array, final: boolean): RecordBlock | undefined {
    const block = new LineBlock(bytes, this.#partition);
    let start = 0;
    let end = this.#lineEnd(bytes, this.#scanned);
    while (end >= 0 || (final && start < bytes.length)) {
      const stop = end < 0 ? bytes.length : end;
      const next = end < 0 ? stop : end + 1;
      this.#addLine(block, bytes, start, stop, next);
      start = next;
      this.#scanned = 0;
      end = start < bytes.length ? this.#lineEnd(bytes, start) : -1;
    }
    this.#keep(bytes.subarray(start), final);
    return block.count === 0 ? undefined : block;
  }

  #addLine(block: LineBlock, bytes: Uint8Array, start: number, stop: number, next: number): void {
    const size = stop - start + this.#dropped;
    const behind = this.#position + this.#dropped + (next - start);
    const end = stop > start && bytes[stop - 1] === CR ? stop - 1 : stop;
    const tooLarge = size > this.#options.maxRecord;
    const first = this.#position === 0 && hasMark(bytes, start, end) ? start + MARK : start;
    const shown = tooLarge ? Math.min(end, first + KEPT) : end;
    block.add(first, shown, this.#position, behind, this.#line);
    if (tooLarge) block.flaw(oversized(size, this.#options.maxRecord));
    this.#dropped = 0;
    this.#position = behind;
    this.#line += 1;
  }

  /** Keeps the beginning of a line; of one that is too large only its first bytes. */
  #keep(rest: Uint8Array, final: boolean): void {
    if (final) {
      this.#rest = new Uint8Array(0);
      this.#scanned = 0;
      return;
    }
    if (rest.length + this.#dropped > this.#options.maxRecord && rest.length > KEPT) {
      this.#dropped += rest.length - KEPT;
      this.#rest = Buffer.from(rest.subarray(0, KEPT));
    } else {
      this.#rest = Buffer.from(rest);
    }
    this.#scanned = this.#rest.length;
  }

  /** Offset of the newline that ends the record; -1: it is not there yet. */
  #lineEnd(bytes: Uint8Array, from: number): number {
    if (!this.#options.quotes) return bytes.indexOf(LF, from);
    for (let at = from; at < bytes.length; at++) {
      if (bytes[at] === QUOTE) this.#inQuotes = !this.#inQuotes;
      else if (bytes[at] === LF && !this.#inQuotes) return at;
    }
    return -1;
  }
}

/** Whether the line begins with the byte order mark of UTF-8. */
function hasMark(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start < MARK) return false;
  return bytes[start] === 0xef && bytes[start + 1] === 0xbb && bytes[start + 2] === 0xbf;
}

function oversized(size: number, limit: number): Flaw {
  return {
    code: 'record-too-large',
    reason: `a record of ${size} bytes, more than ${limit}; only its beginning is kept`,
  };
}

class LineBlock implements RecordBlock {
  readonly bytes: Uint8Array;
  readonly partition: number;
  count = 0;
  starts = new Int32Array(256);
  ends = new Int32Array(256);
  positions = new Float64Array(256);
  behind = new Float64Array(256);
  lines = new Float64Array(256);
  readonly flaws = new Map<number, Flaw>();

  constructor(bytes: Uint8Array, partition: number) {
    this.bytes = bytes;
    this.partition = partition;
  }

  add(start: number, end: number, position: number, behind: number, line: number): void {
    const at = this.count++;
    if (at === this.starts.length) this.#grow();
    this.starts[at] = start;
    this.ends[at] = end;
    this.positions[at] = position;
    this.behind[at] = behind;
    this.lines[at] = line;
  }

  flaw(flaw: Flaw): void {
    this.flaws.set(this.count - 1, flaw);
  }

  #grow(): void {
    const size = this.starts.length * 2;
    const ints = (from: Int32Array) => {
      const to = new Int32Array(size);
      to.set(from);
      return to;
    };
    const floats = (from: Float64Array) => {
      const to = new Float64Array(size);
      to.set(from);
      return to;
    };
    this.starts = ints(this.starts) as Int32Array<ArrayBuffer>;
    this.ends = ints(this.ends) as Int32Array<ArrayBuffer>;
    this.positions = floats(this.positions) as Float64Array<ArrayBuffer>;
    this.behind = floats(this.behind) as Float64Array<ArrayBuffer>;
    this.lines = floats(this.lines) as Float64Array<ArrayBuffer>;
  }
}
