/**
 * How far a feed has been told, in the topic PREFIX.cursor: a compacted topic of one partition,
 * where the last message of a watch's name counts. So the watch can go on from any machine. A
 * topic that was there with more partitions will do: all messages of a name are in one of them.
 */
import { DvError } from '../../errors.ts';
import type { KafkaPort } from '../kafka/port.ts';
import type { MarkPlace, PublishedMark } from './publish.ts';

export class CursorTopic implements MarkPlace {
  readonly #port: KafkaPort;
  readonly #topic: string;
  readonly #name: string;
  #last = '';

  /** `name`: which watch it is, as several may share a prefix. */
  constructor(port: KafkaPort, prefix: string, name: string) {
    this.#port = port;
    this.#topic = `${prefix}.cursor`;
    this.#name = name;
  }

  /** Cost: the topic, of which the broker keeps little. */
  async read(): Promise<PublishedMark | undefined> {
    await this.#port.ensureTopics([this.#topic], { compacted: true, partitions: 1 });
    const ranges = await this.#port.ranges(this.#topic);
    const unread = new Map(
      ranges
        .filter(({ earliest, latest }) => earliest < latest)
        .map(({ partition, latest }) => [partition, latest]),
    );
    if (unread.size === 0) return undefined;
    let found: string | undefined;
    const stop = new AbortController();
    const from = new Map(ranges.map(({ partition, earliest }) => [partition, earliest]));
    for await (const messages of this.#port.consume(this.#topic, from, stop.signal)) {
      for (const { partition, offset, key, value } of messages) {
        if (offset + 1 >= (unread.get(partition) ?? 0)) unread.delete(partition);
        if (key !== null && Buffer.from(key).toString() === this.#name && value !== null) {
          found = Buffer.from(value).toString();
        }
      }
      if (unread.size === 0) break;
    }
    return found === undefined ? undefined : parseMark(found, `topic '${this.#topic}'`);
  }

  async write(mark: PublishedMark): Promise<void> {
    const value = formatMark(mark);
    if (value === this.#last) return;
    this.#last = value;
    const key = Buffer.from(this.#name);
    await this.#port.produce([{ topic: this.#topic, key, value: Buffer.from(value) }]);
  }
}

export function formatMark({ cursor, heads }: PublishedMark): string {
  return JSON.stringify({ cursor, heads });
}

/** @throws DvError `bad-cursor` */
export function parseMark(text: string, place: string): PublishedMark {
  try {
    const { cursor, heads } = JSON.parse(text) as Partial<PublishedMark>;
    if (typeof cursor === 'string' && typeof heads === 'object' && heads !== null) {
      return { cursor, heads };
    }
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new DvError('bad-cursor', `${place} has no cursor: "${text.slice(0, 60)}"`, {
    hint: 'another prefix, or another --cursor-file, begins anew',
  });
}
