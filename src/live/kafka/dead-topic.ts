/** Dead letters in a topic: key and bytes as they came, and why in the headers. */
import type { DeadLetter, DeadLetters } from '../ingest/record.ts';
import type { KafkaPort, OutgoingMessage } from './port.ts';

export class DeadTopic implements DeadLetters {
  readonly #port: KafkaPort;
  readonly #topic: string;
  #waiting: OutgoingMessage[] = [];

  constructor(port: KafkaPort, topic: string) {
    this.#port = port;
    this.#topic = topic;
  }

  put({ code, reason, source, partition, position, line, key, record }: DeadLetter): void {
    this.#waiting.push({
      topic: this.#topic,
      key,
      value: record,
      headers: {
        'dv-code': code,
        'dv-reason': reason,
        'dv-source': source,
        'dv-partition': partition,
        'dv-offset': String(position),
        'dv-line': String(line),
      },
    });
  }

  async flush(): Promise<void> {
    if (this.#waiting.length === 0) return;
    const letters = this.#waiting;
    this.#waiting = [];
    await this.#port.produce(letters);
  }

  async close(): Promise<void> {
    await this.flush();
    await this.#port.close();
  }
}
