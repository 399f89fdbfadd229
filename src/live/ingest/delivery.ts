/**
 * Batches into commits of one table on one branch, with the source's offsets. Knows what the
 * branch holds of the source, and settles everything that can go wrong with a write:
 *
 *   1. The offsets moved (another ingester, or an answer that was lost): they are read again,
 *      rows that are in are dropped, and the rest is written.
 *   2. The writer cannot be reached for now: it is tried again, for a bounded time.
 *   3. A row that the table refuses: the batch is cut in halves until it is found. It becomes a
 *      dead letter, or ends the stream with all rows in front of it written.
 */
import { DvError, type ErrorCode } from '../../errors.ts';
import type { ColumnType } from '../../tuple/schema.ts';
import type { RowWriter, SourceOffsets, WriteBatch } from '../contract.ts';
import { pickRows } from './batch-rows.ts';
import type { RowCollector } from './collector.ts';
import type { DeadLetters, Flaw, Positions, RecordSource } from './record.ts';
import type { RecordLog } from './record-log.ts';

export interface DeliveryOptions {
  readonly table: string;
  readonly branch: string;
  readonly author: { readonly name: string; readonly email: string };
  readonly message: (rows: number) => string;
  readonly key: readonly string[] | undefined;
  readonly types: Readonly<Record<string, ColumnType>>;
  readonly drift: 'widen' | 'refuse';
  /** How long a writer that cannot be reached is tried again, ms. */
  readonly retryFor: number;
  readonly now: () => number;
  readonly signal: AbortSignal;
  /** Makes the error for a record that stops the stream. */
  readonly badRecord: (at: RecordLog, row: number, flaw: Flaw) => DvError;
}

export interface Delivered {
  rows: number;
  commits: number;
  known: number;
  dead: number;
}

/** Failures that are the row's. */
const ROW_FAULTS: ReadonlySet<ErrorCode> = new Set([
  'type-mismatch',
  'null-key',
  'key-too-long',
  'unknown-column',
  'record-too-large',
  'too-many-columns',
  'rule-mismatch',
  'bad-name',
] satisfies ErrorCode[]);

/** Failures that may pass. */
const PASSING: ReadonlySet<ErrorCode> = new Set([
  'connection-lost',
  'remote-unreachable',
  'server-failed',
  'unavailable',
  'limit-exceeded',
  'locked',
  'ref-moved',
] satisfies ErrorCode[]);

const FIRST_WAIT_MS = 50;
const LONGEST_WAIT_MS = 2000;
/** Who is told to end does not try for much longer. */
const LAST_TRIES_MS = 5000;

export class Delivery {
  readonly #writer: RowWriter;
  readonly #source: RecordSource;
  readonly #dead: DeadLetters | undefined;
  readonly #options: DeliveryOptions;
  #held: SourceOffsets | null = null;
  #known: readonly number[] = [];

  constructor(
    writer: RowWriter,
    source: RecordSource,
    dead: DeadLetters | undefined,
    options: DeliveryOptions,
  ) {
    this.#writer = writer;
    this.#source = source;
    this.#dead = dead;
    this.#options = options;
  }

  /** The offsets that the branch holds; null: none, or the source has none. */
  async start(): Promise<SourceOffsets | null> {
    const { name } = this.#source;
    if (name === undefined) return null;
    this.#held = await this.#patiently(() => this.#writer.readOffsets(this.#options.branch, name));
    if (this.#held !== null) this.#known = this.#source.positionsOf(this.#held);
    return this.#held;
  }

  /** Position up to which the branch has the partition; -1: nothing of it. */
  known(partition: number): number {
    return this.#known[partition] ?? -1;
  }

  /** A partition goes on at `position`, whatever the branch has. */
  restart(partition: number, position: number): void {
    const known = [...this.#known];
    known[partition] = position;
    this.#known = Array.from(known, (one) => one ?? -1);
  }

  /** Writes a batch; `positions` are those behind all that was read so far. */
  async write(collector: RowCollector, positions: Positions): Promise<Delivered> {
    const done: Delivered = { rows: 0, commits: 0, known: 0, dead: 0 };
    const rows = Array.from({ length: collector.rows }, (_, row) => row);
    await this.#writeRows(collector, rows, positions, done);
    return done;
  }

  async #writeRows(
    collector: RowCollector,
    rows: readonly number[],
    positions: Positions,
    done: Delivered,
  ): Promise<void> {
    let left = rows;
    for (;;) {
      left = this.#dropKnown(collector.log, left, done);
      if (left.length === 0 && !this.#movesOn(positions)) return;
      try {
        return await this.#request(collector, left, positions, done);
      } catch (error) {
        if (!(error instanceof DvError)) throw error;
        if (error.code === 'offsets-moved') await this.#readAgain(error);
        else if (ROW_FAULTS.has(error.code) && left.length > 0) {
          return this.#narrow(collector, left, positions, done, error);
        } else throw error;
      }
    }
  }

  async #request(
    collector: RowCollector,
    rows: readonly number[],
    positions: Positions,
    done: Delivered,
  ): Promise<void> {
    const { branch, table, author, message, drift } = this.#options;
    const { name } = this.#source;
    if (rows.length === 0 && name === undefined) return;
    const offsets = this.#source.offsetsAt(this.#merged(positions));
    const source = name === undefined ? undefined : { name, offsets, expect: this.#held };
    const request = {
      branch,
      tables: rows.length === 0 ? [] : [this.#tableWrites(collector, table, rows)],
      message: message(rows.length),
      author,
      drift,
      ...(source === undefined ? {} : { source }),
    };
    const result = await this.#patiently(() => this.#writer.write(request));
    if (source !== undefined) {
      this.#held = offsets;
      this.#known = this.#merged(positions).behind;
    }
    done.rows += rows.length;
    if (result.changed) done.commits += 1;
  }

  #tableWrites(collector: RowCollector, table: string, rows: readonly number[]) {
    const key = this.#options.key ?? collector.key;
    const types = { ...collector.types(), ...this.#options.types };
    const batch: WriteBatch = pickRows(collector.batch(), rows);
    return { table, writes: [], batch, types, ...(key === undefined ? {} : { key }) };
  }

  /** Of each partition the further of what the branch has and what was read. */
  #merged(positions: Positions): Positions {
    const count = Math.max(positions.behind.length, this.#known.length);
    const behind = Array.from({ length: count }, (_, i) =>
      Math.max(this.known(i), positions.behind[i] ?? -1),
    );
    return { behind, lines: positions.lines };
  }

  #movesOn(positions: Positions): boolean {
    return positions.behind.some((position, i) => position > this.known(i));
  }

  #dropKnown(log: RecordLog, rows: readonly number[], done: Delivered): readonly number[] {
    const isKnown = (row: number) => log.behind[row] <= this.known(log.partitions[row]);
    if (!rows.some(isKnown)) return rows;
    const left = rows.filter((row) => !isKnown(row));
    done.known += rows.length - left.length;
    return left;
  }

  /** The branch has other offsets than were expected. */
  async #readAgain(error: DvError): Promise<void> {
    const { branch } = this.#options;
    const { name, place } = this.#source;
    const held = await this.#patiently(() => this.#writer.readOffsets(branch, name ?? ''));
    const known = held === null ? [] : this.#source.positionsOf(held);
    const back = this.#known.findIndex((position, i) => (known[i] ?? -1) < position);
    if (back < 0 && JSON.stringify(held) !== JSON.stringify(this.#held)) {
      this.#held = held;
      this.#known = known;
      return;
    }
    throw new DvError('offsets-moved', `the offsets of ${place} on '${branch}' went back`, {
      hint: 'the branch was reset: start the ingest again, it goes on from what the branch has',
      data: { branch, source: name },
      cause: error,
    });
  }

  /** Halves the rows until the one that is refused stands alone. */
  async #narrow(
    collector: RowCollector,
    rows: readonly number[],
    positions: Positions,
    done: Delivered,
    error: DvError,
  ): Promise<void> {
    const { log } = collector;
    if (rows.length === 1) {
      const flaw = { code: error.code, reason: error.message };
      if (this.#dead === undefined) throw this.#options.badRecord(log, rows[0], flaw);
      this.#dead.put(this.#letter(log, rows[0], flaw));
      await this.#dead.flush();
      done.dead += 1;
      return this.#writeRows(collector, [], positions, done);
    }
    const half = rows.length >> 1;
    const first = rows.slice(0, half);
    await this.#writeRows(collector, first, this.#positionsBehind(log, first), done);
    await this.#writeRows(collector, rows.slice(half), positions, done);
  }

  /** Positions once only `rows` of the batch are in. */
  #positionsBehind(log: RecordLog, rows: readonly number[]): Positions {
    const behind = [...this.#known];
    const lines: number[] = [];
    for (const row of rows) {
      const partition = log.partitions[row];
      behind[partition] = Math.max(behind[partition] ?? -1, log.behind[row]);
      lines[partition] = log.lines[row];
    }
    return { behind: Array.from(behind, (position) => position ?? -1), lines };
  }

  #letter(log: RecordLog, row: number, flaw: Flaw) {
    return {
      ...flaw,
      source: this.#source.place,
      partition: this.#source.partitionName(log.partitions[row]),
      position: log.positions[row],
      line: log.lines[row],
      key: log.key(row),
      record: log.record(row),
    };
  }

  /** Tries again what may pass, for a bounded time. */
  async #patiently<T>(work: () => Promise<T>): Promise<T> {
    const { now, retryFor, signal } = this.#options;
    const start = now();
    for (let wait = FIRST_WAIT_MS; ; wait = Math.min(wait * 2, LONGEST_WAIT_MS)) {
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof DvError) || !PASSING.has(error.code)) throw error;
        const limit = signal.aborted ? Math.min(retryFor, LAST_TRIES_MS) : retryFor;
        if (now() - start + wait > limit) throw error;
        await new Promise((resolve) => setTimeout(resolve, wait));
      }
    }
  }
}
