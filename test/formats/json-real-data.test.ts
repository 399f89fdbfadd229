import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { json, ndjson } from '../../src/formats/json.ts';
import { readLossless, schemaOf, writeTable } from '../support/format-rows.ts';

const DATA = new URL('../../fixtures/data/', import.meta.url);

/** RFC 4180 in a dozen lines; an unquoted empty field is null. */
function parseCsv(text: string): (string | null)[][] {
  const field = /("(?:[^"]|"")*"|[^",\r\n]*)(,|\r?\n|$)/y;
  const rows: (string | null)[][] = [];
  let row: (string | null)[] = [];
  while (field.lastIndex < text.length) {
    const [, cell, separator] = field.exec(text)!;
    row.push(cell === '' ? null : cell[0] === '"' ? cell.slice(1, -1).replaceAll('""', '"') : cell);
    if (separator === ',') continue;
    rows.push(row);
    row = [];
  }
  return rows;
}

test.each([
  ['crawlers/1.45.0', 'ndjson'],
  ['crawlers/1.56.0', 'ndjson'],
  ['tzdb/6.198.0', 'json'],
  ['tzdb/6.202.0', 'json'],
])('%s.%s holds the same cells as the CSV', async (file, extension) => {
  const bytes = readFileSync(new URL(`${file}.${extension}`, DATA));
  const table = await readLossless(extension === 'json' ? json : ndjson, bytes);
  const [header, ...rows] = parseCsv(readFileSync(new URL(`${file}.csv`, DATA), 'utf8'));
  expect([...table.columns].sort()).toEqual([...header].sort());
  const order = header.map((name) => table.columns.indexOf(name!));
  expect(table.rows.map((row) => order.map((column) => row[column]))).toEqual(rows);
  expect(table.mixed).toEqual([]);
});

test.each(['tzdb/6.198.0', 'tzdb/6.202.0'])('%s.json comes back byte for byte', async (file) => {
  const bytes = readFileSync(new URL(`${file}.json`, DATA));
  const table = await readLossless(json, bytes);
  const schema = schemaOf(table.columns, table.types);
  const written = await writeTable(json, schema, table.rows, table.dialect);
  expect(written.equals(bytes)).toBe(true);
});
