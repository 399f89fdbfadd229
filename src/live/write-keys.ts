/**
 * Requests that were answered, by the name their sender gave them: sent again, they are
 * answered alike and not applied again. In the state, under `write-key:BRANCH KEY`, written
 * in the transaction of the commit:
 *
 *   offset  size  meaning
 *   0       32    the commit that answered (the head of then, where nothing changed)
 *   32      6     when, ms since the epoch, big-endian
 *   38      1     1 when the request changed something
 *   39      16    digest of the request: the same name for something else is refused
 *
 * They are kept for a day, and the newest 100,000 of them.
 */
import { DvError } from '../errors.ts';
import { digestOf, HASH_BYTES, type Hash, hashFromBytes, hashToBytes } from '../hash.ts';
import type { RefStore, StateUpdate } from '../store/contract.ts';
import type { WriteRequest } from './contract.ts';

const PREFIX = 'write-key:';
const DIGEST_BYTES = 16;
const DIGEST_AT = HASH_BYTES + 7;
const KEPT_MS = 24 * 60 * 60 * 1000;
const KEPT_KEYS = 100_000;
const MAX_KEY_BYTES = 256;
/** Keys written between two looks for old ones. */
const SWEEP_EVERY = 10_000;

export interface AnsweredKey {
  readonly commit: Hash;
  readonly changed: boolean;
}

export const keyState = (branch: string, key: string): string => `${PREFIX}${branch} ${key}`;

/** @throws DvError `bad-option` */
export function checkWriteKey(key: string): void {
  const isFit = key !== '' && key.isWellFormed() && Buffer.byteLength(key) <= MAX_KEY_BYTES;
  if (isFit) return;
  throw new DvError('bad-option', `"${key.slice(0, 40)}" is no name for a request`, {
    hint: `1 to ${MAX_KEY_BYTES} bytes, such as a UUID`,
  });
}

/** What tells a request from another under the same name. Cost: its size. */
export function requestDigest({ tables, base, exact, source }: WriteRequest): Uint8Array {
  const text = JSON.stringify([tables, base ?? null, exact ?? false, source ?? null]);
  return digestOf(Buffer.from(text)).subarray(0, DIGEST_BYTES);
}

export function encodeAnswer(
  { commit, changed }: AnsweredKey,
  now: number,
  digest: Uint8Array,
): Buffer {
  const value = Buffer.alloc(DIGEST_AT + DIGEST_BYTES);
  value.set(hashToBytes(commit));
  value.writeUIntBE(now, HASH_BYTES, 6);
  value[HASH_BYTES + 6] = changed ? 1 : 0;
  value.set(digest, DIGEST_AT);
  return value;
}

/** @throws DvError `already-exists` when the key named another request */
export function decodeAnswer(value: Uint8Array, key: string, digest: Uint8Array): AnsweredKey {
  if (Buffer.compare(value.subarray(DIGEST_AT), digest) !== 0) {
    throw new DvError('already-exists', `the key "${key}" was used for another request`, {
      hint: 'give every request a key of its own',
      data: { key },
    });
  }
  return { commit: hashFromBytes(value), changed: value[HASH_BYTES + 6] === 1 };
}

/** Now and then, the updates that forget old keys. */
export class KeySweeper {
  readonly #store: RefStore;
  #written = SWEEP_EVERY;

  constructor(store: RefStore) {
    this.#store = store;
  }

  /** To be part of the transaction that writes `count` keys. */
  async sweep(count: number, now: number): Promise<StateUpdate[]> {
    this.#written += count;
    if (count === 0 || this.#written < SWEEP_EVERY) return [];
    this.#written = 0;
    const kept = (await this.#store.listState(PREFIX)).map(({ key, value }) => ({
      key,
      time: Buffer.from(value).readUIntBE(HASH_BYTES, 6),
    }));
    kept.sort((a, b) => b.time - a.time);
    const isOld = ({ time }: { time: number }, i: number) => i >= KEPT_KEYS || time < now - KEPT_MS;
    return kept.filter(isOld).map(({ key }) => ({ key, value: null }));
  }
}
