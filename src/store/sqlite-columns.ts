/** Values out of columns that may be damaged: SQLite does not check a row's types again. */
import { DvError } from '../errors.ts';
import { HASH_BYTES, type Hash, hashFromBytes } from '../hash.ts';

/** @throws DvError `corrupt` */
export function hashOfColumn(value: unknown): Hash {
  if (value instanceof Uint8Array && value.length === HASH_BYTES) return hashFromBytes(value);
  throw new DvError('corrupt', 'a row of the store holds no hash where one must be');
}

/** @throws DvError `corrupt` */
export function nullableHash(value: unknown): Hash | null {
  return value === null ? null : hashOfColumn(value);
}

/** @throws DvError `corrupt` */
export function bytesOfColumn(value: unknown): Buffer {
  if (Buffer.isBuffer(value)) return value;
  throw new DvError('corrupt', 'a row of the store holds no bytes where some must be');
}
