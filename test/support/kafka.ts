/**
 * A real Kafka broker for tests: KRaft mode, one JVM, jars from Maven Central
 * (test/services/pom.xml), data and ports of its own. It can be killed at any instant and
 * started again on the same ports and data.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type FoundJars, findJars } from './maven-jars.ts';

const POM = fileURLToPath(new URL('../services/pom.xml', import.meta.url));
const START_MS = 90_000;

/** Where the jars are, or why there are none. */
export function findBrokerJars(): Promise<FoundJars> {
  return findJars({ name: 'kafka', pom: POM, variable: 'DV_KAFKA_JARS' });
}

export class KafkaBroker {
  readonly #jars: string;
  readonly #directory: string;
  readonly #port: number;
  #process: ChildProcess | undefined;

  private constructor(jars: string, directory: string, port: number) {
    this.#jars = jars;
    this.#directory = directory;
    this.#port = port;
  }

  /** `HOST:PORT`, the same for as long as the broker is not removed. */
  get address(): string {
    return `127.0.0.1:${this.#port}`;
  }

  /** A broker that is running, with no topics. */
  static async start(jars: string, settings: Readonly<Record<string, string>> = {}) {
    const directory = mkdtempSync(join(tmpdir(), 'dv-kafka-'));
    const [port, controller] = await freePorts(2);
    const broker = new KafkaBroker(jars, directory, port);
    mkdirSync(join(directory, 'data'));
    writeFileSync(
      join(directory, 'server.properties'),
      properties(directory, port, controller, settings),
    );
    broker.#format();
    await broker.start();
    return broker;
  }

  #format(): void {
    const { status, stdout, stderr } = spawnSync(
      'java',
      [
        ...this.#classPath(),
        ...['kafka.tools.StorageTool', 'format', '--standalone', '-t', 'ZHYtdGVzdC1icm9rZXItMQ'],
        ...['-c', join(this.#directory, 'server.properties')],
      ],
      { encoding: 'utf8' },
    );
    if (status !== 0) throw new Error(`the broker's storage was not formatted: ${stdout}${stderr}`);
  }

  #classPath(): string[] {
    return ['-Xmx512m', '-Xms128m', '-cp', join(this.#jars, '*')];
  }

  /** Starts it again where it was. Resolves when it answers. */
  async start(): Promise<void> {
    const log = openSync(join(this.#directory, 'broker.log'), 'a');
    const child = spawn(
      'java',
      [...this.#classPath(), 'kafka.Kafka', join(this.#directory, 'server.properties')],
      { stdio: ['ignore', log, log], cwd: this.#directory },
    );
    this.#process = child;
    const deadline = Date.now() + START_MS;
    while (!(await answers(this.#port))) {
      if (child.exitCode !== null) throw new Error(`the broker ended: ${this.log()}`);
      if (Date.now() > deadline) throw new Error(`the broker did not start: ${this.log()}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  log(): string {
    return readFileSync(join(this.#directory, 'broker.log'), 'utf8').slice(-4000);
  }

  /** kill -9, or a stop in good order. Resolves when the process is gone. */
  async kill(signal: 'SIGKILL' | 'SIGTERM' = 'SIGKILL'): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    await ended;
  }

  /** Stops it and removes its data. */
  async remove(): Promise<void> {
    await this.kill();
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

function properties(
  directory: string,
  port: number,
  controller: number,
  settings: Readonly<Record<string, string>>,
): string {
  const all: Record<string, string> = {
    'process.roles': 'broker,controller',
    'node.id': '1',
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controller}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controller}`,
    'controller.listener.names': 'CONTROLLER',
    'controller.quorum.bootstrap.servers': `127.0.0.1:${controller}`,
    'log.dirs': join(directory, 'data'),
    'num.partitions': '1',
    'auto.create.topics.enable': 'false',
    'offsets.topic.replication.factor': '1',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    'group.initial.rebalance.delay.ms': '0',
    // A broker that was killed may come back before it has been missed.
    'broker.heartbeat.interval.ms': '200',
    'broker.session.timeout.ms': '1000',
    'log.retention.check.interval.ms': '500',
    ...settings,
  };
  return Object.entries(all)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

/** Ports that nobody listens on now. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports: number[] = [];
  for (const server of servers) {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    ports.push((server.address() as { port: number }).port);
  }
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
