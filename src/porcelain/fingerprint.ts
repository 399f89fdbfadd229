/**
 * How a working file looked when dv last read or wrote it, and which entry that was: what
 * makes `status` instant. Kept per file in the store's state, under `file:` and its name.
 *
 * A file is the same when size, mtime and inode are. A file touched within RACY_MS of the
 * moment it was recorded could change again without its mtime moving; then, as when only
 * the stat differs, the content hash decides.
 */
import { type BigIntStats, closeSync, openSync, readSync, statSync } from 'node:fs';
import { createHasher, type Hash } from '../hash.ts';
import type { RootEntry } from '../model/root.ts';
import type { StateUpdate, Store } from '../store/contract.ts';

const PREFIX = 'file:';
const RACY_MS = 50;
const BLOCK = 1024 * 1024;

export interface Stamp {
  readonly size: number;
  /** Nanoseconds since the epoch, as text: they pass 2^53. */
  readonly mtime: string;
  readonly inode: string;
}

export interface Fingerprint extends Stamp {
  /** Hash of the file's bytes as they lie on disk. */
  readonly content: Hash;
  /** When this was recorded, ms since the epoch. */
  readonly recorded: number;
  readonly entry: RootEntry;
}

/** The stamp of a regular file; undefined when there is none. */
export function stampOf(path: string): Stamp | undefined {
  const stat: BigIntStats | undefined = statSync(path, { bigint: true, throwIfNoEntry: false });
  if (stat === undefined || !stat.isFile()) return undefined;
  return { size: Number(stat.size), mtime: String(stat.mtimeNs), inode: String(stat.ino) };
}

export function sameStamp(a: Stamp | undefined, b: Stamp | undefined): boolean {
  return a?.size === b?.size && a?.mtime === b?.mtime && a?.inode === b?.inode;
}

/** Reads the whole file. */
export function contentHash(path: string): Hash {
  const hasher = createHasher();
  const file = openSync(path, 'r');
  const block = Buffer.allocUnsafe(BLOCK);
  try {
    for (let got = readSync(file, block); got > 0; got = readSync(file, block)) {
      hasher.update(block.subarray(0, got));
    }
  } finally {
    closeSync(file);
  }
  return hasher.digest();
}

export function fingerprintUpdate(name: string, print: Fingerprint | null): StateUpdate {
  const value = print === null ? null : Buffer.from(JSON.stringify(print));
  return { key: PREFIX + name, value };
}

function parse(value: Uint8Array): Fingerprint {
  return JSON.parse(Buffer.from(value).toString());
}

export async function readFingerprint(
  store: Store,
  name: string,
): Promise<Fingerprint | undefined> {
  const value = await store.getState(PREFIX + name);
  return value === undefined ? undefined : parse(value);
}

export async function listFingerprints(store: Store): Promise<Map<string, Fingerprint>> {
  const entries = await store.listState(PREFIX);
  return new Map(entries.map(({ key, value }) => [key.slice(PREFIX.length), parse(value)]));
}

export type FileState =
  | { readonly kind: 'missing' }
  /** The file is what `print` recorded; `refreshed` when the stamp had to be renewed. */
  | { readonly kind: 'known'; readonly print: Fingerprint; readonly refreshed: boolean }
  | { readonly kind: 'changed' };

/** Compares a file with its fingerprint; reads it only when in doubt. */
export function checkFile(path: string, print: Fingerprint | undefined, now: number): FileState {
  const stamp = stampOf(path);
  if (stamp === undefined) return { kind: 'missing' };
  if (print === undefined || stamp.size !== print.size) return { kind: 'changed' };
  const racy = Number(BigInt(stamp.mtime) / 1_000_000n) + RACY_MS > print.recorded;
  if (sameStamp(stamp, print) && !racy) return { kind: 'known', print, refreshed: false };
  if (contentHash(path) !== print.content) return { kind: 'changed' };
  return { kind: 'known', print: { ...print, ...stamp, recorded: now }, refreshed: true };
}

/**
 * Writes down what was found about files. That only saves the next command work: a store that
 * cannot be written is no error, and one that another process writes to is not waited for.
 */
export async function renewFingerprints(
  store: Store,
  state: readonly StateUpdate[],
): Promise<void> {
  try {
    await store.transact({ state, wait: false });
  } catch (error) {
    const { code } = error as { code?: string };
    if (code !== 'read-only' && code !== 'locked' && code !== 'disk-full') throw error;
  }
}
