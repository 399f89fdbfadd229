/**
 * The format of `store.db`, version 2: one SQLite database.
 *
 *   application_id  0x64767374 ("dvst")      user_version  2, the version of this format
 *   page_size       1024                     auto_vacuum   incremental
 *   journal_mode    WAL
 *
 *   objects   one row a chunk
 *     id        rises, never used again (counters.next_id), so whatever is known of an id
 *               stays true
 *     hash      32 bytes
 *     base      null, or the id of the chunk that this one is a delta against, which is whole
 *               or a delta against a whole one (version 1: is whole)
 *     encoding  0: `data` is the chunk's bytes; 1: a zstd frame (compression.ts), with the
 *               raw bytes of `base` as dictionary when there is one; from 2 on: a zstd frame
 *               with the dictionary of that id, and no base
 *     kind      the chunk's first byte (0 when it is empty)
 *     raw_size  bytes of the chunk, at most 262,144
 *     written   ms since the epoch
 *   objects_by_hash   on the first 6 bytes alone: 16 bytes an entry; the row has the rest
 *   dictionaries   a zstd frame each; `raw_size` bytes, at most 262,144; never removed
 *             (sqlite-dictionaries.ts)
 *   touched   chunks put again after they were written: when, and the last gc round that
 *             had begun by then (sqlite-sweep.ts)
 *   refs, state   the contract's, by name
 *   feed      every ref change; `sequence` rises and the newest row is never deleted
 *   counters  one row. next_id; gc_round and gc_top: the number of the last gc that began
 *             marking and the largest id at that moment; flushes: changes when a
 *             transaction must reach the disk though it changes nothing else
 *   meta      needs: the oldest dv that reads this format
 *   transfers   names of transfers that have chunks and are not complete (transfer.ts), and
 *             when somebody last added to each
 *   incoming    their chunks: an object with a row here does not count as stored. Transfer 0:
 *             given up, but the base of other objects
 *
 * Version 1 (dv 0.1) lacks `transfers` and `incoming`. It becomes version 2 when it is opened
 * for writing: a dv that does not know of them would take an incomplete chunk for a whole one,
 * and a delta against a delta for damage.
 *
 * Pages are small because a one-row commit touches about a dozen of them at random, and each
 * is written twice: 18 KB a commit with pages of 1 KiB, 28 with 2, 89 with 8, 303 with 32.
 * That a small page holds a chunk of a few KB badly is answered by their order
 * (sqlite-packing.ts), and 50 ms more for 90 MB imported are the price.
 */
import type { Database } from 'better-sqlite3';
import { DvError } from '../errors.ts';

export const PAGE_BYTES = 1024;
/** No chain of deltas is longer. */
export const MOST_DELTAS = 2;
const APPLICATION_ID = 0x64767374;
const FORMAT = 2;
const OLDEST_FORMAT = 1;
const OLDEST_READER = '0.2.0';

const TABLES = `
  CREATE TABLE objects (
    id INTEGER PRIMARY KEY,
    hash BLOB NOT NULL,
    base INTEGER,
    encoding INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    raw_size INTEGER NOT NULL,
    written INTEGER NOT NULL,
    data BLOB NOT NULL
  ) STRICT;
  CREATE INDEX objects_by_hash ON objects (substr(hash, 1, 6));
  CREATE TABLE dictionaries (
    id INTEGER PRIMARY KEY,
    raw_size INTEGER NOT NULL,
    data BLOB NOT NULL
  ) STRICT;
  CREATE TABLE touched (
    id INTEGER PRIMARY KEY,
    time INTEGER NOT NULL,
    round INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE refs (name TEXT PRIMARY KEY, hash BLOB NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE state (key TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE feed (
    sequence INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    old BLOB,
    new BLOB,
    actor TEXT NOT NULL,
    time INTEGER NOT NULL,
    message TEXT NOT NULL
  ) STRICT;
  CREATE INDEX feed_by_name ON feed (name);
  CREATE TABLE counters (
    next_id INTEGER NOT NULL,
    gc_round INTEGER NOT NULL,
    gc_top INTEGER NOT NULL,
    flushes INTEGER NOT NULL
  ) STRICT;
  INSERT INTO counters VALUES (1, 0, 0, 0);
  CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
  INSERT INTO meta VALUES ('needs', '${OLDEST_READER}');
`;

/** What version 1 lacks. */
const TRANSFER_TABLES = `
  CREATE TABLE transfers (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    added INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE incoming (
    transfer INTEGER NOT NULL,
    id INTEGER NOT NULL,
    PRIMARY KEY (transfer, id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX incoming_by_id ON incoming (id);
`;

/** True when the database is a store that this dv reads, false when it is empty. */
export function checkFormat(db: Database, path: string): boolean {
  const application = db.pragma('application_id', { simple: true });
  const format = Number(db.pragma('user_version', { simple: true }));
  if (application === APPLICATION_ID && format > FORMAT) throw newerFormat(db, path, format);
  if (application === APPLICATION_ID && format >= OLDEST_FORMAT) return true;
  if (application === 0 && format === 0 && isEmpty(db)) return false;
  throw new DvError('corrupt', `'${path}' is not a dv store`);
}

function isEmpty(db: Database): boolean {
  return db.prepare('SELECT count(*) FROM sqlite_schema').pluck().get() === 0;
}

function newerFormat(db: Database, path: string, format: number): DvError {
  const needs = readNeeds(db);
  return new DvError(
    'newer-format',
    `'${path}' has store format ${format}, this dv reads up to ${FORMAT}: it needs dv ${needs} or newer`,
    { hint: `install dv ${needs} or newer`, data: { path, format, supported: FORMAT, needs } },
  );
}

function readNeeds(db: Database): string {
  try {
    return String(db.prepare("SELECT value FROM meta WHERE key = 'needs'").pluck().get());
  } catch {
    return `with store format ${db.pragma('user_version', { simple: true })}`;
  }
}

/** Brings a store of an older version to this one: all at once, or not. */
export function upgradeFormat(db: Database): void {
  if (db.pragma('user_version', { simple: true }) === FORMAT) return;
  inTransaction(db, () => {
    // somebody else may have been faster
    if (db.pragma('user_version', { simple: true }) === FORMAT) return;
    db.exec(TRANSFER_TABLES);
    db.prepare("UPDATE meta SET value = ? WHERE key = 'needs'").run(OLDEST_READER);
    db.pragma(`user_version = ${FORMAT}`);
  });
}

/** Gives what an older version lacks to a connection that can only read, empty. */
export function supplyFormat(db: Database): void {
  if (db.pragma('user_version', { simple: true }) === FORMAT) return;
  db.pragma('temp_store = MEMORY');
  db.exec(TRANSFER_TABLES.replaceAll('CREATE TABLE', 'CREATE TEMP TABLE'));
}

/**
 * Makes an empty database a store. Killed half way it is still empty: what cannot be in a
 * transaction (the first three) does not count as content, the rest is one transaction.
 */
export function createFormat(db: Database, path: string): void {
  db.pragma(`page_size = ${PAGE_BYTES}`);
  db.pragma('auto_vacuum = INCREMENTAL');
  db.pragma('journal_mode = WAL');
  inTransaction(db, () => {
    // somebody else may have been faster
    if (checkFormat(db, path)) return;
    db.exec(TABLES + TRANSFER_TABLES);
    db.pragma(`application_id = ${APPLICATION_ID}`);
    db.pragma(`user_version = ${FORMAT}`);
  });
}

function inTransaction(db: Database, run: () => void): void {
  db.exec('BEGIN IMMEDIATE');
  try {
    run();
    db.exec('COMMIT');
  } catch (error) {
    if (db.inTransaction) db.exec('ROLLBACK');
    throw error;
  }
}
