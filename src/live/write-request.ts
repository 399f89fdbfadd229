/**
 * One request on top of a branch at one commit: the branch behind it, with a commit of the
 * request's own, not stored yet. Nothing is decided here about who else writes; writer.ts
 * moves the branch.
 *
 *   1. `exact`: the branch is at `base`, or the request is refused.
 *   2. No base, or the branch is still there: the writes apply to what the branch has.
 *   3. An older base: merged from there (write-merge.ts).
 *   4. Nothing differs afterwards, no offsets move and no rule decided anything: no commit.
 */
import { DvError } from '../errors.ts';
import type { Hash } from '../hash.ts';
import { latestClock, nextClock } from '../model/clock.ts';
import { checkMessage } from '../model/commit-message.ts';
import { isAncestor } from '../model/history.ts';
import { resolvedExtra } from '../model/merge-record.ts';
import { checkTableName, foldName } from '../model/names.ts';
import { readCommit } from '../model/object-reader.ts';
import { type Clock, type Commit, encodeCommit, toChunk } from '../model/objects.ts';
import { diffRoots, editRoot, listRoot, type RootEntry } from '../model/root.ts';
import { countChanges } from '../model/table-stat.ts';
import type { NodeStore } from '../prolly/node-store.ts';
import { type BranchState, tableOf, withTables } from './branch-state.ts';
import type { TableRowCounts, TableWrites, WriteRequest } from './contract.ts';
import type { OpenTable } from './open-table.ts';
import { readSources, type SourceMap, sameOffsets } from './source-offsets.ts';
import { writeBatch } from './table-batch.ts';
import { writeTable } from './table-writes.ts';
import { mergeWrites } from './write-merge.ts';
import type { WrittenTable } from './written-table.ts';

/** What a commit needs from outside. */
export interface WriteMoment {
  readonly now: number;
  readonly node: string;
  /** The last stamp of this repository. */
  readonly clock: Clock | undefined;
}

export interface AppliedRequest {
  readonly state: BranchState;
  readonly changed: boolean;
  readonly tables: readonly TableRowCounts[];
}

interface Written {
  readonly root: Hash;
  readonly tables: ReadonlyMap<string, OpenTable>;
  readonly counts: readonly TableRowCounts[];
  readonly extra: Readonly<Record<string, unknown>>;
}

/** New chunks are put when it resolves. @throws DvError what `RowWriter.write` does */
export async function applyRequest(
  nodes: NodeStore,
  state: BranchState,
  request: WriteRequest,
  moment: WriteMoment,
): Promise<AppliedRequest> {
  checkExact(state, request);
  const sources = await moveOffsets(nodes, state, request);
  const clock = nextClock(
    latestClock([state.commit?.clock, moment.clock]),
    moment.now,
    moment.node,
  );
  const written = await writeRoot(nodes, state, request, clock);
  const moved = sources !== state.sources && request.source !== undefined;
  const isNew = written.root !== state.root || Object.keys(written.extra).length > 0;
  if (!isNew && !moved) return { state: { ...state, sources }, changed: false, tables: [] };
  const extra =
    sources === undefined || Object.keys(sources).length === 0
      ? written.extra
      : { ...written.extra, source: sources };
  const commit = commitOf(state, request, { root: written.root, clock, extra, now: moment.now });
  const chunk = toChunk(encodeCommit(commit), state.head ?? undefined);
  nodes.put(chunk);
  nodes.putIfEmpty(written.root);
  await nodes.flush();
  const { root, tables } = written;
  return {
    state: { head: chunk.hash, commit, root, sources, tables },
    changed: true,
    tables: written.counts,
  };
}

function checkExact({ head }: BranchState, { branch, base, exact }: WriteRequest): void {
  if (!exact || base === head) return;
  if (base === undefined) {
    throw new DvError('bad-option', 'an exact write needs the commit it is based on', {
      hint: 'give the base',
    });
  }
  throw new DvError('ref-moved', `'${branch}' is no longer at ${base}`, {
    hint: 'read the rows again, then write from the commit they come from',
    data: { branch, base, head },
  });
}

/**
 * The offsets of all streams behind the request; undefined: not known and not needed.
 * The same object as before where nothing moves. @throws DvError `offsets-moved`
 */
async function moveOffsets(
  nodes: NodeStore,
  state: BranchState,
  { branch, source }: WriteRequest,
): Promise<SourceMap | undefined> {
  if (source === undefined) return state.sources;
  const { name, offsets, expect } = source;
  const sources = state.sources ?? (await readSources(nodes.objects, state.head));
  const there = Object.hasOwn(sources, name) ? sources[name] : null;
  if (!sameOffsets(there, expect)) {
    throw new DvError('offsets-moved', `'${branch}' has other offsets of '${name}' than expected`, {
      hint: 'another writer took the stream further: go on from its offsets',
      data: { branch, source: name, expected: expect, offsets: there },
    });
  }
  if (sameOffsets(there, offsets)) return state.sources;
  return { ...sources, [name]: offsets };
}

/** Cases 2 and 3. */
async function writeRoot(
  nodes: NodeStore,
  state: BranchState,
  request: WriteRequest,
  clock: Clock,
): Promise<Written> {
  const { base, branch } = request;
  const { head } = state;
  if (base === undefined || base === head) return writeTables(nodes, state, request);
  if (head === null || !(await isKnownAncestor(nodes, base, head))) {
    throw new DvError('bad-revision', `${base} is no commit of '${branch}'`, {
      hint: 'the base is a commit that the branch has or had as its head',
      data: { branch, base },
    });
  }
  const { root } = await readCommit(nodes.objects, base);
  const from = { head: base, commit: undefined, root, sources: {}, tables: new Map() };
  const theirs = await writeTables(nodes, from, request);
  const roots = { base: root, ours: state.root, theirs: theirs.root };
  const merge = await mergeWrites(nodes, { head, roots, clock });
  return {
    root: merge.root,
    tables: new Map(),
    counts: await countTables(nodes, state.root, merge.root),
    extra: resolvedExtra(merge.resolved),
  };
}

async function isKnownAncestor(nodes: NodeStore, base: Hash, head: Hash): Promise<boolean> {
  const [chunk] = await nodes.objects.getMany([base]);
  return chunk !== undefined && isAncestor(nodes.objects, base, head);
}

async function writeTables(
  nodes: NodeStore,
  state: BranchState,
  request: WriteRequest,
): Promise<Written> {
  const changed = new Map<string, OpenTable>();
  const counts: TableRowCounts[] = [];
  const isOpen = request.drift === 'widen';
  for (const writes of request.tables) {
    const before = changed.get(writes.table) ?? (await openForWriting(nodes, state, writes));
    const written = await applyWrites(nodes, before, writes, isOpen);
    if (!written.changed || written.table === undefined) continue;
    changed.set(writes.table, written.table);
    counts.push(written.counts);
  }
  const entries = new Map<string, RootEntry>();
  for (const [name, { hash, dialect }] of changed) {
    entries.set(name, { kind: 'table', table: hash, dialect });
  }
  const root = entries.size === 0 ? state.root : await editRoot(nodes, state.root, entries);
  return { root, tables: withTables(state.tables, changed), counts, extra: {} };
}

async function applyWrites(
  nodes: NodeStore,
  before: OpenTable | undefined,
  writes: TableWrites,
  isOpen: boolean,
): Promise<WrittenTable> {
  if (writes.batch === undefined) return writeTable(nodes, before, writes, isOpen);
  if (writes.writes.length > 0) {
    throw new DvError('bad-option', 'rows as objects and rows as bytes in one request');
  }
  return writeBatch(nodes, before, writes, writes.batch, isOpen);
}

/** @throws DvError `bad-name`, `name-collision`, `unknown-table` (a plain file) */
async function openForWriting(
  nodes: NodeStore,
  state: BranchState,
  { table }: TableWrites,
): Promise<OpenTable | undefined> {
  const open = await tableOf(nodes, state, table);
  if (open === null) {
    throw new DvError('unknown-table', `'${table}' is a plain file, not a table`, {
      hint: 'give the table another name',
      data: { table },
    });
  }
  if (open !== undefined) return open;
  checkTableName(table);
  const folded = foldName(table);
  for (const { name } of await listRoot(nodes, state.root)) {
    if (foldName(name) !== folded) continue;
    throw new DvError('name-collision', `'${table}' differs from '${name}' only in case`, {
      hint: `write to '${name}', or choose another name`,
      data: { table, name },
    });
  }
  return undefined;
}

export async function countTables(
  nodes: NodeStore,
  from: Hash,
  to: Hash,
): Promise<TableRowCounts[]> {
  const counts: TableRowCounts[] = [];
  for (const { name, from: before, to: after } of await diffRoots(nodes, from, to)) {
    const [a, b] = [before, after].map((e) => (e?.kind === 'table' ? e.table : undefined));
    counts.push({ table: name, ...(await countChanges(nodes, a, b)) });
  }
  return counts;
}

interface CommitParts {
  readonly root: Hash;
  readonly clock: Clock;
  readonly extra: Readonly<Record<string, unknown>>;
  readonly now: number;
}

function commitOf(
  { head, commit }: BranchState,
  { author, message }: WriteRequest,
  { root, clock, extra, now }: CommitParts,
): Commit {
  const { name, email } = author;
  const person = { name, email, time: now, zone: 0 };
  return {
    root,
    parents: head === null ? [] : [head],
    author: person,
    committer: person,
    message: checkMessage(message),
    clock,
    generation: (commit?.generation ?? 0) + 1,
    extra,
  };
}
