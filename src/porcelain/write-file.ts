/**
 * Writing files so that a power cut leaves the old one or the new one: into a temporary
 * file, synced, then renamed; and never through a link or outside the worktree.
 */
import {
  accessSync,
  chmodSync,
  closeSync,
  constants,
  existsSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  realpathSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { DvError } from '../errors.ts';

/** Maps what the file system says of writing `path` to what the user should know. */
export function fileError(cause: unknown, path: string): DvError {
  if (cause instanceof DvError) return cause;
  const { code, message } = cause as NodeJS.ErrnoException;
  const data = { file: path };
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new DvError('disk-full', `no space left to write '${path}'`, {
      hint: 'nothing was changed; free some space and try again',
      data,
      cause,
    });
  }
  if (code === 'EACCES' || code === 'EROFS' || code === 'EPERM') {
    return new DvError('read-only', `may not write '${path}'`, {
      hint: 'check the permissions of the directory and the files in it',
      data,
      cause,
    });
  }
  if (code === 'EISDIR') {
    return new DvError('file-is-directory', `'${path}' is a directory`, {
      hint: 'name a file in it',
      data,
      cause,
    });
  }
  if (code === 'EFBIG') {
    return new DvError('file-unwritable', `'${path}' would be larger than files may be here`, {
      hint: 'ulimit -f shows the limit',
      data,
      cause,
    });
  }
  return new DvError('file-unwritable', `cannot write '${path}': ${message}`, { data, cause });
}

/**
 * Writes all pieces to a new file and syncs it. Removes it again when that fails; `shown` is
 * what the error then names.
 */
export async function writeNewFile(
  path: string,
  pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  shown = path,
): Promise<void> {
  let file: number | undefined;
  try {
    mkdirSync(dirname(path), { recursive: true });
    file = openSync(path, 'wx');
    for await (const piece of pieces) {
      for (let at = 0; at < piece.length; ) at += writeSync(file, piece, at);
    }
    fsyncSync(file);
  } catch (cause) {
    if (file !== undefined) rmSync(path, { force: true });
    throw fileError(cause, shown);
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

export function syncDirectory(path: string): void {
  const file = openSync(path, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Replaces (or makes) a file all at once. */
export async function replaceFile(
  path: string,
  pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  temporary: string,
  mode?: number,
): Promise<void> {
  await writeNewFile(temporary, pieces, path);
  try {
    if (mode !== undefined) chmodSync(temporary, mode);
    renameSync(temporary, path);
    syncDirectory(dirname(path));
  } catch (cause) {
    rmSync(temporary, { force: true });
    throw fileError(cause, path);
  }
}

/**
 * Writes where a user pointed: a file all at once, through a link and with the mode that an
 * earlier one had; a device or a pipe as it comes. `id` makes the temporary name unique;
 * `onTemporary` is told it, for whoever may have to end the process in between.
 */
export async function writeOutput(
  path: string,
  pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  id: string,
  onTemporary: (path: string) => void = () => {},
): Promise<void> {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat?.isDirectory()) throw fileError({ code: 'EISDIR' }, path);
  if (stat !== undefined && !stat.isFile()) return writeThrough(path, pieces);
  const target = stat === undefined ? path : realpathSync(path);
  const temporary = `${target}.${id}.tmp`;
  onTemporary(temporary);
  await replaceFile(target, pieces, temporary, stat && stat.mode & 0o777);
}

async function writeThrough(
  path: string,
  pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<void> {
  const file = openSync(path, 'w');
  try {
    for await (const piece of pieces) {
      for (let at = 0; at < piece.length; ) at += writeSync(file, piece, at);
    }
  } catch (cause) {
    throw fileError(cause, path);
  } finally {
    closeSync(file);
  }
}

/** @throws DvError `bad-name` when a directory on the way is a link or a file */
export function checkParents(worktree: string, name: string): void {
  const segments = name.split('/');
  for (let length = 1; length < segments.length; length++) {
    const above = segments.slice(0, length).join('/');
    const stat = lstatSync(join(worktree, above), { throwIfNoEntry: false });
    if (stat === undefined) return;
    if (stat.isDirectory()) continue;
    const what = stat.isSymbolicLink() ? 'link' : 'file';
    throw new DvError('bad-name', `'${name}' lies behind '${above}', which is a ${what}`, {
      hint: 'dv reads and writes only in directories of its own',
      data: { name },
    });
  }
}

/**
 * Asks beforehand whether a working file can be written, or removed, where it belongs.
 * @throws DvError `bad-name`, `file-is-directory`, `read-only`
 */
export function checkTarget(worktree: string, name: string): void {
  checkParents(worktree, name);
  const path = join(worktree, ...name.split('/'));
  if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory()) {
    throw new DvError('file-is-directory', `'${name}' is a directory`, {
      hint: 'move it out of the way, then try again',
      data: { file: name },
    });
  }
  let directory = dirname(path);
  while (!existsSync(directory)) directory = dirname(directory);
  try {
    accessSync(directory, constants.W_OK | constants.X_OK);
  } catch (cause) {
    throw fileError(cause, name);
  }
}

/** Removes a file and the directories it leaves empty, up to the worktree. */
export function removeFile(worktree: string, path: string): void {
  try {
    unlinkSync(path);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw fileError(cause, path);
  }
  for (let dir = dirname(path); dir !== worktree && dir.startsWith(worktree); dir = dirname(dir)) {
    try {
      rmdirSync(dir);
    } catch {
      return; // not empty, or gone: either way there is nothing left to tidy
    }
  }
}
