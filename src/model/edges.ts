/**
 * What an object refers to. An edge says what it leads to, because a tree node alone does
 * not tell a root's from a table's. The walks of gc, fsck and sync share this.
 */
import { DvError } from '../errors.ts';
import type { Hash } from '../hash.ts';
import { FLAG_REFERS, Node } from '../prolly/node.ts';
import { outgoingBlobs } from '../tuple/row-codec.ts';
import { decodeIndex, PIECE_KIND } from './blob.ts';
import type { NodeTwins } from './node-twins.ts';
import { COMMIT_KIND, decodeCommit, decodeTable, decodeTag, TAG_KIND } from './objects.ts';
import { decodeEntry } from './root.ts';

export type EdgeKind =
  /** A commit or an annotated tag: what a ref may name. */
  | 'named'
  | 'root'
  | 'table'
  | 'schema'
  | 'tree'
  /** A leaf of a tree in which nothing refers further: it need not be read to walk on. */
  | 'end'
  | 'blob';

export interface Edge {
  readonly kind: EdgeKind;
  readonly hash: Hash;
}

/**
 * The edges out of a chunk reached by an edge of `kind`; with `twins`, those that the node's
 * twin has not. @throws DvError `corrupt`
 */
export function edgesOf(kind: EdgeKind, bytes: Uint8Array, twins?: NodeTwins): Edge[] {
  switch (kind) {
    case 'named':
      return namedEdges(bytes);
    case 'root':
      return rootEdges(new Node(bytes), twins);
    case 'table': {
      const { schema, tree } = decodeTable(bytes);
      return [
        { kind: 'schema', hash: schema },
        { kind: 'tree', hash: tree },
      ];
    }
    case 'tree':
      return treeEdges(new Node(bytes), twins);
    case 'blob':
      if (bytes[0] === PIECE_KIND) return [];
      return decodeIndex(bytes).children.map(({ hash }) => ({ kind: 'blob', hash }));
    case 'schema':
    case 'end':
      return [];
  }
}

function namedEdges(bytes: Uint8Array): Edge[] {
  if (bytes[0] === TAG_KIND) return [{ kind: 'named', hash: decodeTag(bytes).object }];
  if (bytes[0] !== COMMIT_KIND) throw new DvError('corrupt', 'a ref names no commit');
  const { root, parents } = decodeCommit(bytes);
  const edges: Edge[] = parents.map((hash) => ({ kind: 'named', hash }));
  edges.push({ kind: 'root', hash: root });
  return edges;
}

function children(node: Node, kind: EdgeKind, tree: string, twins?: NodeTwins): Edge[] {
  const edge = (i: number): Edge => ({ kind, hash: node.childHash(i) });
  const some = twins?.newChildren(tree, node);
  return some?.map(edge) ?? Array.from({ length: node.count }, (_, i) => edge(i));
}

function rootEdges(node: Node, twins?: NodeTwins): Edge[] {
  if (node.level > 0) return children(node, 'root', 'root', twins);
  return Array.from({ length: node.count }, (_, i) => rootEntryEdges(node.value(i))).flat();
}

/** The edges out of one entry of a root. @throws DvError `corrupt` */
export function rootEntryEdges(value: Uint8Array): Edge[] {
  const entry = decodeEntry(value);
  if (entry.kind === 'file') return [{ kind: 'blob', hash: entry.blob }];
  const table: Edge = { kind: 'table', hash: entry.table };
  const { dialectBlob } = entry;
  return dialectBlob === undefined ? [table] : [table, { kind: 'blob', hash: dialectBlob }];
}

function treeEdges(node: Node, twins?: NodeTwins): Edge[] {
  const refers = (node.flags & FLAG_REFERS) !== 0;
  if (node.level > 0) {
    return children(node, node.level === 1 && !refers ? 'end' : 'tree', 'tree', twins);
  }
  if (!refers) return [];
  const edges: Edge[] = [];
  for (let i = 0; i < node.count; i++) {
    for (const { blob } of outgoingBlobs(node.value(i))) edges.push({ kind: 'blob', hash: blob });
  }
  return edges;
}
