/**
 * One-row commits on the benchmark table, as a server makes them: an edit of one cell, tree,
 * table, root and commit in one durable transaction. What each keeps and takes must not grow.
 *
 *   npx node test/bench/tiny-commits.ts [COUNT] [--rows N] [--writers W] [--dir PATH] [--parts]
 *
 * COUNT: 10,000; N: 1,000,000. With `--writers`, W submit at the same time, each to a branch of
 * its own. `--parts` tells what each table of the store takes; `--gc` ends with `dv gc`; with
 * `--operations` each commit is also written down for `dv undo`, as the command line does.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import Database from 'better-sqlite3';
import type { Hash } from '../../src/hash.ts';
import { readCommit, readSchema, readTable } from '../../src/model/object-reader.ts';
import { type Commit, encodeCommit, encodeTable, toChunk } from '../../src/model/objects.ts';
import { recordOperations } from '../../src/model/operations.ts';
import { editRoot, getRootEntry } from '../../src/model/root.ts';
import { editTree } from '../../src/prolly/edit.ts';
import { NodeStore } from '../../src/prolly/node-store.ts';
import { getEntry } from '../../src/prolly/scan.ts';
import type { ChunkToPut, ObjectStore, Store } from '../../src/store/contract.ts';
import type { Maintenance } from '../../src/store/maintenance.ts';
import { openSqliteStore } from '../../src/store/sqlite.ts';
import { encodeKey } from '../../src/tuple/key-codec.ts';
import { decodeRow } from '../../src/tuple/row-codec.ts';
import { encodeRow } from '../../src/tuple/row-encoder.ts';
import type { Row, Schema } from '../../src/tuple/schema.ts';

const ROOT = join(import.meta.dirname, '../..');
const DV = join(ROOT, 'bin/dv');
const NODE = join(ROOT, 'node_modules/.bin/node');
const TABLE = 'T.csv';
const MAIN = 'refs/heads/main';
const ENVIRONMENT = {
  ...process.env,
  DV_AUTHOR_NAME: 'Bench',
  DV_AUTHOR_EMAIL: 'bench@example.org',
};

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rows: { type: 'string', default: '1000000' },
    writers: { type: 'string', default: '1' },
    dir: { type: 'string' },
    parts: { type: 'boolean', default: false },
    gc: { type: 'boolean', default: false },
    operations: { type: 'boolean', default: false },
  },
});
const count = Number(positionals[0] ?? 10_000);
const rows = Number(flags.rows);
const writers = Number(flags.writers);

/** Reads go to the store; what is put is kept for the transaction. */
class Gathering implements ObjectStore {
  chunks: ChunkToPut[] = [];
  private readonly store: Store;
  constructor(store: Store) {
    this.store = store;
  }
  getMany(hashes: readonly Hash[]) {
    return this.store.getMany(hashes);
  }
  hasMany(hashes: readonly Hash[]) {
    return this.store.hasMany(hashes);
  }
  findHashes(prefix: string, limit: number) {
    return this.store.findHashes(prefix, limit);
  }
  async putMany(chunks: readonly ChunkToPut[]) {
    this.chunks.push(...chunks);
  }
  take(): ChunkToPut[] {
    return this.chunks.splice(0);
  }
}

let seed = 1;
function random(below: number): number {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
  return Math.floor((seed / 2 ** 32) * below);
}

class Writer {
  readonly ref: string;
  private readonly store: Store;
  private readonly gathering: Gathering;
  private readonly nodes: NodeStore;
  private schema: Schema | undefined;
  head: Hash;

  constructor(store: Store, ref: string, head: Hash) {
    this.store = store;
    this.ref = ref;
    this.head = head;
    this.gathering = new Gathering(store);
    this.nodes = new NodeStore(this.gathering);
  }

  async commit(n: number): Promise<void> {
    const parent = await readCommit(this.store, this.head);
    const entry = await getRootEntry(this.nodes, parent.root, TABLE);
    if (entry?.kind !== 'table') throw new Error('no table');
    const table = await readTable(this.store, entry.table);
    this.schema ??= await readSchema(this.store, table.schema);
    const tree = await this.editRow(this.schema, table.tree, n);
    const object = toChunk(encodeTable({ ...table, tree }), entry.table);
    this.gathering.chunks.push(object);
    const root = await editRoot(
      this.nodes,
      parent.root,
      new Map([[TABLE, { ...entry, table: object.hash }]]),
    );
    const now = Date.now();
    const person = { name: 'Bench', email: 'bench@example.org', time: now, zone: 0 };
    const commit: Commit = {
      ...parent,
      root,
      parents: [this.head],
      author: person,
      committer: person,
      message: `edit ${n}`,
      clock: { ms: now, counter: 0, node: '12345678' },
      generation: parent.generation + 1,
    };
    const made = toChunk(encodeCommit(commit), this.head);
    const result = await this.store.transact(
      {
        refs: [{ name: this.ref, old: this.head, new: made.hash }],
        log: { actor: 'Bench <bench@example.org>', time: now, message: `commit: edit ${n}` },
      },
      [...this.gathering.take(), made],
    );
    if (!result.done) throw new Error(`lost ${result.name}`);
    this.head = made.hash;
  }

  private async editRow(schema: Schema, tree: Hash, n: number): Promise<Hash> {
    const key = encodeKey([String(1 + random(rows))], ['integer']);
    const value = await getEntry(this.nodes, tree, key);
    if (value === undefined) throw new Error('no such row');
    const row = decodeRow(schema, key, value) as (string | null)[];
    row[5] = String(n);
    const edited = encodeRow(schema, row as Row, () => {
      throw new Error('no blobs here');
    });
    return editTree(this.nodes, tree, [[edited]]);
  }
}

const quantile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];

function contentBytes(path: string): number {
  const db = new Database(path, { readonly: true });
  const pages = Number(db.pragma('page_count', { simple: true }));
  const free = Number(db.pragma('freelist_count', { simple: true }));
  db.close();
  return (pages - free) * 1024;
}

function parts(path: string): Map<string, number> {
  const db = new Database(path, { readonly: true });
  const rows = db
    .prepare<[], { name: string; bytes: number; unused: number }>(
      'SELECT name, sum(pgsize) AS bytes, sum(unused) AS unused FROM dbstat GROUP BY name',
    )
    .all();
  db.close();
  return new Map(
    rows.flatMap((row) => [
      [row.name, row.bytes] as const,
      [`${row.name} unused`, row.unused] as const,
    ]),
  );
}

/** Median of some runs of a whole process, in ms. */
function timeCli(args: readonly string[]): number {
  const times = Array.from({ length: 5 }, () => {
    const started = performance.now();
    execFileSync(DV, args, { cwd: directory, env: ENVIRONMENT, stdio: 'ignore' });
    return performance.now() - started;
  });
  return times.sort((a, b) => a - b)[2];
}

async function look(label: string): Promise<void> {
  const opening = performance.now();
  const store = await openSqliteStore(path, { now: Date.now });
  await store.getRef(MAIN);
  const opened = performance.now() - opening;
  await store.close();
  const commands = [['status'], ['log', '-n', '10'], ['diff', 'main~1', 'main']];
  const times = commands.map((args) => `${args[0]} ${timeCli(args).toFixed(0)} ms`);
  console.log(`${label}: open ${opened.toFixed(1)} ms, ${times.join(', ')}`);
}

const directory = flags.dir ?? mkdtempSync(join(tmpdir(), 'dv-tiny-'));
const path = join(directory, '.dv', 'store.db');
if (!existsSync(path)) {
  mkdirSync(directory, { recursive: true });
  const csv = join(directory, TABLE);
  if (!existsSync(csv))
    execFileSync(NODE, [join(ROOT, 'test/bench/generate.ts'), String(rows), csv]);
  for (const args of [['init'], ['add', TABLE], ['commit', '-m', 'first']]) {
    execFileSync(DV, args, { cwd: directory, env: ENVIRONMENT, stdio: 'ignore' });
  }
}

async function openWriters(store: Store): Promise<Writer[]> {
  const head = (await store.getRef(MAIN)) as Hash;
  const made: Writer[] = [];
  for (let w = 0; w < writers; w++) {
    const ref = w === 0 ? MAIN : `refs/heads/writer-${w}`;
    const old = (await store.getRef(ref)) ?? null;
    if (old !== head) await store.transact({ refs: [{ name: ref, old, new: head }] });
    made.push(new Writer(store, ref, head));
  }
  return made;
}

async function run(): Promise<void> {
  let store: Store & Maintenance = await openSqliteStore(path, { now: Date.now });
  const first = await readCommit(store, (await store.getRef(MAIN)) as Hash);
  seed = first.generation;
  let all = await openWriters(store);
  for (let n = 0; n < 10; n++) await all[0].commit(n);
  await store.close();
  await look('after 10');
  const began = contentBytes(path);
  const before = parts(path);
  store = await openSqliteStore(path, { now: Date.now });
  if (flags.operations) store = recordOperations(store);
  all = await openWriters(store);
  const step = Math.max(1000, Math.ceil(count / 10));
  let held = began;
  const started = performance.now();
  for (let done = 0; done < count; done += step) {
    const times: number[] = [];
    let next = done;
    const end = Math.min(count, done + step);
    const stepStarted = performance.now();
    const used = process.cpuUsage();
    await Promise.all(
      all.map(async (writer) => {
        while (next < end) {
          const n = next++;
          const at = performance.now();
          await writer.commit(n);
          times.push(performance.now() - at);
        }
      }),
    );
    const seconds = (performance.now() - stepStarted) / 1000;
    const { user, system } = process.cpuUsage(used);
    const bytes = contentBytes(path);
    times.sort((a, b) => a - b);
    console.log(
      [
        `${end}`.padStart(8),
        `p50 ${quantile(times, 0.5).toFixed(2)} ms`,
        `p99 ${quantile(times, 0.99).toFixed(2)} ms`,
        `processor ${((user + system) / 1000 / (end - done)).toFixed(2)} ms`,
        `${((end - done) / seconds).toFixed(0)}/s`,
        `${((bytes - held) / (end - done)).toFixed(0)} bytes each`,
      ].join('  '),
    );
    held = bytes;
  }
  console.log(`in ${((performance.now() - started) / 1000).toFixed(1)} s`);
  await store.close();
  await look(`after ${count}`);
  const grown = contentBytes(path) - began;
  console.log(
    `grown ${(grown / 1e6).toFixed(1)} MB, ${(grown / count).toFixed(0)} bytes each; file ${(statSync(path).size / 1e6).toFixed(1)} MB`,
  );
  if (flags.parts) {
    for (const [name, bytes] of parts(path)) {
      const more = (bytes - (before.get(name) ?? 0)) / count;
      if (Math.abs(more) >= 1) console.log(`  ${name.padEnd(24)} ${more.toFixed(0)} bytes each`);
    }
  }
  if (flags.gc) {
    const at = performance.now();
    const said = execFileSync(DV, ['gc', '--json'], {
      cwd: directory,
      env: ENVIRONMENT,
      encoding: 'utf8',
    });
    console.log(
      `gc ${((performance.now() - at) / 1000).toFixed(1)} s, file ${(statSync(path).size / 1e6).toFixed(1)} MB: ${said.trim().slice(0, 300)}`,
    );
  }
}

await run();
if (flags.dir === undefined) rmSync(directory, { recursive: true, force: true });
