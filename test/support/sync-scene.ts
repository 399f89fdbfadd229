/** Repositories for tests of sync: commits of rows without a working directory. */
import type { Hash } from '../../src/hash.ts';
import { buildBlob } from '../../src/model/blob.ts';
import { checkRepository } from '../../src/model/fsck.ts';
import { gcRoots } from '../../src/model/gc.ts';
import { readCommit, readTable } from '../../src/model/object-reader.ts';
import { encodeCommit, encodeSchema, encodeTable, toChunk } from '../../src/model/objects.ts';
import { editRoot, getRootEntry, type RootEntry } from '../../src/model/root.ts';
import { editTree } from '../../src/prolly/edit.ts';
import { NodeStore } from '../../src/prolly/node-store.ts';
import { EMPTY_TREE } from '../../src/prolly/node-writer.ts';
import type { Store } from '../../src/store/contract.ts';
import type { Maintenance } from '../../src/store/maintenance.ts';
import { createMemoryStore } from '../../src/store/memory.ts';
import { LocalRemote } from '../../src/sync/local-remote.ts';
import type { Caller } from '../../src/sync/protocol.ts';
import { type ServiceOptions, SyncService } from '../../src/sync/service.ts';
import { encodeRow } from '../../src/tuple/row-encoder.ts';
import type { Row, Schema } from '../../src/tuple/schema.ts';

export const SCHEMA: Schema = {
  columns: [
    { name: 'id', type: 'integer' },
    { name: 'name', type: 'text' },
    { name: 'note', type: 'text' },
  ],
  key: [0],
};

/** Rows by id; null removes. */
export type RowEdits = ReadonlyMap<
  number,
  readonly [name: string | null, note: string | null] | null
>;

export interface CommitPlan {
  readonly tables?: Readonly<Record<string, RowEdits | null>>;
  readonly files?: Readonly<Record<string, Uint8Array>>;
  readonly parents?: readonly Hash[];
  readonly branch?: string;
  readonly schema?: Schema;
  readonly message?: string;
  /** Clock, in ms. */
  readonly time?: number;
}

export const NOW = 1_700_000_000_000;

export class Scene {
  readonly store: Store & Maintenance;
  readonly nodes: NodeStore;
  private commits = 0;

  constructor(store: Store & Maintenance = createMemoryStore({ now: () => NOW })) {
    this.store = store;
    this.nodes = new NodeStore(store);
  }

  async head(branch = 'main'): Promise<Hash | undefined> {
    return this.store.getRef(`refs/heads/${branch}`);
  }

  /** Makes a commit on top of the branch's head (or of `parents`) and moves the branch. */
  async commit(plan: CommitPlan): Promise<Hash> {
    const { branch = 'main', tables = {}, files = {}, message } = plan;
    const head = await this.head(branch);
    const parents = plan.parents ?? (head === undefined ? [] : [head]);
    const commits = await Promise.all(parents.map((hash) => readCommit(this.store, hash)));
    const before = commits[0]?.root ?? EMPTY_TREE;
    const changes = new Map<string, RootEntry | null>();
    for (const [name, edits] of Object.entries(tables)) {
      changes.set(name, edits === null ? null : await this.table(before, name, edits, plan.schema));
    }
    for (const [name, bytes] of Object.entries(files)) {
      const blob = buildBlob(bytes, (chunk) => this.nodes.put(chunk));
      changes.set(name, { kind: 'file', blob, size: bytes.length });
    }
    const root = await editRoot(this.nodes, before, changes);
    this.nodes.putIfEmpty(root);
    await this.nodes.flush();
    const n = this.commits++;
    const time = plan.time ?? NOW + n;
    const person = { name: 'n', email: 'e', time, zone: 0 };
    const chunk = toChunk(
      encodeCommit({
        root,
        parents,
        author: person,
        committer: person,
        message: message ?? `commit ${n}`,
        clock: { ms: time, counter: n, node: 'test' },
        generation: 1 + Math.max(0, ...commits.map(({ generation }) => generation)),
        extra: {},
      }),
    );
    const ref = { name: `refs/heads/${branch}`, old: head ?? null, new: chunk.hash };
    const { done } = await this.store.transact({ refs: [ref] }, [chunk]);
    if (!done) throw new Error(`${branch} moved meanwhile`);
    return chunk.hash;
  }

  private async table(
    root: Hash,
    name: string,
    edits: RowEdits,
    schema: Schema = SCHEMA,
  ): Promise<RootEntry> {
    const entry = await getRootEntry(this.nodes, root, name);
    const before =
      entry?.kind === 'table' ? (await readTable(this.store, entry.table)).tree : EMPTY_TREE;
    const blob = (bytes: Uint8Array) => buildBlob(bytes, (chunk) => this.nodes.put(chunk));
    const encoded = [...edits].map(([id, cells]) => {
      const row: Row = [String(id), ...(cells ?? [null, null])];
      const { key, value } = encodeRow(schema, row, blob);
      return { key, value: cells === null ? null : value };
    });
    encoded.sort((a, b) => Buffer.compare(a.key, b.key));
    const tree = await editTree(this.nodes, before, [encoded]);
    this.nodes.putIfEmpty(tree);
    const schemaChunk = toChunk(encodeSchema(schema));
    const table = toChunk(encodeTable({ schema: schemaChunk.hash, tree }));
    this.nodes.put(schemaChunk);
    this.nodes.put(table);
    await this.nodes.flush();
    return { kind: 'table', table: table.hash, dialect: undefined };
  }
}

export function rows(from: number, to: number, text = (id: number) => `name ${id}`): RowEdits {
  const edits = new Map<number, readonly [string | null, string | null]>();
  for (let id = from; id < to; id++)
    edits.set(id, [text(id), id % 3 === 0 ? null : `note ${id * 7919}`]);
  return edits;
}

/** Everything that fsck has to say. */
export async function problems(store: Store & Maintenance): Promise<string[]> {
  const roots = (await gcRoots(store, [], Number.MAX_SAFE_INTEGER)).map((edge) => ({
    ...edge,
    path: 'a ref',
  }));
  const found: string[] = [];
  for await (const problem of checkRepository(store, roots, () => {})) {
    found.push(`${problem.object}: ${problem.problem}`);
  }
  return found;
}

export const ANYBODY: Caller = { actor: 'somebody', allow: () => {} };

/** Random numbers that are the same in every run. */
export function counter(): () => string {
  let n = 0;
  return () => (++n).toString(16).padStart(16, '0');
}

export function serviceOver(store: Store, options: Partial<ServiceOptions> = {}): SyncService {
  return new SyncService({
    store,
    software: 'dv test',
    now: () => NOW + 1_000_000,
    randomId: counter(),
    random: () => 0.5,
    sleep: async () => {},
    ...options,
  });
}

export function remoteOver(store: Store, options: Partial<ServiceOptions> = {}): LocalRemote {
  return new LocalRemote({ url: 'test', service: serviceOver(store, options), caller: ANYBODY });
}

export const RETRY = { sleep: async () => {}, random: () => 0.5 };
