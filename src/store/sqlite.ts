/**
 * The store on disk: objects, refs, state and feed in one SQLite database in WAL mode, so
 * that a commit is one transaction and one sync, opening replays nothing, and readers and
 * writers of several processes do not hinder one another.
 *
 *   sqlite-schema   the file format         sqlite-reader         chunks out
 *   sqlite-open     opening the file        sqlite-plan           chunks in: what to store
 *   sqlite-file     transactions, locks     sqlite-writer         chunks in: storing it
 *   sqlite-owner    who holds the lock      sqlite-dictionaries   what leaves share
 *   sqlite-refs     refs, state, feed       sqlite-packing        how rows fill pages
 *   sqlite-commits  group commit            sqlite-transfers      chunks that came unfinished
 *   sqlite-watch    commits of others       sqlite-sweep          gc
 *   sqlite-upkeep   scan, check, compact
 */
import { type Hash, hashOf } from '../hash.ts';
import { type Compression, loadCompression } from './compression.ts';
import type { ChunkToPut, FeedPage, Store, Transaction, TransactResult } from './contract.ts';
import { FeedWaiters } from './feed-waiters.ts';
import type { Maintenance } from './maintenance.ts';
import { BackgroundPuts } from './sqlite-background.ts';
import { CommitQueue } from './sqlite-commits.ts';
import { Dictionaries, FIRST_DICTIONARY } from './sqlite-dictionaries.ts';
import { openSqliteFile, type SqliteFile } from './sqlite-file.ts';
import { type PutPlan, PutPlanner } from './sqlite-plan.ts';
import { ObjectReader } from './sqlite-reader.ts';
import { RefTables } from './sqlite-refs.ts';
import { startMarking } from './sqlite-sweep.ts';
import { Transfers } from './sqlite-transfers.ts';
import { checkContainer, compactFile, measureFiles, scanObjects } from './sqlite-upkeep.ts';
import { SqliteWatch } from './sqlite-watch.ts';
import { ObjectWriter } from './sqlite-writer.ts';
import type { EncodedChunk, Presence, ReceivedChunk } from './transfer.ts';

export interface SqliteStoreOptions {
  /** ms since the epoch. */
  readonly now: () => number;
  /** Who writes, for others who wait: starts with the process id. Default: not said. */
  readonly owner?: string;
  /** Whether a process of this machine runs. Default: taken for granted. */
  readonly isAlive?: (pid: number) => boolean;
  /** How long to wait for a lock, in ms. Default 5,000. */
  readonly lockTimeoutMs?: number;
  /** Default: the fastest there is. */
  readonly compression?: Compression;
  /** Whether much may be stored by a thread of its own. Default: unless `compression` is given. */
  readonly background?: boolean;
}

/** Chunks planned and stored in one transaction: bounds memory and the time of the lock. */
const BATCH_CHUNKS = 1024;
const BATCH_BYTES = 8 * 1024 * 1024;
const LOCK_TIMEOUT_MS = 5000;

/**
 * Opens the store at `path`, and makes it when there is no such file (its directory must
 * exist). Where it cannot be written it opens for reading; writes then fail `read-only`.
 * @throws DvError `file-missing`, `newer-format`, `corrupt`, `read-only`, `locked`
 */
export async function openSqliteStore(
  path: string,
  options: SqliteStoreOptions,
): Promise<Store & Maintenance> {
  const { now, owner = 'another process', isAlive = () => true } = options;
  const { lockTimeoutMs = LOCK_TIMEOUT_MS, compression = loadCompression() } = options;
  const file = await openSqliteFile(path, { now, owner, isAlive, lockTimeoutMs });
  const { background = options.compression === undefined } = options;
  const setup = () => ({ path, owner, lockTimeoutMs, now: now() });
  const puts = background && !file.readOnly ? new BackgroundPuts(setup) : undefined;
  return new SqliteStore(file, compression, now, puts);
}

class SqliteStore implements Store, Maintenance {
  private readonly file: SqliteFile;
  private readonly reader: ObjectReader;
  private readonly planner: PutPlanner;
  private readonly writer: ObjectWriter;
  private readonly tables: RefTables;
  private readonly dictionaries: Dictionaries;
  private readonly transfers: Transfers;
  private readonly watch: SqliteWatch;
  private readonly waiters: FeedWaiters;
  private readonly commits: CommitQueue;
  private readonly background: BackgroundPuts | undefined;

  constructor(
    file: SqliteFile,
    compression: Compression,
    now: () => number,
    background: BackgroundPuts | undefined,
  ) {
    this.file = file;
    this.background = background;
    const dictionaries = new Dictionaries(file, compression);
    this.dictionaries = dictionaries;
    this.reader = new ObjectReader(file, compression, dictionaries);
    this.transfers = new Transfers(file, this.reader, now);
    this.planner = new PutPlanner(file, this.reader, compression, dictionaries);
    this.writer = new ObjectWriter(
      file,
      this.reader,
      this.planner,
      dictionaries,
      this.transfers,
      now,
    );
    this.tables = new RefTables(file, now);
    this.watch = new SqliteWatch(file.path, () => this.wakeWaiters());
    this.waiters = new FeedWaiters({
      last: () => this.lastSequence(),
      start: () => this.watch.start(),
      stop: () => this.watch.stop(),
    });
    const { reader, planner, writer, tables, transfers } = this;
    const committed = () => this.wakeWaiters();
    this.commits = new CommitQueue({ file, reader, planner, writer, tables, transfers, committed });
  }

  getMany(hashes: readonly Hash[]): Promise<(Uint8Array | undefined)[]> {
    return this.file.read(
      () => hashes.map((hash) => this.reader.get(hash)),
      () => this.reader.kept(hashes),
    );
  }

  hasMany(hashes: readonly Hash[]): Promise<boolean[]> {
    return this.file.read(() => this.transfers.presence(hashes).map((each) => each === 'complete'));
  }

  putMany(chunks: readonly ChunkToPut[]): Promise<void> {
    return this.file.during(this.background?.put(chunks) ?? this.putBatches(chunks));
  }

  private async putBatches(chunks: readonly ChunkToPut[]): Promise<void> {
    for (const batch of batches(chunks)) {
      const plan = await this.plan(batch);
      await this.file.write('stored', () => this.writer.store(plan, batch));
    }
  }

  findHashes(prefix: string, limit: number): Promise<Hash[]> {
    return this.file.plain(() => this.reader.findPrefix(prefix, limit));
  }

  getRef(name: string): Promise<Hash | undefined> {
    return this.file.plain(() => this.tables.getRef(name));
  }

  listRefs(prefix: string) {
    return this.file.plain(() => this.tables.listRefs(prefix));
  }

  getState(key: string): Promise<Uint8Array | undefined> {
    return this.file.plain(() => this.tables.getState(key));
  }

  listState(prefix: string) {
    return this.file.plain(() => this.tables.listState(prefix));
  }

  transact(transaction: Transaction, chunks: readonly ChunkToPut[] = []): Promise<TransactResult> {
    return this.file.during(this.transactWith(transaction, chunks));
  }

  private async transactWith(
    transaction: Transaction,
    chunks: readonly ChunkToPut[],
  ): Promise<TransactResult> {
    await this.background?.idle();
    const split = batches(chunks);
    const last = split.pop() ?? [];
    for (const batch of split) await this.putBatches(batch);
    return this.commits.submit(transaction, last);
  }

  readLog(ref: string, limit: number) {
    return this.file.plain(() => this.tables.readLog(ref, limit));
  }

  readFeed(after: number, limit: number): Promise<FeedPage> {
    return this.file.read(() => this.tables.readFeed(after, limit));
  }

  waitForFeed(after: number, signal: AbortSignal): Promise<void> {
    return this.waiters.wait(after, signal);
  }

  readEncoded(hashes: readonly Hash[]): Promise<(EncodedChunk | undefined)[]> {
    return this.file.read(() => hashes.map((hash) => this.encoded(hash)));
  }

  private encoded(hash: Hash): EncodedChunk | undefined {
    const stored = this.reader.readForm(hash);
    if (stored === undefined) return undefined;
    const { base, encoding, rawSize, data } = stored;
    if (base !== null) return { hash, rawSize, form: { kind: 'delta', base }, data };
    if (encoding < FIRST_DICTIONARY) {
      return { hash, rawSize, form: { kind: encoding === 0 ? 'raw' : 'zstd' }, data };
    }
    const dictionary = this.dictionaries.hashOf(encoding);
    return { hash, rawSize, form: { kind: 'shared', dictionary }, data };
  }

  getDictionary(hash: Hash): Promise<Uint8Array | undefined> {
    return this.file.read(() => this.dictionaries.find(hash)?.prepared.bytes);
  }

  async putDictionary(bytes: Uint8Array): Promise<void> {
    const known = await this.getDictionary(hashOf(bytes));
    if (known === undefined) await this.file.write('stored', () => this.dictionaries.add(bytes));
  }

  presence(hashes: readonly Hash[]): Promise<Presence[]> {
    return this.file.read(() => this.transfers.presence(hashes));
  }

  putReceived(transfer: string, chunks: readonly ReceivedChunk[]): Promise<void> {
    return this.file.during(
      this.background?.put(chunks, transfer) ?? this.receive(transfer, chunks),
    );
  }

  private async receive(transfer: string, chunks: readonly ReceivedChunk[]): Promise<void> {
    for (const batch of batches(basesFirst(chunks))) {
      const plan = await this.plan(batch);
      await this.file.write('stored', () => this.writer.store(plan, batch, transfer));
    }
  }

  listTransfers(): Promise<string[]> {
    return this.file.plain(() => this.transfers.list());
  }

  async dropTransfer(transfer: string): Promise<void> {
    await this.background?.idle();
    return this.file.write('stored', () => this.transfers.drop(transfer));
  }

  private lastSequence(): Promise<number> {
    return this.file.plain(() => this.tables.lastSequence());
  }

  /** A look that fails (the disk, a lock) is not the last one: whoever waits goes on waiting. */
  private wakeWaiters(): void {
    if (!this.waiters.anybody) return;
    this.lastSequence().then(
      (last) => this.waiters.reached(last),
      () => undefined,
    );
  }

  async close(): Promise<void> {
    this.waiters.wakeAll();
    this.watch.close();
    await this.background?.close();
    await this.file.close();
  }

  scan() {
    return scanObjects(this.file);
  }

  startMarking() {
    const { file, reader, transfers } = this;
    return startMarking({ file, reader, transfers });
  }

  fileSizes() {
    return measureFiles(this.file);
  }

  check(): Promise<string[]> {
    return checkContainer(this.file);
  }

  compact(): Promise<void> {
    return this.file.during(compactFile(this.file));
  }

  private plan(chunks: readonly ReceivedChunk[]): Promise<PutPlan> {
    return this.file.read(() => this.planner.plan(chunks));
  }
}

function batches<C extends ChunkToPut>(chunks: readonly C[]): C[][] {
  const split: C[][] = [];
  let bytes = BATCH_BYTES;
  for (const chunk of chunks) {
    const batch = split.at(-1);
    if (batch === undefined || bytes >= BATCH_BYTES || batch.length >= BATCH_CHUNKS) {
      split.push([chunk]);
      bytes = chunk.bytes.length;
    } else {
      batch.push(chunk);
      bytes += chunk.bytes.length;
    }
  }
  return split;
}

/** Whole chunks, deltas against them, deltas against those: so that each can be kept as it is. */
function basesFirst(chunks: readonly ReceivedChunk[]): ReceivedChunk[] {
  const bases = new Map<Hash, Hash>();
  for (const { hash, encoded } of chunks) {
    if (encoded?.form.kind === 'delta') bases.set(hash, encoded.form.base);
  }
  const rank = (hash: Hash): number => {
    const base = bases.get(hash);
    return base === undefined ? 0 : bases.has(base) ? 2 : 1;
  };
  return chunks.toSorted((a, b) => rank(a.hash) - rank(b.hash));
}
