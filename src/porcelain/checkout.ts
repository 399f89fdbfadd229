/**
 * Changing working files together with refs and state, so that a kill at any instant
 * leaves the old state or the new one.
 *
 *   1. The new files are written beside the store and synced.
 *   2. One transaction moves HEAD and what is staged, and writes the journal: which file
 *      goes where, and how the old one looked.
 *   3. The files are renamed into place, the fingerprints recorded, the journal removed.
 *
 * A command that opens the repository after a kill in step 3 finishes it. A file that the
 * user touched in between is left as it is, and shows as modified.
 */
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DvError } from '../errors.ts';
import { compress } from '../formats/compressed.ts';
import { formatOf } from '../formats/detect.ts';
import type { RootEntry } from '../model/root.ts';
import type { StateUpdate, Transaction } from '../store/contract.ts';
import {
  contentHash,
  type Fingerprint,
  fingerprintUpdate,
  type Stamp,
  sameStamp,
  stampOf,
} from './fingerprint.ts';
import { pathOf, type Repository } from './repository.ts';
import { entryBytes } from './table-file.ts';
import {
  checkParents,
  checkTarget,
  fileError,
  removeFile,
  syncDirectory,
  writeNewFile,
} from './write-file.ts';

export const CHECKOUT_JOURNAL = 'checkout';

/** A file to write, or to remove (`entry` null). */
export interface CheckoutItem {
  readonly name: string;
  readonly entry: RootEntry | null;
}

interface JournalItem {
  readonly name: string;
  /** Path below `.dv` of the new file; null: remove. */
  readonly temporary: string | null;
  readonly before: Stamp | null;
  readonly print: Fingerprint | null;
}

/** Does this table have a working file? One without an extension lives in the store only. */
export function hasWorkingFile(name: string, entry: Pick<RootEntry, 'kind'>): boolean {
  return entry.kind === 'file' || /\.[^./]+$/.test(name);
}

/**
 * Writes the files and commits the transaction as one step.
 * @returns false when the transaction lost; nothing has changed then
 */
export async function checkout(
  repo: Repository,
  items: readonly CheckoutItem[],
  transaction: Transaction,
): Promise<boolean> {
  if (items.length === 0) return (await repo.store.transact(transaction)).done;
  const directory = join('checkout', repo.env.randomId());
  const discard = () => rmSync(join(repo.dotDir, directory), { recursive: true, force: true });
  const journal: JournalItem[] = [];
  try {
    for (const item of items) journal.push(await prepare(repo, item, directory, journal.length));
  } catch (error) {
    discard();
    throw error;
  }
  const value = Buffer.from(JSON.stringify(journal));
  const record = { key: CHECKOUT_JOURNAL, value, expect: null };
  const state = [...(transaction.state ?? []), record];
  let moved = false;
  try {
    moved = (await repo.store.transact({ ...transaction, state })).done;
  } catch (error) {
    // It may have been done all the same: then the next command needs the files.
    if (!(await isWritten(repo, value))) discard();
    throw error;
  }
  if (moved) await finish(repo, journal);
  discard();
  return moved;
}

/** Whether the journal in the store is `value`, as far as anybody can say. */
async function isWritten({ store }: Repository, value: Buffer): Promise<boolean> {
  try {
    const now = await store.getState(CHECKOUT_JOURNAL);
    return now !== undefined && value.equals(now);
  } catch {
    return true;
  }
}

async function prepare(
  repo: Repository,
  { name, entry }: CheckoutItem,
  directory: string,
  index: number,
): Promise<JournalItem> {
  checkTarget(repo.worktree, name);
  const before = stampOf(pathOf(repo, name)) ?? null;
  if (entry === null) return { name, temporary: null, before, print: null };
  const temporary = join(directory, String(index));
  const path = join(repo.dotDir, temporary);
  const { compression } = formatOf(name);
  const bytes = reported(repo, name, entryBytes(repo.nodes, entry));
  await writeNewFile(
    path,
    entry.kind === 'table' && compression !== undefined ? compress(bytes, compression) : bytes,
  );
  const stamp = stampOf(path);
  if (stamp === undefined) throw new DvError('file-missing', `'${path}' vanished`);
  const print = { ...stamp, content: contentHash(path), recorded: repo.env.now(), entry };
  return { name, temporary, before, print };
}

async function* reported(
  { env }: Repository,
  name: string,
  pieces: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  let done = 0;
  for await (const piece of pieces) {
    done += piece.length;
    env.report({ label: `writing ${name}`, done, total: undefined, unit: 'bytes' });
    yield piece;
  }
}

async function finish(repo: Repository, journal: readonly JournalItem[]): Promise<void> {
  const state: StateUpdate[] = [{ key: CHECKOUT_JOURNAL, value: null }];
  const directories = new Set<string>();
  for (const item of journal) {
    const path = pathOf(repo, item.name);
    const placed = place(repo, item, path);
    if (placed) state.push(fingerprintUpdate(item.name, item.print));
    if (placed && item.print !== null) directories.add(dirname(path));
  }
  for (const directory of directories) syncDirectory(directory);
  await repo.store.transact({ state });
}

/** False when the user has changed the file meanwhile: it is then left alone. */
function place(repo: Repository, item: JournalItem, path: string): boolean {
  const now = stampOf(path);
  const untouched = sameStamp(now, item.before ?? undefined);
  if (item.temporary === null) {
    if (untouched) removeFile(repo.worktree, path);
    return untouched || now === undefined;
  }
  const temporary = join(repo.dotDir, item.temporary);
  if (!existsSync(temporary)) return sameStamp(now, item.print ?? undefined);
  if (!untouched) return false;
  try {
    checkParents(repo.worktree, item.name);
    mkdirSync(dirname(path), { recursive: true });
    renameSync(temporary, path);
  } catch (cause) {
    throw fileError(cause, item.name);
  }
  return true;
}

/** Finishes what a killed command left in step 3. */
export async function recoverCheckout(repo: Repository): Promise<void> {
  const value = await repo.store.getState(CHECKOUT_JOURNAL);
  if (value === undefined) return;
  const journal: JournalItem[] = JSON.parse(Buffer.from(value).toString());
  await finish(repo, journal);
  const directory = journal.find((item) => item.temporary !== null)?.temporary;
  if (directory) rmSync(join(repo.dotDir, dirname(directory)), { recursive: true, force: true });
}
