/**
 * All that dv asks of Kafka, and nothing of how it is done. `client.ts` does it with the
 * package `@platformatic/kafka`, which is loaded when a command first names a broker.
 *
 * Addresses are `kafka:HOST:PORT[,HOST:PORT...]/NAME`.
 */
import { DvError } from '../../errors.ts';

export interface KafkaAddress {
  readonly brokers: readonly string[];
  /** A topic, or the prefix of several. */
  readonly name: string;
}

export interface PartitionRange {
  readonly partition: number;
  /** Offset of the oldest record kept, and the one behind the newest. */
  readonly earliest: number;
  readonly latest: number;
}

export interface KafkaMessage {
  readonly partition: number;
  readonly offset: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: readonly (readonly [name: string, value: Uint8Array])[];
}

export interface OutgoingMessage {
  readonly topic: string;
  readonly key: Uint8Array | null;
  /** null: a tombstone. */
  readonly value: Uint8Array | null;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface TopicOptions {
  /** Keeps the last message of each key. */
  readonly compacted: boolean;
  /** As many as the broker gives a topic when absent. */
  readonly partitions?: number;
}

export interface KafkaPort {
  /** @throws DvError `unknown-topic`, `remote-unreachable` */
  ranges(topic: string): Promise<readonly PartitionRange[]>;
  /**
   * Messages of all partitions in `from` (next offset by partition), in order within each, as
   * they come, until the signal aborts. Tries again through failures that pass.
   * @throws DvError `bad-cursor` when the broker no longer has an offset, `remote-unreachable`
   */
  consume(
    topic: string,
    from: ReadonlyMap<number, number>,
    signal: AbortSignal,
  ): AsyncIterable<readonly KafkaMessage[]>;
  /** All are with every in-sync replica when it resolves; in order within a partition. */
  produce(messages: readonly OutgoingMessage[]): Promise<void>;
  /** Makes topics that are not there. */
  ensureTopics(names: readonly string[], options: TopicOptions): Promise<void>;
  close(): Promise<void>;
}

export interface KafkaOptions {
  readonly brokers: readonly string[];
  /** How long a broker that does not answer is tried again, ms. */
  readonly retryFor: number;
  /** ms, never backwards. */
  readonly now: () => number;
}

const PREFIX = 'kafka:';
const DEFAULT_PORT = 9092;

export function isKafkaAddress(text: string): boolean {
  return text.startsWith(PREFIX);
}

/** @throws DvError `bad-option` */
export function parseKafkaAddress(text: string): KafkaAddress {
  const slash = text.indexOf('/');
  const brokers = text.slice(PREFIX.length, slash < 0 ? undefined : slash).split(',');
  const name = slash < 0 ? '' : text.slice(slash + 1);
  const parsed = brokers.map(parseBroker);
  if (parsed.includes(undefined) || !/^[\w.-]{1,240}$/.test(name)) {
    throw new DvError('bad-option', `"${text}" is no address of a Kafka topic`, {
      hint: 'kafka:HOST:PORT/TOPIC, with several brokers kafka:HOST:PORT,HOST:PORT/TOPIC',
    });
  }
  return { brokers: parsed as string[], name };
}

function parseBroker(text: string): string | undefined {
  const match = /^([\w.-]+|\[[\da-fA-F:.]+\])(?::(\d{1,5}))?$/.exec(text);
  if (match === null || Number(match[2] ?? 1) > 65_535) return undefined;
  return `${match[1]}:${match[2] ?? DEFAULT_PORT}`;
}
