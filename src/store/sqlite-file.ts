/**
 * One connection to `store.db` and its three ways of running something:
 *
 *   read    now, without a transaction or, for several statements, in one snapshot
 *   write   in one IMMEDIATE transaction: all of it or nothing
 *   plain   as it is (pragmas that must not be in a transaction)
 *
 * What runs is synchronous, so nothing of this process comes between its statements. When
 * another process holds the lock, SQLite waits 20 ms; after that the event loop waits, with
 * growing pauses, and a server goes on serving.
 *
 * Durability: `synchronous = NORMAL` never syncs the log at a commit, FULL always does. All
 * transactions append to the same log file, and a checkpoint syncs the log before it copies
 * from it, so one FULL commit makes every earlier NORMAL one durable too. `fullfsync` makes
 * macOS mean it.
 */
import type { Database, Statement } from 'better-sqlite3';
import { DvError } from '../errors.ts';
import { isBusy, storeError } from './sqlite-errors.ts';
import { openDatabase } from './sqlite-open.ts';
import { type LockHolder, LockOwner, type LockOwnerOptions } from './sqlite-owner.ts';
import { PAGE_BYTES } from './sqlite-schema.ts';
import { retryWhileBusy } from './sqlite-wait.ts';

export interface FileOptions extends LockOwnerOptions {
  /** How long to wait for the write lock, in ms. */
  readonly lockTimeoutMs: number;
}

/** `stored`: visible to all; `durable`: and safe from a power cut. */
export type Commitment = 'stored' | 'durable';

/** The log goes into the database when it is this long, and is cut back to it. */
const LOG_BYTES = 4 * 1024 * 1024;
const WRITER_PRAGMAS = `
  PRAGMA fullfsync = ON;
  PRAGMA wal_autocheckpoint = ${LOG_BYTES / PAGE_BYTES};
  PRAGMA journal_size_limit = ${LOG_BYTES};
`;

/** Who keeps what it read; told in the transaction that comes next, before it runs anything. */
export interface FileKeeper {
  /** Another connection has written. */
  othersWrote(): void;
  /** What was written since the transaction began is not there. */
  rolledBack(): void;
}

export class SqliteFile {
  readonly path: string;
  private readonly db: Database;
  readonly readOnly: boolean;
  private readonly options: FileOptions;
  private readonly owner: LockOwner;
  private readonly statements = new Map<string, Statement<unknown[], unknown>>();
  private readonly underWay = new Set<Promise<unknown>>();
  private commitment: Commitment | undefined;
  private writes = 0;
  private keeper: FileKeeper | undefined;
  private othersVersion: unknown;
  private lookedThisTurn = false;

  /** Use `openSqliteFile`. */
  constructor(path: string, options: FileOptions) {
    const { db, readOnly } = openDatabase(path);
    this.path = path;
    this.db = db;
    this.readOnly = readOnly;
    this.options = options;
    this.owner = new LockOwner(path, options);
  }

  /** The prepared statement of `sql`; prepared once. */
  sql<Row = unknown>(sql: string): Statement<unknown[], Row> {
    let statement = this.statements.get(sql);
    if (statement === undefined) {
      statement = this.db.prepare<unknown[], unknown>(sql);
      this.statements.set(sql, statement);
    }
    return statement as Statement<unknown[], Row>;
  }

  tell(keeper: FileKeeper): void {
    this.keeper = keeper;
  }

  pragma(source: string): unknown {
    return this.db.pragma(source, { simple: true });
  }

  /** Runs text of several statements, or one that must be stepped to its end. */
  exec(source: string): void {
    this.db.exec(source);
  }

  /** Changes whenever this or any other process has written since. */
  version(): string {
    return `${this.sql('PRAGMA data_version').pluck().get()}.${this.writes}`;
  }

  /** Runs single statements. */
  plain<T>(run: () => T): Promise<T> {
    return this.retrying(this.options.lockTimeoutMs, run);
  }

  /**
   * Runs statements that must see one state; no transaction where the keeper has the answer,
   * `kept`. Whether others have written is looked for once a turn of the event loop then, so
   * what they remove may be given for the rest of a turn; what they add is never missed.
   */
  read<T>(run: () => T, kept?: () => T | undefined): Promise<T> {
    return this.retrying(this.options.lockTimeoutMs, () => {
      if (kept === undefined) return this.transaction('BEGIN', run);
      if (!this.lookedThisTurn) this.lookForOthers();
      return kept() ?? this.transaction('BEGIN', run);
    });
  }

  /**
   * Runs `run` under the write lock, waiting for it or not, and commits; what it throws rolls
   * back.
   * @throws DvError `locked`, `read-only`, `disk-full`, `corrupt`
   */
  write<T>(commitment: Commitment, run: () => T, wait = true): Promise<T> {
    const timeout = wait ? this.options.lockTimeoutMs : 0;
    return this.retrying(timeout, () => {
      this.prepareWriting(commitment);
      try {
        return this.transaction('BEGIN IMMEDIATE', () => {
          this.owner.hold();
          const result = run();
          this.writes += 1;
          return result;
        });
      } finally {
        this.owner.release();
      }
    });
  }

  /** Work of several steps that `close` must wait for. */
  async during<T>(work: Promise<T>): Promise<T> {
    this.underWay.add(work);
    try {
      return await work;
    } finally {
      this.underWay.delete(work);
    }
  }

  /** Idempotent. The last connection to close leaves no log behind. */
  async close(): Promise<void> {
    while (this.underWay.size > 0) await Promise.allSettled([...this.underWay]);
    this.statements.clear();
    this.owner.close();
    this.db.close();
  }

  private prepareWriting(commitment: Commitment): void {
    if (this.readOnly) {
      throw new DvError('read-only', `'${this.path}' was opened for reading only`, {
        hint: 'check the permissions of the directory and the files in it',
        data: { path: this.path },
      });
    }
    if (this.commitment === undefined) this.db.exec(WRITER_PRAGMAS);
    if (this.commitment === commitment) return;
    this.pragma(`synchronous = ${commitment === 'durable' ? 'FULL' : 'NORMAL'}`);
    this.commitment = commitment;
  }

  private transaction<T>(begin: string, run: () => T): T {
    this.sql(begin).run();
    try {
      this.lookForOthers();
      const result = run();
      this.sql('COMMIT').run();
      return result;
    } catch (error) {
      this.keeper?.rolledBack();
      if (this.db.inTransaction) this.sql('ROLLBACK').run();
      throw error;
    }
  }

  private lookForOthers(): void {
    if (this.keeper === undefined) return;
    const version = this.sql('PRAGMA data_version').pluck().get();
    if (version !== this.othersVersion) this.keeper.othersWrote();
    this.othersVersion = version;
    if (this.lookedThisTurn) return;
    this.lookedThisTurn = true;
    setImmediate(() => {
      this.lookedThisTurn = false;
    });
  }

  /** Async so that a failure is a rejection; resolved without a wait unless busy. */
  private async retrying<T>(timeoutMs: number, attempt: () => T): Promise<T> {
    try {
      return attempt();
    } catch (error) {
      if (!isBusy(error)) throw storeError(error, this.path);
    }
    return this.during(this.waitFor(timeoutMs, attempt));
  }

  private async waitFor<T>(timeoutMs: number, attempt: () => T): Promise<T> {
    try {
      return await retryWhileBusy(attempt, timeoutMs);
    } catch (error) {
      throw isBusy(error)
        ? lockedError(this.path, this.owner.find())
        : storeError(error, this.path);
    }
  }
}

/** @throws DvError `file-missing`, `newer-format`, `corrupt`, `read-only`, `locked` */
export async function openSqliteFile(path: string, options: FileOptions): Promise<SqliteFile> {
  try {
    return await retryWhileBusy(() => new SqliteFile(path, options), options.lockTimeoutMs);
  } catch (error) {
    throw storeError(error, path);
  }
}

function lockedError(path: string, holder: LockHolder | undefined): DvError {
  const by =
    holder === undefined
      ? 'another process'
      : `"${holder.owner}" since ${new Date(holder.since).toISOString()}`;
  return new DvError('locked', `'${path}' is locked by ${by}`, {
    hint: 'wait until it is done, then try again',
    data: { path, ...holder },
  });
}
