/**
 * Group commit. Transactions that are pending together share one SQLite transaction, so one
 * write to disk; each is still decided by itself, in the order they came.
 *
 * When is the group closed? A write to disk stops this thread, so whoever is to share it must
 * have come before:
 *
 *   1. One that comes alone goes at once: after a microtask.
 *   2. Where others were written in this turn of the event loop, or the last group was of
 *      several, the next one waits for the end of the turn: then every request whose bytes
 *      had arrived, and everybody whom the last group woke, is there.
 *   3. While another process holds the lock, all who come wait together.
 *
 * An error of one (a damaged base, a full disk) undoes the whole group; then each is tried
 * alone, and has its own result.
 */
import type { ChunkToPut, Transaction, TransactResult } from './contract.ts';
import type { SqliteFile } from './sqlite-file.ts';
import type { PutPlan, PutPlanner } from './sqlite-plan.ts';
import type { ObjectReader } from './sqlite-reader.ts';
import type { RefTables } from './sqlite-refs.ts';
import type { Transfers } from './sqlite-transfers.ts';
import type { ObjectWriter } from './sqlite-writer.ts';
import { TransactionOrder } from './transaction-order.ts';

/** A group's chunks are planned at once: bounds memory and the time of the lock. */
const GROUP_CHUNKS = 1024;
const GROUP_BYTES = 8 * 1024 * 1024;

interface Pending {
  readonly transaction: Transaction;
  readonly chunks: readonly ChunkToPut[];
  resolve(result: TransactResult): void;
  reject(error: unknown): void;
}

/** What was found out before the lock was taken; checked again under it. */
interface Prepared {
  readonly winners: readonly Pending[];
  readonly plan: PutPlan;
}

interface Decided {
  readonly losers: readonly (string | undefined)[];
  readonly winners: readonly Pending[];
}

export interface CommitParts {
  readonly file: SqliteFile;
  readonly reader: ObjectReader;
  readonly planner: PutPlanner;
  readonly writer: ObjectWriter;
  readonly tables: RefTables;
  readonly transfers: Transfers;
  /** Called after each group. */
  readonly committed: () => void;
}

export class CommitQueue {
  private readonly parts: CommitParts;
  private queue: Pending[] = [];
  private scheduled = false;
  private lastSize = 0;
  /** Something was written in this turn of the event loop. */
  private wroteThisTurn = false;

  constructor(parts: CommitParts) {
    this.parts = parts;
  }

  /** At most one batch of chunks. Who does not wait for locks does not wait for others either. */
  submit(transaction: Transaction, chunks: readonly ChunkToPut[]): Promise<TransactResult> {
    return new Promise((resolve, reject) => {
      const pending: Pending = { transaction, chunks, resolve, reject };
      if (transaction.wait === false) void this.commit([pending], false);
      else {
        this.queue.push(pending);
        this.schedule();
      }
    });
  }

  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    const alone = this.lastSize <= 1 && !this.wroteThisTurn;
    if (alone) queueMicrotask(() => void this.next());
    else setImmediate(() => void this.next());
  }

  private async next(): Promise<void> {
    const group = this.takeGroup();
    this.lastSize = group.length;
    await this.commit(group, true);
    this.noteTurn();
    this.scheduled = false;
    if (this.queue.length > 0) this.schedule();
  }

  private noteTurn(): void {
    if (this.wroteThisTurn) return;
    this.wroteThisTurn = true;
    setImmediate(() => {
      this.wroteThisTurn = false;
    });
  }

  private takeGroup(): Pending[] {
    let chunks = 0;
    let bytes = 0;
    let size = 0;
    for (const pending of this.queue) {
      chunks += pending.chunks.length;
      for (const chunk of pending.chunks) bytes += chunk.bytes.length;
      if (size > 0 && (chunks > GROUP_CHUNKS || bytes > GROUP_BYTES)) break;
      size += 1;
    }
    return this.queue.splice(0, size);
  }

  /** Settles every one of the group; never rejects. */
  private async commit(group: readonly Pending[], wait: boolean): Promise<void> {
    const { file } = this.parts;
    let waiting = false;
    try {
      const prepared = await file.read(() => this.prepare(group));
      waiting = true;
      const losers = await file.write(
        'durable',
        () => {
          waiting = false;
          return this.apply(group, prepared);
        },
        wait,
      );
      this.parts.committed();
      group.forEach(({ resolve }, i) => {
        const name = losers[i];
        resolve(name === undefined ? { done: true } : { done: false, name });
      });
    } catch (error) {
      // Who never got the lock has nothing to try again.
      if (group.length > 1 && !waiting) for (const one of group) await this.commit([one], wait);
      else for (const { reject } of group) reject(error);
    }
  }

  private prepare(group: readonly Pending[]): Prepared {
    const { winners } = this.decide(group);
    return { winners, plan: this.parts.planner.plan(chunksOf(winners)) };
  }

  private apply(group: readonly Pending[], prepared: Prepared): Decided['losers'] {
    const { reader, planner, writer, tables, transfers } = this.parts;
    const { losers, winners } = this.decide(group);
    if (winners.length === 0) return losers;
    const chunks = chunksOf(winners);
    const asPrepared = winners.every((winner, i) => winner === prepared.winners[i]);
    const sameNumber = winners.length === prepared.winners.length;
    writer.store(asPrepared && sameNumber ? prepared.plan : planner.plan(chunks), chunks);
    // What comes with a ref is what is read next, and changed.
    for (const { hash, bytes } of chunks) reader.keep(hash, bytes);
    for (const { transaction } of winners) {
      for (const transfer of transaction.completes ?? []) transfers.complete(transfer);
      tables.apply(transaction);
    }
    tables.flush();
    return losers;
  }

  private decide(group: readonly Pending[]): Decided {
    const order = new TransactionOrder(this.parts.tables);
    const losers = group.map(({ transaction }) => order.decide(transaction));
    return { losers, winners: group.filter((_, i) => losers[i] === undefined) };
  }
}

const chunksOf = (group: readonly Pending[]): ChunkToPut[] => group.flatMap(({ chunks }) => chunks);
