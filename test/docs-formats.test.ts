/**
 * The examples of docs/formats.md are what the code writes: every ```hex and ```text block
 * with a name is made again here and compared, and every name here is in the page.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ByteWriter } from '../src/bytes.ts';
import { type Hash, hashOf } from '../src/hash.ts';
import { buildBlob } from '../src/model/blob.ts';
import {
  encodeCommit,
  encodeSchema,
  encodeTable,
  encodeTag,
  type Person,
} from '../src/model/objects.ts';
import { editRoot, type RootEntry } from '../src/model/root.ts';
import { formatPatch } from '../src/porcelain/patch-format.ts';
import { buildTree } from '../src/prolly/builder.ts';
import { NodeStore } from '../src/prolly/node-store.ts';
import { EMPTY_TREE_BYTES, NodeWriter } from '../src/prolly/node-writer.ts';
import * as splitter from '../src/prolly/splitter.ts';
import { createMemoryStore } from '../src/store/memory.ts';
import { encodeKey } from '../src/tuple/key-codec.ts';
import { encodeRow } from '../src/tuple/row-encoder.ts';
import type { ColumnType, MergeRules, Row, Schema } from '../src/tuple/schema.ts';

const ROOT = join(import.meta.dirname, '..');
const PAGE = readFileSync(join(ROOT, 'docs/formats.md'), 'utf8');

const CITIES: Schema = {
  columns: [
    { name: 'id', type: 'integer' },
    { name: 'name', type: 'text' },
    { name: 'note', type: 'text' },
  ],
  key: [0],
};
const RULES: MergeRules = {
  columns: { name: 'text' },
  others: 'latest',
  rows: 'update-wins',
};
const PERSON: Person = { name: 'Ada', email: 'ada@example.org', time: 1767225600000, zone: 60 };
const HELLO = Buffer.concat([Buffer.from([7, 1]), Buffer.from('hello')]);
const NO_BLOB = (): Hash => hashOf(HELLO);

const number = (value: number): Buffer => new ByteWriter().varint(value).take();
const key = (type: ColumnType, cell: string): Buffer => encodeKey([cell], [type]);
const row = (cells: Row, schema = CITIES) => encodeRow(schema, cells, NO_BLOB);
const keyless = { ...CITIES, key: [] };

function leaf(): Buffer {
  const writer = new NodeWriter(0);
  for (const cells of [
    ['1', 'Bern', null],
    ['2', null, 'x'],
  ]) {
    const entry = row(cells);
    writer.addPair(entry.key, entry.value);
  }
  return writer.take().bytes;
}

function internal(): Buffer {
  const writer = new NodeWriter(1);
  for (const [cell, rows] of [
    ['1', 200],
    ['2', 3],
  ] as const) {
    writer.addChild({ key: key('integer', cell), hash: hashOf(leaf()), rows, bytes: 24 }, 0);
  }
  return writer.take().bytes;
}

async function rootOf(entry: RootEntry): Promise<Uint8Array> {
  const nodes = new NodeStore(createMemoryStore());
  const empty = await buildTree(nodes, []);
  const root = await editRoot(nodes, empty, new Map([['a.csv', entry]]));
  return (await nodes.read(root)).value(0);
}

function blobIndex(): Uint8Array {
  const chunks: Uint8Array[] = [];
  buildBlob(Buffer.alloc(140_000, 'a'), ({ bytes }) => chunks.push(bytes));
  return chunks.at(-1) as Uint8Array;
}

async function patch(): Promise<string> {
  const changes = [
    [
      {
        change: 'modified' as const,
        line: 0,
        from: new Map([
          ['id', '1'],
          ['name', 'Zürich'],
        ]),
        to: new Map([
          ['id', '1'],
          ['name', 'Zurich'],
        ]),
      },
    ],
  ];
  const table = {
    table: 'cities.csv',
    line: 0,
    fromSchema: CITIES,
    toSchema: CITIES,
    changes: async function* () {
      yield* changes;
    },
  };
  let text = '';
  for await (const part of formatPatch([table])) text += part;
  return text;
}

const hash = hashOf(HELLO);
const commit = {
  root: hash,
  parents: [hash],
  author: PERSON,
  committer: PERSON,
  message: 'First',
  clock: { ms: 1767225600000, counter: 0, node: '00c0ffee' },
  generation: 2,
  extra: {},
};

type Example = () => Uint8Array | string | Promise<Uint8Array | string>;

const EXAMPLES: Readonly<Record<string, Example>> = {
  'varint-127': () => number(127),
  'varint-128': () => number(128),
  'varint-300': () => number(300),
  'varint-largest': () => number(Number.MAX_SAFE_INTEGER),
  'hash-hello': () => Buffer.from(hash, 'hex'),
  'key-integer-0': () => key('integer', '0'),
  'key-integer-1000': () => key('integer', '1000'),
  'key-integer-minus-1': () => key('integer', '-1'),
  'key-decimal': () => key('decimal', '1.50'),
  'key-decimal-below-zero': () => key('decimal', '-12'),
  'key-boolean': () => key('boolean', 'true'),
  'key-date': () => key('date', '2026-01-02'),
  'key-timestamp': () => key('timestamp', '2026-01-02T03:04:05Z'),
  'key-composite': () => encodeKey(['a\0b', '7'], ['text', 'integer']),
  'value-plain': () => row(['1', 'Bern', null]).value,
  'value-null': () => row(['2', null, 'x']).value,
  'value-blob': () => row(['3', 'x'.repeat(20_000), null]).value,
  'keyless-key': () => row(['1', null, 'x'], keyless).key,
  'keyless-value': () => row(['1', null, 'x'], keyless).value,
  'node-empty': () => EMPTY_TREE_BYTES,
  'node-leaf': leaf,
  'node-internal': internal,
  schema: () => encodeSchema(CITIES),
  'schema-rules': () => encodeSchema({ ...CITIES, rules: RULES }),
  table: () => encodeTable({ schema: hash, tree: hash }),
  commit: () => encodeCommit(commit),
  tag: () => encodeTag({ object: hash, name: 'v1', tagger: PERSON, message: 'One' }),
  'root-table': () => rootOf({ kind: 'table', table: hash, dialect: { format: 'csv' } }),
  'root-file': () => rootOf({ kind: 'file', blob: hash, size: 5 }),
  'blob-piece': () => HELLO,
  'blob-index': blobIndex,
  splitter: () =>
    [
      `MIN ${splitter.MIN_NODE_BYTES}, SCALE ${splitter.NODE_SCALE_BYTES}, MAX ${splitter.MAX_NODE_BYTES}`,
      `hash32("a", 0) = ${splitter.hashKey(Buffer.from('a'), 0, 1, 0)}`,
      `hash32("a", 1) = ${splitter.hashKey(Buffer.from('a'), 0, 1, 1)}\n`,
    ].join('\n'),
  patch,
};

/** Bytes in lines of 32, a space between each and the next. */
function shown(example: Uint8Array | string): string {
  if (typeof example === 'string') return example;
  const bytes = Buffer.from(example).toString('hex').match(/../g) ?? [];
  const lines = [];
  for (let i = 0; i < bytes.length; i += 32) lines.push(bytes.slice(i, i + 32).join(' '));
  return `${lines.join('\n')}\n`;
}

const BLOCK = /^```(?:hex|text) name=(\S+)\n(.*?)^```$/gms;
const quoted = new Map([...PAGE.matchAll(BLOCK)].map(([, name, text]) => [name, text]));

test('the page quotes every example, and no other', () => {
  expect([...quoted.keys()].sort()).toEqual(Object.keys(EXAMPLES).sort());
});

test.each(Object.keys(EXAMPLES))('%s is what the code writes', async (name) => {
  expect(quoted.get(name)).toBe(shown(await EXAMPLES[name]()));
});

const source = (path: string): string => readFileSync(join(ROOT, 'src', path), 'utf8');
const names = (text: string, pattern: RegExp): string[] =>
  [...text.matchAll(pattern)].map(([, name]) => name);

/** The first cells of the table under a heading, without backticks. */
function firstCells(heading: string): string[] {
  const section = PAGE.split(/^## /m).find((text) => text.startsWith(heading)) ?? '';
  return names(section, /^\| `([^|]*)` \|/gm);
}

test('the page lists every table of store.db, and of objects every column', () => {
  const sql = source('store/sqlite-schema.ts');
  expect(firstCells('`store.db`')).toEqual(names(sql, /CREATE TABLE (\w+)/g));
  const [objects] = names(sql, /CREATE TABLE objects \((.*?)\) STRICT/gs);
  const columns = names(objects, /^ {4}(\w+)/gm).map((name) => `\`${name}\``);
  expect(PAGE).toContain(`| \`objects\` | a row a chunk: ${columns.join(', ')} |`);
});

test('the page lists every field of a dialect', () => {
  const [dialect] = names(source('formats/contract.ts'), /interface Dialect \{(.*?)^\}/gms);
  const fields = names(dialect, /readonly (\w+)\??:/g);
  const listed = firstCells('Roots').flatMap((cell) => cell.split(/`[,:] `/));
  const layout = names(source('formats/contract.ts'), /interface ParquetLayout \{(.*?)^\}/gms);
  const all = [...fields, ...names(layout[0], /readonly (\w+)\??:/g)];
  expect(listed.sort()).toEqual(all.sort());
});

test('every link leads to a file', () => {
  const links = [...PAGE.matchAll(/\]\(([^)#]+)\)/g)].map(([, link]) => link);
  expect(links.length).toBeGreaterThan(15);
  for (const link of links) expect(existsSync(join(ROOT, 'docs', link)), link).toBe(true);
});
