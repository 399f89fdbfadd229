/**
 * Chunks of transfers that are not complete (transfer.ts), as rows of `incoming`. Everything
 * here runs inside `SqliteFile.read` or `write`.
 */
import type { Hash } from '../hash.ts';
import { readCounters } from './sqlite-counters.ts';
import type { SqliteFile } from './sqlite-file.ts';
import type { ObjectReader } from './sqlite-reader.ts';
import { MOST_DELTAS } from './sqlite-schema.ts';
import type { Presence } from './transfer.ts';

/** The transfer of chunks that were given up but are the base of others (sqlite-schema.ts). */
const GIVEN_UP = 0;
/** Chunks of a batch get ids in any order, so a base may be this far behind its delta. */
const MOST_IN_BATCH = 1024;

export class Transfers {
  private readonly file: SqliteFile;
  private readonly reader: ObjectReader;
  private readonly now: () => number;

  constructor(file: SqliteFile, reader: ObjectReader, now: () => number) {
    this.file = file;
    this.reader = reader;
    this.now = now;
  }

  presence(hashes: readonly Hash[]): Presence[] {
    const any = this.any();
    return hashes.map((hash) => {
      const id = this.reader.findId(hash);
      if (id === undefined) return 'absent';
      return any && this.isIncoming(id) ? 'incomplete' : 'complete';
    });
  }

  /** In the order of their bytes. */
  list(): string[] {
    return this.file.sql('SELECT name FROM transfers ORDER BY name').pluck().all() as string[];
  }

  /** Notes that a transfer brought these objects; of those that were here, the incomplete. */
  note(name: string, fresh: readonly number[], known: readonly number[]): void {
    const ids = [...fresh, ...known.filter((id) => this.isIncoming(id))];
    if (ids.length === 0) return;
    const transfer = this.begin(name);
    const insert = this.file.sql('INSERT OR IGNORE INTO incoming (transfer, id) VALUES (?, ?)');
    for (const id of ids) insert.run(transfer, id);
  }

  /** These objects count, because somebody has what they refer to, or are gone. */
  settle(ids: readonly number[]): void {
    if (ids.length === 0 || !this.any()) return;
    const remove = this.file.sql('DELETE FROM incoming WHERE id = ?');
    for (const id of ids) remove.run(id);
    this.forgetEmpty();
  }

  complete(name: string): void {
    const transfer = this.find(name);
    if (transfer === undefined) return;
    this.touch(transfer);
    this.file
      .sql('DELETE FROM incoming WHERE id IN (SELECT id FROM incoming WHERE transfer = ?)')
      .run(transfer);
    this.forgetEmpty();
  }

  drop(name: string): void {
    const transfer = this.find(name);
    if (transfer === undefined) return;
    let left = this.readOwn(transfer);
    this.file.sql('DELETE FROM incoming WHERE transfer = ?').run(transfer);
    // What nobody is a delta against goes; then nobody may be against what was its base.
    for (let round = 0; round <= MOST_DELTAS && left.length > 0; round++) {
      const bases = this.basesFrom(left[0]);
      for (const id of left) if (!bases.has(id)) this.remove(id);
      left = left.filter((id) => bases.has(id));
    }
    for (const id of left) this.keepAsBase(id);
    this.forgetEmpty();
  }

  private isIncoming(id: number): boolean {
    const sql = 'SELECT EXISTS (SELECT 1 FROM incoming WHERE id = ?)';
    return this.file.sql(sql).pluck().get(id) === 1;
  }

  private any(): boolean {
    return this.file.sql('SELECT EXISTS (SELECT 1 FROM incoming)').pluck().get() === 1;
  }

  private find(name: string): number | undefined {
    const sql = 'SELECT id FROM transfers WHERE name = ?';
    return this.file.sql(sql).pluck().get(name) as number | undefined;
  }

  private begin(name: string): number {
    const sql = `
      INSERT INTO transfers (name, added) VALUES (?, ?)
      ON CONFLICT (name) DO UPDATE SET added = excluded.added RETURNING id`;
    return this.file.sql(sql).pluck().get(name, this.now()) as number;
  }

  /** A transfer is known as long as it has chunks. */
  private forgetEmpty(): void {
    this.file
      .sql(
        `DELETE FROM transfers
         WHERE NOT EXISTS (SELECT 1 FROM incoming WHERE transfer = transfers.id)`,
      )
      .run();
  }

  /** A gc that began marking before has not seen these chunks, and must not sweep them. */
  private touch(transfer: number): void {
    const { gc_round, gc_top } = readCounters(this.file);
    this.file
      .sql(
        `INSERT OR REPLACE INTO touched (id, time, round)
         SELECT id, ?, ? FROM incoming WHERE transfer = ? AND id <= ?`,
      )
      .run(this.now(), gc_round, transfer, gc_top);
  }

  /** Objects that no other transfer brought as well. */
  private readOwn(transfer: number): number[] {
    return this.file
      .sql(
        `SELECT i.id FROM incoming i
         WHERE i.transfer = ? AND NOT EXISTS
           (SELECT 1 FROM incoming x WHERE x.id = i.id AND x.transfer <> i.transfer)
         ORDER BY i.id`,
      )
      .pluck()
      .all(transfer) as number[];
  }

  /** Bases of deltas from about this id on: no delta is older than its base. */
  private basesFrom(id: number): Set<number> {
    const sql = 'SELECT DISTINCT base FROM objects WHERE id > ? AND base IS NOT NULL';
    return new Set(
      this.file
        .sql(sql)
        .pluck()
        .all(id - MOST_IN_BATCH) as number[],
    );
  }

  private keepAsBase(id: number): void {
    this.file.sql('INSERT INTO incoming (transfer, id) VALUES (?, ?)').run(GIVEN_UP, id);
  }

  private remove(id: number): void {
    this.file.sql('DELETE FROM objects WHERE id = ?').run(id);
    this.reader.forget();
  }
}
