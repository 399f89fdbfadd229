/**
 * What of a commit, a table or a tree goes into a pack: everything that the counterparts
 * which the receiver has do not have, each chunk once. Parents before children.
 *
 * To resume, `only` names what the receiver still waits for. The same walk is made then, so
 * that what lies unchanged below is still left out, but a chunk is given only when it is one
 * of those or lies below one: the receiver has the others.
 */
import type { Hash } from '../hash.ts';
import { decodeIndex, PIECE_KIND } from '../model/blob.ts';
import { type Edge, edgesOf } from '../model/edges.ts';
import { readChunk, readCommit, readTable } from '../model/object-reader.ts';
import { decodeEntry } from '../model/root.ts';
import { type MissingNode, missingNodes } from '../prolly/missing.ts';
import type { Node } from '../prolly/node.ts';
import type { NodeStore } from '../prolly/node-store.ts';
import type { WantedCommit } from './commit-walk.ts';
import type { HashSet } from './hash-set.ts';

/** A chunk to send. */
export interface Outgoing {
  readonly hash: Hash;
  /** Chunks at its place that the receiver has or was just sent; the most alike first. */
  readonly known: readonly Hash[];
  /** An internal node: the receiver saves look-ups when it is told a known one. */
  readonly isInternal: boolean;
  /** About its raw bytes: of tree nodes and of parts of blobs exactly. */
  readonly bytes: number;
}

/** Of a commit, a table, a schema. */
const OBJECT_BYTES = 300;

export interface SendWalkOptions {
  readonly tables?: ReadonlySet<string>;
  /** false: neither leaves nor blobs; the top node of a table's tree goes nevertheless. */
  readonly leaves: boolean;
  readonly only?: ReadonlySet<Hash>;
}

/** Pieces of a blob in one batch. */
const PIECES = 16;

export class SendWalk {
  private readonly nodes: NodeStore;
  private readonly sent: HashSet;
  private readonly options: SendWalkOptions;

  constructor(nodes: NodeStore, sent: HashSet, options: SendWalkOptions) {
    this.nodes = nodes;
    this.sent = sent;
    this.options = options;
  }

  readonly marks = (hash: Hash): boolean => this.options.only?.has(hash) ?? true;
  private readonly skip = (hash: Hash): boolean => this.sent.has(hash);

  /** The chunk, unless it was given before or the receiver has it. */
  private take(
    hash: Hash,
    known: readonly Hash[],
    marked: boolean,
    { isInternal = false, bytes = OBJECT_BYTES } = {},
  ): Outgoing[] {
    const isNew = this.sent.add(hash);
    return isNew && (marked || this.marks(hash)) ? [{ hash, known, isInternal, bytes }] : [];
  }

  /** A commit or tag alone. */
  named(hash: Hash, known: readonly Hash[], marked: boolean): Outgoing[] {
    return this.take(hash, known, marked);
  }

  /** What a commit's root reaches. */
  async *commit(
    { hash, commit }: WantedCommit,
    knownRoots: readonly Hash[],
    marked: boolean,
  ): AsyncGenerator<readonly Outgoing[]> {
    yield* this.root(commit.root, knownRoots, marked || this.marks(hash));
  }

  /** An object with all it reaches; of a commit that alone: its history is another matter. */
  async *edge({ kind, hash }: Edge): AsyncGenerator<readonly Outgoing[]> {
    switch (kind) {
      case 'named':
        yield this.take(hash, [], true);
        return;
      case 'root':
        return yield* this.root(hash, [], true);
      case 'table':
        return yield* this.table(hash, [], true);
      case 'tree':
      case 'end':
        return yield* this.tree(hash, [], true);
      case 'blob':
        return yield* this.blob(hash, [], true);
      case 'schema':
        yield this.take(hash, [], true);
    }
  }

  private async *root(
    root: Hash,
    known: readonly Hash[],
    marked: boolean,
  ): AsyncGenerator<readonly Outgoing[]> {
    for await (const batch of missingNodes(this.nodes, root, known, this.walkOptions(marked))) {
      yield batch.flatMap((item) => this.takeNode(item));
      for (const item of batch) if (item.level === 0) yield* this.rootEntries(item);
    }
  }

  private async *rootEntries(item: MissingNode): AsyncGenerator<readonly Outgoing[]> {
    const leaf = item.node ?? (await this.nodes.read(item.hash));
    const before = new Map<string, Uint8Array[]>();
    for (const known of await this.nodes.readMany(item.known)) {
      for (let i = 0; i < known.count; i++) {
        const name = nameOf(known, i);
        before.set(name, [...(before.get(name) ?? []), known.value(i)]);
      }
    }
    for (let i = 0; i < leaf.count; i++) {
      const name = nameOf(leaf, i);
      if (this.options.tables?.has(name) === false) continue;
      const value = leaf.value(i);
      const known = before.get(name) ?? [];
      if (known.some((one) => Buffer.compare(one, value) === 0)) continue;
      yield* this.entry(value, known, item.marked);
    }
  }

  private async *entry(
    value: Uint8Array,
    before: readonly Uint8Array[],
    marked: boolean,
  ): AsyncGenerator<readonly Outgoing[]> {
    const entry = decodeEntry(value);
    const known = before.map(decodeEntry);
    if (entry.kind === 'file') {
      const files = known.flatMap((one) => (one.kind === 'file' ? [one.blob] : []));
      return yield* this.blob(entry.blob, files, marked);
    }
    const tables = known.flatMap((one) => (one.kind === 'table' ? [one.table] : []));
    yield* this.table(entry.table, tables, marked);
    const dialects = known.flatMap((one) => (one.kind === 'table' ? [one.dialectBlob ?? []] : []));
    if (entry.dialectBlob === undefined) return;
    yield* this.blob(entry.dialectBlob, dialects.flat(), marked);
  }

  private async *table(
    hash: Hash,
    known: readonly Hash[],
    isMarked: boolean,
  ): AsyncGenerator<readonly Outgoing[]> {
    if (known.includes(hash) || this.skip(hash)) return;
    const marked = isMarked || this.marks(hash);
    yield this.take(hash, known, marked);
    const { objects } = this.nodes;
    const { schema, tree } = await readTable(objects, hash);
    const before = await Promise.all(known.map((one) => readTable(objects, one)));
    const schemas = before.map((one) => one.schema);
    if (!schemas.includes(schema)) yield this.take(schema, schemas, marked);
    const trees = before.map((one) => one.tree);
    yield* this.tree(tree, trees, marked);
  }

  private async *tree(
    tree: Hash,
    known: readonly Hash[],
    marked: boolean,
  ): AsyncGenerator<readonly Outgoing[]> {
    for await (const batch of missingNodes(this.nodes, tree, known, this.walkOptions(marked))) {
      const wanted = this.options.leaves
        ? batch
        : batch.filter(({ level, hash }) => level > 0 || hash === tree);
      yield wanted.flatMap((item) => this.takeNode(item));
      if (this.options.leaves) yield* this.cells(wanted);
    }
  }

  private walkOptions(marked: boolean) {
    return { skip: this.skip, marks: this.marks, marked };
  }

  private takeNode({ hash, level, known, marked, bytes }: MissingNode): Outgoing[] {
    return this.take(hash, known, marked, { isInternal: level > 0, bytes });
  }

  /** Blobs of the cells of leaves. */
  private async *cells(batch: readonly MissingNode[]): AsyncGenerator<readonly Outgoing[]> {
    for (const item of batch) {
      if (item.level > 0 || !item.refers) continue;
      const leaf = item.node ?? (await this.nodes.read(item.hash));
      const blobs = edgesOf('tree', leaf.bytes);
      if (blobs.length === 0) continue;
      const before = await this.nodes.readMany(item.known);
      const known = new Set(before.flatMap(({ bytes }) => edgesOf('tree', bytes)).map(hashOfEdge));
      for (const { hash } of blobs) {
        if (!known.has(hash)) yield* this.blob(hash, [], item.marked);
      }
    }
  }

  private async *blob(
    hash: Hash,
    known: readonly Hash[],
    isMarked: boolean,
  ): AsyncGenerator<readonly Outgoing[]> {
    if (known.includes(hash) || this.skip(hash) || !this.options.leaves) return;
    const marked = isMarked || this.marks(hash);
    const chunk = await readChunk(this.nodes.objects, hash);
    yield this.take(hash, [], marked, { bytes: chunk.length });
    if (chunk[0] === PIECE_KIND) return;
    const { level, children } = decodeIndex(chunk);
    const had = await this.partsOf(known, level);
    const missing = children.filter((child) => !had.has(child.hash));
    if (level > 1) {
      for (const child of missing) yield* this.blob(child.hash, [...had], marked);
      return;
    }
    for (let at = 0; at < missing.length; at += PIECES) {
      const pieces = missing.slice(at, at + PIECES);
      yield pieces.flatMap(({ hash, size }) => this.take(hash, [], marked, { bytes: size + 2 }));
    }
  }

  /** What those of the blobs list that are indexes of a level. */
  private async partsOf(blobs: readonly Hash[], level: number): Promise<Set<Hash>> {
    const parts = new Set<Hash>();
    for (const blob of blobs) {
      const bytes = await readChunk(this.nodes.objects, blob);
      const index = bytes[0] === PIECE_KIND ? undefined : decodeIndex(bytes);
      if (index?.level === level) for (const { hash } of index.children) parts.add(hash);
    }
    return parts;
  }
}

const hashOfEdge = ({ hash }: Edge): Hash => hash;
const nameOf = (node: Node, i: number): string => Buffer.from(node.key(i)).toString('utf8');

/** The roots of commits. */
export async function rootsOf(nodes: NodeStore, commits: readonly Hash[]): Promise<Hash[]> {
  const found = await Promise.all(commits.map((hash) => readCommit(nodes.objects, hash)));
  return found.map(({ root }) => root);
}
