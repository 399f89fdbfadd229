/**
 * An independent reference: the hash of a table from its rows alone, in a hundred plain
 * lines that share no code with src/. Integer and text keys, short cells, no blobs. It
 * follows docs/formats.md literally, slowly and recursively.
 */
import { createRequire } from 'node:module';

const blake3: { hash(bytes: Uint8Array): Buffer } = createRequire(import.meta.url)('blake3');

type Bytes = number[];
export interface ReferenceColumn {
  readonly name: string;
  readonly type: 'text' | 'integer';
}

const utf8 = (text: string): Bytes => [...Buffer.from(text, 'utf8')];
const digest = (bytes: Bytes): Bytes => [...blake3.hash(Buffer.from(bytes))];
const varint = (n: number): Bytes =>
  n < 128 ? [n] : [(n % 128) + 128, ...varint(Math.floor(n / 128))];

function integerKey(text: string): Bytes {
  const value = BigInt(text);
  const size = (v: bigint): number => (v === 0n ? 0 : 1 + size(v / 256n));
  const big = (v: bigint, n: number): Bytes =>
    n === 0 ? [] : [...big(v / 256n, n - 1), Number(v % 256n)];
  if (value >= 0n) return [0x80 + size(value), ...big(value, size(value))];
  const magnitude = big(-value, size(-value));
  return [0x80 - magnitude.length, ...magnitude.map((byte) => 255 - byte)];
}

const cell = (text: string | null): Bytes =>
  text === null ? [0] : [...varint(utf8(text).length + 2), ...utf8(text)];

function hash32(key: Bytes, level: number): number {
  let h = 0x811c9dc5 ^ Math.imul(level, 0x9e3779b1);
  for (const byte of key) h = Math.imul(h ^ byte, 16777619);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

const hazard = (size: number): number => (size <= 4096 ? 0 : (size - 4096) / 13312) ** 2;

function ends(key: Bytes, level: number, before: number, after: number, count: number): boolean {
  if (after < 4096 || (level > 0 && count < 2)) return false;
  if (after >= 65536) return true;
  const d = hazard(after) * hazard(after) - hazard(before) * hazard(before);
  return hash32(key, level) < (d / (1 + d)) * 2 ** 32;
}

interface Entry {
  readonly key: Bytes;
  /** Leaf: the value. Internal: the child's hash. */
  readonly body: Bytes;
  readonly rows: number;
  readonly bytes: number;
}

function split(entries: Entry[], level: number): Entry[][] {
  const nodes: Entry[][] = [[]];
  let size = 0;
  for (const entry of entries) {
    const before = size;
    size += entry.key.length + (level === 0 ? entry.body.length + 2 : 38);
    const node = nodes[nodes.length - 1];
    node.push(entry);
    if (!ends(entry.key, level, before, size, node.length)) continue;
    nodes.push([]);
    size = 0;
  }
  return nodes.filter((node, i) => node.length > 0 || i === 0);
}

function encode(node: Entry[], level: number): Bytes {
  const shared = node.map(({ key }, i) => {
    const before = node[i - 1]?.key ?? [];
    const differs = key.findIndex((byte, at) => byte !== before[at]);
    return differs < 0 ? key.length : differs;
  });
  const keys = node.flatMap(({ key }, i) => key.slice(shared[i]));
  return [
    ...[1, 1, level, 0],
    ...varint(node.length),
    ...shared.flatMap(varint),
    ...node.flatMap(({ key }, i) => varint(key.length - shared[i])),
    ...(level === 0 ? node.flatMap(({ body }) => varint(body.length)) : []),
    ...keys,
    ...node.flatMap(({ body }) => body),
    ...(level > 0 ? node.flatMap(({ rows }) => varint(rows)) : []),
    ...(level > 0 ? node.flatMap(({ bytes }) => varint(bytes)) : []),
  ];
}

function tree(entries: Entry[], level: number): Bytes {
  const parents = split(entries, level).map((node): Entry => {
    const chunk = encode(node, level);
    const below = level === 0 ? 0 : node.reduce((sum, { bytes }) => sum + bytes, 0);
    const rows = level === 0 ? node.length : node.reduce((sum, entry) => sum + entry.rows, 0);
    return { key: node.at(-1)?.key ?? [], body: digest(chunk), rows, bytes: below + chunk.length };
  });
  return parents.length === 1 ? parents[0].body : tree(parents, level + 1);
}

const head = (major: number, n: number): Bytes =>
  n < 24 ? [major * 32 + n] : n < 256 ? [major * 32 + 24, n] : [major * 32 + 25, n >> 8, n & 255];
const cborText = (text: string): Bytes => [...head(3, utf8(text).length), ...utf8(text)];
const cborList = (items: Bytes[]): Bytes => [...head(4, items.length), ...items.flat()];
const cborMap = (pairs: [string, Bytes][]): Bytes => [
  ...head(5, pairs.length),
  ...pairs.flatMap(([name, value]) => [...cborText(name), ...value]),
];

/** The hash of the table in hex; the first column is the key. */
export function referenceTableHash(
  columns: readonly ReferenceColumn[],
  rows: readonly (readonly (string | null)[])[],
): string {
  const entries = rows.map(([key, ...cells]): Entry => {
    const last = cells.findLastIndex((c) => c !== null);
    const body = [0, ...cells.slice(0, last + 1).flatMap(cell)];
    const bytes = columns[0].type === 'integer' ? integerKey(key ?? '') : utf8(key ?? '');
    return { key: bytes, body, rows: 1, bytes: 0 };
  });
  entries.sort((a, b) => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)));
  const described = columns.map(({ name, type }) => cborList([cborText(name), cborText(type)]));
  const schema = digest([
    2,
    1,
    ...cborMap([
      ['c', cborList(described)],
      ['k', cborList([[0]])],
    ]),
  ]);
  const pairs: [string, Bytes][] = [
    ['s', [...head(2, 32), ...schema]],
    ['t', [...head(2, 32), ...tree(entries, 0)]],
  ];
  return Buffer.from(digest([3, 1, ...cborMap(pairs)])).toString('hex');
}
