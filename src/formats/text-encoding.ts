/**
 * The bytes of text: line ends, UTF-8 and its flaws, Latin-1 and back.
 */
import { isAscii, isUtf8 } from 'node:buffer';
import { DvError } from '../errors.ts';

export type Encoding = 'utf-8' | 'latin1';

export const LF = 0x0a;
export const CR = 0x0d;

/** Latin-1 to UTF-8; the same bytes where they are ASCII. */
export function fromLatin1(piece: Uint8Array): Uint8Array {
  if (isAscii(piece)) return piece;
  const bytes = Buffer.from(piece.buffer, piece.byteOffset, piece.length);
  return Buffer.from(bytes.toString('latin1'), 'utf8');
}

/**
 * UTF-8 to Latin-1.
 * @throws DvError `unmappable-character`
 */
export function toLatin1(bytes: Buffer): Buffer {
  if (isAscii(bytes)) return bytes;
  const text = bytes.toString('utf8');
  const unmappable = /[^\u0000-\u00ff]/u.exec(text);
  if (unmappable !== null) {
    throw new DvError('unmappable-character', `Latin-1 has no character "${unmappable[0]}"`, {
      hint: 'write the file as UTF-8: --encoding utf-8',
      data: { value: unmappable[0] },
    });
  }
  return Buffer.from(text, 'latin1');
}

/** True when bytes[start ..) begin with U+FEFF, the byte order mark. */
export function startsWithMark(bytes: Uint8Array, start: number): boolean {
  return bytes[start] === 0xef && bytes[start + 1] === 0xbb && bytes[start + 2] === 0xbf;
}

/** Bytes at the end of `bytes[0 .. end)` that begin a character and do not finish it. */
export function unfinishedBytes(bytes: Uint8Array, end: number): number {
  for (let back = 1; back <= Math.min(3, end); back++) {
    const byte = bytes[end - back];
    if (byte < 0x80) return 0;
    if (byte >= 0xc0) return characterSize(byte) > back ? back : 0;
  }
  return 0;
}

/** Offset of the first byte that is not UTF-8. Slow; only for bytes known to have one. */
export function firstFlaw(bytes: Uint8Array): number {
  let at = 0;
  while (at < bytes.length) {
    const size = characterSize(bytes[at]);
    if (at + size > bytes.length || !isUtf8(bytes.subarray(at, at + size))) break;
    at += size;
  }
  return at;
}

/** Bytes of the character that starts with `lead`. */
function characterSize(lead: number): number {
  if (lead < 0x80) return 1;
  if (lead < 0xe0) return 2;
  return lead < 0xf0 ? 3 : 4;
}

/** Line ends in `bytes`: LF, or CR where there is no LF. */
export function countLines(bytes: Uint8Array): number {
  let feeds = 0;
  let returns = 0;
  for (const byte of bytes) {
    if (byte === LF) feeds += 1;
    if (byte === CR) returns += 1;
  }
  return feeds > 0 ? feeds : returns;
}
