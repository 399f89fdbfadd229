/**
 * JSON text and plain text into one another, on bytes. Unescaping and removing white space only
 * ever shorten, so both work in place.
 *
 * `unescapeInPlace`, `compactInPlace`: for the reader. `StringStyle`, `writeString`, `writeNested`: for the
 * writer.
 */
import type { ByteWriter } from '../bytes.ts';
import {
  BACKSLASH,
  CLOSE_ARRAY,
  CLOSE_OBJECT,
  COLON,
  COMMA,
  hexDigit,
  OPEN_ARRAY,
  OPEN_OBJECT,
  QUOTE,
  SPACE,
} from './json-tokens.ts';

const REPLACEMENT = 0xfffd;

/** Letter behind a backslash to the byte it means; 0 for `u`. */
const MEANING = new Uint8Array(256);
for (const [letter, meaning] of ['""', '\\\\', '//', 'b\b', 'f\f', 'n\n', 'r\r', 't\t']) {
  MEANING[letter.charCodeAt(0)] = meaning.charCodeAt(0);
}

/**
 * Unescapes b[start..end), the inside of a valid JSON string, in place; the new end. A lone
 * surrogate, which UTF-8 cannot hold, becomes U+FFFD.
 */
export function unescapeInPlace(b: Uint8Array, start: number, end: number): number {
  let at = b.indexOf(BACKSLASH, start);
  let out = at;
  while (at < end) {
    if (b[at] !== BACKSLASH) b[out++] = b[at++];
    else if (b[at + 1] !== 0x75) {
      b[out++] = MEANING[b[at + 1]];
      at += 2;
    } else {
      const high = hexUnit(b, at + 2);
      at += 6;
      let code = high;
      if (high >= 0xd800 && high <= 0xdfff) {
        code = REPLACEMENT;
        if (high < 0xdc00 && b[at] === BACKSLASH && b[at + 1] === 0x75 && at < end) {
          const low = hexUnit(b, at + 2);
          if (low >= 0xdc00 && low <= 0xdfff) {
            code = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
            at += 6;
          }
        }
      }
      out = putCodePoint(b, out, code);
    }
  }
  return out;
}

function hexUnit(b: Uint8Array, at: number): number {
  return (
    (hexDigit(b[at]) << 12) |
    (hexDigit(b[at + 1]) << 8) |
    (hexDigit(b[at + 2]) << 4) |
    hexDigit(b[at + 3])
  );
}

function putCodePoint(b: Uint8Array, start: number, code: number): number {
  let at = start;
  if (code < 0x80) {
    b[at++] = code;
  } else if (code < 0x800) {
    b[at++] = 0xc0 | (code >> 6);
    b[at++] = 0x80 | (code & 0x3f);
  } else if (code < 0x10000) {
    b[at++] = 0xe0 | (code >> 12);
    b[at++] = 0x80 | ((code >> 6) & 0x3f);
    b[at++] = 0x80 | (code & 0x3f);
  } else {
    b[at++] = 0xf0 | (code >> 18);
    b[at++] = 0x80 | ((code >> 12) & 0x3f);
    b[at++] = 0x80 | ((code >> 6) & 0x3f);
    b[at++] = 0x80 | (code & 0x3f);
  }
  return at;
}

/** Removes the white space between the tokens of valid JSON in place; the new end. */
export function compactInPlace(b: Uint8Array, start: number, end: number): number {
  let at = start;
  let out = start;
  while (at < end) {
    const byte = b[at++];
    if (byte <= SPACE) continue;
    b[out++] = byte;
    if (byte !== QUOTE) continue;
    for (;;) {
      const inside = b[at++];
      b[out++] = inside;
      if (inside === QUOTE) break;
      if (inside === BACKSLASH) b[out++] = b[at++];
    }
  }
  return out;
}

/** Which bytes a string escapes beyond what JSON demands. */
export class StringStyle {
  /** 1 for bytes that cannot be copied. */
  readonly stops = new Uint8Array(256).fill(1, 0, 0x20);
  readonly #escapes: (Buffer | undefined)[] = [];

  constructor(options: { readonly ascii?: boolean; readonly slashes?: boolean }) {
    for (let byte = 0; byte < 0x20; byte++) this.#escapes[byte] = Buffer.from(unicode(byte));
    const letters = ['"', '\\', '\bb', '\ff', '\nn', '\rr', '\tt'];
    for (const pair of options.slashes ? [...letters, '/'] : letters) {
      this.stops[pair.charCodeAt(0)] = 1;
      this.#escapes[pair.charCodeAt(0)] = Buffer.from(`\\${pair.at(-1)}`);
    }
    if (options.ascii) this.stops.fill(1, 0x80);
  }

  /** The escape of an ASCII byte that stops. */
  escape(byte: number): Buffer {
    return this.#escapes[byte]!;
  }
}

function unicode(unit: number): string {
  return `\\u${unit.toString(16).padStart(4, '0')}`;
}

/** Appends b[start..end), UTF-8 text, as a JSON string. */
export function writeString(
  out: ByteWriter,
  b: Uint8Array,
  start: number,
  end: number,
  style: StringStyle,
): void {
  const stops = style.stops;
  out.u8(QUOTE);
  let from = start;
  let at = start;
  for (;;) {
    while (at < end && stops[b[at]] === 0) at += 1;
    out.raw(b, from, at);
    if (at >= end) break;
    if (b[at] < 0x80) {
      out.raw(style.escape(b[at]));
      at += 1;
    } else {
      at = writeUnicodeEscape(out, b, at);
    }
    from = at;
  }
  out.u8(QUOTE);
}

/** The character at `at` as one or two \u escapes; the offset behind it. */
function writeUnicodeEscape(out: ByteWriter, b: Uint8Array, at: number): number {
  const size = b[at] < 0xe0 ? 2 : b[at] < 0xf0 ? 3 : 4;
  const text = Buffer.from(b.buffer, b.byteOffset + at, size).toString();
  for (let i = 0; i < text.length; i++) out.raw(Buffer.from(unicode(text.charCodeAt(i))));
  return at + size;
}

/** How nested values are laid out: all on one line, or one token group a line. */
export interface NestedStyle {
  /** A space behind each colon; behind each comma that does not end a line. */
  readonly spaceAfterColon: boolean;
  readonly spaceAfterComma: boolean;
  /** Where not empty, one level of indentation: members and elements get lines of their own. */
  readonly indent: Uint8Array;
  readonly newline: Uint8Array;
}

/**
 * Appends b[start..end), valid JSON of any layout, in the layout of `style`; strings and numbers
 * stay as they are written. `depth`: levels of indentation around it.
 */
export function writeNested(
  out: ByteWriter,
  b: Uint8Array,
  start: number,
  end: number,
  style: NestedStyle,
  depth: number,
): void {
  const pretty = style.indent.length > 0;
  let level = depth;
  let at = start;
  while (at < end) {
    const byte = b[at];
    if (byte <= SPACE) {
      at += 1;
    } else if (byte === QUOTE) {
      const from = at;
      at = behindString(b, at);
      out.raw(b, from, at);
    } else {
      at += 1;
      if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) {
        out.u8(byte);
        at = skipBlanks(b, at);
        if (b[at] === byte + 2) {
          out.u8(b[at++]);
        } else if (pretty) breakLine(out, style, ++level);
      } else {
        if (pretty && (byte === CLOSE_OBJECT || byte === CLOSE_ARRAY)) {
          breakLine(out, style, --level);
        }
        out.u8(byte);
        if (byte === COMMA && pretty) breakLine(out, style, level);
        if (byte === COMMA ? style.spaceAfterComma : byte === COLON && style.spaceAfterColon) {
          out.u8(SPACE);
        }
      }
    }
  }
}

export function breakLine(out: ByteWriter, style: NestedStyle, level: number): void {
  out.raw(style.newline);
  for (let i = 0; i < level; i++) out.raw(style.indent);
}

function skipBlanks(b: Uint8Array, start: number): number {
  let at = start;
  while (b[at] <= SPACE) at += 1;
  return at;
}

function behindString(b: Uint8Array, start: number): number {
  let at = start + 1;
  while (b[at] !== QUOTE) at += b[at] === BACKSLASH ? 2 : 1;
  return at + 1;
}
