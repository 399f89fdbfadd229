/**
 * Chunks of transfers that are not complete (transfer.ts), as rows of `incoming`. Everything
 * here runs inside `SqliteFile.read` or `write`.
 */
import type { Hash } from '../hash.ts';
import type { SqliteFile } from './sqlite-file.ts';
import type { ObjectReader } from './sqlite-reader.ts';
import type { Presence } from './transfer.ts';

/** The transfer of chunks that were given up but are the base of others (sqlite-schema.ts). */
const GIVEN_UP = 0;
/** A batch of chunks gets ids in any order, so a base may be this far behind its delta. */
const MOST_IN_BATCH = 1024;

export class Transfers {
  private readonly file: SqliteFile;
  private readonly reader: ObjectReader;

  constructor(file: SqliteFile, reader: ObjectReader) {
    this.file = file;
    this.reader = reader;
  }

  presence(hash: Hash): Presence {
    const id = this.reader.findId(hash);
    if (id === undefined) return 'absent';
    return this.isIncoming(id) ? 'incomplete' : 'complete';
  }

  isIncoming(id: number): boolean {
    const sql = 'SELECT EXISTS (SELECT 1 FROM incoming WHERE id = ?)';
    return this.file.sql(sql).pluck().get(id) === 1;
  }

  list(): string[] {
    return this.file.sql('SELECT name FROM transfers ORDER BY name').pluck().all() as string[];
  }

  /** Notes that a transfer brought these objects. `fresh`: whether they are new to the store. */
  note(name: string, fresh: readonly number[], known: readonly number[]): void {
    const ids = [...fresh, ...known.filter((id) => this.isIncoming(id))];
    if (ids.length === 0) return;
    const transfer = this.findNumber(name) ?? this.begin(name);
    const insert = this.file.sql('INSERT OR IGNORE INTO incoming (transfer, id) VALUES (?, ?)');
    for (const id of ids) insert.run(transfer, id);
  }

  /** Somebody has what these objects refer to: they count. */
  settle(ids: readonly number[]): void {
    if (ids.length === 0 || !this.any()) return;
    const remove = this.file.sql('DELETE FROM incoming WHERE id = ?');
    for (const id of ids) remove.run(id);
    this.forgetEmpty();
  }

  complete(name: string): void {
    const transfer = this.findNumber(name);
    if (transfer === undefined) return;
    this.file
      .sql('DELETE FROM incoming WHERE id IN (SELECT id FROM incoming WHERE transfer = ?)')
      .run(transfer);
    this.forgetEmpty();
  }

  drop(name: string): void {
    const transfer = this.findNumber(name);
    if (transfer === undefined) return;
    const own = this.file
      .sql<{ id: number; base: number | null }>(
        `SELECT id, base FROM incoming AS i JOIN objects USING (id) WHERE transfer = ?
         AND NOT EXISTS (SELECT 1 FROM incoming AS o WHERE o.id = i.id AND o.transfer <> i.transfer)
         ORDER BY id`,
      )
      .all(transfer);
    this.file.sql('DELETE FROM incoming WHERE transfer = ?').run(transfer);
    for (const { id, base } of own) if (base !== null) this.remove(id);
    const bases = this.basesFrom(own.at(0)?.id ?? 0);
    for (const { id, base } of own) {
      if (base !== null) continue;
      if (bases.has(id)) this.keepAsBase(id);
      else this.remove(id);
    }
    this.forgetEmpty();
  }

  private any(): boolean {
    return this.file.sql('SELECT EXISTS (SELECT 1 FROM incoming)').pluck().get() === 1;
  }

  private findNumber(name: string): number | undefined {
    return this.file.sql('SELECT id FROM transfers WHERE name = ?').pluck().get(name) as
      | number
      | undefined;
  }

  private begin(name: string): number {
    return Number(
      this.file.sql('INSERT INTO transfers (name) VALUES (?)').run(name).lastInsertRowid,
    );
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
  }
}
