/**
 * Looking inside: `cat-object`, `ls-tree`, `hash`, and finding the entry that `REV:TABLE`
 * means.
 */
import { DvError } from '../errors.ts';
import { type Hash, hashOf, isHash } from '../hash.ts';
import { readChunk, readCommit, readSchema, readTable } from '../model/object-reader.ts';
import {
  decodeCommit,
  decodeSchema,
  decodeTable,
  decodeTag,
  KIND_NAMES,
} from '../model/objects.ts';
import { splitTableRevision } from '../model/revision.ts';
import { getRootEntry, listRoot, type RootEntry } from '../model/root.ts';
import { countTableRows } from '../model/table-stat.ts';
import { Node } from '../prolly/node.ts';
import type { Schema } from '../tuple/schema.ts';
import { unknownTable } from './add.ts';
import { type Repository, resolveCommit, tableNameOf } from './repository.ts';
import { workingSet } from './staging.ts';

/** The root of a revision; '' or undefined: what is staged. */
export async function resolveRoot(repo: Repository, revision: string | undefined): Promise<Hash> {
  const isStaged = (revision === undefined || revision === '') && repo.asOf === undefined;
  if (isStaged) return (await workingSet(repo)).staged;
  return (await readCommit(repo.store, await resolveCommit(repo, revision || 'HEAD'))).root;
}

/**
 * The entry `REV:TABLE` names; without a revision, the staged one, or that of `otherwise`. As
 * in git, a name behind a revision starts at the top of the repository unless it begins with
 * `./` or `../`; one alone is looked for from where the user stands first.
 * @throws DvError `unknown-table`, `bad-revision`, ...
 */
export async function resolveEntry(
  repo: Repository,
  text: string,
  otherwise?: 'HEAD',
): Promise<{ readonly table: string; readonly entry: RootEntry }> {
  const [typed, path] = splitTableRevision(text);
  const revision = typed || otherwise;
  const root = await resolveRoot(repo, revision);
  for (const table of namesOf(repo, typed, path)) {
    const entry = await getRootEntry(repo.nodes, root, table);
    if (entry !== undefined) return { table, entry };
  }
  throw unknownTable(path, revision ? `'${revision}'` : 'what is staged');
}

function namesOf(repo: Repository, revision: string | undefined, path: string): string[] {
  const isRelative = /^\.\.?(?:\/|$)/.test(path);
  if (revision !== undefined && !isRelative) return [path];
  const here = tableNameOf(repo, path);
  return isRelative ? [here] : [here, path];
}

/** The hash of a table (or of a plain file's blob). */
export async function hashOfTable(
  repo: Repository,
  text: string,
): Promise<{ readonly table: string; readonly hash: Hash }> {
  const { table, entry } = await resolveEntry(repo, text);
  return { table, hash: entry.kind === 'table' ? entry.table : entry.blob };
}

export type ListedEntry =
  | {
      readonly table: string;
      readonly kind: 'table';
      readonly hash: Hash;
      readonly rows: number;
      readonly columns: number;
      readonly key: readonly string[];
    }
  | {
      readonly table: string;
      readonly kind: 'file';
      readonly hash: Hash;
      readonly bytes: number;
    };

export async function listTree(repo: Repository, revision?: string): Promise<ListedEntry[]> {
  const listed: ListedEntry[] = [];
  for (const { name, entry } of await listRoot(repo.nodes, await resolveRoot(repo, revision))) {
    if (entry.kind === 'file') {
      listed.push({ table: name, kind: 'file', hash: entry.blob, bytes: entry.size });
      continue;
    }
    const schema = await schemaOf(repo, entry.table);
    listed.push({
      table: name,
      kind: 'table',
      hash: entry.table,
      rows: await countTableRows(repo.nodes, entry.table),
      columns: schema.columns.length,
      key: schema.key.map((i) => schema.columns[i].name),
    });
  }
  return listed;
}

export async function schemaOf(repo: Repository, table: Hash): Promise<Schema> {
  return readSchema(repo.store, (await readTable(repo.store, table)).schema);
}

export interface ObjectView {
  readonly hash: Hash;
  readonly kind: string;
  /** Raw size in bytes. */
  readonly size: number;
  /** The object as plain data; a node's keys in hex. */
  readonly content: unknown;
}

/** @throws DvError `bad-revision`, `ambiguous-hash`, `missing-object`, `corrupt` */
export async function catObject(repo: Repository, text: string): Promise<ObjectView> {
  const hash = await findObject(repo, text);
  const bytes = await readChunk(repo.store, hash);
  if (hashOf(bytes) !== hash) throw new DvError('corrupt', `object ${hash} does not have its hash`);
  return {
    hash,
    kind: KIND_NAMES[bytes[0]] ?? 'unknown',
    size: bytes.length,
    content: view(bytes),
  };
}

async function findObject(repo: Repository, text: string): Promise<Hash> {
  if (text.includes(':')) return (await hashOfTable(repo, text)).hash;
  if (isHash(text)) return text;
  if (/^[0-9a-f]{4,63}$/.test(text)) {
    const found = await repo.store.findHashes(text, 20);
    if (found.length === 1) return found[0];
    if (found.length > 1) {
      throw new DvError('ambiguous-hash', `"${text}" begins ${found.length} objects' hashes`, {
        hint: `type more digits: ${found.map((hash) => hash.slice(0, text.length + 4)).join(', ')}`,
        data: { prefix: text, matches: found },
      });
    }
  }
  return resolveCommit(repo, text);
}

function view(bytes: Uint8Array): unknown {
  switch (bytes[0]) {
    case 1:
      return viewNode(new Node(bytes));
    case 2:
      return decodeSchema(bytes);
    case 3:
      return decodeTable(bytes);
    case 5:
      return decodeCommit(bytes);
    case 6:
      return decodeTag(bytes);
    default:
      return { bytes: bytes.length - 2 };
  }
}

function viewNode(node: Node): unknown {
  const hex = (b: Uint8Array) => Buffer.from(b).toString('hex');
  const entries = Array.from({ length: node.count }, (_, i) => {
    if (node.level === 0) return { key: hex(node.key(i)), value: hex(node.value(i)) };
    const { key, hash, rows, bytes } = node.child(i);
    return { key: hex(key), hash, rows, bytes };
  });
  return { level: node.level, rows: node.rows, treeBytes: node.treeBytes, entries };
}
