/**
 * A feed into Kafka. What was told of each ref, and the feed's cursor, are kept where
 * `PublishedMark` says; after a crash the messages since are sent again, the same byte for
 * byte and in the same order. Nothing is left out: at least once.
 *
 *   1. No mark: the rows that are there come first (a snapshot), unless told otherwise.
 *   2. Removed rows of a commit go before the others, so that a row whose key changed is gone
 *      under the one before it comes under the other.
 *   3. A table that was dropped: all its rows are removed.
 */
import type { Hash } from '../../hash.ts';
import type { RowChange, TableDiff } from '../../model/change.ts';
import { BRANCH_PREFIX } from '../../model/names.ts';
import type { CommitEvent, FeedEvent, FeedSource } from '../contract.ts';
import type { KafkaPort, OutgoingMessage } from '../kafka/port.ts';
import { topicName } from '../kafka/topic-name.ts';
import type { ChangePlace, ChangeShape } from './change-message.ts';
import { commitMessage, refDeletedMessage } from './commit-json.ts';
import { type RefStep, refSteps } from './ref-steps.ts';

/** How far a feed has been told. */
export interface PublishedMark {
  readonly cursor: string;
  /** What was told of each ref. */
  readonly heads: Readonly<Record<string, Hash>>;
}

export interface MarkPlace {
  read(): Promise<PublishedMark | undefined>;
  write(mark: PublishedMark): Promise<void>;
}

export interface PublishOptions {
  readonly repo: string;
  readonly prefix: string;
  /** undefined: commits alone. */
  readonly shape: ChangeShape | undefined;
  readonly patterns: readonly string[];
  readonly tables: readonly string[];
  readonly where: string | undefined;
  /** Where to begin without a mark; undefined: with a snapshot. */
  readonly since: string | undefined;
  /** Ends when all that is there has been told. */
  readonly once: boolean;
  readonly signal: AbortSignal;
  readonly report: (told: { readonly commits: number; readonly messages: number }) => void;
}

/** A cursor of no feed: the answer to it is a reset, with all heads. */
const NO_CURSOR = `${'0'.repeat(16)}.0`;
const BATCH_MESSAGES = 1000;
const BATCH_CHARACTERS = 512 * 1024;
/** Changes that are kept while removed rows go first; more are asked for twice. */
const KEPT_CHANGES = 20_000;

export async function publish(
  source: FeedSource,
  port: KafkaPort,
  place: MarkPlace,
  options: PublishOptions,
): Promise<void> {
  await new Publisher(source, port, place, options).run();
}

class Publisher {
  readonly #source: FeedSource;
  readonly #port: KafkaPort;
  readonly #place: MarkPlace;
  readonly #options: PublishOptions;
  readonly #heads = new Map<string, Hash>();
  readonly #topics = new Set<string>();
  #batch: OutgoingMessage[] = [];
  #characters = 0;
  #isFirst = false;
  #commits = 0;
  #messages = 0;

  constructor(source: FeedSource, port: KafkaPort, place: MarkPlace, options: PublishOptions) {
    this.#source = source;
    this.#port = port;
    this.#place = place;
    this.#options = options;
  }

  async run(): Promise<void> {
    const { patterns, tables, since, once, signal, shape } = this.#options;
    const mark = await this.#place.read();
    for (const [ref, hash] of Object.entries(mark?.heads ?? {})) this.#heads.set(ref, hash);
    this.#isFirst = mark === undefined && since === undefined;
    const from = mark?.cursor ?? since ?? NO_CURSOR;
    const wanted = { patterns, tables: shape === undefined ? tables : [], since: from, signal };
    for await (const event of this.#source.events({ ...wanted, counts: shape === undefined })) {
      await this.#take(event);
      this.#isFirst = false;
      if (once && event.type === 'bookmark') return;
    }
  }

  async #take(event: FeedEvent): Promise<void> {
    if (event.type === 'commit') {
      const from = this.#heads.get(event.ref) ?? event.old;
      await this.#takeRef(event.ref, from, event.new, event);
    }
    if (event.type === 'ref-deleted') await this.#takeDeleted(event.ref, event.old);
    if (event.type === 'reset') {
      for (const { ref, hash } of event.heads) {
        await this.#takeRef(ref, this.#heads.get(ref) ?? null, hash);
      }
    }
    if (event.type !== 'bookmark' && 'more' in event && event.more === true) return;
    await this.#send();
    await this.#place.write({ cursor: event.id, heads: Object.fromEntries(this.#heads) });
    this.#options.report({ commits: this.#commits, messages: this.#messages });
  }

  /** From what was told of a ref to where it is. */
  async #takeRef(ref: string, from: Hash | null, to: Hash, event?: CommitEvent): Promise<void> {
    for (const step of await refSteps(this.#source, from, to, event)) {
      await this.#tellStep(ref, step);
    }
    this.#heads.set(ref, to);
  }

  async #takeDeleted(ref: string, old: Hash): Promise<void> {
    const { shape, repo } = this.#options;
    this.#heads.delete(ref);
    if (shape !== undefined) return;
    await this.#put({
      topic: await this.#commitTopic(),
      ...encoded(refDeletedMessage(repo, ref, old)),
    });
  }

  async #tellStep(ref: string, step: RefStep): Promise<void> {
    const { shape, repo } = this.#options;
    this.#commits += 1;
    if (shape !== undefined) return this.#tellRows(shape, ref, step);
    const { from: old, commit } = step;
    const message = commitMessage({ repo, ref, old, commit, tables: commit.tables });
    await this.#put({ topic: await this.#commitTopic(), ...encoded(message) });
  }

  async #tellRows(shape: ChangeShape, ref: string, { from, commit }: RefStep): Promise<void> {
    const { repo, tables, where } = this.#options;
    const place: ChangePlace = {
      ...{ repo, branch: ref.slice(BRANCH_PREFIX.length), commit: commit.hash, parent: from },
      ...{ sequence: commit.generation, time: commit.committed },
    };
    const choice = { tables, ...(where === undefined ? {} : { where }) };
    const late: Late = { changes: [], overflowed: new Set() };
    for await (const diff of this.#source.changes(from, commit.hash, choice)) {
      await this.#tellRemoved(shape, diff, place, late);
    }
    for (const { diff, change } of late.changes) await this.#tell(shape, diff, change, place);
    if (late.overflowed.size === 0) return;
    const again = { ...choice, tables: [...late.overflowed] };
    for await (const diff of this.#source.changes(from, commit.hash, again)) {
      for await (const batch of diff.changes()) {
        for (const change of batch) {
          if (change.change !== 'removed') await this.#tell(shape, diff, change, place);
        }
      }
    }
  }

  /** Case 2: the removed rows of a table; the others are kept, or the table is asked for again. */
  async #tellRemoved(
    shape: ChangeShape,
    diff: TableDiff,
    place: ChangePlace,
    late: Late,
  ): Promise<void> {
    const first = late.changes.length;
    for await (const batch of diff.changes()) {
      for (const change of batch) {
        if (change.change === 'removed') await this.#tell(shape, diff, change, place);
        else if (late.overflowed.has(diff.table)) continue;
        else if (late.changes.length < KEPT_CHANGES) late.changes.push({ diff, change });
        else {
          late.overflowed.add(diff.table);
          late.changes.length = first;
        }
      }
    }
  }

  async #tell(
    shape: ChangeShape,
    diff: TableDiff,
    change: RowChange,
    place: ChangePlace,
  ): Promise<void> {
    const topic = await this.#topicOf(diff.table, shape.isCompacted);
    const schema = diff.to ?? diff.from;
    const headers = schema === null ? {} : shape.headers(schema);
    for (const message of shape.write(diff, change, place, this.#isFirst)) {
      await this.#put({ topic, ...encoded(message), headers });
    }
  }

  #commitTopic(): Promise<string> {
    return this.#topicOf('commits', false);
  }

  async #topicOf(table: string, compacted: boolean): Promise<string> {
    const topic = topicName(this.#options.prefix, table);
    if (!this.#topics.has(topic)) {
      await this.#port.ensureTopics([topic], { compacted });
      this.#topics.add(topic);
    }
    return topic;
  }

  async #put(message: OutgoingMessage): Promise<void> {
    this.#batch.push(message);
    this.#messages += 1;
    this.#characters += (message.value?.length ?? 0) + (message.key?.length ?? 0);
    if (this.#batch.length >= BATCH_MESSAGES || this.#characters >= BATCH_CHARACTERS) {
      await this.#send();
    }
  }

  async #send(): Promise<void> {
    const messages = this.#batch;
    this.#batch = [];
    this.#characters = 0;
    if (messages.length > 0) await this.#port.produce(messages);
  }
}

/** Changes that wait until all removed rows of the commit were told. */
interface Late {
  readonly changes: { readonly diff: TableDiff; readonly change: RowChange }[];
  /** Tables with too many to keep. */
  readonly overflowed: Set<string>;
}

function encoded({ key, value }: { readonly key: string | null; readonly value: string | null }) {
  return {
    key: key === null ? null : Buffer.from(key),
    value: value === null ? null : Buffer.from(value),
  };
}
