import { describe, expect, test } from 'vitest';
import { formatOf, requireFormat } from '../../src/formats/detect.ts';

describe('the format of a file', () => {
  test.each([
    ['cities.csv', 'csv', undefined],
    ['data/v1.2/cities.CSV', 'csv', undefined],
    ['cities.psv', 'csv', undefined],
    ['cities.tsv', 'tsv', undefined],
    ['cities.tab', 'tsv', undefined],
    ['events.ndjson', 'ndjson', undefined],
    ['events.jsonl.gz', 'ndjson', 'gzip'],
    ['events.2026.json.zst', 'json', 'zstd'],
    ['t.parquet', 'parquet', undefined],
    ['t.pq', 'parquet', undefined],
    ['archive.gz', undefined, 'gzip'],
    ['README.md', undefined, undefined],
    ['csv', undefined, undefined],
    ['a.csv/readme', undefined, undefined],
    ['a.constructor', undefined, undefined],
    ['data.csv\\notes', undefined, undefined],
    ['.csv', 'csv', undefined],
  ])('%s', (name, format, compression) => {
    expect(formatOf(name)).toEqual({ format, compression });
  });

  test('a format given wins over the name, the compression stays', () => {
    expect(formatOf('dump.txt.gz', 'csv')).toEqual({ format: 'csv', compression: 'gzip' });
    expect(formatOf('dump.csv', 'TSV')).toEqual({ format: 'tsv', compression: undefined });
    expect(requireFormat('dump.txt', 'jsonl').format).toBe('ndjson');
  });

  test('an unknown one is refused with the list of known ones', () => {
    const known = ['csv', 'tsv', 'ndjson', 'json', 'parquet'];
    const expected = { code: 'unknown-format', exitStatus: 2 };
    expect(() => formatOf('a.csv', 'xlsx')).toThrow(
      expect.objectContaining({ ...expected, data: { value: 'xlsx', known } }),
    );
    expect(() => requireFormat('notes.txt')).toThrow(
      expect.objectContaining({ ...expected, data: { value: 'notes.txt', known } }),
    );
    expect(() => requireFormat('notes.txt')).toThrow(known.join(', '));
  });
});
