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
  readonly rows?: EntryChecker;
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
    for (const { hash } of batch) {
      const problem = await hashProblem(store, hash);
      if (problem !== undefined) yield { object: hash, problem, affects: 'see below' };
    }
    checked += batch.length;
    onProgress(checked, 'hashes');
    await nextTurn();
  }
  return checked;
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
      const bytes = await this.read(visit);
      if (bytes === MISSING && mayLack(visit, this.lacks)) continue;
      if (typeof bytes === 'string') yield problemAt(visit, bytes);
      if (!(bytes instanceof Uint8Array)) continue;
      try {
        for (const problem of checkChunk(visit, bytes)) yield problemAt(visit, problem);
        const next = expand(visit, bytes, this.lacks);
        for (let i = next.length - 1; i >= 0; i--) stack.push(await this.withSchema(next[i]));
      } catch (error) {
        yield problemAt(visit, (error as DvError).message);
      }
    }
  }

  /** The bytes; a complaint; or undefined when this place needs no second look. */
  private async read({ hash, mustEnd }: Visit): Promise<Uint8Array | string | undefined> {
    const [fresh] = await this.seen.mark([hash]);
    const [freshInside] = mustEnd ? await this.seenInside.mark([hash]) : [false];
    if (!fresh && !freshInside) {
      const [present] = await this.store.hasMany([hash]);
      return present ? undefined : MISSING;
    }
    try {
      const [bytes] = await this.store.getMany([hash]);
      return bytes ?? MISSING;
    } catch (error) {
      return (error as Error).message;
    }
  }

  /** A table's tree is checked against the table's schema. */
  private async withSchema(visit: Visit & { schemaHash?: Hash }): Promise<Visit> {
    if (visit.schemaHash === undefined) return visit;
    const [bytes] = await this.store.getMany([visit.schemaHash]);
    return bytes === undefined ? visit : { ...visit, rows: new EntryChecker(decodeSchema(bytes)) };
  }
}

function problemAt({ hash, path }: Visit, problem: string): FsckProblem {
  return { object: hash, problem, affects: path };
}

function checkChunk(visit: Visit, bytes: Uint8Array): string[] {
  switch (visit.kind) {
    case 'root':
    case 'tree':
    case 'end':
      return checkTreeNode(visit, new Node(bytes));
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

function checkTreeNode(visit: Visit, node: Node): string[] {
  const complaints = checkNode(node, visit.mustEnd);
  const { ref, parentLevel } = visit;
  if (ref !== undefined && parentLevel !== undefined) {
    complaints.push(...checkChild(node, ref, parentLevel));
  }
  if (node.level === 0) visit.rows?.check(node);
  return complaints;
}

/** The edges onward, with what is known of them. */
function expand(
  visit: Visit,
  bytes: Uint8Array,
  lacks: Lacks | undefined,
): (Visit & { schemaHash?: Hash })[] {
  const { kind, path } = visit;
  if (kind === 'root' || kind === 'tree' || kind === 'end') return expandNode(visit, bytes);
  if (kind === 'table') {
    const { schema, tree } = decodeTable(bytes);
    return [
      { kind: 'schema', hash: schema, path },
      { kind: 'tree', hash: tree, path, schemaHash: schema },
    ];
  }
  if (kind === 'blob') return blobParts(visit, bytes).map((part) => ({ kind, ...part, path }));
  return edgesHere(visit, bytes, lacks).map((edge) => {
    if (edge.kind === 'root') return { ...edge, path: `commit ${visit.hash}` };
    return { ...edge, path: edge.kind === 'named' ? `commit ${edge.hash}` : path };
  });
}

function expandNode(visit: Visit, bytes: Uint8Array): Visit[] {
  const node = new Node(bytes);
  const { kind, path, rows } = visit;
  if (node.level === 0) {
    if (kind !== 'root') return cellBlobs(node).map((blob) => ({ kind: 'blob', ...blob, path }));
    return Array.from({ length: node.count }, (_, i) => {
      const name = Buffer.from(node.key(i)).toString('utf8');
      return entryVisits(node.value(i), `${path}, '${name}'`);
    }).flat();
  }
  return Array.from({ length: node.count }, (_, i) => ({
    kind,
    hash: node.childHash(i),
    path,
    rows,
    ref: node.child(i),
    parentLevel: node.level,
    mustEnd: i < node.count - 1 || (visit.mustEnd ?? false),
  }));
}

function entryVisits(value: Uint8Array, path: string): Visit[] {
  const entry = decodeEntry(value);
  if (entry.kind === 'file') {
    return [{ kind: 'blob', hash: entry.blob, size: entry.size, top: true, path }];
  }
  return rootEntryEdges(value).map((edge) => ({ ...edge, top: edge.kind === 'blob', path }));
}
