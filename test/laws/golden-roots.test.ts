/**
 * Table hashes that must never change within a format: what a repository on disk, or another
 * machine, calls the same rows. A change here is a change of format (docs/formats.md).
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type AddOptions, add } from '../../src/porcelain/add.ts';
import { hashOfTable } from '../../src/porcelain/inspect.ts';
import type { ColumnType } from '../../src/tuple/schema.ts';
import { temporaryRepository } from '../support/repository.ts';

const FIXTURES = join(import.meta.dirname, '../../fixtures');
const GOLDEN: Record<string, string> = JSON.parse(
  readFileSync(join(FIXTURES, 'golden/roots.json'), 'utf8'),
);

interface Golden {
  readonly text: string;
  readonly key: readonly string[];
  readonly types?: Readonly<Record<string, ColumnType>>;
}

const data = (path: string): string => readFileSync(join(FIXTURES, 'data', path), 'utf8');
const lines = (...rows: readonly string[]): string => rows.map((row) => `${row}\n`).join('');
const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

const COMPOSITE_TYPES: Readonly<Record<string, ColumnType>> = {
  day: 'date',
  place: 'text',
  n: 'integer',
  price: 'decimal',
  size: 'float',
  ok: 'boolean',
  at: 'timestamp',
  note: 'text',
};

const TABLES: Readonly<Record<string, Golden>> = {
  'one-row.csv': { text: lines('id,name', '1,Bern'), key: ['id'] },
  'no-rows.csv': { text: lines('id,name'), key: ['id'], types: { id: 'integer', name: 'text' } },
  'nulls.csv': { text: lines('id,a,b', '1,,', '2,"",', '3,,x', '-4,"",""'), key: ['id'] },
  'keyless.csv': { text: lines('a,b', 'x,', 'x,', 'y,"zero"', ',""', 'x,'), key: [] },
  'composite.csv': {
    text: lines(
      'day,place,n,price,size,ok,at,note',
      '2026-01-02,Zürich,-9223372036854775808,-1.50,1e-300,true,2026-01-02T03:04:05.123456789Z,a',
      '2026-01-02,Zürich,9223372036854775807,0,NaN,false,2026-01-02T03:04:05+05:30,b',
      '1999-12-31,,0,100.00,-Infinity,true,1999-12-31 23:59:59Z,c',
    ).replace('31,,', '31,"",'),
    key: ['day', 'place', 'n', 'price', 'size', 'ok', 'at'],
    types: COMPOSITE_TYPES,
  },
  'long-cell.csv': { text: lines('id,text', `1,${'long '.repeat(4096)}`, '2,short'), key: ['id'] },
  'long-row.csv': {
    text: lines('id,a,b,c,d,e', `1,${numbers(5).map((i) => `${i}`.repeat(15_000))}`),
    key: ['id'],
    types: { a: 'text', b: 'text', c: 'text', d: 'text', e: 'text' },
  },
  'thousand.csv': {
    text: lines('id,name,note', ...numbers(1000).map((i) => `${i * 7},name ${i},${i % 3 || ''}`)),
    key: ['id'],
  },
  'levels.csv': {
    text: lines('id,text', ...numbers(4000).map((i) => `key ${i},${'text '.repeat(i % 50)}.`)),
    key: ['id'],
  },
  'tzdb.csv': { text: data('tzdb/6.202.0.csv'), key: ['name'] },
  'tzdb.json': { text: data('tzdb/6.202.0.json'), key: ['name'] },
  'crawlers.csv': { text: data('crawlers/1.56.0.csv'), key: ['pattern'] },
  'crawlers.ndjson': { text: data('crawlers/1.56.0.ndjson'), key: ['pattern'] },
};

async function hashes(): Promise<Record<string, string>> {
  await using place = await temporaryRepository();
  const found: Record<string, string> = {};
  for (const [name, { text, key, types = {} }] of Object.entries(TABLES)) {
    const path = join(place.directory, name);
    writeFileSync(path, text);
    const options: AddOptions = { key, types: new Map(Object.entries(types)) };
    await add(place.repo, [path], options);
    found[name] = (await hashOfTable(place.repo, name)).hash;
  }
  return found;
}

test('every golden table has the hash it always had', async () => {
  expect(await hashes()).toEqual(GOLDEN);
});
