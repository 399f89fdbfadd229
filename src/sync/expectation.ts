/**
 * What a receiver knows of a chunk before it comes: its hash and kind from the chunk above,
 * and whatever else that says of it. `checkChunk` holds a chunk to it, and to everything that
 * can be seen in a chunk by itself; `expectedBelow` is what the chunk leads one to expect.
 * Together they check what fsck checks, one chunk at a time.
 */
import { equalBytes } from '../bytes.ts';
import { DvError } from '../errors.ts';
import type { Hash } from '../hash.ts';
import { blobParts, cellBlobs, checkBlob } from '../model/blob-check.ts';
import type { Edge } from '../model/edges.ts';
import { checkTableName } from '../model/names.ts';
import {
  COMMIT_KIND,
  decodeCommit,
  decodeSchema,
  decodeTable,
  decodeTag,
  encodeCommit,
  encodeSchema,
  encodeTable,
  encodeTag,
  SCHEMA_KIND,
  TABLE_KIND,
  TAG_KIND,
} from '../model/objects.ts';
import { decodeEntry } from '../model/root.ts';
import { checkChild, checkNode } from '../prolly/check.ts';
import { FLAG_REFERS, type Node, type NodeRef } from '../prolly/node.ts';
import type { EntryChecker } from '../tuple/check-entry.ts';
import { checkCborDepth } from './cbor-depth.ts';
import { decodedNode } from './decoded-node.ts';
import { FoldedNames } from './root-names.ts';

export interface Expectation extends Edge {
  /** The commit it was reached from: of a commit its child. */
  readonly commit?: Hash;
  /** What the parent says of a tree node. */
  readonly ref?: NodeRef;
  readonly parentLevel?: number;
  /** Not the last of its level: it must end at a boundary. */
  readonly mustEnd?: boolean;
  /** The top of a tree, or of a blob. */
  readonly top?: boolean;
  /** Of the table whose tree this is. */
  readonly schema?: Hash;
  /** Of a commit: the generation of the one it is a parent of. */
  readonly below?: number;
  /** Of a commit: it is the only parent. */
  readonly only?: boolean;
  /** Of a table or a file: its name. */
  readonly name?: string;
  /** What is at its place in a tree that is here (counterparts.ts). */
  readonly beside?: Hash | undefined;
  /** Of a blob: its size in bytes; the level of the index that lists it. */
  readonly size?: number;
  readonly indexLevel?: number;
}

/** What of the objects below is left out (FetchRequest). */
export interface ReceptionFilter {
  readonly tables?: ReadonlySet<string>;
  readonly leaves: boolean;
  /** Commits whose parents are not expected. */
  readonly shallow: ReadonlySet<Hash>;
}

/**
 * `rows`: for `expected.schema`, when there is one.
 * @throws DvError `corrupt`, `bad-name`, `newer-format`
 */
export function checkChunk(
  expected: Expectation,
  bytes: Uint8Array,
  rows: EntryChecker | undefined,
): void {
  switch (expected.kind) {
    case 'named':
      checkNamed(expected, bytes);
      break;
    case 'root':
    case 'tree':
    case 'end':
      checkTree(expected, decodedNode(bytes), rows);
      break;
    case 'table':
      if (bytes[0] === TABLE_KIND) checkCborDepth(bytes.subarray(2));
      mustEqual(encodeTable(decodeTable(bytes)), bytes, 'table');
      break;
    case 'schema':
      if (bytes[0] === SCHEMA_KIND) checkCborDepth(bytes.subarray(2));
      mustEqual(encodeSchema(decodeSchema(bytes)), bytes, 'schema');
      break;
    case 'blob': {
      const complaints = checkBlob(expected, bytes);
      if (complaints.length > 0) throw wrong(complaints.join('; '));
    }
  }
}

function wrong(message: string): DvError {
  return new DvError('corrupt', message);
}

/** Nothing but what dv would have written has a hash of its own. */
function mustEqual(canonical: Uint8Array, bytes: Uint8Array, what: string): void {
  if (!equalBytes(canonical, bytes)) throw wrong(`a ${what} is not in its canonical form`);
}

function checkNamed({ below, only }: Expectation, bytes: Uint8Array): void {
  if (bytes[0] !== TAG_KIND && bytes[0] !== COMMIT_KIND) {
    throw wrong('a ref or a commit leads to what is no commit');
  }
  checkCborDepth(bytes.subarray(2));
  if (bytes[0] === TAG_KIND) {
    if (below !== undefined) throw wrong('the parent of a commit is a tag');
    mustEqual(encodeTag(decodeTag(bytes)), bytes, 'tag');
    return;
  }
  const commit = decodeCommit(bytes);
  mustEqual(encodeCommit(commit), bytes, 'commit');
  const { generation, parents } = commit;
  const isFirst = parents.length === 0;
  if (generation < 1 || isFirst !== (generation === 1)) throw wrong('a generation is impossible');
  if (new Set(parents).size < parents.length) throw wrong('a commit has one parent twice');
  if (below === undefined) return;
  if (generation >= below || (only && generation !== below - 1)) {
    throw wrong(`a commit of generation ${generation} is a parent of one of ${below}`);
  }
}

function checkTree(expected: Expectation, node: Node, rows: EntryChecker | undefined): void {
  const { kind, ref, parentLevel } = expected;
  const complaints = checkNode(node, expected.mustEnd);
  if (ref !== undefined && parentLevel !== undefined) {
    complaints.push(...checkChild(node, ref, parentLevel));
  }
  if (kind === 'end' && (node.level > 0 || node.flags !== 0)) {
    complaints.push('it refers to more than its parent says');
  }
  if (expected.top && node.level > 0 && node.count < 2) {
    complaints.push('a root has one child only');
  }
  if (complaints.length > 0) throw wrong(complaints.join('; '));
  if (node.level > 0) return;
  let flags = 0;
  for (let i = 0; i < node.count; i++) flags |= node.valueFlags(i) & FLAG_REFERS;
  if (flags !== node.flags) throw wrong('a leaf hides whether it refers to more');
  if (kind === 'root') checkNames(node);
  else rows?.check(node);
}

/** Names and entries of a root's leaf. */
function checkNames(leaf: Node): void {
  const names = new FoldedNames();
  for (let i = 0; i < leaf.count; i++) {
    const key = leaf.key(i);
    const name = Buffer.from(key).toString('utf8');
    if (!equalBytes(Buffer.from(name, 'utf8'), key)) throw wrong('a name is not UTF-8');
    checkTableName(name);
    names.add(name);
    const value = leaf.value(i);
    if (value[0] !== FLAG_REFERS) throw wrong('an entry of a root has a wrong flag');
    checkCborDepth(value.subarray(1));
    decodeEntry(value);
  }
}

/** Of a node those of `children`; undefined: of all. @throws DvError `corrupt` */
export function expectedBelow(
  expected: Expectation,
  bytes: Uint8Array,
  filter: ReceptionFilter,
  children?: readonly number[],
): Expectation[] {
  const { kind, commit } = expected;
  switch (kind) {
    case 'named':
      return belowNamed(expected, bytes, filter);
    case 'root':
    case 'tree': {
      const node = decodedNode(bytes);
      if (node.level > 0) return belowNode(expected, node, filter, children);
      return kind === 'root'
        ? belowRootLeaf(expected, node, filter)
        : belowLeaf(commit, node, filter);
    }
    case 'table': {
      const { schema, tree } = decodeTable(bytes);
      return [
        { kind: 'schema', hash: schema, commit },
        { kind: 'tree', hash: tree, schema, commit, top: true },
      ];
    }
    case 'blob':
      return blobParts(expected, bytes).map((part) => ({ kind, ...part, commit }));
    case 'schema':
    case 'end':
      return [];
  }
}

function belowLeaf(
  commit: Hash | undefined,
  leaf: Node,
  { leaves }: ReceptionFilter,
): Expectation[] {
  if (!leaves) return [];
  return cellBlobs(leaf).map((blob) => ({ kind: 'blob', ...blob, commit }));
}

function belowNamed(
  { hash }: Expectation,
  bytes: Uint8Array,
  { shallow }: ReceptionFilter,
): Expectation[] {
  if (bytes[0] === TAG_KIND) return [{ kind: 'named', hash: decodeTag(bytes).object }];
  const { root, parents, generation } = decodeCommit(bytes);
  const below: Expectation[] = [{ kind: 'root', hash: root, commit: hash, top: true }];
  if (shallow.has(hash)) return below;
  const only = parents.length === 1;
  for (const parent of parents) {
    below.push({ kind: 'named', hash: parent, below: generation, only, commit: hash });
  }
  return below;
}

function belowNode(
  expected: Expectation,
  node: Node,
  { leaves }: ReceptionFilter,
  children: readonly number[] = Array.from({ length: node.count }, (_, i) => i),
): Expectation[] {
  const { kind, schema, commit } = expected;
  if (kind === 'tree' && node.level === 1 && !leaves) return [];
  const isEnd = kind === 'tree' && node.level === 1 && (node.flags & FLAG_REFERS) === 0;
  return children.map((i) => {
    const ref = node.child(i);
    return {
      kind: isEnd ? 'end' : kind,
      hash: ref.hash,
      ref,
      parentLevel: node.level,
      mustEnd: i < node.count - 1 || (expected.mustEnd ?? false),
      schema,
      commit,
    };
  });
}

function belowRootLeaf(
  { commit }: Expectation,
  leaf: Node,
  { tables, leaves }: ReceptionFilter,
): Expectation[] {
  const below: Expectation[] = [];
  for (let i = 0; i < leaf.count; i++) {
    const name = Buffer.from(leaf.key(i)).toString('utf8');
    if (tables?.has(name) === false) continue;
    const entry = decodeEntry(leaf.value(i));
    if (entry.kind === 'table') below.push({ kind: 'table', hash: entry.table, name, commit });
    else if (leaves) {
      below.push({ kind: 'blob', hash: entry.blob, size: entry.size, top: true, name, commit });
    }
    if (entry.kind === 'table' && entry.dialectBlob !== undefined && leaves) {
      below.push({ kind: 'blob', hash: entry.dialectBlob, top: true, commit });
    }
  }
  return below;
}
