/**
 * A topic as a source of records. A commit keeps the next offset of each partition, under the
 * partition's number; the branch is where they live, the broker's groups are not used.
 */
import { DvError } from '../../errors.ts';
import type { SourceOffsets } from '../contract.ts';
import type { Positions, RecordBlock, RecordSource } from '../ingest/record.ts';
import { forgottenOffset } from './client.ts';
import type { KafkaMessage, KafkaPort, PartitionRange } from './port.ts';

export interface KafkaSourceOptions {
  readonly topic: string;
  /** Ends at what is there when it begins. */
  readonly once: boolean;
  /** Where the broker forgot offsets, it goes on with the oldest record. */
  readonly fromEarliest: boolean;
  readonly note: (text: string) => void;
  /** Name in commits; default: the topic's. */
  readonly name?: string | undefined;
}

export class KafkaSource implements RecordSource {
  readonly name: string;
  readonly place: string;
  readonly #port: KafkaPort;
  readonly #options: KafkaSourceOptions;
  /** Partitions that begin elsewhere than the branch has them; told with the first block. */
  #restarts: Map<number, number> | undefined;
  /** Newest offsets known, by partition. */
  readonly #ends: number[] = [];

  constructor(port: KafkaPort, options: KafkaSourceOptions) {
    this.#port = port;
    this.#options = options;
    this.name = options.name ?? `kafka:${options.topic}`;
    this.place = `topic '${options.topic}'`;
  }

  partitionName(index: number): string {
    return `partition ${index}`;
  }

  async *read(offsets: SourceOffsets | null, signal: AbortSignal): AsyncIterable<RecordBlock> {
    const { topic, once } = this.#options;
    const ranges = await this.#port.ranges(topic);
    const from = this.#startAt(ranges, offsets);
    const left = new Map<number, number>();
    for (const { partition, latest } of ranges) {
      this.#ends[partition] = latest;
      if ((from.get(partition) ?? 0) < latest) left.set(partition, latest);
    }
    if (once && left.size === 0) return;
    for await (const messages of this.#port.consume(topic, from, signal)) {
      const wanted = once
        ? messages.filter((one) => one.offset < this.#ends[one.partition])
        : messages;
      if (wanted.length > 0) yield this.#blockOf(wanted);
      if (!once) this.#noteEnds(messages);
      else if (isThrough(messages, left)) return;
    }
  }

  #blockOf(messages: readonly KafkaMessage[]): RecordBlock {
    const restarts = this.#restarts;
    this.#restarts = undefined;
    return { ...blockOf(messages), ...(restarts === undefined ? {} : { restarts }) };
  }

  #noteEnds(messages: readonly KafkaMessage[]): void {
    for (const { partition, offset } of messages) {
      this.#ends[partition] = Math.max(this.#ends[partition] ?? 0, offset + 1);
    }
  }

  /** @throws DvError `bad-cursor` */
  #startAt(ranges: readonly PartitionRange[], offsets: SourceOffsets | null): Map<number, number> {
    const { topic, fromEarliest, note } = this.#options;
    const from = new Map<number, number>();
    for (const range of ranges) {
      const { partition, earliest, latest } = range;
      const offset = Number(offsets?.[partition] ?? earliest);
      const isThere = offset >= earliest && offset <= latest;
      if (!isThere && !fromEarliest) throw forgottenOffset(topic, range, offset);
      if (!isThere) {
        note(`partition ${partition} goes on at ${earliest}, not at ${offset}`);
        this.#restarts ??= new Map();
        this.#restarts.set(partition, earliest);
      }
      from.set(partition, isThere ? offset : earliest);
    }
    return from;
  }

  offsetsAt({ behind }: Positions): SourceOffsets {
    const offsets: Record<string, string> = {};
    for (const [partition, position] of behind.entries()) {
      if (position !== undefined && position >= 0) offsets[partition] = String(position);
    }
    return offsets;
  }

  positionsOf(offsets: SourceOffsets): readonly number[] {
    const positions: number[] = [];
    for (const [partition, text] of Object.entries(offsets)) {
      const position = Number(text);
      if (!/^\d+$/.test(partition) || !Number.isSafeInteger(position)) {
        throw new DvError('bad-cursor', `"${partition}: ${text}" is no offset of ${this.place}`, {
          data: { source: this.name, partition, offset: text },
        });
      }
      positions[Number(partition)] = position;
    }
    return Array.from(positions, (position) => position ?? -1);
  }

  lag({ behind }: Positions): number {
    return this.#ends.reduce(
      (sum, end, i) => sum + Math.max(0, end - Math.max(0, behind[i] ?? 0)),
      0,
    );
  }

  close(): Promise<void> {
    return this.#port.close();
  }
}

/** Whether every partition has been read to the end it had; takes those that were out. */
function isThrough(messages: readonly KafkaMessage[], left: Map<number, number>): boolean {
  for (const { partition, offset } of messages) {
    const end = left.get(partition);
    if (end !== undefined && offset + 1 >= end) left.delete(partition);
  }
  return left.size === 0;
}

function blockOf(messages: readonly KafkaMessage[]): RecordBlock {
  const count = messages.length;
  const size = messages.reduce((sum, { value }) => sum + (value?.length ?? 0), 0);
  const bytes = Buffer.allocUnsafe(size);
  const block = {
    ...{ count, bytes, partition: 0 },
    starts: new Int32Array(count),
    ends: new Int32Array(count),
    partitions: new Int32Array(count),
    positions: new Float64Array(count),
    behind: new Float64Array(count),
    lines: new Float64Array(count),
    keys: messages.map(({ key }) => key),
    header: (record: number, name: string) =>
      messages[record].headers.find(([one]) => one === name)?.[1],
  };
  let at = 0;
  for (let i = 0; i < count; i++) {
    const { partition, offset, value } = messages[i];
    block.starts[i] = value === null ? -1 : at;
    if (value !== null) bytes.set(value, at);
    at += value?.length ?? 0;
    block.ends[i] = at;
    block.partitions[i] = partition;
    block.positions[i] = offset;
    block.behind[i] = offset + 1;
    block.lines[i] = offset;
  }
  return block;
}
