/**
 * A stream into commits. Records are collected into rows; a batch that is full by rows, bytes
 * or time is written while the next one fills, and the source is asked for more only as there
 * is room. Each write sets the source's offsets in the commit that holds its rows, under the
 * condition that the branch has the offsets known here: so rows are in exactly once, whoever
 * is killed when.
 *
 *   source -> collector -> (batch) -> delivery -> writer      flaws -> dead letters, or stop
 */
import { DvError } from '../../errors.ts';
import type { SourceOffsets } from '../contract.ts';
import type { RowCollector } from './collector.ts';
import type { Delivery } from './delivery.ts';
import type { DeadLetters, Flaw, RecordBlock, RecordSource } from './record.ts';

export interface IngestLimits {
  /** A batch is written when it has so many rows, bytes of records, or is so old (ms). */
  readonly maxRows: number;
  readonly maxBytes: number;
  readonly every: number;
}

export interface IngestProgress {
  /** Records read, rows written, commits made, records that are dead letters, and passed over. */
  records: number;
  rows: number;
  commits: number;
  dead: number;
  /** Records that the branch had already. */
  known: number;
  bytes: number;
  lag: number | undefined;
}

export interface IngestParts {
  readonly source: RecordSource;
  /** Two, which take turns. */
  readonly collectors: readonly [RowCollector, RowCollector];
  readonly delivery: Delivery;
  /** undefined: the first bad record stops the stream. */
  readonly dead: DeadLetters | undefined;
  /** A column whose integer tells where a record stands in its stream. */
  readonly sequence: string | undefined;
  /** ms, never backwards. */
  readonly now: () => number;
  readonly report: (progress: IngestProgress) => void;
  /** Aborted: what has been read is written, then it ends. */
  readonly signal: AbortSignal;
}

export async function ingest(parts: IngestParts, limits: IngestLimits): Promise<IngestProgress> {
  const run = new IngestRun(parts, limits);
  try {
    await run.pump();
  } finally {
    await parts.dead?.close();
    await parts.source.close();
  }
  return run.progress;
}

class IngestRun {
  readonly progress: IngestProgress = {
    ...{ records: 0, rows: 0, commits: 0, dead: 0, known: 0, bytes: 0 },
    lag: undefined,
  };
  readonly #parts: IngestParts;
  readonly #limits: IngestLimits;
  #filling: RowCollector;
  #idle: RowCollector;
  /** When the first record of the batch came. */
  #since = 0;
  /** Something was read since the last write, though it may be no row. */
  #touched = false;
  #behind: number[] = [];
  #lines: number[] = [];
  #writing: Promise<void> | undefined;

  constructor(parts: IngestParts, limits: IngestLimits) {
    this.#parts = parts;
    this.#limits = limits;
    [this.#filling, this.#idle] = parts.collectors;
  }

  async pump(): Promise<void> {
    const { source, delivery, signal } = this.#parts;
    const offsets: SourceOffsets | null = await delivery.start();
    const failed = new AbortController();
    const ending = AbortSignal.any([signal, failed.signal]);
    const blocks = source.read(offsets, ending)[Symbol.asyncIterator]();
    try {
      let next = blocks.next();
      next.catch(() => undefined); // awaited below
      for (;;) {
        const step = await this.#waitFor(next);
        if (step === 'late') {
          await this.#flush();
          continue;
        }
        if (step.done) break;
        await this.#take(step.value);
        if (this.#isLate()) await this.#flush();
        next = blocks.next();
        next.catch(() => undefined);
      }
      await this.#flush();
      await this.#writing;
    } finally {
      failed.abort(); // a source that waits for more gives up, so that `return` does not wait
      await this.#writing?.catch(() => undefined); // told above, or in favour of what came first
      await blocks.return?.(undefined);
    }
  }

  /** The next block, or that the batch has waited long enough. */
  async #waitFor(
    next: Promise<IteratorResult<RecordBlock>>,
  ): Promise<IteratorResult<RecordBlock> | 'late'> {
    const writing = this.#writing;
    const failure = writing === undefined ? [] : [failureOf(writing)];
    if (!this.#touched) return await Promise.race([next, ...failure]);
    const rest = Math.max(0, this.#since + this.#limits.every - this.#parts.now());
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<'late'>((resolve) => {
      timer = setTimeout(resolve, rest, 'late');
    });
    try {
      return await Promise.race([next, late, ...failure]);
    } finally {
      clearTimeout(timer);
    }
  }

  #isLate(): boolean {
    return this.#touched && this.#parts.now() - this.#since >= this.#limits.every;
  }

  async #take(block: RecordBlock): Promise<void> {
    for (const [partition, position] of block.restarts ?? []) {
      this.#parts.delivery.restart(partition, position);
    }
    for (let i = 0; i < block.count; i++) {
      const partition = block.partitions?.[i] ?? block.partition;
      this.progress.records += 1;
      if (this.#parts.sequence !== undefined) {
        block.behind[i] = Math.max(this.#behind[0] ?? -1, this.#parts.delivery.known(0));
      } else if (block.behind[i] <= this.#parts.delivery.known(partition)) {
        this.progress.known += 1;
        continue;
      }
      if (!this.#touched) this.#begin();
      await this.#takeRecord(block, i, partition);
      if (block.behind[i] > this.#parts.delivery.known(partition)) {
        this.#behind[partition] = block.behind[i];
      }
      this.#lines[partition] = block.lines[i];
      const { rows, log } = this.#filling;
      if (rows >= this.#limits.maxRows || log.size >= this.#limits.maxBytes) await this.#flush();
    }
    this.progress.bytes += block.bytes.length;
  }

  #begin(): void {
    this.#touched = true;
    this.#since = this.#parts.now();
  }

  async #takeRecord(block: RecordBlock, i: number, partition: number): Promise<void> {
    const flaw = block.flaws?.get(i);
    if (flaw !== undefined) return this.#bury(block, i, partition, flaw);
    let verdict = this.#filling.add(block, i);
    if (verdict === 'full') {
      await this.#flush();
      this.#begin();
      verdict = this.#filling.add(block, i);
    }
    // An empty batch that is full lacked columns that the record brought: now it knows them.
    if (verdict === 'full') {
      this.#filling.clear();
      verdict = this.#filling.add(block, i);
    }
    if (verdict === 'full')
      throw new DvError('too-many-columns', 'one record does not fit in a batch');
    if (typeof verdict === 'object') return this.#bury(block, i, partition, verdict);
    if (verdict !== 'added' || this.#parts.sequence === undefined) return;
    const outOfOrder = this.#checkSequence(block, i);
    if (outOfOrder !== undefined) await this.#bury(block, i, partition, outOfOrder);
  }

  /** Takes a record out again whose sequence number the branch has seen. */
  #checkSequence(block: RecordBlock, i: number): Flaw | undefined {
    const { sequence = '' } = this.#parts;
    const text = this.#filling.lastCell(sequence);
    const value = text !== null && /^\d{1,15}$/.test(text) ? Number(text) : -1;
    if (value + 1 > block.behind[i]) {
      block.behind[i] = value + 1;
      this.#filling.log.behind[this.#filling.log.count - 1] = value + 1;
      return undefined;
    }
    this.#filling.takeBack();
    if (value < 0) {
      return { code: 'type-mismatch', reason: `"${sequence}" is no whole number` };
    }
    if (this.#behind[0] === undefined) {
      this.progress.known += 1;
      return undefined;
    }
    const before = block.behind[i] - 1;
    return { code: 'type-mismatch', reason: `"${sequence}" is ${value} behind ${before}` };
  }

  async #bury(block: RecordBlock, i: number, partition: number, flaw: Flaw): Promise<void> {
    const { dead, source } = this.#parts;
    const start = block.starts[i];
    if (dead === undefined) {
      await this.#flush();
      await this.#writing;
      throw badRecord(source, partition, block.positions[i], block.lines[i], flaw);
    }
    this.progress.dead += 1;
    dead.put({
      ...flaw,
      source: source.place,
      partition: source.partitionName(partition),
      position: block.positions[i],
      line: block.lines[i],
      key: block.keys?.[i] ?? null,
      record: start < 0 ? null : block.bytes.slice(start, block.ends[i]),
    });
  }

  /** Hands the batch over as soon as the one before it is in. */
  async #flush(): Promise<void> {
    if (!this.#touched) return;
    await this.#writing;
    const batch = this.#filling;
    [this.#filling, this.#idle] = [this.#idle, this.#filling];
    this.#touched = false;
    const positions = { behind: [...this.#behind], lines: [...this.#lines] };
    this.#writing = this.#deliver(batch, positions);
    this.#writing.catch(() => undefined); // awaited by the next flush
  }

  async #deliver(
    batch: RowCollector,
    positions: { readonly behind: readonly number[]; readonly lines: readonly number[] },
  ): Promise<void> {
    const { delivery, dead, source, report } = this.#parts;
    await dead?.flush();
    const done = await delivery.write(batch, positions);
    batch.clear();
    this.progress.rows += done.rows;
    this.progress.commits += done.commits;
    this.progress.known += done.known;
    this.progress.dead += done.dead;
    this.progress.lag = source.lag?.(positions);
    report(this.progress);
  }
}

/** Rejects when `work` does; else never settles. */
function failureOf(work: Promise<void>): Promise<never> {
  return new Promise((_, reject) => {
    work.catch(reject);
  });
}

/** The error for a record that stops the stream. */
export function badRecord(
  source: RecordSource,
  partition: number,
  position: number,
  line: number,
  flaw: Flaw,
): DvError {
  const name = source.partitionName(partition);
  const where = name === '' ? `line ${line}` : `${name}, offset ${position}`;
  return new DvError(flaw.code, `${source.place}, ${where}: ${flaw.reason}`, {
    hint: 'everything in front of it is in; --dead-letter FILE puts such records aside and goes on',
    data: { source: source.place, partition: name, position, line },
  });
}
