/**
 * Real files come back byte for byte: written by somebody else's CSV writer, read and
 * written again by ours, rows in the same order.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import type { Dialect } from '../../src/formats/contract.ts';
import { csv } from '../../src/formats/csv.ts';
import { schemaOf, sourceOf } from '../support/format-rows.ts';

const FIXTURES = fileURLToPath(new URL('../../fixtures/data/', import.meta.url));
const SHARED = fileURLToPath(new URL('../../../shared/data/', import.meta.url));

function csvFiles(folder: string): string[] {
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return names.filter((name) => /\.csv(\.gz)?$/.test(name)).sort();
}

async function roundTrip(bytes: Buffer, dialect: Dialect) {
  const reader = await csv.openReader(sourceOf(bytes), {});
  const schema = schemaOf(
    reader.columns,
    reader.columns.map(() => 'text'),
  );
  const writer = csv.createWriter(schema, dialect);
  const digest = createHash('sha256');
  let rows = 0;
  for await (const batch of reader.batches()) {
    rows += batch.rows;
    digest.update((await writer.write(batch)) ?? '');
  }
  digest.update((await writer.end()) ?? '');
  return { rows, digest: digest.digest('hex'), dialect: reader.dialect() };
}

async function expectSame(path: string): Promise<number> {
  const file = readFileSync(path);
  const bytes = path.endsWith('.gz') ? gunzipSync(file) : file;
  const { dialect } = await roundTrip(bytes, { format: 'csv' });
  const { rows, digest } = await roundTrip(bytes, dialect);
  expect(digest).toBe(createHash('sha256').update(bytes).digest('hex'));
  return rows;
}

describe('fixtures', () => {
  test.each(['crawlers', 'tzdb'])('%s: rows and bytes are as published', async (set) => {
    const truth = JSON.parse(readFileSync(`${FIXTURES}${set}/truth.json`, 'utf8'));
    for (const { file, rows } of truth.snapshots) {
      if (!existsSync(`${FIXTURES}${set}/${file}`)) continue;
      expect(await expectSame(`${FIXTURES}${set}/${file}`)).toBe(rows);
    }
  });
});

describe.skipIf(!existsSync(SHARED))('the large data', () => {
  test.each(csvFiles(SHARED))(
    '%s',
    async (name) => {
      await expectSame(`${SHARED}${name}`);
    },
    60_000,
  );
});
