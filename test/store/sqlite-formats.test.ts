/** Stores of an older format: what becomes of them when they are opened. */
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Hash } from '../../src/hash.ts';
import { checkFormat, supplyFormat } from '../../src/store/sqlite-schema.ts';
import { chunkOf, leafBytes } from '../support/store-chunks.ts';
import { type SqlitePlace, sqlitePlace } from '../support/store-places.ts';

const FROZEN = join(import.meta.dirname, '../../fixtures/repositories');

let place: SqlitePlace;
beforeEach(() => {
  place = sqlitePlace();
});
afterEach(() => place.remove());

function thaw(version: string): void {
  copyFileSync(join(FROZEN, version, 'store.db'), place.path);
}

function formatOf(path: string): unknown {
  const db = new Database(path, { readonly: true });
  const needs = db.prepare("SELECT value FROM meta WHERE key = 'needs'").pluck().get();
  const format = { version: db.pragma('user_version', { simple: true }), needs };
  db.close();
  return format;
}

describe('a store of format 1', () => {
  beforeEach(() => thaw('v1'));

  it('becomes one of format 2 when it is opened for writing, by several at once', async () => {
    expect(formatOf(place.path)).toEqual({ version: 1, needs: '0.1.0' });
    const stores = await Promise.all([1, 2, 3].map(() => place.open()));
    expect(formatOf(place.path)).toEqual({ version: 2, needs: '0.2.0' });
    const leaf = chunkOf(leafBytes(1));
    await stores[0].putReceived('t', [leaf]);
    expect(await stores[1].presence([leaf.hash])).toEqual(['incomplete']);
    expect(await stores[2].listTransfers()).toEqual(['t']);
    expect(await stores[2].check()).toEqual([]);
    for (const store of stores) await store.close();
  });

  it('keeps its feed', async () => {
    const db = new Database(place.path, { readonly: true });
    const last = db.prepare('SELECT max(sequence) FROM feed').pluck().get();
    db.close();
    const store = await place.open();
    const page = await store.readFeed(0, 1000);
    expect([page.first, page.last]).toEqual([1, last]);
    expect(page.entries).toHaveLength(Number(last));
    await store.close();
  });

  it('is supplied with what it lacks where it cannot be written', () => {
    const db = new Database(place.path, { readonly: true });
    expect(checkFormat(db, place.path)).toBe(true);
    supplyFormat(db);
    expect(db.prepare('SELECT count(*) FROM incoming JOIN transfers').pluck().get()).toBe(0);
    db.close();
    expect(formatOf(place.path)).toEqual({ version: 1, needs: '0.1.0' });
  });
});

it('a store of format 2 has deltas against deltas, and is sound', async () => {
  thaw('v2');
  const store = await place.open();
  const bases = new Map<Hash, Hash | null>();
  for await (const batch of store.scan()) for (const { hash, base } of batch) bases.set(hash, base);
  const chained = [...bases].filter(([, base]) => base !== null && bases.get(base) !== null);
  expect(chained.length).toBeGreaterThan(5);
  expect(await store.check()).toEqual([]);
  const got = await store.getMany(chained.map(([hash]) => hash));
  expect(got.every((bytes) => bytes !== undefined)).toBe(true);
  await store.close();
});
