/**
 * Whether bytes are JSON (RFC 8259), without making a value of them: one pass, a stack of one
 * byte a level. The bytes are taken to be valid UTF-8, as every cell's are.
 */

const SPACE = 0x20;
const QUOTE = 0x22;
const COMMA = 0x2c;
const MINUS = 0x2d;
const ZERO = 0x30;
const COLON = 0x3a;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const BACKSLASH = 0x5c;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/** The open brackets around the place read; grows with the nesting. */
let stack = new Uint8Array(64);

/** Any JSON text, with white space around it allowed. */
export function isJson(b: Uint8Array, start: number, end: number): boolean {
  let at = skipSpace(b, start, end);
  let depth = 0;
  for (;;) {
    // 1. A value starts here.
    const first = at < end ? b[at] : 0;
    if (first === OPEN_OBJECT || first === OPEN_ARRAY) {
      push(depth++, first);
      at = skipSpace(b, at + 1, end);
      if (at < end && b[at] === first + 2) {
        at += 1;
        depth -= 1;
      } else {
        if (first === OPEN_OBJECT) at = scanName(b, at, end);
        if (at < 0) return false;
        continue;
      }
    } else {
      at = scanScalar(b, at, end, first);
      if (at < 0) return false;
    }
    // 2. A value has ended: close brackets until the next value.
    for (;;) {
      at = skipSpace(b, at, end);
      if (depth === 0) return at === end;
      if (at >= end) return false;
      const open = stack[depth - 1];
      if (b[at] === open + 2) {
        at += 1;
        depth -= 1;
        continue;
      }
      if (b[at] !== COMMA) return false;
      at = skipSpace(b, at + 1, end);
      if (open === OPEN_OBJECT) at = scanName(b, at, end);
      if (at < 0) return false;
      break;
    }
  }
}

/** An object or an array with nothing around it: what inference takes for JSON. */
export function isJsonContainer(b: Uint8Array, start: number, end: number): boolean {
  const last = b[end - 1];
  if (b[start] === OPEN_OBJECT ? last !== CLOSE_OBJECT : last !== CLOSE_ARRAY) return false;
  return (b[start] === OPEN_OBJECT || b[start] === OPEN_ARRAY) && isJson(b, start, end);
}

function push(depth: number, bracket: number): void {
  if (depth === stack.length) {
    const grown = new Uint8Array(stack.length * 2);
    grown.set(stack);
    stack = grown;
  }
  stack[depth] = bracket;
}

function skipSpace(b: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && (b[at] === SPACE || b[at] === 0x0a || b[at] === 0x0d || b[at] === 0x09)) at++;
  return at;
}

/** A member's name and its colon; the offset of its value, or -1. */
function scanName(b: Uint8Array, start: number, end: number): number {
  if (start >= end || b[start] !== QUOTE) return -1;
  const after = scanString(b, start + 1, end);
  if (after < 0) return -1;
  const at = skipSpace(b, after, end);
  return at < end && b[at] === COLON ? skipSpace(b, at + 1, end) : -1;
}

function scanScalar(b: Uint8Array, at: number, end: number, first: number): number {
  switch (first) {
    case QUOTE:
      return scanString(b, at + 1, end);
    case 0x74:
      return scanLiteral(b, at, end, 'true');
    case 0x66:
      return scanLiteral(b, at, end, 'false');
    case 0x6e:
      return scanLiteral(b, at, end, 'null');
    default:
      return scanNumber(b, at, end);
  }
}

function scanLiteral(b: Uint8Array, at: number, end: number, word: string): number {
  if (end - at < word.length) return -1;
  for (let i = 1; i < word.length; i++) if (b[at + i] !== word.charCodeAt(i)) return -1;
  return at + word.length;
}

/** The rest of a string behind its opening quote; the offset behind the closing one, or -1. */
function scanString(b: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end) {
    const byte = b[at++];
    if (byte === QUOTE) return at;
    if (byte < SPACE) return -1;
    if (byte === BACKSLASH) {
      at = scanEscape(b, at, end);
      if (at < 0) return -1;
    }
  }
  return -1;
}

function scanEscape(b: Uint8Array, at: number, end: number): number {
  if (at >= end) return -1;
  switch (b[at]) {
    case QUOTE:
    case BACKSLASH:
    case 0x2f:
    case 0x62:
    case 0x66:
    case 0x6e:
    case 0x72:
    case 0x74:
      return at + 1;
    case 0x75:
      if (end - at < 5) return -1;
      for (let i = 1; i <= 4; i++) if (!isHexDigit(b[at + i])) return -1;
      return at + 5;
    default:
      return -1;
  }
}

function isHexDigit(byte: number): boolean {
  return isDigit(byte) || ((byte | 0x20) - 0x61) >>> 0 <= 5;
}

function isDigit(byte: number): boolean {
  return (byte - ZERO) >>> 0 <= 9;
}

function skipDigits(b: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && isDigit(b[at])) at += 1;
  return at;
}

function scanNumber(b: Uint8Array, start: number, end: number): number {
  const first = start < end && b[start] === MINUS ? start + 1 : start;
  let at = skipDigits(b, first, end);
  if (at === first || (b[first] === ZERO && at - first > 1)) return -1;
  if (at < end && b[at] === 0x2e) {
    const fraction = at + 1;
    at = skipDigits(b, fraction, end);
    if (at === fraction) return -1;
  }
  if (at < end && (b[at] === 0x65 || b[at] === 0x45)) {
    let exponent = at + 1;
    if (exponent < end && (b[exponent] === 0x2b || b[exponent] === MINUS)) exponent += 1;
    at = skipDigits(b, exponent, end);
    if (at === exponent) return -1;
  }
  return at;
}
