/**
 * The Kafka port over `@platformatic/kafka`: plain fetches from offsets of our own (no consumer
 * group, as a branch keeps the offsets), and an idempotent producer with all acknowledgements.
 * The package retries nothing here; what may pass is tried again by `patiently`, in one place.
 */
import type { Admin, Consumer, Producer, RecordsBatch } from '@platformatic/kafka';
import { DvError } from '../../errors.ts';
import type {
  KafkaMessage,
  KafkaOptions,
  KafkaPort,
  OutgoingMessage,
  PartitionRange,
  TopicOptions,
} from './port.ts';

type Package = typeof import('@platformatic/kafka');
type FetchResponse = Awaited<ReturnType<Consumer['fetch']>>;

const CLIENT = { clientId: 'dv', connectTimeout: 3000, timeout: 10_000, retries: 0 } as const;
const FETCH = { maxWaitTime: 250, minBytes: 1, maxBytes: 8 * 1024 * 1024, isolationLevel: 1 };
const PARTITION_BYTES = 1024 * 1024;
const FIRST_WAIT_MS = 50;
const LONGEST_WAIT_MS = 1000;
/** Bit of a batch's attributes: markers of transactions, no messages. */
const IS_CONTROL = 0b10_0000;
/** A broker that has just started may not know its topics yet. */
const UNKNOWN_MS = 10_000;
const EARLIEST = -2n;
const LATEST = -1n;

/** @throws DvError `missing-package` */
export async function openKafka(options: KafkaOptions): Promise<KafkaPort> {
  let kafka: Package;
  try {
    kafka = await import('@platformatic/kafka');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new DvError('missing-package', 'the package "@platformatic/kafka" is not installed', {
      hint: 'npm install @platformatic/kafka, where dv is installed',
      data: { package: '@platformatic/kafka' },
    });
  }
  return new KafkaClient(kafka, options);
}

class KafkaClient implements KafkaPort {
  readonly #kafka: Package;
  readonly #options: KafkaOptions;
  #reader: Consumer | undefined;
  /** Asked for last; for messages. */
  #topic = '';
  #producer: Producer | undefined;
  #admin: Admin | undefined;

  constructor(kafka: Package, options: KafkaOptions) {
    this.#kafka = kafka;
    this.#options = options;
  }

  get #common() {
    return { ...CLIENT, bootstrapBrokers: [...this.#options.brokers] };
  }

  #consumer(topic: string): Consumer {
    this.#topic = topic;
    this.#reader ??= new this.#kafka.Consumer({ ...this.#common, groupId: 'dv' });
    if (!this.#reader.topics.has(topic)) this.#reader.topics.track(topic);
    return this.#reader;
  }

  async ranges(topic: string): Promise<readonly PartitionRange[]> {
    return this.#patiently(undefined, async () => {
      const consumer = this.#consumer(topic);
      const topics = [topic];
      const earliest = await consumer.listOffsets({ topics, timestamp: EARLIEST });
      const latest = await consumer.listOffsets({ topics, timestamp: LATEST });
      const ends = latest.get(topic) ?? [];
      return ends.map((end, partition) => ({
        partition,
        earliest: Number(earliest.get(topic)?.[partition] ?? 0n),
        latest: Number(end),
      }));
    });
  }

  async *consume(
    topic: string,
    from: ReadonlyMap<number, number>,
    signal: AbortSignal,
  ): AsyncIterable<readonly KafkaMessage[]> {
    const next = new Map(from);
    while (!signal.aborted) {
      const messages = await this.#patiently(signal, () => this.#fetch(topic, next));
      if (messages === undefined) return;
      if (messages.length > 0) yield messages;
    }
  }

  /** One round of fetches, one a broker; moves `next` on. */
  async #fetch(topic: string, next: Map<number, number>): Promise<KafkaMessage[]> {
    const consumer = this.#consumer(topic);
    const metadata = await consumer.metadata({ topics: [topic] });
    const found = metadata.topics.get(topic);
    if (found === undefined) throw unknownTopic(topic);
    // Partitions that were added since are read from their beginning.
    for (let i = next.size; i < found.partitionsCount; i++) if (!next.has(i)) next.set(i, 0);
    const byNode = new Map<number, number[]>();
    for (const partition of next.keys()) {
      const leader = found.partitions[partition]?.leader ?? -1;
      byNode.set(leader, [...(byNode.get(leader) ?? []), partition]);
    }
    const messages: KafkaMessage[] = [];
    for (const [node, partitions] of byNode) {
      const request = partitions.map((partition) => ({
        partition,
        fetchOffset: BigInt(next.get(partition) ?? 0),
        partitionMaxBytes: PARTITION_BYTES,
        currentLeaderEpoch: -1,
        lastFetchedEpoch: -1,
      }));
      const topics = [{ topicId: found.id, partitions: request }];
      const response = await this.#fetchFrom(consumer, topic, { ...FETCH, node, topics }, next);
      collect(response, next, messages);
    }
    return messages;
  }

  async #fetchFrom(
    consumer: Consumer,
    topic: string,
    request: Parameters<Consumer['fetch']>[0],
    next: ReadonlyMap<number, number>,
  ): Promise<FetchResponse> {
    try {
      return await consumer.fetch(request);
    } catch (error) {
      if (!this.#is(error, 'OFFSET_OUT_OF_RANGE')) throw error;
      throw await this.#forgotten(topic, next);
    }
  }

  /** The error for offsets that the broker does not have. */
  async #forgotten(topic: string, next: ReadonlyMap<number, number>): Promise<DvError> {
    const ranges = await this.ranges(topic);
    const lost = ranges.find(({ partition, earliest, latest }) => {
      const offset = next.get(partition);
      return offset !== undefined && (offset < earliest || offset > latest);
    });
    return forgottenOffset(topic, lost ?? ranges[0], next.get(lost?.partition ?? 0) ?? 0);
  }

  async produce(messages: readonly OutgoingMessage[]): Promise<void> {
    this.#topic = messages[0]?.topic ?? '';
    const encoded = messages.map(({ topic, key, value, headers }) => ({
      topic,
      key: key === null ? undefined : Buffer.from(key),
      // The package's type leaves tombstones out; its encoder does not.
      value: (value === null ? null : Buffer.from(value)) as Buffer,
      headers: new Map(
        Object.entries(headers ?? {}).map(([name, text]) => [Buffer.from(name), Buffer.from(text)]),
      ),
    }));
    await this.#patiently(undefined, async () => {
      this.#producer ??= this.#newProducer();
      try {
        await this.#producer.send({ messages: encoded });
      } catch (error) {
        // Its sequence numbers are not to be relied on any more: another one sends them again.
        const failed = this.#producer;
        this.#producer = undefined;
        await failed?.close(true).catch(() => undefined);
        throw error;
      }
    });
  }

  #newProducer(): Producer {
    return new this.#kafka.Producer({
      ...this.#common,
      idempotent: true,
      acks: this.#kafka.ProduceAcks.ALL,
      partitioner: this.#kafka.compatibilityPartitioner,
    });
  }

  async ensureTopics(
    names: readonly string[],
    { compacted, partitions = -1 }: TopicOptions,
  ): Promise<void> {
    this.#admin ??= new this.#kafka.Admin(this.#common);
    const admin = this.#admin;
    const configs = compacted ? [{ name: 'cleanup.policy', value: 'compact' }] : [];
    for (const name of names) {
      await this.#patiently(undefined, async () => {
        try {
          await admin.createTopics({ topics: [name], partitions, replicas: -1, configs });
        } catch (error) {
          if (!this.#is(error, 'TOPIC_ALREADY_EXISTS')) throw error;
        }
      });
    }
  }

  #is(error: unknown, apiId: string): boolean {
    return this.#kafka.findErrorBy(error as Error, 'apiId', apiId) !== null;
  }

  async #patiently<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T | undefined>;
  async #patiently<T>(signal: undefined, work: () => Promise<T>): Promise<T>;
  async #patiently<T>(
    signal: AbortSignal | undefined,
    work: () => Promise<T>,
  ): Promise<T | undefined> {
    const { now, retryFor, brokers } = this.#options;
    const start = now();
    for (let wait = FIRST_WAIT_MS; ; wait = Math.min(wait * 2, LONGEST_WAIT_MS)) {
      try {
        return await work();
      } catch (error) {
        if (signal?.aborted) return undefined;
        if (error instanceof DvError || !this.#kafka.GenericError.isGenericError(error as Error)) {
          throw error;
        }
        const failure = error as Error;
        if (this.#isLasting(failure)) throw refused(brokers, failure);
        const isUnknown = this.#isUnknownTopic(failure);
        const limit = isUnknown ? Math.min(retryFor, UNKNOWN_MS) : retryFor;
        if (now() - start + wait > limit) {
          throw isUnknown ? unknownTopic(this.#topic) : unreachable(brokers, retryFor, failure);
        }
        await new Promise((resolve) => setTimeout(resolve, wait));
      }
    }
  }

  #isUnknownTopic(error: Error): boolean {
    return this.#is(error, 'UNKNOWN_TOPIC_OR_PARTITION') || /^Unknown topic /.test(error.message);
  }

  /** What no second try changes. */
  #isLasting(error: Error): boolean {
    const lasting = ['TOPIC_AUTHORIZATION_FAILED', 'INVALID_TOPIC_EXCEPTION', 'MESSAGE_TOO_LARGE'];
    return (
      lasting.some((id) => this.#is(error, id)) ||
      this.#kafka.findErrorBy(error, 'code', 'PLT_KFK_AUTHENTICATION') !== null
    );
  }

  /** A connection that is broken already is closed enough. */
  async close(): Promise<void> {
    await this.#reader?.close(true).catch(() => undefined);
    await this.#producer?.close(true).catch(() => undefined);
    await this.#admin?.close().catch(() => undefined);
  }
}

/** Appends a response's messages; what lies in front of the asked offset is passed over. */
function collect(response: FetchResponse, next: Map<number, number>, out: KafkaMessage[]): void {
  for (const { partitions } of response.responses) {
    for (const { partitionIndex, records } of partitions) {
      for (const batch of records ?? []) collectBatch(batch, partitionIndex, next, out);
    }
  }
}

function collectBatch(
  batch: RecordsBatch,
  partition: number,
  next: Map<number, number>,
  out: KafkaMessage[],
): void {
  const from = next.get(partition);
  if (from === undefined) return;
  const first = Number(batch.firstOffset);
  const isControl = (batch.attributes & IS_CONTROL) !== 0;
  for (const record of isControl ? [] : batch.records) {
    const offset = first + record.offsetDelta;
    if (offset < from) continue;
    const headers = record.headers.map(
      ([name, value]) => [name?.toString() ?? '', value ?? Buffer.alloc(0)] as const,
    );
    out.push({ partition, offset, key: record.key, value: record.value, headers });
  }
  next.set(partition, Math.max(from, first + batch.lastOffsetDelta + 1));
}

export function forgottenOffset(topic: string, range: PartitionRange, offset: number): DvError {
  const { partition, earliest, latest } = range;
  return new DvError(
    'bad-cursor',
    `topic '${topic}', partition ${partition}: offset ${offset} is not there, it has ${earliest} to ${latest}`,
    {
      hint: '--from-earliest goes on with the oldest record there is; what lay between is lost',
      data: { topic, partition, offset, earliest, latest },
    },
  );
}

function unknownTopic(topic: string): DvError {
  return new DvError('unknown-ref', `the broker has no topic '${topic}'`, { data: { topic } });
}

function refused(brokers: readonly string[], cause: Error): DvError {
  return new DvError('forbidden', `the broker ${brokers.join(',')} refuses: ${reasonOf(cause)}`, {
    data: { brokers },
    cause,
  });
}

function unreachable(brokers: readonly string[], retryFor: number, cause: Error): DvError {
  const message = `no answer from the broker ${brokers.join(',')} for ${retryFor / 1000} s: ${reasonOf(cause)}`;
  return new DvError('remote-unreachable', message, {
    hint: 'check that it runs and its advertised listeners can be reached; --retry-for waits longer',
    data: { brokers },
    cause,
  });
}

/** The innermost message: the outer ones only say that something failed. */
function reasonOf(error: Error): string {
  const inner = (error as AggregateError).errors?.[0] ?? error.cause;
  return inner instanceof Error ? reasonOf(inner) : error.message;
}
