/**
 * Checks a whole repository: every stored chunk against its hash, then everything the refs
 * reach for edges, order, counts, boundaries and encodings. A problem says which commit
 * and table it was reached by.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { DvError } from '../errors.ts';
import { type Hash, hashOf } from '../hash.ts';
import { checkChild, checkNode } from '../prolly/check.ts';
import { Node, type NodeRef } from '../prolly/node.ts';
import type { Store } from '../store/contract.ts';
import type { Maintenance, Marker } from '../store/maintenance.ts';
import { EntryChecker } from '../tuple/check-entry.ts';
import { type BlobPlace, blobParts, cellBlobs, checkBlob } from './blob-check.ts';
import { type Edge, rootEntryEdges } from './edges.ts';
import { edgesHere, type Lacks, mayLack } from './gc.ts';
import { NodeTwins } from './node-twins.ts';
import { decodeSchema, decodeTable } from './objects.ts';
import { decodeEntry } from './root.ts';

export interface FsckProblem {
  /** The object or ref at fault. */
  readonly object: string;
  readonly problem: string;
  /** How it was reached: a ref, a commit, a table. */
  readonly affects: string;
}

/** A place in the walk: what is expected there, and how it was reached. */
interface Visit extends Edge, BlobPlace {
  readonly path: string;
  /** What the parent says of a tree node. */
  readonly ref?: NodeRef;
  readonly parentLevel?: number;
  /** Of the table whose tree this is; undefined in a root's tree. */
  readonly rows?: RowsOfSchema;
}

interface RowsOfSchema {
  readonly schema: Hash;
  readonly checker: EntryChecker;
}

/** `hashes` of everything stored, then the `structure` of what the roots reach. */
export type OnProgress = (checked: number, step: 'hashes' | 'structure') => void;

const MISSING = 'it is missing';
/** Objects between two reports of the walk. */
const REPORT_EVERY = 64;

export interface FsckSummary {
  /** Stored objects whose hash was checked. */
  readonly checked: number;
}

/** All problems, as they are found. Cost: every stored byte once or twice. */
export async function* checkRepository(
  store: Store & Maintenance,
  roots: readonly (Edge & { readonly path: string })[],
  onProgress: OnProgress,
  lacks?: Lacks,
): AsyncGenerator<FsckProblem, FsckSummary> {
  for (const problem of await store.check()) {
    yield { object: 'store', problem, affects: 'everything' };
  }
  const checked = yield* checkHashes(store, onProgress);
  const walk = new Walk(store, await store.startMarking(), await store.startMarking(), lacks);
  yield* walk.run(roots, (visited) => onProgress(visited, 'structure'));
  return { checked };
}

async function* checkHashes(
  store: Store & Maintenance,
  onProgress: OnProgress,
): AsyncGenerator<FsckProblem, number> {
  let checked = 0;
  for await (const batch of store.scan()) {
    const hashes = batch.map(({ hash }) => hash);
    const suspects = (await areSound(store, hashes)) ? [] : hashes;
    for (const hash of suspects) {
      const problem = await hashProblem(store, hash);
      if (problem !== undefined) yield { object: hash, problem, affects: 'see below' };
    }
    checked += batch.length;
    onProgress(checked, 'hashes');
    await nextTurn();
  }
  return checked;
}

/** Read together: a tenth of what one by one costs. */
async function areSound(store: Store, hashes: readonly Hash[]): Promise<boolean> {
  try {
    const chunks = await store.getMany(hashes);
    return chunks.every((bytes, i) => bytes !== undefined && hashOf(bytes) === hashes[i]);
  } catch {
    return false; // which one, and why, is found one by one
  }
}

async function hashProblem(store: Store, hash: Hash): Promise<string | undefined> {
  try {
    const [bytes] = await store.getMany([hash]);
    if (bytes === undefined) return 'it is listed but cannot be read';
    return hashOf(bytes) === hash ? undefined : 'its bytes do not have its hash';
  } catch (error) {
    return (error as Error).message;
  }
}

class Walk {
  private readonly store: Store;
  private readonly seen: Marker;
  /** Nodes already seen at a place where they must end at a boundary. */
  private readonly seenInside: Marker;

  private readonly lacks: Lacks | undefined;
  private readonly twins = new NodeTwins();
  private schema: RowsOfSchema | undefined;

  constructor(store: Store, seen: Marker, seenInside: Marker, lacks: Lacks | undefined) {
    this.lacks = lacks;
    this.store = store;
    this.seen = seen;
    this.seenInside = seenInside;
  }

  async *run(
    roots: readonly Visit[],
    onVisits: (visited: number) => void,
  ): AsyncGenerator<FsckProblem> {
    const stack = [...roots].reverse();
    let visited = 0;
    for (let visit = stack.pop(); visit !== undefined; visit = stack.pop()) {
      visited += 1;
      if (visited % REPORT_EVERY === 0) {
        onVisits(visited);
        await nextTurn();
      }
      const isNew = await this.isNew(visit);
      const bytes = isNew || visit.ref !== undefined ? await this.read(visit) : undefined;
      if (bytes === MISSING && mayLack(visit, this.lacks)) continue;
      if (typeof bytes === 'string') yield problemAt(visit, bytes);
      if (!(bytes instanceof Uint8Array)) continue;
      try {
        for (const problem of checkChunk(visit, bytes, isNew)) yield problemAt(visit, problem);
        const next = isNew ? this.expand(visit, bytes) : [];
        for (let i = next.length - 1; i >= 0; i--) stack.push(await this.withSchema(next[i]));
      } catch (error) {
        yield problemAt(visit, (error as DvError).message);
      }
    }
  }

  /** False where it was checked as strictly before; only what a parent says of it is open then. */
  private async isNew({ hash, mustEnd }: Visit): Promise<boolean> {
    const [fresh] = await this.seen.mark([hash]);
    const [freshInside] = mustEnd ? await this.seenInside.mark([hash]) : [false];
    return fresh || freshInside || !(await this.store.hasMany([hash]))[0];
  }

  /** The bytes, or a complaint. */
  private async read({ hash }: Visit): Promise<Uint8Array | string> {
    try {
      const [bytes] = await this.store.getMany([hash]);
      return bytes ?? MISSING;
    } catch (error) {
      return (error as Error).message;
    }
  }

  /** A table's tree is checked against the table's schema. */
  private async withSchema(visit: Visit & { schemaHash?: Hash }): Promise<Visit> {
    const { schemaHash: schema } = visit;
    if (schema === undefined) return visit;
    if (this.schema?.schema !== schema) {
      const [bytes] = await this.store.getMany([schema]);
      if (bytes === undefined) return visit;
      this.schema = { schema, checker: new EntryChecker(decodeSchema(bytes)) };
    }
    return { ...visit, rows: this.schema };
  }

  /** The edges onward, with what is known of them. */
  private expand(visit: Visit, bytes: Uint8Array): (Visit & { schemaHash?: Hash })[] {
    const { kind, path } = visit;
    if (kind === 'root' || kind === 'tree' || kind === 'end') {
      return expandNode(visit, bytes, this.twins);
    }
    if (kind === 'table') {
      const { schema, tree } = decodeTable(bytes);
      return [
        { kind: 'schema', hash: schema, path },
        { kind: 'tree', hash: tree, path, schemaHash: schema },
      ];
    }
    if (kind === 'blob') return blobParts(visit, bytes).map((part) => ({ kind, ...part, path }));
    return edgesHere(visit, bytes, this.lacks).map((edge) => {
      if (edge.kind === 'root') return { ...edge, path: `commit ${visit.hash}` };
      return { ...edge, path: edge.kind === 'named' ? `commit ${edge.hash}` : path };
    });
  }
}

function problemAt({ hash, path }: Visit, problem: string): FsckProblem {
  return { object: hash, problem, affects: path };
}

/** `isNew`: else only what the parent says is checked. */
function checkChunk(visit: Visit, bytes: Uint8Array, isNew: boolean): string[] {
  switch (visit.kind) {
    case 'root':
    case 'tree':
    case 'end':
      return checkTreeNode(visit, new Node(bytes), isNew);
    case 'blob':
      return checkBlob(visit, bytes);
    case 'schema':
      decodeSchema(bytes);
      return [];
    case 'table':
      decodeTable(bytes);
      return [];
    case 'named':
      return [];
  }
}

function checkTreeNode(
  { ref, parentLevel, ...visit }: Visit,
  node: Node,
  isNew: boolean,
): string[] {
  const complaints = isNew ? checkNode(node, visit.mustEnd) : [];
  if (ref !== undefined && parentLevel !== undefined) {
    complaints.push(...checkChild(node, ref, parentLevel));
  }
  if (isNew && node.level === 0) visit.rows?.checker.check(node);
  return complaints;
}

function expandNode(visit: Visit, bytes: Uint8Array, twins: NodeTwins): Visit[] {
  const node = new Node(bytes);
  const { kind, path, rows } = visit;
  if (node.level === 0) {
    if (kind !== 'root') return cellBlobs(node).map((blob) => ({ kind: 'blob', ...blob, path }));
    return Array.from({ length: node.count }, (_, i) => {
      const name = Buffer.from(node.key(i)).toString('utf8');
      return entryVisits(node.value(i), `${path}, '${name}'`);
    }).flat();
  }
  const mustEnd = visit.mustEnd ?? false;
  return twins.newChildren(`${kind} ${rows?.schema}`, node, mustEnd).map((i) => ({
    kind,
    hash: node.childHash(i),
    path,
    rows,
    ref: node.child(i),
    parentLevel: node.level,
    mustEnd: i < node.count - 1 || mustEnd,
  }));
}

function entryVisits(value: Uint8Array, path: string): Visit[] {
  const entry = decodeEntry(value);
  if (entry.kind === 'file') {
    return [{ kind: 'blob', hash: entry.blob, size: entry.size, top: true, path }];
  }
  return rootEntryEdges(value).map((edge) => ({ ...edge, top: edge.kind === 'blob', path }));
}
