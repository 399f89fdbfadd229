/**
 * `dv bisect`: finds the commit that broke something. By hand, HEAD goes from one candidate to
 * the next; what was learnt is the state `bisect`. By condition (`bisectWhere`), nothing moves.
 */
import { DvError } from '../errors.ts';
import type { Hash } from '../hash.ts';
import { chooseNext, findCandidates } from '../model/bisect.ts';
import { readHead } from '../model/head.ts';
import { readCommit, readSchema, readTable } from '../model/object-reader.ts';
import { getRootEntry } from '../model/root.ts';
import type { StateUpdate, Store } from '../store/contract.ts';
import { compileCondition } from '../store/sqlite-condition.ts';
import { rowsOf } from '../tuple/row-batch-builder.ts';
import type { Column, Row } from '../tuple/schema.ts';
import { resolveEntry } from './inspect.ts';
import { type Repository, resolveCommit, tableNameOf } from './repository.ts';
import { switchTo } from './switch.ts';
import { tableBatches } from './table-file.ts';

const BISECT_KEY = 'bisect';

export interface BisectState {
  /** Where to go back to: a branch, or a commit. */
  readonly start: { readonly branch: string } | { readonly commit: Hash };
  readonly bad: Hash | null;
  readonly good: readonly Hash[];
  readonly skipped: readonly Hash[];
  /** The commands so far, for `bisect log`. */
  readonly log: readonly string[];
}

export interface BisectStep {
  readonly state: BisectState;
  /** What to try next; null: nothing more is known, or it is found. */
  readonly next: Hash | null;
  /** Candidates left, `next` among them. */
  readonly left: number;
  /** The first bad commit. */
  readonly found: Hash | null;
  /** Commits of which one is it, all but it skipped. */
  readonly open: readonly Hash[];
}

interface Stored {
  readonly state: BisectState;
  readonly raw: Uint8Array;
}

async function read(store: Store): Promise<Stored | undefined> {
  const raw = await store.getState(BISECT_KEY);
  return raw && { state: JSON.parse(Buffer.from(raw).toString()) as BisectState, raw };
}

async function write(
  repo: Repository,
  state: BisectState | null,
  expect: Uint8Array | null,
): Promise<void> {
  const value = state === null ? null : Buffer.from(JSON.stringify(state));
  const update: StateUpdate = { key: BISECT_KEY, value, expect };
  if ((await repo.store.transact({ state: [update] })).done) return;
  throw new DvError('ref-moved', 'another dv bisect is at work', { hint: 'try again' });
}

export async function isBisecting({ store }: Repository): Promise<boolean> {
  return (await read(store)) !== undefined;
}

/** @throws DvError `no-bisect` */
export async function readBisect(repo: Repository): Promise<BisectState> {
  return (await requireBisect(repo)).state;
}

async function requireBisect(repo: Repository): Promise<Stored> {
  const stored = await read(repo.store);
  if (stored !== undefined) return stored;
  throw new DvError('no-bisect', 'there is no bisect in progress', {
    hint: 'dv bisect start BAD GOOD',
  });
}

/** @throws DvError `bad-revision`, `unsaved-changes` */
export async function bisectStart(
  repo: Repository,
  bad: string | undefined,
  good: readonly string[],
): Promise<BisectStep> {
  const before = await read(repo.store);
  const head = await readHead(repo.store);
  const here = head.kind === 'branch' ? { branch: head.branch } : { commit: head.commit };
  const hashes: Hash[] = [];
  for (const revision of good) hashes.push(await resolveCommit(repo, revision));
  const state: BisectState = {
    start: before?.state.start ?? here,
    bad: bad === undefined ? null : await resolveCommit(repo, bad),
    good: hashes,
    skipped: [],
    log: [
      `dv bisect start ${[bad, ...good].filter((text) => text !== undefined).join(' ')}`.trim(),
    ],
  };
  return step(repo, state, before?.raw ?? null);
}

/** `revision` default: where HEAD is. @throws DvError `no-bisect`, `bad-revision` */
export async function bisectMark(
  repo: Repository,
  verdict: 'good' | 'bad' | 'skip',
  revisions: readonly string[],
): Promise<BisectStep> {
  const { state, raw } = await requireBisect(repo);
  const hashes: Hash[] = [];
  for (const revision of revisions.length === 0 ? ['HEAD'] : revisions) {
    hashes.push(await resolveCommit(repo, revision));
  }
  const log = [...state.log, ...hashes.map((hash) => `dv bisect ${verdict} ${hash}`)];
  const marked: Record<typeof verdict, Partial<BisectState>> = {
    bad: { bad: hashes[hashes.length - 1] },
    good: { good: [...state.good, ...hashes] },
    skip: { skipped: [...state.skipped, ...hashes] },
  };
  return step(repo, { ...state, ...marked[verdict], log }, raw);
}

async function step(
  repo: Repository,
  state: BisectState,
  expect: Uint8Array | null,
): Promise<BisectStep> {
  const nothing = { state, next: null, left: 0, found: null, open: [] };
  if (state.bad === null || state.good.length === 0) {
    await write(repo, state, expect);
    return nothing;
  }
  const candidates = await findCandidates(repo.store, state.bad, state.good);
  const left = candidates.commits.length;
  if (left === 0) {
    throw new DvError(
      'bad-bisect',
      `${state.bad.slice(0, 12)} is bad, and an ancestor of a good one`,
      {
        hint: 'dv bisect reset, and begin again',
      },
    );
  }
  const skipped = new Set(state.skipped);
  const next = chooseNext(candidates, skipped) ?? null;
  await write(repo, state, expect);
  if (next !== null) await switchTo(repo, next, { detach: true });
  const isFound = next === null && left === 1;
  const open = next === null && left > 1 ? candidates.commits : [];
  return { state, next, left, found: isFound ? state.bad : null, open };
}

/** Back to where it began. @throws DvError `no-bisect`, `unsaved-changes` */
export async function bisectReset(repo: Repository): Promise<void> {
  const { state, raw } = await requireBisect(repo);
  const { start } = state;
  if ('branch' in start) await switchTo(repo, start.branch);
  else await switchTo(repo, start.commit, { detach: true });
  await write(repo, null, raw);
}

export interface BisectWhereResult {
  /** The first commit at which some row matches. */
  readonly commit: Hash;
  readonly candidates: number;
  /** Versions of the table that were read. */
  readonly tested: number;
}

/**
 * The commit that made a condition true of some row. HEAD and files stay. It is taken to stay
 * true once it is.
 * @throws DvError `bad-bisect` when it is not true at `bad`, or true at a `good`;
 * `unknown-table`, `bad-condition`, `bad-revision`
 */
export async function bisectWhere(
  repo: Repository,
  path: string,
  where: string,
  { bad = 'HEAD', good = [] }: { readonly bad?: string; readonly good?: readonly string[] } = {},
): Promise<BisectWhereResult> {
  const probe = new Probe(repo, tableNameOf(repo, path), where);
  const start = await resolveCommit(repo, bad);
  await resolveEntry(repo, `${bad}:${tableNameOf(repo, path)}`);
  if (!(await probe.holds(start))) {
    throw new DvError('bad-bisect', `no row matches "${where}" at '${bad}'`, {
      hint: 'the condition must hold at the end, and not at the beginning',
    });
  }
  const goodCommits: Hash[] = [];
  for (const revision of good) {
    const commit = await resolveCommit(repo, revision);
    if (await probe.holds(commit)) {
      throw new DvError('bad-bisect', `a row matches "${where}" at '${revision}' already`, {
        hint: 'begin further back',
      });
    }
    goodCommits.push(commit);
  }
  let first = start;
  let candidates = await findCandidates(repo.store, first, goodCommits);
  const all = candidates.commits.length;
  for (;;) {
    const next = chooseNext(candidates, new Set());
    if (next === undefined) return { commit: first, candidates: all, tested: probe.tested };
    if (await probe.holds(next)) first = next;
    else goodCommits.push(next);
    candidates = await findCandidates(repo.store, first, goodCommits);
  }
}

/**
 * Asks versions of a table; one that was asked before costs a lookup. A column that the first
 * version asked about has, and another has not, is null there.
 */
class Probe {
  readonly #repo: Repository;
  readonly #table: string;
  readonly #where: string;
  readonly #known = new Map<Hash, boolean>();
  #columns: readonly Column[] | undefined;

  constructor(repo: Repository, table: string, where: string) {
    this.#repo = repo;
    this.#table = table;
    this.#where = where;
  }

  get tested(): number {
    return this.#known.size;
  }

  async holds(commit: Hash): Promise<boolean> {
    const { nodes, store } = this.#repo;
    const { root } = await readCommit(store, commit);
    const entry = await getRootEntry(nodes, root, this.#table);
    if (entry?.kind !== 'table') return false;
    const known = this.#known.get(entry.table) ?? (await this.#scan(entry.table));
    this.#known.set(entry.table, known);
    return known;
  }

  async #scan(hash: Hash): Promise<boolean> {
    const { nodes, store } = this.#repo;
    const table = await readTable(store, hash);
    const schema = await readSchema(store, table.schema);
    this.#columns ??= schema.columns;
    const isThere = (name: string) => schema.columns.some((column) => column.name === name);
    const absent = this.#columns.filter(({ name }) => !isThere(name));
    const nulls: Row = absent.map(() => null);
    const condition = compileCondition(this.#where, [...schema.columns, ...absent]);
    try {
      for await (const batch of tableBatches(nodes, schema, table.tree)) {
        if (rowsOf(batch).some((row) => condition.test([...row, ...nulls]))) return true;
      }
      return false;
    } finally {
      condition.close();
    }
  }
}
