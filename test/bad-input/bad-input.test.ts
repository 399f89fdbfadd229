/**
 * What can be wrong in a file: each refused with its place and a way out, and nothing
 * changed.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { type AddOptions, add } from '../../src/porcelain/add.ts';
import { importFile } from '../../src/porcelain/import-file.ts';
import {
  CITIES,
  expectRefusal,
  type Refusal,
  setScene,
  withFile,
  withRepository,
} from './scene.ts';

let directory: string;
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'dv-bad-'));
  await setScene(directory);
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

interface Case extends Refusal {
  readonly name: string;
  readonly file: string;
  readonly content: string | Uint8Array;
  readonly options?: AddOptions;
}

const byId: AddOptions = { key: ['id'] };
const wide = (columns: number): string =>
  `${Array.from({ length: columns }, (_, i) => `c${i}`).join(',')}\n`;
const latin1 = (text: string): Uint8Array => Buffer.from(text, 'latin1');

const CASES: readonly Case[] = [
  {
    name: 'two rows with the same key',
    file: 'bad.csv',
    content: 'id,x\n1,a\n2,"b\nc"\n1,d\n',
    options: byId,
    code: 'duplicate-key',
    exit: 3,
    message: `lines 2 and 5 of 'bad.csv' have the same key (id): "1"`,
    hint: "--key names a unique column, or several: --key a,b; --key '' keeps rows without a key",
    data: { file: 'bad.csv', lines: [2, 5] },
  },
  {
    name: 'two rows with the same key of two columns, out of order',
    file: 'bad.csv',
    content: 'a,b,x\n2,z,0\n1,y,1\n2,z,2\n1,y,3\n',
    options: { key: ['b', 'a'] },
    code: 'duplicate-key',
    exit: 3,
    message: `lines 2 and 4 of 'bad.csv' have the same key (b, a): "z", "2"`,
    hint: /^--key names a unique column/,
    data: { file: 'bad.csv', lines: [2, 4] },
  },
  {
    name: 'a duplicate in the table dv knows, by its remembered key',
    file: 'cities.csv',
    content: `${CITIES}2,Genf,1\n`,
    code: 'duplicate-key',
    exit: 3,
    message: `lines 3 and 5 of 'cities.csv' have the same key (id): "2"`,
    hint: /^--key names a unique column/,
    data: { file: 'cities.csv', lines: [3, 5] },
  },
  {
    name: 'no value in a key',
    file: 'bad.csv',
    content: 'id,x\n1,a\n,b\n',
    options: byId,
    code: 'null-key',
    exit: 3,
    message: `the key column "id" has no value (line 3 of 'bad.csv')`,
    hint: "--key names other columns; --key '' keeps rows without a key",
    data: { file: 'bad.csv', line: 3, column: 1, name: 'id' },
  },
  {
    name: 'null in a key of NDJSON',
    file: 'bad.ndjson',
    content: '{"id":1}\n{"id":null}\n',
    options: byId,
    code: 'null-key',
    exit: 3,
    message: `the key column "id" has no value (line 2 of 'bad.ndjson')`,
    hint: /^--key names other columns/,
    data: { file: 'bad.ndjson', line: 2, column: 1 },
  },
  {
    name: 'a line with too many cells',
    file: 'bad.csv',
    content: 'id,x\n1,a\n2,b,c\n',
    code: 'ragged-line',
    exit: 3,
    message: '"bad.csv" has 3 cells on line 3, expected 2',
    hint: 'quote cells that contain the delimiter, or set another with --delimiter',
    data: { file: 'bad.csv', line: 3, expected: 2, found: 3 },
  },
  {
    name: 'a line with too few cells',
    file: 'bad.tsv',
    content: 'id\tx\n1\ta\n2\n',
    code: 'ragged-line',
    exit: 3,
    message: '"bad.tsv" has 1 cell on line 3, expected 2',
    hint: 'is it the right delimiter? --delimiter sets another',
    data: { file: 'bad.tsv', line: 3, expected: 2, found: 1 },
  },
  {
    name: 'a quote that is never closed',
    file: 'bad.csv',
    content: 'id,x\n1,a\n2,"b\n3,c\n',
    code: 'unterminated-quote',
    exit: 3,
    message: '"bad.csv" has a quote that is never closed on line 3, column 2',
    hint: 'inside quotes, write a quote as two: ""',
    data: { file: 'bad.csv', line: 3, column: 2 },
  },
  {
    name: 'text behind a quote',
    file: 'bad.csv',
    content: 'id,x\n1,"a"b\n',
    code: 'bad-quote',
    exit: 3,
    message: '"bad.csv" has text behind a closing quote on line 2, column 2',
    hint: 'inside quotes, write a quote as two: ""',
    data: { file: 'bad.csv', line: 2, column: 2 },
  },
  {
    name: 'a byte that is not UTF-8',
    file: 'bad.csv',
    content: latin1('id,x\n1,a\n2,café\n'),
    code: 'invalid-utf8',
    exit: 3,
    message: '"bad.csv" is not UTF-8: byte 0xe9 at offset 14, on line 3',
    hint: 'if it is Latin-1, add --encoding latin1; else convert it to UTF-8',
    data: { file: 'bad.csv', line: 3, offset: 14 },
  },
  {
    name: 'a byte that is not UTF-8, far into the file',
    file: 'bad.csv',
    content: latin1(`id,x\n${'1,abcdef\n'.repeat(200_000)}2,ä\n`),
    options: { key: [] },
    code: 'invalid-utf8',
    exit: 3,
    message: '"bad.csv" is not UTF-8: byte 0xe4 at offset 1800007, on line 200002',
    hint: /--encoding latin1/,
    data: { file: 'bad.csv', line: 200_002, offset: 1_800_007 },
  },
  {
    name: 'UTF-16',
    file: 'bad.csv',
    content: Buffer.from('\ufeffid,x\n1,a\n', 'utf16le'),
    code: 'invalid-utf8',
    exit: 3,
    message: '"bad.csv" is UTF-16, not UTF-8',
    hint: 'convert it: iconv -f UTF-16 -t UTF-8 FILE > NEW',
    data: { file: 'bad.csv', line: 1, offset: 0 },
  },
  {
    name: 'JSON that is not UTF-8',
    file: 'bad.ndjson',
    content: latin1('{"id":1}\n{"id":"é"}\n'),
    code: 'invalid-utf8',
    exit: 3,
    message: '"bad.ndjson" is not UTF-8 at byte 16, line 2',
    hint: 'JSON is UTF-8; if it is Latin-1, convert it: iconv -f LATIN1 -t UTF-8 FILE > NEW',
    data: { file: 'bad.ndjson', line: 2, offset: 16 },
  },
  {
    name: 'JSON that is cut off',
    file: 'bad.json',
    content: '[{"id":1},\n{"id":',
    code: 'bad-json',
    exit: 3,
    message: /^"bad\.json", line 2, column 7: expected a value, found the end of the file, near /,
    data: { file: 'bad.json', line: 2, column: 7 },
  },
  {
    name: 'a Parquet file that is none',
    file: 'bad.parquet',
    content: 'id,x\n1,a\n',
    code: 'bad-parquet',
    exit: 3,
    message: '"bad.parquet": not a Parquet file: it does not start with PAR1',
    data: { file: 'bad.parquet' },
  },
  {
    name: 'a compressed file that is none',
    file: 'bad.csv.gz',
    content: 'id,x\n1,a\n',
    code: 'bad-compression',
    exit: 3,
    message: '"bad.csv.gz" is damaged or cut off: incorrect header check',
    hint: 'is it a gzip file, and whole?',
    data: { file: 'bad.csv.gz' },
  },
  {
    name: 'a NUL byte',
    file: 'bad.csv',
    content: 'id,x\n1,a\n2,b\0c\n',
    code: 'nul-byte',
    exit: 3,
    message: '"bad.csv" has a NUL byte on line 3',
    hint: 'is it text? UTF-16 files: iconv -f UTF-16 -t UTF-8 FILE > NEW',
    data: { file: 'bad.csv', line: 3, offset: 12 },
  },
  {
    name: 'the key column gone',
    file: 'cities.csv',
    content: 'name,population\nBern,133883\n',
    code: 'column-vanished',
    exit: 3,
    message: `'cities.csv' no longer has its key column "id"`,
    hint: 'its columns are name, population; --key names another key',
    data: { file: 'cities.csv', name: 'id' },
  },
  {
    name: 'a key that is no column',
    file: 'bad.csv',
    content: 'id,x\n1,a\n',
    options: { key: ['idd'] },
    code: 'unknown-column',
    exit: 2,
    message: `'bad.csv' has no column "idd"`,
    hint: 'its columns are id, x',
    data: { file: 'bad.csv', name: 'idd' },
  },
  {
    name: 'a type for what is no column',
    file: 'bad.csv',
    content: 'id,x\n1,a\n',
    options: { types: new Map([['zip', 'text']]) },
    code: 'unknown-column',
    exit: 2,
    message: `'bad.csv' has no column "zip"`,
    hint: 'its columns are id, x',
    data: { file: 'bad.csv', name: 'zip' },
  },
  {
    name: 'a cell that is not of the type given',
    file: 'bad.csv',
    content: 'id,x\n1,2\n2,two\n',
    options: { types: new Map([['x', 'integer']]) },
    code: 'type-mismatch',
    exit: 3,
    message: `"two" in column "x" is not a whole number (line 3 of 'bad.csv')`,
    hint: 'leave out --type x=integer, or give a wider type',
    data: { file: 'bad.csv', line: 3, column: 2, name: 'x', value: 'two' },
  },
  {
    name: 'a key cell that is not of the type given',
    file: 'bad.csv',
    content: 'id,x\n1,2\ntwo,2\n',
    options: { ...byId, types: new Map([['id', 'integer']]) },
    code: 'type-mismatch',
    exit: 3,
    message: `"two" in the key column "id" is not a whole number (line 3 of 'bad.csv')`,
    hint: 'leave out --type id=integer, or give a wider type',
    data: { file: 'bad.csv', line: 3, column: 1, name: 'id', value: 'two' },
  },
  {
    name: 'two columns with one name',
    file: 'bad.csv',
    content: 'id,x,id\n1,a,2\n',
    code: 'bad-header',
    exit: 3,
    message: '"bad.csv" has the name "id" in its header for columns 1, 3',
    hint: 'name every column once; for a file without a header line, add --no-header',
    data: { file: 'bad.csv', line: 1, columns: [1, 3] },
  },
  {
    name: 'a column without a name',
    file: 'bad.csv',
    content: 'id,\n1,a\n',
    code: 'bad-header',
    exit: 3,
    message: '"bad.csv" has no name in its header for column 2',
    hint: /--no-header$/,
    data: { file: 'bad.csv', line: 1, columns: [2] },
  },
  {
    name: 'an empty file',
    file: 'bad.csv',
    content: '',
    code: 'file-empty',
    exit: 3,
    message: '"bad.csv" is empty',
    hint: 'a table without rows still has a header line',
    data: { file: 'bad.csv' },
  },
  {
    name: 'a cell of 100 MB',
    file: 'bad.csv',
    content: Buffer.concat([Buffer.from('id,x\n1,'), Buffer.alloc(100_000_000, 'y')]),
    code: 'record-too-large',
    exit: 3,
    message: '"bad.csv" has a record of more than 67108864 bytes on line 2',
    hint: 'look for a quote that is never closed',
    data: { file: 'bad.csv', line: 2, limit: 67_108_864 },
  },
  {
    name: 'more columns than a table can have',
    file: 'bad.csv',
    content: wide(16_385),
    code: 'too-many-columns',
    exit: 3,
    message: '"bad.csv" has 16385 columns, more than 16384',
    hint: 'is it the right delimiter? --delimiter sets another',
    data: { file: 'bad.csv', line: 1, found: 16_385, limit: 16_384 },
  },
  {
    name: 'more names of columns than one object can hold',
    file: 'bad.csv',
    content: wide(5000).replaceAll(/c(\d+)/g, (name) => name.padEnd(60, '_')),
    code: 'too-many-columns',
    exit: 3,
    message: `the names of the 5000 columns of 'bad.csv' take 340012 bytes, more than 262144`,
    hint: 'shorten the names, or split the table',
    data: { file: 'bad.csv', columns: 5000, limit: 262_144 },
  },
  {
    name: 'a key of 64 KB',
    file: 'bad.csv',
    content: `id,x\n1,a\n${'k'.repeat(65_536)},b\n`,
    options: byId,
    code: 'key-too-long',
    exit: 3,
    message: `the key "${'k'.repeat(80)}…" in "id" is over 8192 bytes (line 3 of 'bad.csv')`,
    hint: '--key names other columns',
    data: { file: 'bad.csv', line: 3, column: 1, name: 'id', limit: 8192 },
  },
];

describe('refused, and nothing changed:', () => {
  test.each(CASES)('$name', async ({ file, content, options, ...refusal }) => {
    await withFile(directory, file, content, async (path) => {
      const act = () => withRepository(directory, (repo) => add(repo, [path], options));
      await expectRefusal(directory, act, refusal);
    });
  });

  test('a bad file among good ones keeps all of them out', async () => {
    await withFile(directory, 'bad.csv', 'id,x\n1,a,b\n', async () => {
      const act = () => withRepository(directory, (repo) => add(repo, [directory]));
      await expectRefusal(directory, act, {
        code: 'ragged-line',
        exit: 3,
        message: /^"bad\.csv" has 3 cells/,
        hint: /--delimiter/,
      });
    });
  });

  test('import says the same, and leaves table and working file as they were', async () => {
    await withFile(directory, 'bad.csv', 'id,x\n1,a\n1,b\n', async (path) => {
      const act = () =>
        withRepository(directory, (repo) => importFile(repo, 'cities.csv', path, { force: true }));
      await expectRefusal(directory, act, {
        code: 'duplicate-key',
        exit: 3,
        message: /^lines 2 and 3 of '.*bad\.csv' have the same key \(id\): "1"$/,
        hint: /^--key/,
        data: { lines: [2, 3] },
      });
    });
  });
});
