/**
 * Opens the file: as a store that can be written, or, where the directory or the file
 * forbids that, for reading only. The driver is loaded when the first store is opened
 * (7 ms), so that importing this costs nothing.
 *
 * SQLite reads a WAL database in a directory it cannot write to only when the files beside
 * it (`-wal`, `-shm`) are there; the last writer removes them. Then the database may be
 * opened as `immutable`, which SQLite lets a caller say only in a URI, and the driver
 * understands URIs only when `SQLITE_USE_URI=1` was in the environment at its loading.
 */
import { existsSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { pathToFileURL } from 'node:url';
import type BetterSqlite3 from 'better-sqlite3';
import { DvError } from '../errors.ts';
import { isReadOnly } from './sqlite-errors.ts';
import { checkFormat, createFormat, supplyFormat, upgradeFormat } from './sqlite-schema.ts';

type Database = BetterSqlite3.Database;

export interface OpenedDatabase {
  readonly db: Database;
  readonly readOnly: boolean;
}

/** What a statement waits inside SQLite, in ms, before the event loop gets its turn. */
export const BUSY_TIMEOUT_MS = 20;

let driver: typeof BetterSqlite3 | undefined;

function connect(path: string, options: BetterSqlite3.Options = {}): Database {
  driver ??= createRequire(import.meta.url)('better-sqlite3') as typeof BetterSqlite3;
  return new driver(path, { timeout: BUSY_TIMEOUT_MS, ...options });
}

/** @throws DvError `file-missing`, `newer-format`, `corrupt`, `read-only`; SQLite's own errors */
export function openDatabase(path: string): OpenedDatabase {
  if (!existsSync(dirname(path))) {
    throw new DvError('file-missing', `there is no directory '${dirname(path)}'`, {
      data: { path },
    });
  }
  try {
    return openForWriting(path);
  } catch (error) {
    if (!isReadOnly(error) || !existsSync(path)) throw error;
    return openForReading(path, error);
  }
}

function openForWriting(path: string): OpenedDatabase {
  const db = connect(path);
  try {
    db.pragma('trusted_schema = OFF');
    if (checkFormat(db, path)) upgradeFormat(db);
    else createFormat(db, path);
    return { db, readOnly: false };
  } catch (error) {
    db.close();
    throw error;
  }
}

function openForReading(path: string, cause: unknown): OpenedDatabase {
  const ways = [path, ...(hasUnmergedLog(path) ? [] : [`${pathToFileURL(path)}?immutable=1`])];
  for (const way of ways) {
    const db = tryReadOnly(way, path);
    if (db !== undefined) return { db, readOnly: true };
  }
  throw new DvError('read-only', `'${path}' cannot be opened without write permission`, {
    hint: 'make its directory writable, or copy it to one that is',
    data: { path },
    cause,
  });
}

/** Changes in the log would be missed by whoever reads the database alone. */
function hasUnmergedLog(path: string): boolean {
  const log = `${path}-wal`;
  return existsSync(log) && statSync(log).size > 0;
}

function tryReadOnly(way: string, path: string): Database | undefined {
  let db: Database | undefined;
  try {
    db = connect(way, { readonly: true, fileMustExist: true });
    db.pragma('trusted_schema = OFF');
    if (checkFormat(db, path)) {
      supplyFormat(db);
      return db;
    }
  } catch (error) {
    if (error instanceof DvError) {
      db?.close();
      throw error;
    }
  }
  db?.close();
  return undefined;
}
