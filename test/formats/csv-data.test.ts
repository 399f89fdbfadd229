/**
 * Real files come back byte for byte: written by somebody else's CSV writer, read and
 * written again by ours, rows in the same order.
 */
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

/** The number of rows, when they come back as the same bytes; their dialect. */
async function roundTrip(bytes: Buffer, dialect: Dialect) {
  const reader = await csv.openReader(sourceOf(bytes), {});
  const types = reader.columns.map(() => 'text' as const);
  const writer = csv.createWriter(schemaOf(reader.columns, types), dialect);
  let rows = 0;
  let same = true;
  let at = 0;
  const compare = (part: Uint8Array | undefined) => {
    if (part === undefined) return;
    same &&= bytes.subarray(at, at + part.length).equals(part);
    at += part.length;
  };
  for await (const batch of reader.batches()) {
    rows += batch.rows;
    compare(await writer.write(batch));
  }
  compare(await writer.end());
  return { rows, same: same && at === bytes.length, dialect: reader.dialect() };
}

describe('fixtures', () => {
  test.each(['crawlers', 'tzdb'])('%s: rows and bytes are as published', async (set) => {
    const truth = JSON.parse(readFileSync(`${FIXTURES}${set}/truth.json`, 'utf8'));
    const present = truth.snapshots.filter(({ file }: { file: string }) =>
      existsSync(`${FIXTURES}${set}/${file}`),
    );
    expect(present.length).toBeGreaterThan(5);
    for (const { file, rows } of present) {
      const bytes = readFileSync(`${FIXTURES}${set}/${file}`);
      const { dialect } = await roundTrip(bytes, { format: 'csv' });
      expect(await roundTrip(bytes, dialect)).toEqual({ rows, same: true, dialect });
    }
  });
});

describe.skipIf(!existsSync(SHARED))('the large data', () => {
  test.each(csvFiles(SHARED))('%s', async (name) => {
    const file = readFileSync(`${SHARED}${name}`);
    const bytes = name.endsWith('.gz') ? gunzipSync(file) : file;
    // They all come from one writer, which quotes white space at the ends of a cell.
    const found = await roundTrip(bytes, { format: 'csv', quotedEdges: true });
    expect(found.same).toBe(true);
    expect(found.dialect).toMatchObject({ format: 'csv', delimiter: ',', header: true });
    expect(found.dialect.quoting).toBe(undefined);
  });
});
