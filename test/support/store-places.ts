/**
 * Places where a test keeps a store: several handles may be opened on one place, one after
 * the other or at once, and see the same contents.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Compression, loadCompression } from '../../src/store/compression.ts';
import type { Store } from '../../src/store/contract.ts';
import type { Maintenance } from '../../src/store/maintenance.ts';
import { createMemoryStore } from '../../src/store/memory.ts';
import { openSqliteStore, type SqliteStoreOptions } from '../../src/store/sqlite.ts';

export interface StorePlace {
  /** ms since the epoch, as the stores of this place see it; a test moves it. */
  time: number;
  open(): Promise<Store & Maintenance>;
  remove(): void;
}

export function memoryPlace(): StorePlace {
  const place: StorePlace = {
    time: 1_700_000_000_000,
    open: async () => store,
    remove() {},
  };
  const store = createMemoryStore({ now: () => place.time });
  return place;
}

export interface SqlitePlace extends StorePlace {
  /** Path of the database. */
  readonly path: string;
  open(options?: Partial<SqliteStoreOptions>): Promise<Store & Maintenance>;
}

export function sqlitePlace(compression: Compression = loadCompression()): SqlitePlace {
  const directory = mkdtempSync(join(tmpdir(), 'dv-store-'));
  const path = join(directory, 'store.db');
  const place: SqlitePlace = {
    time: 1_700_000_000_000,
    path,
    open: (options) => openSqliteStore(path, { now: () => place.time, compression, ...options }),
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
  return place;
}
