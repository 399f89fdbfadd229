/**
 * A branch at one commit, as the row writer goes from request to request: values that are
 * never changed, so that a request that is refused leaves the one before it.
 */
import type { Hash } from '../hash.ts';
import { readCommit } from '../model/object-reader.ts';
import type { Commit } from '../model/objects.ts';
import type { NodeStore } from '../prolly/node-store.ts';
import { EMPTY_TREE } from '../prolly/node-writer.ts';
import { type OpenTable, openTable } from './open-table.ts';
import { type SourceMap, sourcesOf } from './source-offsets.ts';

export interface BranchState {
  /** null: the branch has no commit yet. */
  readonly head: Hash | null;
  readonly commit: Commit | undefined;
  readonly root: Hash;
  /** Offsets of all streams; undefined: not looked up yet. */
  readonly sources: SourceMap | undefined;
  /** Tables of the root that were opened, by name. */
  readonly tables: ReadonlyMap<string, OpenTable>;
}

/** Open tables that are carried from commit to commit. */
const MAX_TABLES = 64;

export async function openBranch(nodes: NodeStore, head: Hash | null): Promise<BranchState> {
  const tables = new Map<string, OpenTable>();
  if (head === null) {
    return { head, commit: undefined, root: EMPTY_TREE, sources: {}, tables };
  }
  const commit = await readCommit(nodes.objects, head);
  return { head, commit, root: commit.root, sources: sourcesOf(commit), tables };
}

/** As `openTable`, of the state's root. */
export async function tableOf(
  nodes: NodeStore,
  { root, tables }: BranchState,
  name: string,
): Promise<OpenTable | undefined | null> {
  return tables.get(name) ?? openTable(nodes, root, name);
}

/** The open tables with others put in. */
export function withTables(
  tables: ReadonlyMap<string, OpenTable>,
  changed: ReadonlyMap<string, OpenTable>,
): ReadonlyMap<string, OpenTable> {
  if (changed.size === 0) return tables;
  if (tables.size + changed.size > MAX_TABLES) return new Map(changed);
  const all = new Map(tables);
  for (const [name, table] of changed) all.set(name, table);
  return all;
}
