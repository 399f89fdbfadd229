/**
 * A root: all tables and plain files at one moment. It is a tree (prolly/) whose keys are
 * the names in UTF-8, so comparing two roots costs what differs, however many tables.
 *
 * A value is the flag byte 0x01 ("refers to chunks outside the tree"), then deterministic
 * CBOR: {"t": table hash, "d": dialect} for a table ("d" left out when there is none), or
 * {"b": blob hash, "n": size in bytes} for a plain file.
 */
import { decode as cborDecode, encode as cborEncode } from 'cborg';
import { DvError } from '../errors.ts';
import { type Hash, hashFromBytes, hashToBytes } from '../hash.ts';
import { diffTrees } from '../prolly/diff.ts';
import { editTree } from '../prolly/edit.ts';
import type { NodeStore } from '../prolly/node-store.ts';
import { getEntry, scanLeaves } from '../prolly/scan.ts';

/** How a table's working file is written; formats/ knows what is in it. */
export type DialectRecord = Readonly<Record<string, unknown>>;

export type RootEntry =
  | { readonly kind: 'table'; readonly table: Hash; readonly dialect: DialectRecord | undefined }
  | { readonly kind: 'file'; readonly blob: Hash; readonly size: number };

export interface NamedEntry {
  readonly name: string;
  readonly entry: RootEntry;
}

function encodeEntry(entry: RootEntry): Buffer {
  const value =
    entry.kind === 'table'
      ? {
          t: hashToBytes(entry.table),
          ...(entry.dialect === undefined ? {} : { d: entry.dialect }),
        }
      : { b: hashToBytes(entry.blob), n: entry.size };
  return Buffer.concat([Buffer.from([0x01]), cborEncode(value)]);
}

/** @throws DvError `corrupt` */
export function decodeEntry(bytes: Uint8Array): RootEntry {
  let value: Record<string, unknown>;
  try {
    value = cborDecode(bytes.subarray(1), { strict: true });
  } catch (cause) {
    throw new DvError('corrupt', 'a root has an entry that is not valid CBOR', { cause });
  }
  const { t, d, b, n } = value;
  if (t instanceof Uint8Array && t.length === 32) {
    return { kind: 'table', table: hashFromBytes(t), dialect: d as DialectRecord | undefined };
  }
  if (b instanceof Uint8Array && b.length === 32 && Number.isSafeInteger(n)) {
    return { kind: 'file', blob: hashFromBytes(b), size: n as number };
  }
  throw new DvError('corrupt', 'a root has an entry that is neither a table nor a file');
}

const keyOf = (name: string): Buffer => Buffer.from(name, 'utf8');
const nameOf = (key: Uint8Array): string => Buffer.from(key).toString('utf8');

export async function getRootEntry(
  nodes: NodeStore,
  root: Hash,
  name: string,
): Promise<RootEntry | undefined> {
  const value = await getEntry(nodes, root, keyOf(name));
  return value === undefined ? undefined : decodeEntry(value);
}

/** All entries in name order. */
export async function listRoot(nodes: NodeStore, root: Hash): Promise<NamedEntry[]> {
  const entries: NamedEntry[] = [];
  for await (const leaf of scanLeaves(nodes, root)) {
    for (let i = 0; i < leaf.count; i++) {
      entries.push({ name: nameOf(leaf.key(i)), entry: decodeEntry(leaf.value(i)) });
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
    value: entry === null ? null : encodeEntry(entry),
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
        from: change.from === undefined ? undefined : decodeEntry(change.from),
        to: change.to === undefined ? undefined : decodeEntry(change.to),
      });
    }
  }
  return differences;
}
