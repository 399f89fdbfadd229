/** What SQLite reports, in dv's words. Used by whatever talks to the database. */
import { DvError, type ErrorCode } from '../errors.ts';

interface SqliteFailure {
  readonly name: string;
  readonly code: string;
  readonly message: string;
}

function isSqliteFailure(error: unknown): error is SqliteFailure {
  return error instanceof Error && error.name === 'SqliteError' && 'code' in error;
}

/** True when somebody else holds the lock: waiting may help. */
export function isBusy(error: unknown): boolean {
  return isSqliteFailure(error) && error.code.startsWith('SQLITE_BUSY');
}

/** True when the database cannot be written, or not even opened for lack of permission. */
export function isReadOnly(error: unknown): boolean {
  return isSqliteFailure(error) && CASES['read-only'].test(error.code);
}

const CASES = {
  'disk-full': /^SQLITE_(FULL|IOERR_SHMSIZE)/,
  'read-only': /^SQLITE_(READONLY|CANTOPEN|PERM|IOERR_ACCESS)/,
  corrupt: /^SQLITE_(CORRUPT|NOTADB|FORMAT|IOERR_SHORT_READ|IOERR_CORRUPTFS)/,
  locked: /^SQLITE_(BUSY|LOCKED|PROTOCOL)/,
  'file-unwritable': /^SQLITE_IOERR_(WRITE|FSYNC|DIR_FSYNC|TRUNCATE|DELETE)/,
  'file-unreadable': /^SQLITE_IOERR/,
} as const satisfies Partial<Record<ErrorCode, RegExp>>;

const SENTENCES: Readonly<Record<keyof typeof CASES, (path: string) => string>> = {
  'disk-full': (path) => `no space left to write '${path}'`,
  'read-only': (path) => `cannot write '${path}'`,
  corrupt: (path) => `'${path}' is damaged or not a dv store`,
  locked: (path) => `'${path}' is locked by another process`,
  'file-unwritable': (path) => `the system would not write '${path}'`,
  'file-unreadable': (path) => `the disk reports an error on '${path}'`,
};

const HINTS: Readonly<Partial<Record<keyof typeof CASES, string>>> = {
  'disk-full': 'free some space and try again: nothing was lost',
  'read-only': 'check the permissions of the directory and the files in it',
  corrupt: 'dv fsck',
  'file-unwritable': 'is there a limit on the size of files (ulimit -f), or is the disk failing?',
};

/** A header that names another version of SQLite's format has the code of a mistake in SQL. */
const OTHER_FORMAT = /^unsupported file format/;

const isCase = (code: keyof typeof CASES, { code: sqlite, message }: SqliteFailure): boolean =>
  CASES[code].test(sqlite) || (code === 'corrupt' && OTHER_FORMAT.test(message));

/** The `DvError` for a failure of SQLite; anything else comes back as it is. */
export function storeError(error: unknown, path: string): unknown {
  if (!isSqliteFailure(error)) return error;
  for (const code of Object.keys(CASES) as (keyof typeof CASES)[]) {
    if (!isCase(code, error)) continue;
    const hint = HINTS[code];
    return new DvError(code, `${SENTENCES[code](path)} (${error.message})`, {
      data: { path, sqlite: error.code },
      cause: error,
      ...(hint === undefined ? {} : { hint }),
    });
  }
  return error;
}
