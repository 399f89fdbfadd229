/**
 * BLAKE3-256 of a chunk's bytes: the address of everything dv stores.
 *
 * A `Hash` is the digest in lower-case hex (64 digits), branded, so that no bare string
 * passes for one. `@napi-rs/blake-hash` computes it where its binary loads, else the
 * WebAssembly of `blake3`; a test holds both to the official vectors.
 * Source: https://github.com/BLAKE3-team/BLAKE3-specs
 */
import { createRequire } from 'node:module';
import { DvError } from './errors.ts';

declare const brand: unique symbol;
export type Hash = string & { readonly [brand]: 'hash' };

/** Length of a digest in bytes. */
export const HASH_BYTES = 32;

type Digest = (bytes: Uint8Array) => Buffer;

const require = createRequire(import.meta.url);

export function loadNativeDigest(): Digest | undefined {
  try {
    return require('@napi-rs/blake-hash').blake3 as Digest;
  } catch {
    return undefined; // no binary for this platform: the caller falls back
  }
}

export function loadPortableDigest(): Digest {
  const blake3 = require('blake3') as { hash(bytes: Uint8Array): Buffer };
  return (bytes) => Buffer.from(blake3.hash(bytes));
}

const digest: Digest = loadNativeDigest() ?? loadPortableDigest();

/** The digest of `bytes` as 32 bytes. */
export function digestOf(bytes: Uint8Array): Uint8Array {
  return digest(bytes);
}

/** The hash of `bytes`. Cost: about 1 GB/s at 4 KiB with the native binding. */
export function hashOf(bytes: Uint8Array): Hash {
  return digest(bytes).toString('hex') as Hash;
}

const HEX = /^[0-9a-f]{64}$/;

/** True when `text` is a full hash in hex. */
export function isHash(text: string): text is Hash {
  return HEX.test(text);
}

/** @throws DvError `corrupt` when `text` is not 64 lower-case hex digits. */
export function parseHash(text: string): Hash {
  if (!isHash(text)) throw new DvError('corrupt', `not a hash: "${text.slice(0, 80)}"`);
  return text;
}

/** The 32 bytes of a hash. */
export function hashToBytes(hash: Hash): Buffer {
  return Buffer.from(hash, 'hex');
}

/** The hash held in the 32 bytes of `bytes` from `offset` on. */
export function hashFromBytes(bytes: Uint8Array, offset = 0): Hash {
  return Buffer.from(bytes.buffer, bytes.byteOffset + offset, HASH_BYTES).toString('hex') as Hash;
}

/** Hashes bytes that come in pieces. */
export interface Hasher {
  update(bytes: Uint8Array): void;
  digest(): Hash;
}

/** A hasher for streams (whole files); same digests as `hashOf`. */
export function createHasher(): Hasher {
  const inner = newNativeHasher() ?? newPortableHasher();
  return {
    update: (bytes) => {
      inner.update(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
    },
    digest: () => inner.finish().toString('hex') as Hash,
  };
}

interface StreamHasher {
  update(bytes: Buffer): unknown;
  finish(): Buffer;
}

function newNativeHasher(): StreamHasher | undefined {
  if (loadNativeDigest() === undefined) return undefined;
  const hasher = new (require('@napi-rs/blake-hash').Blake3Hasher)();
  return { update: (bytes) => hasher.update(bytes), finish: () => hasher.digestBuffer() };
}

function newPortableHasher(): StreamHasher {
  const hasher = require('blake3').createHash();
  return { update: (bytes) => hasher.update(bytes), finish: () => hasher.digest() };
}
