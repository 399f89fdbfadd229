/**
 * Columns that a file names late, batches after its first: rows before them have no cell
 * there, and key and types hold whatever comes.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { add } from '../../src/porcelain/add.ts';
import { exportBytes } from '../../src/porcelain/export.ts';
import { temporaryRepository } from '../support/repository.ts';

const ROWS = 30_000;

type Record = { [name: string]: unknown };

async function readBack(records: readonly Record[]): Promise<Record[]> {
  await using temporary = await temporaryRepository();
  const { repo, directory } = temporary;
  const lines = records.map((record) => `${JSON.stringify(record)}\n`);
  writeFileSync(join(directory, 'data.ndjson'), lines.join(''));
  await add(repo, [join(directory, 'data.ndjson')]);
  let text = '';
  for await (const bytes of await exportBytes(repo, 'data.ndjson')) text += Buffer.from(bytes);
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
}

const withoutNulls = (record: Record): Record =>
  Object.fromEntries(Object.entries(record).filter(([, value]) => value !== null));

describe('a column that comes', () => {
  const placesOfFirst = [1, 700, 9_000, ROWS - 1];
  test.each(placesOfFirst)('with record %i', async (first) => {
    const records = Array.from({ length: ROWS }, (_, id) => ({
      id,
      name: `row ${id}`,
      ...(id >= first && id % 3 === first % 3 ? { late: `late ${id}` } : {}),
    }));
    expect((await readBack(records)).map(withoutNulls)).toEqual(records);
  });
});

test('a key cell of another type that comes with a new column', async () => {
  const records: Record[] = Array.from({ length: ROWS }, (_, id) => ({ id: String(id) }));
  records[ROWS - 2] = { id: 'abc', late: 1 };
  const ids = (list: readonly Record[]) => list.map(({ id }) => id).sort();
  expect(ids(await readBack(records))).toEqual(ids(records));
});

test('a first column that is unique only as far as the late one', async () => {
  const records = Array.from({ length: ROWS }, (_, i) => ({
    id: i < ROWS - 1 ? i : 0,
    ...(i > 20_000 ? { late: i } : {}),
  }));
  const back = await readBack(records);
  expect(back).toHaveLength(ROWS);
  expect(back.filter(({ id }) => id === 0)).toHaveLength(2);
});
