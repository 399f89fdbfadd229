/**
 * Real data with a real history: adding and committing the published versions in order
 * gives exactly the differences that two independent tools found (`truth.json`), and every
 * version comes back cell for cell.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { csv } from '../../src/formats/csv.ts';
import { digestOf } from '../../src/hash.ts';
import { add } from '../../src/porcelain/add.ts';
import { commit } from '../../src/porcelain/commit.ts';
import { diff } from '../../src/porcelain/diff.ts';
import { statTable, type TableStat } from '../../src/porcelain/diff-stat.ts';
import { exportBytes } from '../../src/porcelain/export.ts';
import { fsck } from '../../src/porcelain/maintain.ts';
import { rowsOf } from '../../src/tuple/row-batch-builder.ts';
import { temporaryRepository } from '../support/repository.ts';

interface Truth {
  readonly primary_key: string[];
  readonly snapshots: { readonly version: string; readonly file: string; readonly rows: number }[];
  readonly pairs: {
    readonly from: string;
    readonly to: string;
    readonly added: number;
    readonly removed: number;
    readonly modified: number;
    readonly modified_by_column: Record<string, number>;
    readonly columns_added: string[];
    readonly columns_removed: string[];
  }[];
}

const ROOT = join(import.meta.dirname, '../..');
const SOURCES = [join(ROOT, '../shared/data'), join(ROOT, 'fixtures/data')];

function folderOf(set: string): string | undefined {
  return SOURCES.map((source) => join(source, set)).find((path) =>
    existsSync(join(path, 'truth.json')),
  );
}

function readSnapshot(path: string): Buffer {
  const bytes = readFileSync(path);
  return path.endsWith('.gz') ? gunzipSync(bytes) : bytes;
}

/** Header, number of rows and a sum over the rows' hashes: equal for equal rows in any order. */
async function contents(bytes: Buffer): Promise<unknown[]> {
  const source = {
    name: 'snapshot',
    size: bytes.length,
    stream: async function* () {
      yield bytes;
    },
  };
  const reader = await csv.openReader(source, {});
  let rows = 0;
  let sum = 0n;
  for await (const batch of reader.batches()) {
    for (const row of rowsOf(batch)) {
      const digest = Buffer.from(digestOf(Buffer.from(JSON.stringify(row))));
      sum += digest.readBigUInt64LE(0);
      rows += 1;
    }
  }
  return [reader.columns, rows, sum];
}

async function collect(pieces: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const piece of pieces) parts.push(Buffer.from(piece));
  return Buffer.concat(parts);
}

describe.each(['crawlers', 'tzdb', 'spdx', 'bcd_support', 'cldr_dates'])('%s', (set) => {
  const folder = folderOf(set);
  const skip = folder === undefined;

  test.skipIf(skip)(
    'differs from version to version exactly as published',
    async () => {
      const truth: Truth = JSON.parse(readFileSync(join(folder ?? '', 'truth.json'), 'utf8'));
      const present = new Set(readdirSync(folder ?? ''));
      await using temporary = await temporaryRepository();
      const { repo, directory } = temporary;
      const file = join(directory, 'data.csv');
      const commits = new Map<string, string>();
      for (const snapshot of truth.snapshots) {
        const name = [snapshot.file, `${snapshot.file}.gz`].find((f) => present.has(f));
        if (name === undefined) continue;
        const bytes = readSnapshot(join(folder ?? '', name));
        writeFileSync(file, bytes);
        const key = commits.size === 0 ? { key: truth.primary_key } : {};
        await add(repo, [file], key);
        const made = await commit(repo, { message: snapshot.version, skipEmpty: true });
        const previous = [...commits.values()].at(-1);
        commits.set(snapshot.version, made.commit ?? previous ?? '');
        const out = await collect(await exportBytes(repo, 'HEAD:data.csv'));
        expect(await contents(out)).toEqual(await contents(bytes));
      }
      let pairs = 0;
      for (const pair of truth.pairs) {
        const [from, to] = [commits.get(pair.from), commits.get(pair.to)];
        if (from === undefined || to === undefined) continue;
        pairs += 1;
        const stats: TableStat[] = [];
        const found = await diff(repo, { revisions: [from, to] });
        for await (const table of found.tables) stats.push(await statTable(table));
        const stat = stats[0];
        const none = { added: 0, removed: 0, modified: 0, columns: {}, schema: [] };
        const { added, removed, modified, columns, schema } = stat ?? none;
        expect({ pair: [pair.from, pair.to], added, removed, modified, columns }).toEqual({
          pair: [pair.from, pair.to],
          added: pair.added,
          removed: pair.removed,
          modified: pair.modified,
          columns: pair.modified_by_column,
        });
        const named = (kind: string): string[] =>
          schema.flatMap((c) => (c.kind === kind && 'column' in c ? [c.column] : [])).sort();
        expect(named('column-added')).toEqual([...pair.columns_added].sort());
        expect(named('column-removed')).toEqual([...pair.columns_removed].sort());
        expect(from === to).toBe(pair.added + pair.removed + pair.modified + schema.length === 0);
      }
      expect(pairs).toBeGreaterThan(0);
      for await (const problem of fsck(repo)) expect(problem).toBeUndefined();
    },
    300_000,
  );
});
