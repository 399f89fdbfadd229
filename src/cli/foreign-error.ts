/**
 * Errors that are not dv's own: those of the operating system become DvErrors that say what
 * happened; whatever else escapes from a command is a defect of dv.
 */
import { DvError, type ErrorCode } from '../errors.ts';

const SYSTEM_ERRORS: Readonly<Record<string, ErrorCode>> = {
  ENOSPC: 'disk-full',
  EDQUOT: 'disk-full',
  EROFS: 'read-only',
  EACCES: 'file-unreadable',
  EPERM: 'file-unreadable',
  ENOENT: 'file-missing',
  ENOTDIR: 'file-missing',
  EISDIR: 'file-is-directory',
};

/** `thrown` itself when it is a DvError, else the DvError that stands for it. */
export function toDvError(thrown: unknown): DvError {
  if (thrown instanceof DvError) return thrown;
  if (!(thrown instanceof Error)) return new DvError('bug', `thrown: ${String(thrown)}`);
  const { code, path } = thrown as NodeJS.ErrnoException;
  if (code !== undefined && Object.hasOwn(SYSTEM_ERRORS, code)) {
    return new DvError(SYSTEM_ERRORS[code], thrown.message, {
      data: path === undefined ? {} : { file: path },
      cause: thrown,
    });
  }
  return new DvError('bug', thrown.message, { cause: thrown });
}
