/** Topics of a test's broker: made, filled and read with the Kafka package itself. */
import { Admin, Consumer, Producer } from '@platformatic/kafka';

export interface TestMessage {
  readonly partition?: number;
  readonly key?: string | null;
  readonly value: string | Uint8Array | null;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface ReadMessage {
  readonly partition: number;
  readonly offset: number;
  readonly key: string | null;
  readonly value: string | null;
  readonly bytes: Buffer | null;
  readonly headers: Readonly<Record<string, string>>;
}

export class TestTopics {
  readonly #address: string;

  constructor(address: string) {
    this.#address = address;
  }

  get #common() {
    return { clientId: 'test', bootstrapBrokers: [this.#address], retries: 20, retryDelay: 250 };
  }

  async create(
    topic: string,
    partitions = 1,
    settings: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    const admin = new Admin(this.#common);
    const configs = Object.entries(settings).map(([name, value]) => ({ name, value }));
    await admin.createTopics({ topics: [topic], partitions, replicas: 1, configs });
    await admin.close();
  }

  async remove(topic: string): Promise<void> {
    const admin = new Admin(this.#common);
    await admin.deleteTopics({ topics: [topic] });
    await admin.close();
  }

  async list(): Promise<string[]> {
    const admin = new Admin(this.#common);
    const names = await admin.listTopics();
    await admin.close();
    return names;
  }

  /** Has the broker forget the records in front of an offset of partition 0. */
  async forget(topic: string, before: number): Promise<void> {
    const admin = new Admin(this.#common);
    await admin.deleteRecords({
      topics: [{ name: topic, partitions: [{ partition: 0, offset: BigInt(before) }] }],
    });
    await admin.close();
  }

  async send(topic: string, messages: readonly TestMessage[]): Promise<void> {
    const producer = new Producer({ ...this.#common, idempotent: true });
    for (let at = 0; at < messages.length; at += 2000) {
      await producer.send({
        messages: messages.slice(at, at + 2000).map(({ partition = 0, key, value, headers }) => ({
          topic,
          partition,
          key: typeof key === 'string' ? Buffer.from(key) : undefined,
          value: (value === null ? null : Buffer.from(value)) as Buffer,
          headers: new Map(
            Object.entries(headers ?? {}).map(([k, v]) => [Buffer.from(k), Buffer.from(v)]),
          ),
        })),
      });
    }
    await producer.close();
  }

  /** The offset behind the last message of each partition. */
  async ends(topic: string): Promise<number[]> {
    const consumer = new Consumer({ ...this.#common, groupId: 'test' });
    consumer.topics.track(topic);
    const ends = (await consumer.listOffsets({ topics: [topic] })).get(topic) ?? [];
    await consumer.close();
    return ends.map(Number);
  }

  /** Everything in a topic, by partition and offset. */
  async read(topic: string): Promise<ReadMessage[]> {
    const consumer = new Consumer({ ...this.#common, groupId: 'test' });
    consumer.topics.track(topic);
    const metadata = await consumer.metadata({ topics: [topic] });
    const found = metadata.topics.get(topic);
    const ends = (await consumer.listOffsets({ topics: [topic] })).get(topic) ?? [];
    const messages: ReadMessage[] = [];
    for (const [partition, end] of ends.entries()) {
      let next = 0n;
      while (next < end) {
        const response = await consumer.fetch({
          node: found?.partitions[partition].leader ?? 1,
          topics: [{ topicId: found?.id ?? '', partitions: [request(partition, next)] }],
        });
        const before = next;
        for (const { records } of response.responses[0]?.partitions ?? []) {
          for (const batch of records ?? []) {
            for (const record of batch.records) {
              const offset = batch.firstOffset + BigInt(record.offsetDelta);
              if (offset < before) continue;
              messages.push({
                partition,
                offset: Number(offset),
                key: record.key?.toString() ?? null,
                value: record.value?.toString() ?? null,
                bytes: record.value,
                headers: Object.fromEntries(record.headers.map(([k, v]) => [String(k), String(v)])),
              });
            }
            const behind = batch.firstOffset + BigInt(batch.lastOffsetDelta) + 1n;
            if (behind > next) next = behind;
          }
        }
      }
    }
    await consumer.close();
    return messages;
  }
}

function request(partition: number, fetchOffset: bigint) {
  return {
    ...{ partition, fetchOffset, partitionMaxBytes: 1 << 20 },
    ...{ currentLeaderEpoch: -1, lastFetchedEpoch: -1 },
  };
}
