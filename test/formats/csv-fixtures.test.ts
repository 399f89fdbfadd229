/**
 * Every file in fixtures/csv beside the JSON that says what it holds (columns, rows, lines,
 * dialect, and what it is when written again, where that is not itself) or which error it is.
 * Dropping a pair into the folder adds a test.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Dialect, FormatName } from '../../src/formats/contract.ts';
import { openCsvReader } from '../../src/formats/csv-reader.ts';
import { createCsvWriter } from '../../src/formats/csv-writer.ts';
import type { Row } from '../../src/tuple/schema.ts';
import { readTable, schemaOf, sourceOf, writeTable } from '../support/format-rows.ts';

interface Expected {
  readonly given?: Partial<Dialect>;
  readonly columns: readonly string[];
  readonly rows: readonly Row[];
  readonly lines: readonly number[];
  readonly dialect: Dialect;
  readonly rewritten?: string;
  readonly error?: { readonly code: string; readonly data: Record<string, unknown> };
}

const FOLDER = new URL('../../fixtures/csv/', import.meta.url);
const FILES = readdirSync(FOLDER).filter((name) => !name.endsWith('.json'));

const SMALL = { blockBytes: 8, recordBytes: 1024, batchCells: 3 };

function csvWith(name: FormatName, limits?: typeof SMALL) {
  return {
    openReader: (source: ReturnType<typeof sourceOf>, options: { dialect?: Partial<Dialect> }) =>
      openCsvReader(name, source, options, limits),
    createWriter: createCsvWriter,
  };
}

describe.each(FILES)('%s', (name) => {
  const bytes = readFileSync(new URL(name, FOLDER));
  const [base, extension] = name.split('.');
  const expected: Expected = JSON.parse(readFileSync(new URL(`${base}.json`, FOLDER), 'utf8'));
  const format = extension as FormatName;
  const options = { dialect: expected.given };

  test.each([
    ['whole', 65_536, undefined],
    ['byte by byte, in small blocks', 1, SMALL],
    ['in threes, in small blocks', 3, SMALL],
  ])('%s', async (_, chunk, limits) => {
    const csv = csvWith(format, limits);
    const reading = readTable(csv, sourceOf(bytes, chunk), options);
    const { error } = expected;
    if (error !== undefined) {
      const file = error.code === 'bad-option' ? {} : { file: 'rows' };
      await expect(reading).rejects.toMatchObject({ ...error, data: { ...error.data, ...file } });
      return;
    }
    const { columns, rows, lines, dialect } = await reading;
    const { columns: c, rows: r, lines: l, dialect: d } = expected;
    expect({ columns, rows, lines, dialect }).toEqual({
      columns: c,
      rows: r,
      lines: l,
      dialect: d,
    });

    const types = columns.map(() => 'text' as const);
    const written = await writeTable(csv, schemaOf(columns, types), rows, dialect, 2);
    expect(written.toString('latin1')).toBe(expected.rewritten ?? bytes.toString('latin1'));
  });
});
