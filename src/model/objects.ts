/**
 * The objects above the tree, as chunks: a kind byte, a version byte, then deterministic
 * CBOR (RFC 8949: definite lengths, shortest integers, map keys sorted shorter first).
 *
 *   kind  object  CBOR
 *   0x02  schema  {"c": [[name, type], ...], "k": [column index, ...]}; with merge rules, in
 *                 version 2, also "r": {"c": {column: rule}, "o": rule of other columns,
 *                 "r": rule of rows}, each left out when there is none
 *   0x03  table   {"s": schema hash, "t": tree hash}
 *   0x05  commit  {"r": root hash, "p": [parent hash, ...], "a": person, "c": person,
 *                  "m": message, "h": [ms, counter, node], "g": generation, "x": {...}}
 *   0x06  tag     {"o": commit hash, "n": name, "a": person, "m": message}
 *
 * A person is [name, email, ms since the epoch, zone offset in minutes]. Hashes are byte
 * strings of 32. "x" is left out when empty; it carries `source`, `resolved` and the like.
 * Kind 0x01 is a tree node (prolly/node.ts), 0x07 and 0x08 are blobs (blob.ts). A root is
 * a tree whose keys are names (root.ts).
 */
import { decode as cborDecode, encode as cborEncode } from 'cborg';
import { DvError } from '../errors.ts';
import { HASH_BYTES, type Hash, hashFromBytes, hashOf, hashToBytes } from '../hash.ts';
import type { ChunkToPut } from '../store/contract.ts';
import {
  COLUMN_RULES,
  COLUMN_TYPES,
  type ColumnRule,
  type ColumnType,
  type MergeRules,
  ROW_RULES,
  type RowRule,
  type Schema,
} from '../tuple/schema.ts';

export const SCHEMA_KIND = 0x02;
export const TABLE_KIND = 0x03;
export const COMMIT_KIND = 0x05;
export const TAG_KIND = 0x06;
const VERSION = 0x01;
/** Of a schema that has merge rules; any other keeps the bytes it always had. */
const RULED_SCHEMA_VERSION = 0x02;

/** Who and when; `time` in ms since the epoch, `zone` the offset from UTC in minutes. */
export interface Person {
  readonly name: string;
  readonly email: string;
  readonly time: number;
  readonly zone: number;
}

/** Hybrid logical clock: physical ms, a counter within it, and the node that made it. */
export interface Clock {
  readonly ms: number;
  readonly counter: number;
  readonly node: string;
}

export interface Table {
  readonly schema: Hash;
  readonly tree: Hash;
}

export interface Commit {
  readonly root: Hash;
  readonly parents: readonly Hash[];
  readonly author: Person;
  readonly committer: Person;
  readonly message: string;
  readonly clock: Clock;
  /** 1 + the largest of the parents'; 1 without parents. */
  readonly generation: number;
  /** Room for what later commits carry (stream offsets, resolved conflicts). */
  readonly extra: Readonly<Record<string, unknown>>;
}

export interface Tag {
  readonly object: Hash;
  readonly name: string;
  readonly tagger: Person;
  readonly message: string;
}

function chunk(kind: number, value: unknown, version = VERSION): Buffer {
  return Buffer.concat([Buffer.from([kind, version]), cborEncode(value)]);
}

/** The chunk with its hash, ready for `putMany`. */
export function toChunk(bytes: Uint8Array, like?: Hash): ChunkToPut {
  return { hash: hashOf(bytes), bytes, ...(like === undefined ? {} : { like }) };
}

export const KIND_NAMES: Readonly<Record<number, string>> = {
  1: 'node',
  [SCHEMA_KIND]: 'schema',
  [TABLE_KIND]: 'table',
  [COMMIT_KIND]: 'commit',
  [TAG_KIND]: 'tag',
  7: 'blob',
  8: 'blob-index',
};

type Fields = Record<string, unknown>;

/** @throws DvError `corrupt`, `newer-format` */
function open(bytes: Uint8Array, kind: number, latest = VERSION): Fields {
  const name = KIND_NAMES[kind];
  if (bytes.length < 2 || bytes[0] !== kind) {
    const found = KIND_NAMES[bytes[0] ?? 0] ?? 'unknown kind';
    throw new DvError('corrupt', `expected a ${name}, found ${found}`);
  }
  if (bytes[1] < VERSION || bytes[1] > latest) {
    const message = `a ${name} has version ${bytes[1]}, this dv knows ${latest}`;
    throw new DvError('newer-format', message, { hint: 'use a newer dv' });
  }
  let value: unknown;
  try {
    value = cborDecode(bytes.subarray(2), { strict: true, rejectDuplicateMapKeys: true });
  } catch (cause) {
    throw new DvError('corrupt', `a ${name} is not valid CBOR`, { cause });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) fail(name);
  return value as Fields;
}

function fail(what: string): never {
  throw new DvError('corrupt', `a stored ${what} has a wrong field`);
}

const text = (value: unknown): string => (typeof value === 'string' ? value : fail('text'));
const whole = (value: unknown): number =>
  Number.isSafeInteger(value) ? (value as number) : fail('number');
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : fail('list'));
const hash = (value: unknown): Hash =>
  value instanceof Uint8Array && value.length === HASH_BYTES ? hashFromBytes(value) : fail('hash');

export function encodeSchema(schema: Schema): Buffer {
  const fields = { c: schema.columns.map(({ name, type }) => [name, type]), k: schema.key };
  const rules = encodeRules(schema.rules);
  if (Object.keys(rules).length === 0) return chunk(SCHEMA_KIND, fields);
  return chunk(SCHEMA_KIND, { ...fields, r: rules }, RULED_SCHEMA_VERSION);
}

function encodeRules(rules: MergeRules | undefined): Fields {
  if (rules === undefined) return {};
  const { columns, others, rows } = rules;
  return {
    ...(Object.keys(columns).length === 0 ? {} : { c: columns }),
    ...(others === undefined ? {} : { o: others }),
    ...(rows === undefined ? {} : { r: rows }),
  };
}

export function decodeSchema(bytes: Uint8Array): Schema {
  const { c, k, r } = open(bytes, SCHEMA_KIND, RULED_SCHEMA_VERSION);
  const columns = list(c).map((column) => {
    const [name, type] = list(column);
    if (!COLUMN_TYPES.includes(type as ColumnType)) fail('schema');
    return { name: text(name), type: type as ColumnType };
  });
  const key = list(k).map(whole);
  if (key.some((index) => index < 0 || index >= columns.length)) fail('schema');
  if ((r !== undefined) !== (bytes[1] === RULED_SCHEMA_VERSION)) fail('schema');
  return r === undefined ? { columns, key } : { columns, key, rules: decodeRules(r) };
}

function decodeRules(value: unknown): MergeRules {
  const { c, o, r } = fieldsOf(value);
  const columns = Object.entries(c === undefined ? {} : fieldsOf(c)).map(
    ([name, rule]) => [name, columnRule(rule)] as const,
  );
  if (columns.length === 0 && (c !== undefined || (o === undefined && r === undefined))) {
    fail('schema');
  }
  return {
    columns: Object.fromEntries(columns),
    ...(o === undefined ? {} : { others: columnRule(o) }),
    ...(r === undefined ? {} : { rows: rowRule(r) }),
  };
}

function fieldsOf(value: unknown): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) fail('schema');
  return value as Fields;
}

const columnRule = (value: unknown): ColumnRule =>
  COLUMN_RULES.find((rule) => rule === value) ?? fail('schema');
const rowRule = (value: unknown): RowRule =>
  ROW_RULES.find((rule) => rule === value) ?? fail('schema');

export function encodeTable(table: Table): Buffer {
  return chunk(TABLE_KIND, { s: hashToBytes(table.schema), t: hashToBytes(table.tree) });
}

export function decodeTable(bytes: Uint8Array): Table {
  const { s, t } = open(bytes, TABLE_KIND);
  return { schema: hash(s), tree: hash(t) };
}

function encodePerson({ name, email, time, zone }: Person): unknown[] {
  return [name, email, time, zone];
}

function decodePerson(value: unknown): Person {
  const [name, email, time, zone] = list(value);
  return { name: text(name), email: text(email), time: whole(time), zone: whole(zone) };
}

export function encodeCommit(commit: Commit): Buffer {
  const { clock, extra } = commit;
  return chunk(COMMIT_KIND, {
    r: hashToBytes(commit.root),
    p: commit.parents.map(hashToBytes),
    a: encodePerson(commit.author),
    c: encodePerson(commit.committer),
    m: commit.message,
    h: [clock.ms, clock.counter, clock.node],
    g: commit.generation,
    ...(Object.keys(extra).length === 0 ? {} : { x: extra }),
  });
}

export function decodeCommit(bytes: Uint8Array): Commit {
  const fields = open(bytes, COMMIT_KIND);
  const [ms, counter, node] = list(fields.h);
  return {
    root: hash(fields.r),
    parents: list(fields.p).map(hash),
    author: decodePerson(fields.a),
    committer: decodePerson(fields.c),
    message: text(fields.m),
    clock: { ms: whole(ms), counter: whole(counter), node: text(node) },
    generation: whole(fields.g),
    extra: (fields.x ?? {}) as Record<string, unknown>,
  };
}

export function encodeTag(tag: Tag): Buffer {
  const { object, name, tagger, message } = tag;
  return chunk(TAG_KIND, { o: hashToBytes(object), n: name, a: encodePerson(tagger), m: message });
}

export function decodeTag(bytes: Uint8Array): Tag {
  const { o, n, a, m } = open(bytes, TAG_KIND);
  return { object: hash(o), name: text(n), tagger: decodePerson(a), message: text(m) };
}
