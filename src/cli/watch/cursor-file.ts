/**
 * A cursor file: where a watch goes on. It is replaced as a whole, and durably, after each
 * output that succeeded: killed at any instant, it names the last such output or the one
 * before.
 */
import { closeSync, fdatasyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { DvError } from '../../errors.ts';
import { type FollowPosition, formatPosition, parsePosition } from '../../live/follow-position.ts';

/** undefined: there is none yet. @throws DvError `bad-cursor`, `file-unreadable` */
export function readCursorFile(path: string): FollowPosition | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    throw new DvError('file-unreadable', `cannot read '${path}': ${message}`, { cause });
  }
  return parsePosition(text);
}

/** @throws DvError `file-unwritable` */
export function writeCursorFile(path: string, position: FollowPosition): void {
  if (position.cursor === undefined) return;
  const temporary = `${path}.new`;
  try {
    const file = openSync(temporary, 'w');
    try {
      writeSync(file, formatPosition(position));
      fdatasyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
  } catch (cause) {
    const { message } = cause as Error;
    throw new DvError('file-unwritable', `cannot write '${path}': ${message}`, { cause });
  }
}
