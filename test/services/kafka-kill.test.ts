/**
 * Exactly once, with everything killed: records flow into a topic, an ingester takes them to a
 * server, and ingester, server and broker are killed -9 at random and started again. At the end
 * every record is in the table, and the commits together took what the topic holds: no record
 * is missing, none was written twice.
 *
 *   DV_KILLS=60 DV_KILL_RECORDS=1000000 npm run test:services     the whole of it
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { Producer } from '@platformatic/kafka';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DV, runDv, temporaryDirectory, testEnvironment, until } from '../support/cli.ts';
import { findBrokerJars, freePorts, KafkaBroker } from '../support/kafka.ts';
import { TestTopics } from '../support/kafka-topics.ts';

const KILLS = Number(process.env.DV_KILLS ?? 9);
const RECORDS = Number(process.env.DV_KILL_RECORDS ?? 30_000);
const PARTITIONS = 3;
const TOPIC = 'flow';

const found = await findBrokerJars();
if ('missing' in found) console.warn(`Kafka tests are skipped: ${found.missing}`);

/** A dv that is started again whenever it has ended. */
class Undying {
  readonly #args: readonly string[];
  readonly #cwd: string;
  #child: ChildProcess | undefined;
  #isOver = false;
  #said = '';

  constructor(args: readonly string[], cwd: string) {
    this.#args = args;
    this.#cwd = cwd;
    this.#start();
  }

  #start(): void {
    const child = spawn(DV, this.#args, { cwd: this.#cwd, env: testEnvironment(this.#cwd) });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (bytes) => {
        this.#said = `${this.#said}${bytes}`.slice(-2000);
      });
    }
    child.on('exit', (code, signal) => {
      if (this.#isOver) return;
      if (signal === null) this.#said += `\n(ended by itself with ${code})`;
      this.#start();
    });
  }

  get said(): string {
    return this.#said;
  }

  kill(): void {
    this.#child?.kill('SIGKILL');
  }

  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    this.#isOver = true;
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    await ended;
  }
}

describe.skipIf('missing' in found)('exactly once', () => {
  let broker: KafkaBroker;
  const running: Undying[] = [];

  beforeAll(async () => {
    if (!('missing' in found)) broker = await KafkaBroker.start(found.jars);
  });
  afterAll(async () => {
    for (const one of running) await one.end('SIGKILL');
    await broker?.remove();
  });

  it(`through ${KILLS} kills with ${RECORDS} records`, { timeout: 3_600_000 }, async () => {
    const directory = temporaryDirectory();
    const data = join(directory, 'data');
    await runDv(['init', '--bare', '--quiet', 'data'], { cwd: directory });
    const topics = new TestTopics(broker.address);
    await topics.create(TOPIC, PARTITIONS);
    const [port] = await freePorts(1);
    const url = `http://127.0.0.1:${port}`;
    const server = new Undying(
      ['serve', '--listen', `127.0.0.1:${port}`, '--log', 'none'],
      directory,
    );
    const from = `kafka:${broker.address}/${TOPIC}`;
    const ingester = new Undying(
      [
        ...['ingest', 't', '--remote', `${url}/data`, '--from', from, '--key', 'id'],
        ...['--retry-for', '300000', '--max-rows', '2000', '--json'],
      ],
      directory,
    );
    running.push(server, ingester);

    const producing = produce(broker.address);
    const victims = [0, 0, 0];
    const order: number[] = [];
    for (let kill = 0; kill < KILLS; kill++) {
      if (order.length === 0) order.push(...shuffled([0, 1, 2]));
      const victim = order.pop() ?? 0;
      // Kills are spread over the flow: the next one waits for its share of the records to be
      // in, and then some, so that it comes at any instant.
      const share = ((kill + 1) / (KILLS + 1)) * RECORDS * 0.9;
      await until(async () => (await takenIn(url)) >= share, 600_000);
      await pause(Math.random() * 300);
      victims[victim] += 1;
      if (victim === 0) ingester.kill();
      else if (victim === 1) server.kill();
      else {
        await broker.kill();
        await broker.start();
      }
    }
    await producing;

    const ends = await topics.ends(TOPIC);
    const total = ends.reduce((sum, end) => sum + end, 0);
    const isThrough = async () => {
      const offsets = await offsetsAt(url);
      return ends.every((end, i) => end === 0 || offsets?.[i] === String(end));
    };
    await until(isThrough, 1_200_000).catch((error) => {
      throw new Error(`${error.message}; the ingester said: ${ingester.said}`);
    });
    await ingester.end('SIGTERM');
    await server.end('SIGTERM');
    console.info(`killed: ingester, server, broker ${victims.join(', ')}; ${total} messages`);

    expect(victims.reduce((sum, count) => sum + count)).toBe(KILLS);
    expect(total).toBeGreaterThanOrEqual(RECORDS);
    expect(await missingRows(data)).toEqual([]);
    expect(await writtenRows(data)).toBe(total);
    expect((await runDv(['fsck'], { cwd: data })).status).toBe(0);
  });
});

function shuffled(list: readonly number[]): number[] {
  const keyed = list.map((one) => ({ one, rank: Math.random() }));
  return keyed.sort((a, b) => a.rank - b.rank).map(({ one }) => one);
}

const lineOf = (id: number) => `{"id":${id},"n":${(id * 7919) % 1_000_003}}`;

/** Sends all records, in order of their ids; what was not acknowledged is sent again. */
async function produce(address: string): Promise<void> {
  const fresh = () =>
    new Producer({
      ...{ clientId: 'flow', bootstrapBrokers: [address], idempotent: true },
      ...{ retries: 3, retryDelay: 300, connectTimeout: 2000, timeout: 10_000 },
    });
  let producer = fresh();
  for (let first = 0; first < RECORDS; ) {
    const count = Math.min(2000, RECORDS - first);
    const messages = Array.from({ length: count }, (_, i) => ({
      topic: TOPIC,
      partition: (first + i) % PARTITIONS,
      value: Buffer.from(lineOf(first + i)),
    }));
    try {
      await producer.send({ messages });
      first += count;
      // A steady flow, so that something is on its way at every kill.
      await pause(Math.min(100, 2_000_000 / RECORDS));
    } catch {
      await producer.close(true).catch(() => undefined);
      producer = fresh();
      await pause(200);
    }
  }
  await producer.close();
}

async function offsetsAt(url: string): Promise<Record<string, string> | null> {
  try {
    const path = `/v1/repos/data/branches/main/offsets?source=${encodeURIComponent(`kafka:${TOPIC}`)}`;
    const answer = (await (await fetch(url + path)).json()) as { offsets?: Record<string, string> };
    return answer.offsets ?? null;
  } catch {
    return null; // the server is on its way up
  }
}

/** Records that the branch has; -1: the server does not say. */
async function takenIn(url: string): Promise<number> {
  const offsets = await offsetsAt(url);
  if (offsets === null) return -1;
  return Object.values(offsets).reduce((sum, offset) => sum + Number(offset), 0);
}

/** Ids whose row is not there or is another one, or there twice; the first few. */
async function missingRows(cwd: string): Promise<number[]> {
  const { stdout } = await runDv(['export', 'main:t', '--format', 'ndjson'], { cwd });
  const seen = new Uint8Array(RECORDS);
  const bad: number[] = [];
  for (const line of stdout.split('\n')) {
    if (line === '') continue;
    const { id } = JSON.parse(line);
    if (line !== lineOf(id) || seen[id] === 1) bad.push(id);
    seen[id] = 1;
  }
  for (let id = 0; id < RECORDS; id++) if (seen[id] === 0) bad.push(id);
  return bad.slice(0, 10);
}

/** Rows that the branch's commits took, together. */
async function writtenRows(cwd: string): Promise<number> {
  const { stdout } = await runDv(['log', 'main', '--json'], { cwd });
  let rows = 0;
  for (const line of stdout.split('\n').filter(Boolean)) {
    rows += Number(/^ingest (\d+) rows/.exec(JSON.parse(line).message)?.[1]);
  }
  return rows;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
