/** `dv watch --to kafka:`: what readers find in the topics, resuming, and the way back in. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runDv, startDv, temporaryDirectory, until } from '../support/cli.ts';
import { findBrokerJars, freePorts, KafkaBroker } from '../support/kafka.ts';
import { type ReadMessage, TestTopics } from '../support/kafka-topics.ts';

const found = await findBrokerJars();
if ('missing' in found) console.warn(`Kafka tests are skipped: ${found.missing}`);

describe.skipIf('missing' in found)('watch into Kafka', () => {
  let broker: KafkaBroker;
  let topics: TestTopics;

  beforeAll(async () => {
    if ('missing' in found) return;
    broker = await KafkaBroker.start(found.jars);
    topics = new TestTopics(broker.address);
  });
  afterAll(() => broker?.remove());

  const kafka = (name: string) => `kafka:${broker.address}/${name}`;

  /** A repository whose name is always the same, as it goes into messages. */
  async function shop(): Promise<string> {
    const cwd = join(temporaryDirectory(), 'shop');
    mkdirSync(cwd);
    await dv(cwd, 'init', '--quiet');
    return cwd;
  }

  async function dv(cwd: string, ...args: string[]): Promise<string> {
    const { status, stdout, stderr } = await runDv(args, { cwd });
    expect(stderr, args.join(' ')).toBe('');
    expect(status).toBe(0);
    return stdout;
  }

  async function write(cwd: string, lines: string, ...more: string[]): Promise<void> {
    const args = ['ingest', 'orders', '--key', 'id', ...more];
    const { status, stderr } = await runDv(args, { cwd, input: lines });
    expect(stderr).toBe('');
    expect(status).toBe(0);
  }

  const parsed = (messages: readonly ReadMessage[]) =>
    messages.map(({ key, value }) => [key, value === null ? null : JSON.parse(value)]);

  it('tells rows as Debezium does: snapshot, changes, a key that changed, tombstones', async () => {
    const cwd = await shop();
    await write(cwd, '{"id":5,"n":9007199254740993,"d":1.50}\n{"id":6,"n":null,"d":0.1}\n');
    const watch = ['watch', 'main', '--to', kafka('shop'), '--format', 'debezium', '--once'];
    await dv(cwd, ...watch);
    const snapshot = await topics.read('shop.orders');
    expect(parsed(snapshot).map(([key, value]) => [key, value.op, value.before])).toEqual([
      ['{"id":5}', 'r', null],
      ['{"id":6}', 'r', null],
    ]);
    expect(snapshot[0].value).toContain('"after":{"id":5,"n":9007199254740993,"d":1.50}');
    expect(snapshot[0].headers['dv-schema']).toBe(
      '{"key":["id"],"types":{"id":"integer","n":"integer","d":"decimal"}}',
    );

    // 5 becomes 3: in key order the new row stands before the old one.
    await write(
      cwd,
      '{"op":"c","id":3,"n":1,"d":1.50}\n{"op":"d","id":5}\n{"op":"u","id":6,"n":7,"d":0.1}\n',
      '--op-field',
      'op',
    );
    await dv(cwd, ...watch);
    const [gone, stone, came, changed, ...rest] = (await topics.read('shop.orders')).slice(2);
    expect(rest).toEqual([]);
    expect([gone.key, stone.key, stone.value]).toEqual(['{"id":5}', '{"id":5}', null]);
    expect(JSON.parse(gone.value ?? '')).toMatchObject({
      ...{ op: 'd', before: { id: 5, d: 1.5 }, after: null },
      source: { repo: 'shop', branch: 'main', table: 'orders', sequence: 2 },
    });
    expect(JSON.parse(changed.value ?? '')).toMatchObject({
      op: 'u',
      before: { n: null },
      after: { n: 7 },
    });
    expect(JSON.parse(came.value ?? '')).toMatchObject({ op: 'c', before: null, after: { id: 3 } });
  });

  it('gives the same table on the other side', async () => {
    const cwd = await shop();
    const rows = Array.from({ length: 300 }, (_, i) =>
      JSON.stringify({ id: i, name: `n${i}`, tags: { a: [i, null] }, flag: i % 2 === 0 }),
    );
    await write(cwd, `${rows.join('\n')}\n`);
    await write(cwd, `{"id":1,"name":"Zoë \\u0000 \\"q\\"","x":123456789012345678901234567890}\n`);
    const watching = startDv(['watch', 'main', '--to', kafka('round')], { cwd });
    await until(async () => (await topics.read('round.orders').catch(() => [])).length >= 300);
    await write(
      cwd,
      '{"id":2,"op":"d"}\n{"id":3,"x":-0.10}\n{"id":1000,"name":null,"x":1e5}\n',
      '--op-field',
      'op',
    );
    await write(cwd, '{"id":3,"x":-0.100}\n');
    const there = JSON.parse(await dv(cwd, 'hash', 'HEAD:orders', '--json'));

    const other = await shop();
    const back = startDv(
      ['ingest', 'orders', '--from', kafka('round.orders'), '--format', 'debezium'],
      { cwd: other },
    );
    await until(async () => {
      const { stdout } = await runDv(['hash', 'HEAD:orders', '--json'], { cwd: other });
      return stdout !== '' && JSON.parse(stdout).hash === there.hash;
    });
    watching.child.kill('SIGTERM');
    back.child.kill('SIGTERM');
    await Promise.all([watching.ended, back.ended]);
  });

  it('sends the same bytes again, and goes on behind what was sent', async () => {
    const cwd = await shop();
    for (let i = 0; i < 5; i++) await write(cwd, `{"id":1,"n":${i}}\n{"id":${i + 2},"n":0}\n`);
    await dv(
      cwd,
      'watch',
      '--to',
      kafka('once'),
      '--once',
      '--since',
      '2000-01-01',
      '--cursor-file',
      'mark',
    );
    await dv(cwd, 'watch', '--to', kafka('twice'), '--once', '--since', '2000-01-01');
    const [once, twice] = [await topics.read('once.orders'), await topics.read('twice.orders')];
    const bytes = (messages: ReadMessage[]) => messages.map(({ key, value }) => `${key} ${value}`);
    expect(once.length).toBe(10);
    expect(bytes(twice)).toEqual(bytes(once));
    await write(cwd, '{"id":1,"n":99}\n');
    await dv(cwd, 'watch', '--to', kafka('once'), '--once', '--cursor-file', 'mark');
    await dv(cwd, 'watch', '--to', kafka('twice'), '--once');
    const more = await topics.read('once.orders');
    expect(more.length).toBe(11);
    expect(bytes(await topics.read('twice.orders'))).toEqual(bytes(more));
  });

  it('goes on from a topic of cursors that has many partitions', async () => {
    const cwd = await shop();
    await topics.create('many.cursor', 7, { 'cleanup.policy': 'compact' });
    const watch = ['watch', 'main', '--to', kafka('many'), '--once'];
    for (let i = 1; i <= 3; i++) {
      await write(cwd, `{"id":${i}}\n`);
      await dv(cwd, ...watch);
    }
    const ops = parsed(await topics.read('many.orders')).map(([key, { op }]) => [key, op]);
    expect(ops).toEqual([
      ['{"id":1}', 'r'],
      ['{"id":2}', 'c'],
      ['{"id":3}', 'c'],
    ]);
  });

  it("follows a server, through its death and the broker's", async () => {
    const directory = temporaryDirectory();
    await dv(directory, 'init', '--bare', '--quiet', 'shop');
    const [port] = await freePorts(1);
    const serve = () =>
      startDv(['serve', '--listen', `127.0.0.1:${port}`, '--log', 'none'], { cwd: directory });
    let server = serve();
    const url = `http://127.0.0.1:${port}/shop`;
    const send = async (lines: string) => {
      const args = ['ingest', 'orders', '--remote', url, '--key', 'id'];
      const { status, stderr } = await runDv(args, { cwd: directory, input: lines });
      expect(stderr).toBe('');
      expect(status).toBe(0);
    };
    await send('{"id":1}\n');
    const watching = startDv(['watch', url, 'main', '--to', kafka('far')], { cwd: directory });
    const keys = async () =>
      (await topics.read('far.orders').catch(() => [])).map(({ key }) => key);
    await until(async () => (await keys()).length === 1);
    server.child.kill('SIGKILL');
    await server.ended;
    server = serve();
    await send('{"id":2}\n');
    await until(async () => (await keys()).length === 2);
    await broker.kill();
    await send('{"id":3}\n');
    await broker.start();
    await until(async () => new Set(await keys()).size === 3);
    expect([...new Set(await keys())]).toEqual(['{"id":1}', '{"id":2}', '{"id":3}']);
    watching.child.kill('SIGTERM');
    await watching.ended;
  });

  it('tells upserts and commits', async () => {
    const cwd = await shop();
    await write(cwd, '{"id":1,"j":{"a":1}}\n{"id":2,"j":null}\n');
    await write(cwd, '{"id":1,"op":"d"}\n', '--op-field', 'op');
    const all = ['--once', '--since', '2000-01-01', '--format'];
    await dv(cwd, 'watch', '--to', kafka('up'), ...all, 'upsert');
    expect((await topics.read('up.orders')).map(({ key, value }) => [key, value])).toEqual([
      ['{"id":1}', '{"id":1,"j":"{\\"a\\":1}"}'],
      ['{"id":2}', '{"id":2,"j":null}'],
      ['{"id":1}', null],
    ]);
    await dv(cwd, 'watch', '--to', kafka('up'), ...all, 'commits');
    const commits = parsed(await topics.read('up.commits'));
    expect(commits.map(([key, { sequence, tables }]) => [key, sequence, tables[0]])).toEqual([
      ['refs/heads/main', 1, { table: 'orders', added: 2, removed: 0, modified: 0 }],
      ['refs/heads/main', 2, { table: 'orders', added: 0, removed: 1, modified: 0 }],
    ]);
  });

  it('names topics of tables whose names no topic can have', async () => {
    const cwd = await shop();
    writeFileSync(join(cwd, 'a b.csv'), 'id\n1\n');
    mkdirSync(join(cwd, 'a_b'));
    await dv(cwd, 'add', 'a b.csv');
    await dv(cwd, 'commit', '-m', 'x', '--quiet');
    await dv(cwd, 'watch', '--to', kafka('odd'), '--once');
    expect(
      (await topics.list()).filter((name) => /^odd\.a_b\.csv-[0-9a-f]{8}$/.test(name)),
    ).toHaveLength(1);
  });
});
