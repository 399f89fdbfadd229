/**
 * A root: all tables and plain files at one moment. It is a tree (prolly/) whose keys are
 * the names in UTF-8, so comparing two roots costs what differs, however many tables.
 *
 * A value is the flag byte 0x01 ("refers to chunks outside the tree"), then deterministic
 * CBOR: {"t": table hash, "d": dialect} for a table ("d" left out when there is none), or
 * {"b": blob hash, "n": size in bytes} for a plain file. A dialect of more than 16 KiB of
 * CBOR (it lists thousands of columns) is a blob of that CBOR, and "D" its hash.
 */
import { decode as cborDecode, encode as cborEncode } from 'cborg';
import { DvError } from '../errors.ts';
import { HASH_BYTES, type Hash, hashFromBytes, hashToBytes } from '../hash.ts';
import { diffTrees } from '../prolly/diff.ts';
import { editTree } from '../prolly/edit.ts';
import type { NodeStore } from '../prolly/node-store.ts';
import { getEntry, getEntryOfMany, scanLeaves } from '../prolly/scan.ts';
import type { ChunkToPut } from '../store/contract.ts';
import { buildBlob, readWholeBlob } from './blob.ts';

/** How a table's working file is written; formats/ knows what is in it. */
export type DialectRecord = Readonly<Record<string, unknown>>;

export type RootEntry =
  | { readonly kind: 'table'; readonly table: Hash; readonly dialect: DialectRecord | undefined }
  | { readonly kind: 'file'; readonly blob: Hash; readonly size: number };

export interface NamedEntry {
  readonly name: string;
  readonly entry: RootEntry;
}

/** An entry as it lies in the tree. */
type StoredEntry = RootEntry & {
  /** Of a table whose dialect is out of line; `dialect` is then undefined. */
  readonly dialectBlob?: Hash;
};

const INLINE_DIALECT_BYTES = 16 * 1024;

function encodeEntry(entry: RootEntry, put: (chunk: ChunkToPut) => void): Buffer {
  const value =
    entry.kind === 'table'
      ? { t: hashToBytes(entry.table), ...dialectField(entry.dialect, put) }
      : { b: hashToBytes(entry.blob), n: entry.size };
  return Buffer.concat([Buffer.from([0x01]), cborEncode(value)]);
}

function dialectField(
  dialect: DialectRecord | undefined,
  put: (chunk: ChunkToPut) => void,
): { readonly d?: DialectRecord; readonly D?: Uint8Array } {
  if (dialect === undefined) return {};
  const bytes = cborEncode(dialect);
  return bytes.length > INLINE_DIALECT_BYTES
    ? { D: hashToBytes(buildBlob(bytes, put)) }
    : { d: dialect };
}

function decodeCbor(bytes: Uint8Array): Record<string, unknown> {
  try {
    return cborDecode(bytes, { strict: true });
  } catch (cause) {
    throw new DvError('corrupt', 'a root has an entry that is not valid CBOR', { cause });
  }
}

/** @throws DvError `corrupt` */
export function decodeEntry(bytes: Uint8Array): StoredEntry {
  const { t, d, D, b, n } = decodeCbor(bytes.subarray(1));
  const isHash = (value: unknown): value is Uint8Array =>
    value instanceof Uint8Array && value.length === HASH_BYTES;
  if (isHash(t)) {
    const entry = { kind: 'table', table: hashFromBytes(t) } as const;
    if (isHash(D)) return { ...entry, dialect: undefined, dialectBlob: hashFromBytes(D) };
    return { ...entry, dialect: d as DialectRecord | undefined };
  }
  if (isHash(b) && Number.isSafeInteger(n)) {
    return { kind: 'file', blob: hashFromBytes(b), size: n as number };
  }
  throw new DvError('corrupt', 'a root has an entry that is neither a table nor a file');
}

/** @throws DvError `corrupt`, `missing-object` */
async function loadEntry(nodes: NodeStore, bytes: Uint8Array): Promise<RootEntry> {
  const { dialectBlob, ...entry } = decodeEntry(bytes);
  if (dialectBlob === undefined || entry.kind === 'file') return entry;
  const dialect = decodeCbor(await readWholeBlob(nodes.objects, dialectBlob));
  return { ...entry, dialect };
}

const keyOf = (name: string): Buffer => Buffer.from(name, 'utf8');
const nameOf = (key: Uint8Array): string => Buffer.from(key).toString('utf8');

export async function getRootEntry(
  nodes: NodeStore,
  root: Hash,
  name: string,
): Promise<RootEntry | undefined> {
  const value = await getEntry(nodes, root, keyOf(name));
  return value === undefined ? undefined : loadEntry(nodes, value);
}

/** The same for several roots, read together. */
export async function getRootEntries(
  nodes: NodeStore,
  roots: readonly Hash[],
  name: string,
): Promise<(RootEntry | undefined)[]> {
  const entries: (RootEntry | undefined)[] = [];
  for (const value of await getEntryOfMany(nodes, roots, keyOf(name))) {
    entries.push(value && (await loadEntry(nodes, value)));
  }
  return entries;
}

/** All entries in name order. */
export async function listRoot(nodes: NodeStore, root: Hash): Promise<NamedEntry[]> {
  const entries: NamedEntry[] = [];
  for await (const leaf of scanLeaves(nodes, root)) {
    for (let i = 0; i < leaf.count; i++) {
      entries.push({ name: nameOf(leaf.key(i)), entry: await loadEntry(nodes, leaf.value(i)) });
    }
  }
  return entries;
}

/** The root with entries put (or, null, taken out). */
export function editRoot(
  nodes: NodeStore,
  root: Hash,
  changes: ReadonlyMap<string, RootEntry | null>,
): Promise<Hash> {
  const edits = [...changes].map(([name, entry]) => ({
    key: keyOf(name),
    value: entry === null ? null : encodeEntry(entry, (chunk) => nodes.put(chunk)),
  }));
  edits.sort((a, b) => Buffer.compare(a.key, b.key));
  return editTree(nodes, root, [edits]);
}

/** One name whose entry differs between two roots. */
export interface EntryDifference {
  readonly name: string;
  readonly from: RootEntry | undefined;
  readonly to: RootEntry | undefined;
}

/** Names that differ, in name order. Cost: what differs. */
export async function diffRoots(
  nodes: NodeStore,
  from: Hash,
  to: Hash,
): Promise<EntryDifference[]> {
  const differences: EntryDifference[] = [];
  for await (const batch of diffTrees(nodes, from, to)) {
    for (const change of batch) {
      differences.push({
        name: nameOf(change.key),
        from: change.from === undefined ? undefined : await loadEntry(nodes, change.from),
        to: change.to === undefined ? undefined : await loadEntry(nodes, change.to),
      });
    }
  }
  return differences;
}

/** Equal content; a table's dialect counts, as the file's bytes follow it. */
export function sameEntry(a: RootEntry | undefined, b: RootEntry | undefined): boolean {
  return JSON.stringify(a, sortedKeys) === JSON.stringify(b, sortedKeys);
}

function sortedKeys(_: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
