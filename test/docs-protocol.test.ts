/** The examples of docs/protocol.md are what the code writes, and its figures are the code's. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Hash, hashOf } from '../src/hash.ts';
import { MAX_CBOR_DEPTH } from '../src/sync/cbor-depth.ts';
import {
  FRAME_TYPES,
  KEEP_ALIVE,
  MAX_FRAME_BYTES,
  maxRawSize,
  PackWriter,
} from '../src/sync/pack.ts';

const ROOT = join(import.meta.dirname, '..');
const PAGE = readFileSync(join(ROOT, 'docs/protocol.md'), 'utf8');
const HELLO = Buffer.concat([Buffer.from([7, 1]), Buffer.from('hello')]);
const ZERO = '0'.repeat(64) as Hash;
const hash = hashOf(HELLO);
const raw = { hash, rawSize: HELLO.length, form: { kind: 'raw' }, data: HELLO } as const;

/** The bytes that one step adds to a pack. */
function written(...steps: ((writer: PackWriter) => void)[]): Buffer {
  const writer = new PackWriter({ wants: [], commons: [], shallow: [] });
  let last = writer.take();
  for (const step of steps) {
    step(writer);
    last = writer.take();
  }
  return last;
}

const start = written();
const delta = { ...raw, form: { kind: 'delta', base: ZERO }, data: Buffer.alloc(9) } as const;

const EXAMPLES: Readonly<Record<string, Uint8Array>> = {
  'pack-magic': start.subarray(0, 5),
  'pack-header': start.subarray(5),
  'pack-chunk-raw': written((writer) => writer.chunk(raw)),
  'pack-chunk-like': written((writer) => writer.chunk(raw, ZERO)),
  'pack-chunk-delta': written((writer) => writer.chunk(delta)),
  'pack-keep-alive': KEEP_ALIVE,
  'pack-trailer': written(
    (writer) => writer.chunk(raw),
    (writer) => writer.trailer(true),
  ),
};

const shown = (bytes: Uint8Array): string =>
  (
    Buffer.from(bytes)
      .toString('hex')
      .match(/.{1,64}/g) ?? []
  )
    .map((line) => (line.match(/../g) ?? []).join(' '))
    .join('\n');

const quoted = new Map(
  [...PAGE.matchAll(/```hex name=(\S+)\n(.*?)\n?```/gs)].map(([, name, text]) => [name, text]),
);

test('the page quotes every example, and no other', () => {
  expect([...quoted.keys()].sort()).toEqual(Object.keys(EXAMPLES).sort());
});

test.each(Object.keys(EXAMPLES))('%s is what the code writes', (name) => {
  expect(quoted.get(name)).toBe(shown(EXAMPLES[name]));
});

test('the page has every type of frame, and the limits', () => {
  const types = [...PAGE.matchAll(/^\| `(0\d)` \| ([a-z-]+) \|/gm)].map(([, type, name]) => [
    name.replace(/-(.)/, (_, letter: string) => letter.toUpperCase()),
    Number(type),
  ]);
  expect(Object.fromEntries(types)).toEqual(FRAME_TYPES);
  for (const figure of [MAX_FRAME_BYTES, 262_144, maxRawSize(0, 0)]) {
    expect(PAGE).toContain(figure.toLocaleString('en'));
  }
  expect(PAGE).toContain(`nests ${MAX_CBOR_DEPTH} deep`);
});

test('every link leads to a file', () => {
  const links = [...PAGE.matchAll(/\]\(([^)#]+)\)/g)].map(([, link]) => link);
  expect(links.length).toBeGreaterThan(3);
  for (const link of links) expect(existsSync(join(ROOT, 'docs', link)), link).toBe(true);
});
