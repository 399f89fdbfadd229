/**
 * `dv fsck`, `dv gc` and `dv store stat`.
 */
import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { isHash } from '../hash.ts';
import type { Edge } from '../model/edges.ts';
import { checkRepository, type FsckProblem, type FsckSummary } from '../model/fsck.ts';
import { collectGarbage, type GcResult, gcRoots, type Lacks } from '../model/gc.ts';
import { HEAD_KEY } from '../model/head.ts';
import { mergeEdges } from '../model/merge-state.ts';
import { KIND_NAMES } from '../model/objects.ts';
import { rememberedEdges } from '../model/remembered.ts';
import type { RootEntry } from '../model/root.ts';
import { readShallow } from '../model/shallow.ts';
import { STAGED_KEY } from '../model/working-set.ts';
import { withoutFilling } from './filling-store.ts';
import { listFingerprints } from './fingerprint.ts';
import { readPartial } from './missing-parts.ts';
import type { Repository } from './repository.ts';
import { readSequence } from './sequence.ts';
import { listStash } from './stash.ts';

const DAY = 24 * 60 * 60 * 1000;
/** Scratch of commands that were killed is removed when it is this old. */
const STALE_SCRATCH = DAY;
export const DEFAULT_GRACE_DAYS = 14;
export const REFLOG_DAYS = 90;

export interface GcVerbOptions {
  /** Unreachable objects younger than this stay; default 14 days. In ms. */
  readonly grace?: number;
  readonly dryRun?: boolean;
}

export interface GcVerbResult extends GcResult {
  readonly dryRun: boolean;
  readonly fileBytesBefore: number;
  readonly fileBytesAfter: number;
}

/** @throws DvError `missing-object`, `locked`; nothing is removed then */
export async function gc(repo: Repository, options: GcVerbOptions = {}): Promise<GcVerbResult> {
  const now = repo.env.now();
  const dryRun = options.dryRun ?? false;
  const before = await repo.store.fileSizes();
  const prints = [...(await listFingerprints(repo.store)).values()];
  const roots = await gcRoots(
    repo.store,
    [...prints.map(({ entry }) => edgeOf(entry)), ...(await sequenceEdges(repo))],
    now - REFLOG_DAYS * DAY,
  );
  const result = await collectGarbage(withoutFilling(repo.store), roots, {
    lacks: await lacksOf(repo),
    keepSince: now - (options.grace ?? DEFAULT_GRACE_DAYS * DAY),
    dryRun,
    onProgress: (done) =>
      repo.env.report({ label: 'marking', done, total: undefined, unit: 'objects' }),
  });
  if (!dryRun) {
    await repo.store.compact();
    removeStaleScratch(repo, now);
  }
  const after = await repo.store.fileSizes();
  const { fileBytes: fileBytesAfter } = after;
  return { ...result, dryRun, fileBytesBefore: before.fileBytes, fileBytesAfter };
}

function edgeOf(entry: RootEntry): Edge {
  return entry.kind === 'table'
    ? { kind: 'table', hash: entry.table }
    : { kind: 'blob', hash: entry.blob };
}

/** Commits put aside, and those that a cherry-pick, revert or rebase has yet to come to. */
async function sequenceEdges(repo: Repository): Promise<Edge[]> {
  const sequence = await readSequence(repo.store);
  const stashed = (await listStash(repo)).map(({ commit }) => commit);
  const { todo = [], start, at } = sequence?.state ?? {};
  const waiting = [start, at, ...todo.map(({ commit }) => commit)];
  return [...stashed, ...waiting.filter((hash) => hash !== undefined)].map((hash) => {
    return { kind: 'named', hash };
  });
}

function removeStaleScratch(repo: Repository, now: number): void {
  for (const folder of ['tmp', 'checkout']) {
    const directory = join(repo.dotDir, folder);
    for (const name of listDirectory(directory)) {
      const path = join(directory, name);
      const stat = statSync(path, { throwIfNoEntry: false });
      if (stat !== undefined && now - stat.mtimeMs > STALE_SCRATCH) {
        rmSync(path, { recursive: true, force: true });
      }
    }
  }
}

function listDirectory(path: string): string[] {
  try {
    return readdirSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

async function lacksOf(repo: Repository): Promise<Lacks> {
  return {
    shallow: await readShallow(repo.store),
    tables: (await readPartial(repo)) !== undefined,
  };
}

/** Every problem as it is found. Iterating to the end checks everything. */
export async function* fsck(repo: Repository): AsyncGenerator<FsckProblem, FsckSummary> {
  const roots: (Edge & { path: string })[] = [];
  for (const { name, hash } of await repo.store.listRefs('')) {
    roots.push({ kind: 'named', hash, path: name });
  }
  const state = async (key: string) =>
    Buffer.from((await repo.store.getState(key)) ?? []).toString('latin1');
  const head = await state(HEAD_KEY);
  if (isHash(head)) roots.push({ kind: 'named', hash: head, path: 'HEAD' });
  for (const hash of (await state(STAGED_KEY)).split(' ')) {
    if (isHash(hash)) roots.push({ kind: 'root', hash, path: 'the stage' });
  }
  const add = (edges: readonly Edge[], path: string) => {
    for (const edge of edges) roots.push({ ...edge, path });
  };
  add(await mergeEdges(repo.store), 'the merge in progress');
  add(await sequenceEdges(repo), 'the stash, or what is in progress');
  add(await rememberedEdges(repo.store), 'remembered resolutions');
  return yield* checkRepository(
    withoutFilling(repo.store),
    roots,
    (done, step) =>
      repo.env.report({ label: `checking ${step}`, done, total: undefined, unit: 'objects' }),
    await lacksOf(repo),
  );
}

export interface KindStat {
  readonly kind: string;
  readonly objects: number;
  readonly rawBytes: number;
  readonly storedBytes: number;
  /** How many of them are deltas, and the bytes those take. */
  readonly deltas: number;
  readonly deltaBytes: number;
}

export interface StoreStat {
  readonly kinds: readonly KindStat[];
  readonly total: KindStat;
  readonly fileBytes: number;
  /** Bytes of the file that hold nothing. */
  readonly freeBytes: number;
}

export async function storeStat(repo: Repository): Promise<StoreStat> {
  const kinds = new Map<number, KindStat>();
  const none = { objects: 0, rawBytes: 0, storedBytes: 0, deltas: 0, deltaBytes: 0 };
  let total: KindStat = { kind: 'total', ...none };
  for await (const batch of repo.store.scan()) {
    for (const { kind, rawSize, storedSize, base } of batch) {
      const add = (stat: KindStat): KindStat => ({
        kind: stat.kind,
        objects: stat.objects + 1,
        rawBytes: stat.rawBytes + rawSize,
        storedBytes: stat.storedBytes + storedSize,
        deltas: stat.deltas + (base === null ? 0 : 1),
        deltaBytes: stat.deltaBytes + (base === null ? 0 : storedSize),
      });
      kinds.set(
        kind,
        add(kinds.get(kind) ?? { kind: KIND_NAMES[kind] ?? `kind ${kind}`, ...none }),
      );
      total = add(total);
    }
  }
  const sorted = [...kinds].sort(([a], [b]) => a - b).map(([, stat]) => stat);
  return { kinds: sorted, total, ...(await repo.store.fileSizes()) };
}
