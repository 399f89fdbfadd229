/**
 * Access tokens: `dv_<kind>_<id>_<secret><checksum>`.
 *
 *   kind      reader, writer, admin: for people; what counts is what the server has kept
 *   id        8 characters, names the token in lists; no secret
 *   secret    32 characters, 160 random bits
 *   checksum  6 characters, 30 bits of BLAKE3 over all before it: a token that was cut or
 *             mistyped is known without a look-up, and scanners find leaked ones
 *
 * Characters are Crockford's base 32 in lower case. The server keeps BLAKE3 of the whole
 * token: that is enough for a secret that cannot be guessed. Comparison takes the same time
 * wherever two tokens differ, and for an id that nobody has.
 */
import { timingSafeEqual } from 'node:crypto';
import { DvError } from '../errors.ts';
import { hashOf } from '../hash.ts';

export const TOKEN_KINDS = ['reader', 'writer', 'admin'] as const;
export type TokenKind = (typeof TOKEN_KINDS)[number];

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const ID_CHARACTERS = 8;
const SECRET_CHARACTERS = 32;
const CHECKSUM_CHARACTERS = 6;
const FORM = /^dv_[a-z]+_([0-9a-z]{8})_[0-9a-z]{38}$/;
/** Anything that might be a token, or most of one, in text. */
const LIKENESS = /\bdv_[a-z]+_[0-9a-z]{4,}(?:_[0-9a-z]*)?/g;
/** The hash of no token: what an unknown id is compared with. */
const NOBODY = '0'.repeat(64);

export interface MintedToken {
  readonly id: string;
  /** Shown once, to whoever asked for it. */
  readonly token: string;
  /** What the server keeps. */
  readonly hash: string;
}

/** Makes a token. `random` has to be unpredictable. */
export function mintToken(kind: TokenKind, random: (size: number) => Uint8Array): MintedToken {
  const id = characters(random(ID_CHARACTERS));
  const body = `dv_${kind}_${id}_${characters(random(SECRET_CHARACTERS))}`;
  const token = body + checksumOf(body);
  return { id, token, hash: hashOf(Buffer.from(token)) };
}

/** The id of a well-formed token; undefined when it has another form or a wrong checksum. */
export function tokenId(token: string): string | undefined {
  const id = FORM.exec(token)?.[1];
  const body = token.slice(0, -CHECKSUM_CHARACTERS);
  return checksumOf(body) === token.slice(-CHECKSUM_CHARACTERS) ? id : undefined;
}

/** Whether `token` is the one whose hash was kept; undefined: none was. In constant time. */
export function isToken(token: string, kept: string | undefined): boolean {
  const asked = Buffer.from(hashOf(Buffer.from(token)));
  const equal = timingSafeEqual(asked, Buffer.from(kept ?? NOBODY));
  return equal && kept !== undefined;
}

/** Text with every token in it made unusable. */
export function redactTokens(text: string): string {
  return text.replace(LIKENESS, (found) => `${found.split('_').slice(0, 3).join('_')}_...`);
}

/** @throws DvError `bad-option` */
export function parseTokenKind(text: string): TokenKind {
  const kind = TOKEN_KINDS.find((name) => name === text);
  if (kind !== undefined) return kind;
  throw new DvError('bad-option', `'${text}' is no kind of token`, {
    hint: `kinds are ${TOKEN_KINDS.join(', ')}`,
  });
}

/** One character a byte: 256 is a multiple of 32, so every character is as likely. */
function characters(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => ALPHABET[byte % ALPHABET.length]).join('');
}

function checksumOf(body: string): string {
  const digest = Buffer.from(hashOf(Buffer.from(body)), 'hex');
  return characters(digest.subarray(0, CHECKSUM_CHARACTERS));
}
