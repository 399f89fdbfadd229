/**
 * JSON tokens (RFC 8259) over a byte window that ends with a zero byte, which no token may
 * contain: every method stops there by itself. A method gets an offset and answers the offset
 * behind what it read, or -1 after setting `failedAt` and `reason`; a failure at the window's
 * end means that the bytes ran out, and the caller decides whether more will come.
 *
 * Used by json-record.ts and json-reader.ts.
 */

export const SPACE = 0x20;
export const LF = 0x0a;
export const CR = 0x0d;
export const TAB = 0x09;
export const QUOTE = 0x22;
export const BACKSLASH = 0x5c;
export const SLASH = 0x2f;
export const COMMA = 0x2c;
export const COLON = 0x3a;
export const OPEN_OBJECT = 0x7b;
export const CLOSE_OBJECT = 0x7d;
export const OPEN_ARRAY = 0x5b;
export const CLOSE_ARRAY = 0x5d;

/** What the last string contained, as bits. */
export const HAS_ESCAPE = 1;
export const HAS_LONE_SURROGATE = 2;
export const HAS_UNICODE_ESCAPE = 4;
export const HAS_SLASH_ESCAPE = 8;

/** SQLite, which evaluates conditions over JSON cells, goes no deeper. */
export const MAX_DEPTH = 1000;
/** Numbers with more exponent digits have no numeric type (see tuple/cell-type.ts). */
const MAX_EXPONENT_DIGITS = 9;

const WORDS: Readonly<Record<number, Uint8Array>> = {
  116: Buffer.from('true'),
  102: Buffer.from('false'),
  110: Buffer.from('null'),
};

/** 1 for bytes that stand for themselves inside a string. */
const PLAIN = new Uint8Array(256).fill(1, 0x20);
PLAIN[QUOTE] = 0;
PLAIN[BACKSLASH] = 0;

export class TokenScanner {
  bytes: Uint8Array = new Uint8Array(1);
  /** Offset in the file of bytes[0]. */
  base = 0;
  /** 1-based line of the last white space passed, and the file offset that line starts at. */
  line = 1;
  lineStart = 0;
  failedAt = 0;
  reason = '';
  /** HAS_... bits of the string read last. */
  traits = 0;
  /** The nested value read last had white space between its tokens. */
  loose = false;
  /** The number read last has an exponent too long for a numeric type. */
  hugeExponent = false;

  readonly #newlineIsSpace: boolean;
  #stack = new Uint8Array(MAX_DEPTH);

  constructor(newlineIsSpace: boolean) {
    this.#newlineIsSpace = newlineIsSpace;
  }

  fail(at: number, reason: string): -1 {
    this.failedAt = at;
    this.reason = reason;
    return -1;
  }

  /** Never fails. In line mode it stops at a newline. */
  space(start: number): number {
    const b = this.bytes;
    let at = start;
    for (;;) {
      const byte = b[at];
      if (byte === LF && this.#newlineIsSpace) {
        this.line += 1;
        this.lineStart = this.base + at + 1;
      } else if (byte !== SPACE && byte !== CR && byte !== TAB) return at;
      at += 1;
    }
  }

  /** From behind the opening quote to the closing quote itself; sets `traits`. */
  string(start: number): number {
    const b = this.bytes;
    let at = start;
    this.traits = 0;
    for (;;) {
      while (PLAIN[b[at]] === 1) at += 1;
      if (b[at] === QUOTE) return at;
      if (b[at] !== BACKSLASH) return this.fail(at, 'a control character inside a string');
      at = this.#escape(at + 1);
      if (at < 0) return -1;
    }
  }

  /** From behind a backslash. */
  #escape(at: number): number {
    const b = this.bytes;
    this.traits |= HAS_ESCAPE;
    switch (b[at]) {
      case SLASH:
        this.traits |= HAS_SLASH_ESCAPE;
        return at + 1;
      case QUOTE:
      case BACKSLASH:
      case 0x62: // b
      case 0x66: // f
      case 0x6e: // n
      case 0x72: // r
      case 0x74: // t
        return at + 1;
      case 0x75: // u
        return this.#unicodeEscape(at + 1);
      default:
        return this.fail(at, 'an unknown escape in a string');
    }
  }

  /** From behind `\u`; takes both halves of a surrogate pair. */
  #unicodeEscape(at: number): number {
    const unit = this.#hex(at);
    if (unit < 0) return -1;
    if (unit >= 0x80) this.traits |= HAS_UNICODE_ESCAPE;
    if (unit < 0xd800 || unit > 0xdfff) return at + 4;
    const b = this.bytes;
    if (unit < 0xdc00 && b[at + 4] === BACKSLASH && b[at + 5] === 0x75) {
      const low = this.#hex(at + 6);
      if (low < 0) return -1;
      if (low >= 0xdc00 && low <= 0xdfff) return at + 10;
    }
    this.traits |= HAS_LONE_SURROGATE;
    return at + 4;
  }

  #hex(at: number): number {
    let unit = 0;
    for (let i = at; i < at + 4; i++) {
      const digit = hexDigit(this.bytes[i]);
      if (digit < 0) return this.fail(i, 'a \\u escape without four hexadecimal digits');
      unit = unit * 16 + digit;
    }
    return unit;
  }

  /** `start` is a digit or a minus; sets `hugeExponent`. */
  number(start: number): number {
    const b = this.bytes;
    let at = b[start] === 0x2d ? start + 1 : start;
    const first = at;
    while ((b[at] - 0x30) >>> 0 <= 9) at += 1;
    if (at === first) return this.fail(at, 'a minus sign without a number');
    if (b[first] === 0x30 && at - first > 1) {
      return this.fail(first + 1, 'a number with a leading zero');
    }
    this.hugeExponent = false;
    if (b[at] === 0x2e) {
      const fraction = ++at;
      while ((b[at] - 0x30) >>> 0 <= 9) at += 1;
      if (at === fraction) return this.fail(at, 'a number that ends with its point');
    }
    return b[at] === 0x65 || b[at] === 0x45 ? this.#exponent(at + 1) : at;
  }

  #exponent(start: number): number {
    const b = this.bytes;
    let at = b[start] === 0x2b || b[start] === 0x2d ? start + 1 : start;
    const first = at;
    while ((b[at] - 0x30) >>> 0 <= 9) at += 1;
    if (at === first) return this.fail(at, 'a number without digits in its exponent');
    this.hugeExponent = at - first > MAX_EXPONENT_DIGITS;
    return at;
  }

  /** `true`, `false` or `null`, by the letter at `start`. */
  word(start: number): number {
    const b = this.bytes;
    const word = WORDS[b[start]];
    for (let i = 1; i < word.length; i++) {
      if (b[start + i] !== word[i]) return this.fail(start + i, 'an unknown word');
    }
    return start + word.length;
  }

  /** An object or array, from its opening bracket; sets `loose`. */
  nested(start: number): number {
    const b = this.bytes;
    let at = start;
    let depth = 0;
    this.loose = false;
    for (;;) {
      // 1. A value starts here.
      const first = b[at];
      if (first === OPEN_OBJECT || first === OPEN_ARRAY) {
        if (depth === MAX_DEPTH) return this.fail(at, `nesting deeper than ${MAX_DEPTH}`);
        this.#stack[depth++] = first;
        at = this.#gap(at + 1);
        if (b[at] === first + 2) {
          at += 1;
          depth -= 1;
        } else {
          if (first === OPEN_OBJECT) at = this.#nestedName(at);
          if (at < 0) return -1;
          continue;
        }
      } else {
        at = this.scalar(at);
        if (at < 0) return -1;
      }
      // 2. A value has ended: close brackets until the next value.
      for (;;) {
        if (depth === 0) return at;
        at = this.#gap(at);
        const open = this.#stack[depth - 1];
        if (b[at] === open + 2) {
          at += 1;
          depth -= 1;
          continue;
        }
        if (b[at] !== COMMA) return this.fail(at, separatorReason(open));
        at = this.#gap(at + 1);
        if (open === OPEN_OBJECT) at = this.#nestedName(at);
        if (at < 0) return -1;
        break;
      }
    }
  }

  /** A string, number or word; the offset behind it. */
  scalar(at: number): number {
    const byte = this.bytes[at];
    if (byte === QUOTE) {
      const end = this.string(at + 1);
      return end < 0 ? -1 : end + 1;
    }
    if (byte === 0x2d || (byte - 0x30) >>> 0 <= 9) return this.number(at);
    if (WORDS[byte] !== undefined) return this.word(at);
    return this.fail(at, 'expected a value');
  }

  #nestedName(at: number): number {
    if (this.bytes[at] !== QUOTE) return this.fail(at, 'expected a name in quotes');
    const end = this.string(at + 1);
    if (end < 0) return -1;
    const colon = this.#gap(end + 1);
    if (this.bytes[colon] !== COLON) return this.fail(colon, 'expected a colon behind a name');
    return this.#gap(colon + 1);
  }

  #gap(at: number): number {
    if (this.bytes[at] > SPACE) return at;
    const behind = this.space(at);
    if (behind > at) this.loose = true;
    return behind;
  }
}

function separatorReason(open: number): string {
  return open === OPEN_OBJECT ? 'expected a comma or "}"' : 'expected a comma or "]"';
}

/** The value of a hexadecimal digit, or -1. */
export function hexDigit(byte: number): number {
  if ((byte - 0x30) >>> 0 <= 9) return byte - 0x30;
  const letter = (byte | 0x20) - 0x61;
  return letter >>> 0 <= 5 ? letter + 10 : -1;
}
