/**
 * Records from a pipe: standard input. What was read cannot be read again, so the source has
 * no offsets, and whoever sends again after a crash may have rows written twice. That changes
 * nothing where rows have keys; where it matters, records that carry a growing number make it
 * exact (`sequence`): the number is the offset.
 */
import type { SourceOffsets } from '../contract.ts';
import { LineBlocks, type LineOptions } from './line-blocks.ts';
import type { Positions, RecordBlock, RecordSource } from './record.ts';

export interface StreamOptions extends LineOptions {
  readonly place: string;
  /** Name in the commit's source map; only with a sequence. */
  readonly name: string | undefined;
}

export class StreamSource implements RecordSource {
  readonly name: string | undefined;
  readonly place: string;
  readonly #chunks: AsyncIterator<Uint8Array>;
  readonly #lines: LineBlocks;
  #first: RecordBlock | undefined;
  #ended = false;

  constructor(chunks: AsyncIterable<Uint8Array>, options: StreamOptions) {
    this.name = options.name;
    this.place = options.place;
    this.#chunks = chunks[Symbol.asyncIterator]();
    this.#lines = new LineBlocks(options, 0, 0, 1);
  }

  partitionName(): string {
    return '';
  }

  /** The first line, such as a header; it is not read again. undefined: there is none. */
  async takeFirstLine(signal: AbortSignal): Promise<Uint8Array | undefined> {
    const block = await this.#next(signal);
    if (block === undefined) return undefined;
    this.#first = block.count > 1 ? behindFirst(block) : undefined;
    return Uint8Array.from(block.bytes.subarray(block.starts[0], block.ends[0]));
  }

  async *read(_offsets: SourceOffsets | null, signal: AbortSignal): AsyncIterable<RecordBlock> {
    if (this.#first !== undefined) yield this.#first;
    for (;;) {
      const block = await this.#next(signal);
      if (block === undefined) return;
      yield block;
    }
  }

  /** The next lines; undefined: there are no more, or the signal says stop. */
  async #next(signal: AbortSignal): Promise<RecordBlock | undefined> {
    while (!this.#ended && !signal.aborted) {
      const step = await untilAborted(this.#chunks.next(), signal);
      if (step === undefined) return undefined;
      if (step.done) this.#ended = true;
      const block = step.done ? this.#lines.finish() : this.#lines.push(step.value);
      if (block !== undefined) return block;
    }
    return undefined;
  }

  offsetsAt({ behind }: Positions): SourceOffsets {
    return { sequence: String(behind[0] ?? 0) };
  }

  positionsOf(offsets: SourceOffsets): readonly number[] {
    return [Number(offsets.sequence ?? -1)];
  }

  async close(): Promise<void> {
    // A pipe in the middle of a read would keep its `return` waiting for the read's end.
    void this.#chunks.return?.()?.catch(() => undefined);
  }
}

/** A block without its first record, such as a header. */
export function behindFirst(block: RecordBlock): RecordBlock {
  return {
    ...{ bytes: block.bytes, partition: block.partition, count: block.count - 1 },
    starts: block.starts.subarray(1),
    ends: block.ends.subarray(1),
    positions: block.positions.subarray(1),
    behind: block.behind.subarray(1),
    lines: block.lines.subarray(1),
    flaws: new Map([...(block.flaws ?? [])].map(([at, flaw]) => [at - 1, flaw])),
  };
}

/** What `work` resolves to, or undefined once the signal aborts. */
export async function untilAborted<T>(
  work: Promise<T>,
  signal: AbortSignal,
): Promise<T | undefined> {
  if (signal.aborted) return undefined;
  let stop = () => {};
  const aborted = new Promise<undefined>((resolve) => {
    stop = () => resolve(undefined);
    signal.addEventListener('abort', stop, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
