/** Looking through the database and keeping it small: `Maintenance` without gc. */
import { statSync } from 'node:fs';
import { DvError } from '../errors.ts';
import type { StoredObject } from './maintenance.ts';
import { hashOfColumn, nullableHash } from './sqlite-columns.ts';
import type { SqliteFile } from './sqlite-file.ts';
import { PAGE_BYTES } from './sqlite-schema.ts';
import { letOthersWrite } from './sqlite-wait.ts';

const SCAN_STEP = 1024;
/** Pages given back in one transaction. */
const COMPACT_STEP = 1024;
const MOST_COMPLAINTS = 100;

interface ScanRow {
  readonly id: number;
  readonly hash: unknown;
  readonly kind: number;
  readonly raw_size: number;
  readonly size: number;
  readonly base: unknown;
}

/** Every object in the order of its id. Does not read their data. */
export async function* scanObjects(file: SqliteFile): AsyncGenerator<StoredObject[]> {
  const sql = `
    SELECT o.id, o.hash, o.kind, o.raw_size, length(o.data) AS size, b.hash AS base
    FROM objects o LEFT JOIN objects b ON b.id = o.base
    WHERE o.id > ? ORDER BY o.id LIMIT ${SCAN_STEP}`;
  for (let after = 0; ; ) {
    const from = after;
    const rows = await file.plain(() => file.sql<ScanRow>(sql).all(from));
    const last = rows.at(-1);
    if (last === undefined) return;
    after = last.id;
    yield rows.map(describe);
  }
}

function describe({ hash, kind, raw_size, size, base }: ScanRow): StoredObject {
  return {
    hash: hashOfColumn(hash),
    kind,
    rawSize: raw_size,
    storedSize: size,
    base: nullableHash(base),
  };
}

export function measureFiles(
  file: SqliteFile,
): Promise<{ readonly fileBytes: number; readonly freeBytes: number }> {
  return file.plain(() => ({
    fileBytes: sizeOf(file.path) + sizeOf(`${file.path}-wal`),
    freeBytes: Number(file.pragma('freelist_count')) * PAGE_BYTES,
  }));
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

/** SQLite's own check of pages and indexes, then the rules of bases and of transfers. */
export async function checkContainer(file: SqliteFile): Promise<string[]> {
  try {
    return await file.plain(() => [
      ...integrityComplaints(file),
      ...baseComplaints(file),
      ...transferComplaints(file),
    ]);
  } catch (error) {
    if (error instanceof DvError && error.code === 'corrupt') return [error.message];
    throw error;
  }
}

function integrityComplaints(file: SqliteFile): string[] {
  const lines = file.sql(`PRAGMA integrity_check(${MOST_COMPLAINTS})`).pluck().all() as string[];
  return lines.filter((line) => line !== 'ok');
}

function baseComplaints(file: SqliteFile): string[] {
  const rows = file
    .sql<{ hash: unknown; missing: number }>(
      `SELECT o.hash, b.id IS NULL AS missing
       FROM objects o LEFT JOIN objects b ON b.id = o.base LEFT JOIN objects k ON k.id = b.base
       WHERE o.base IS NOT NULL AND (b.id IS NULL OR k.base IS NOT NULL)
       LIMIT ${MOST_COMPLAINTS}`,
    )
    .all();
  return rows.map(({ hash, missing }) => {
    const what = missing ? 'has no base' : 'is in a chain of more than two deltas';
    return `object ${hashOfColumn(hash)} ${what}`;
  });
}

function transferComplaints(file: SqliteFile): string[] {
  const ids = file
    .sql(
      `SELECT id FROM incoming WHERE NOT EXISTS (SELECT 1 FROM objects WHERE id = incoming.id)
       LIMIT ${MOST_COMPLAINTS}`,
    )
    .pluck()
    .all();
  return ids.map((id) => `a transfer has object ${id}, which is missing`);
}

/**
 * Moves pages from the end of the file into free ones and cuts it off, a few megabytes at a
 * time. `VACUUM` would pack somewhat tighter, but needs the size of the store twice more and
 * locks out every writer until it is done.
 */
export async function compactFile(file: SqliteFile): Promise<void> {
  const free = () => Number(file.pragma('freelist_count'));
  for (let left = await file.plain(free), before = left + 1; left > 0 && left < before; ) {
    await file.write('stored', () => file.exec(`PRAGMA incremental_vacuum(${COMPACT_STEP})`));
    await letOthersWrite();
    before = left;
    left = await file.plain(free);
  }
  await file.plain(() => file.pragma('wal_checkpoint(TRUNCATE)'));
}
