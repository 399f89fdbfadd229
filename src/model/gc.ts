/**
 * Garbage collection: mark what refs, HEAD, the stage, the working files' fingerprints and
 * the reflog reach, then sweep what is unmarked and older than the grace period. Memory is
 * a bit per object and a stack as deep as the graph is branched; readers and writers go on.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { DvError } from '../errors.ts';
import { type Hash, isHash } from '../hash.ts';
import { EMPTY_TREE } from '../prolly/node-writer.ts';
import type { Store } from '../store/contract.ts';
import type { Maintenance, SweepResult } from '../store/maintenance.ts';
import { type Edge, edgesOf } from './edges.ts';
import { HEAD_KEY } from './head.ts';
import { mergeEdges } from './merge-state.ts';
import { NodeTwins } from './node-twins.ts';
import { operationEdges } from './operations.ts';
import { RecentHashes } from './recent-hashes.ts';
import { rememberedEdges } from './remembered.ts';
import { STAGED_KEY } from './working-set.ts';

const BATCH = 256;
/** Edges to these have been followed: asking the store for each again is most of a gc's time. */
const RECENT = 65_536;

/** Everything that keeps objects alive besides what they reach. */
export async function gcRoots(
  store: Store,
  extra: readonly Edge[],
  reflogSince: number,
): Promise<Edge[]> {
  const edges: Edge[] = [...extra];
  for (const { name, hash } of await store.listRefs('')) {
    edges.push({ kind: 'named', hash });
    for (const entry of await store.readLog(name, 1_000_000)) {
      if (entry.time < reflogSince) break;
      if (entry.old !== null) edges.push({ kind: 'named', hash: entry.old });
    }
  }
  const head = Buffer.from((await store.getState(HEAD_KEY)) ?? []).toString('latin1');
  if (isHash(head)) edges.push({ kind: 'named', hash: head });
  const staged = Buffer.from((await store.getState(STAGED_KEY)) ?? []).toString('latin1');
  for (const hash of staged.split(' ')) {
    if (isHash(hash) && hash !== EMPTY_TREE) edges.push({ kind: 'root', hash });
  }
  edges.push(...(await mergeEdges(store)), ...(await operationEdges(store)));
  edges.push(...(await rememberedEdges(store)));
  return edges;
}

export interface GcOptions {
  /** Unreachable objects written since this time stay (ms since the epoch). */
  readonly keepSince: number;
  readonly dryRun: boolean;
  /** What a shallow or partial clone left out: missing, and no damage. */
  readonly lacks?: Lacks;
  readonly onProgress: (marked: number) => void;
}

export interface Lacks {
  /** Commits whose parents are not here. */
  readonly shallow: ReadonlySet<Hash>;
  /** Tables and files may be missing. */
  readonly tables: boolean;
}

/** May what the edge leads to be missing? */
export function mayLack({ kind }: Edge, lacks: Lacks | undefined): boolean {
  return (lacks?.tables ?? false) && (kind === 'table' || kind === 'blob');
}

/** The edges out of a chunk, but for those that lead beyond the boundary. */
export function edgesHere(
  { kind, hash }: Edge,
  bytes: Uint8Array,
  lacks: Lacks | undefined,
  twins?: NodeTwins,
): Edge[] {
  const edges = edgesOf(kind, bytes, twins);
  const isBoundary = kind === 'named' && (lacks?.shallow.has(hash) ?? false);
  return isBoundary ? edges.filter((edge) => edge.kind !== 'named') : edges;
}

export interface GcResult extends SweepResult {
  /** Objects that something reaches. */
  readonly reachable: number;
}

/** @throws DvError `missing-object`; nothing is removed then */
export async function collectGarbage(
  store: Store & Maintenance,
  roots: readonly Edge[],
  options: GcOptions,
): Promise<GcResult> {
  const marker = await store.startMarking();
  const stack = [...roots];
  const met = new RecentHashes(RECENT);
  const twins = new NodeTwins();
  let reachable = 0;
  while (stack.length > 0) {
    const edges = stack.splice(-BATCH).filter(({ hash }) => !met.meet(hash));
    if (edges.length === 0) continue;
    const fresh = await marker.mark(edges.map(({ hash }) => hash));
    const marked = edges.filter((_, i) => fresh[i]);
    reachable += marked.length;
    options.onProgress(reachable);
    await nextTurn();
    await checkPresent(store, edges, fresh, options.lacks);
    const open = marked.filter(({ kind }) => kind !== 'end' && kind !== 'schema');
    const chunks = await store.getMany(open.map(({ hash }) => hash));
    open.forEach((edge, i) => {
      const bytes = chunks[i];
      if (bytes === undefined && mayLack(edge, options.lacks)) return;
      if (bytes === undefined) throw missing(edge.hash);
      for (const next of edgesHere(edge, bytes, options.lacks, twins)) stack.push(next);
    });
  }
  const { keepSince, dryRun } = options;
  return { reachable, ...(await marker.sweep({ keepSince, dryRun })) };
}

/** An edge that was not fresh is either marked already or leads nowhere. */
async function checkPresent(
  store: Store,
  edges: readonly Edge[],
  fresh: readonly boolean[],
  lacks: Lacks | undefined,
): Promise<void> {
  const stale = edges
    .filter((edge, i) => !fresh[i] && !mayLack(edge, lacks))
    .map(({ hash }) => hash);
  if (stale.length === 0) return;
  const present = await store.hasMany(stale);
  const lost = present.indexOf(false);
  if (lost >= 0) throw missing(stale[lost]);
}

function missing(hash: Hash): DvError {
  return new DvError('missing-object', `object ${hash} is missing, so gc removes nothing`, {
    hint: 'dv fsck says what is affected',
  });
}
