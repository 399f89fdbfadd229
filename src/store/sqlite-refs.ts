/**
 * Refs, state and the feed in the database: the contract's `RefStore` as synchronous
 * statements, to be run inside `SqliteFile.plain` (what only reads) or `write`.
 */
import { type Hash, hashToBytes } from '../hash.ts';
import type { FeedEntry, FeedPage, RefUpdate, StateUpdate, Transaction } from './contract.ts';
import { bytesOfColumn, hashOfColumn, nullableHash } from './sqlite-columns.ts';
import type { SqliteFile } from './sqlite-file.ts';

interface FeedRow {
  readonly sequence: number;
  readonly name: string;
  readonly old: unknown;
  readonly new: unknown;
  readonly actor: string;
  readonly time: number;
  readonly message: string;
}

/** Sorts behind every UTF-8 text that goes on after a prefix. */
const AFTER_ANY_TEXT = Buffer.from([0xff]);

export class RefTables {
  private readonly file: SqliteFile;
  private readonly now: () => number;

  constructor(file: SqliteFile, now: () => number) {
    this.file = file;
    this.now = now;
  }

  getRef(name: string): Hash | undefined {
    const hash = this.file.sql('SELECT hash FROM refs WHERE name = ?').pluck().get(name);
    return hash === undefined ? undefined : hashOfColumn(hash);
  }

  listRefs(prefix: string): { readonly name: string; readonly hash: Hash }[] {
    return this.file
      .sql<{ name: string; hash: unknown }>(
        `SELECT name, hash FROM refs
         WHERE name >= ? AND name < CAST(? AS TEXT) ORDER BY name`,
      )
      .all(prefix, endOf(prefix))
      .map(({ name, hash }) => ({ name, hash: hashOfColumn(hash) }));
  }

  getState(key: string): Uint8Array | undefined {
    const value = this.file.sql('SELECT value FROM state WHERE key = ?').pluck().get(key);
    return value === undefined ? undefined : bytesOfColumn(value);
  }

  listState(prefix: string): { readonly key: string; readonly value: Uint8Array }[] {
    return this.file
      .sql<{ key: string; value: unknown }>(
        `SELECT key, value FROM state
         WHERE key >= ? AND key < CAST(? AS TEXT) ORDER BY key`,
      )
      .all(prefix, endOf(prefix))
      .map(({ key, value }) => ({ key, value: bytesOfColumn(value) }));
  }

  readLog(ref: string, limit: number): FeedEntry[] {
    return this.file
      .sql<FeedRow>(
        `SELECT sequence, name, old, new, actor, time, message FROM feed
         WHERE name = ? ORDER BY sequence DESC LIMIT ?`,
      )
      .all(ref, limit)
      .map(feedEntry);
  }

  /** Runs inside `SqliteFile.read`: the page is of one moment. */
  readFeed(after: number, limit: number): FeedPage {
    const rows = this.file
      .sql<FeedRow>(
        `SELECT sequence, name, old, new, actor, time, message FROM feed
         WHERE sequence > ? ORDER BY sequence LIMIT ?`,
      )
      .all(after, limit);
    const first = this.file.sql('SELECT min(sequence) FROM feed').pluck().get() as number | null;
    return { entries: rows.map(feedEntry), first: first ?? 0, last: this.lastSequence() };
  }

  lastSequence(): number {
    const last = this.file.sql('SELECT max(sequence) FROM feed').pluck().get() as number | null;
    return last ?? 0;
  }

  /** Runs inside `SqliteFile.write`; whoever wins (transaction-order.ts) may apply. */
  apply({ refs = [], state = [], log }: Transaction): void {
    const reached = new Map<string, Hash | null>();
    for (const update of refs) {
      if (update.new === update.old) continue;
      this.noteStep(update, update.log ?? log);
      reached.set(update.name, update.new);
    }
    for (const [name, hash] of reached) this.setRef(name, hash);
    for (const update of state) this.applyState(update);
  }

  /** SQLite writes no page, and so syncs nothing, for rows that stay as they are. */
  flush(): void {
    this.file.sql('UPDATE counters SET flushes = flushes + 1').run();
  }

  private setRef(name: string, hash: Hash | null): void {
    if (hash === null) this.file.sql('DELETE FROM refs WHERE name = ?').run(name);
    else {
      this.file
        .sql('INSERT OR REPLACE INTO refs (name, hash) VALUES (?, ?)')
        .run(name, hashToBytes(hash));
    }
  }

  private noteStep(update: RefUpdate, log: Transaction['log']): void {
    const { name } = update;
    const { actor = '', time = this.now(), message = '' } = log ?? {};
    this.file
      .sql('INSERT INTO feed (name, old, new, actor, time, message) VALUES (?, ?, ?, ?, ?, ?)')
      .run(name, toBytes(update.old), toBytes(update.new), actor, time, message);
  }

  private applyState({ key, value }: StateUpdate): void {
    if (value === null) this.file.sql('DELETE FROM state WHERE key = ?').run(key);
    else {
      this.file.sql('INSERT OR REPLACE INTO state (key, value) VALUES (?, ?)').run(key, value);
    }
  }
}

function feedEntry(row: FeedRow): FeedEntry {
  return { ...row, old: nullableHash(row.old), new: nullableHash(row.new) };
}

function endOf(prefix: string): Buffer {
  return Buffer.concat([Buffer.from(prefix), AFTER_ANY_TEXT]);
}

function toBytes(hash: Hash | null): Buffer | null {
  return hash === null ? null : hashToBytes(hash);
}
