/** `dv ingest` from a real broker: values, tombstones, dead letters, faults. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runDv, startDv, temporaryRepository, until } from '../support/cli.ts';
import { findBrokerJars, KafkaBroker } from '../support/kafka.ts';
import { TestTopics } from '../support/kafka-topics.ts';

const found = await findBrokerJars();
if ('missing' in found) console.warn(`Kafka tests are skipped: ${found.missing}`);

describe.skipIf('missing' in found)('ingest from Kafka', () => {
  let broker: KafkaBroker;
  let topics: TestTopics;

  beforeAll(async () => {
    if ('missing' in found) return;
    broker = await KafkaBroker.start(found.jars);
    topics = new TestTopics(broker.address);
  });
  afterAll(() => broker?.remove());

  const from = (topic: string) => `kafka:${broker.address}/${topic}`;

  async function rows(cwd: string, table: string): Promise<unknown[]> {
    const { stdout, status, stderr } = await runDv(
      ['export', `HEAD:${table}`, '--format', 'ndjson'],
      { cwd },
    );
    expect(stderr).toBe('');
    expect(status).toBe(0);
    return stdout.split('\n').filter(Boolean);
  }

  it('takes the exact text of numbers, and goes on where the branch is', async () => {
    await topics.create('exact', 3);
    const cwd = await temporaryRepository();
    const big = '9007199254740993';
    await topics.send('exact', [
      { partition: 0, value: `{"id":1,"n":${big},"d":1.50,"s":"007"}` },
      { partition: 1, value: '{"id":2,"n":-1,"d":123456789012345678901234567890.10,"s":null}' },
      { partition: 2, value: '{"id":3,"n":0,"d":0.1,"s":"é","deep":{"a":[1, 2]}}' },
    ]);
    const args = ['ingest', 'numbers', '--from', from('exact'), '--key', 'id', '--once'];
    const first = await runDv(args, { cwd });
    expect(first.stderr).toBe('');
    expect(first.stdout).toContain('3 rows into numbers on main');
    expect(await rows(cwd, 'numbers')).toEqual([
      `{"id":1,"n":${big},"d":1.50,"s":"007","deep":null}`,
      '{"id":2,"n":-1,"d":123456789012345678901234567890.10,"s":null,"deep":null}',
      '{"id":3,"n":0,"d":0.1,"s":"é","deep":{"a":[1,2]}}',
    ]);
    expect((await runDv(args, { cwd })).stdout).toContain(
      '0 rows into numbers on main in 0 commits',
    );
    await topics.send('exact', [{ partition: 1, value: '{"id":4,"n":5,"d":1,"s":"x"}' }]);
    expect((await runDv(args, { cwd })).stdout).toContain('1 row into numbers on main in 1 commit');
    const log = await runDv(['cat-object', 'HEAD', '--json'], { cwd });
    expect(log.stdout).toContain('"kafka:exact":{"0":"1","1":"2","2":"1"}');
  });

  it('deletes by tombstones, with keys as objects and as bare values', async () => {
    await topics.create('stones');
    const cwd = await temporaryRepository();
    await topics.send('stones', [
      { key: 'a', value: '{"id":"a","n":1}' },
      { key: 'b', value: '{"id":"b","n":2}' },
      { key: 'c', value: '{"id":"c","n":3}' },
      { key: 'a', value: null },
      { key: '{"id":"b"}', value: null },
    ]);
    const args = ['ingest', 't', '--from', from('stones'), '--key', 'id', '--once'];
    expect((await runDv(args, { cwd })).status).toBe(0);
    expect(await rows(cwd, 't')).toEqual(['{"id":"c","n":3}']);
  });

  it('puts bad records aside, in a file and in a topic, byte for byte', async () => {
    await topics.create('mixed');
    await topics.create('dead');
    const cwd = await temporaryRepository();
    const notText = Buffer.from([0x7b, 0xff, 0xfe, 0x7d]);
    await topics.send('mixed', [
      { key: 'k1', value: '{"id":1,"n":1}' },
      { key: 'k2', value: '{"id":2,' },
      { key: 'k3', value: notText },
      { key: 'k4', value: '{"n":4}' },
      { key: 'k5', value: '{"id":5,"n":5}' },
    ]);
    const args = ['ingest', 't', '--from', from('mixed'), '--key', 'id', '--once'];
    const stopped = await runDv(args, { cwd });
    expect(stopped.status).toBe(3);
    expect(stopped.stderr).toContain("topic 'mixed', partition 0, offset 1: ");
    expect(await rows(cwd, 't')).toHaveLength(1);

    const inFile = await runDv([...args, '--dead-letter', 'bad.ndjson'], { cwd });
    expect(inFile.stderr).toBe('');
    expect(inFile.stdout).toContain('3 records put aside');
    const letters = readFileSync(join(cwd, 'bad.ndjson'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(letters.map(({ offset, code }) => [offset, code])).toEqual([
      [1, 'bad-json'],
      [2, 'invalid-utf8'],
      [3, 'null-key'],
    ]);
    expect(letters[0]).toMatchObject({ record: '{"id":2,', key: 'k2', partition: 'partition 0' });
    expect(letters[1].recordBase64).toBe(notText.toString('base64'));
    expect(await rows(cwd, 't')).toHaveLength(2);

    const other = await temporaryRepository();
    const inTopic = await runDv([...args, '--dead-letter', from('dead')], { cwd: other });
    expect(inTopic.stderr).toBe('');
    const dead = await topics.read('dead');
    expect(dead.map(({ key, headers }) => [key, headers['dv-code'], headers['dv-offset']])).toEqual(
      [
        ['k2', 'bad-json', '1'],
        ['k3', 'invalid-utf8', '2'],
        ['k4', 'null-key', '3'],
      ],
    );
    expect(dead[1].bytes).toEqual(notText);
  });

  it('refuses offsets that the broker forgot, unless told to go on', async () => {
    await topics.create('short');
    const cwd = await temporaryRepository();
    await topics.send('short', [{ value: '{"id":1}' }, { value: '{"id":2}' }]);
    const args = ['ingest', 't', '--from', from('short'), '--key', 'id', '--once'];
    expect((await runDv(args, { cwd })).status).toBe(0);
    await topics.send(
      'short',
      Array.from({ length: 4 }, (_, i) => ({ value: `{"id":${i + 3}}` })),
    );
    await topics.forget('short', 5);
    const refused = await runDv(args, { cwd });
    expect(refused.status).toBe(3);
    expect(refused.stderr).toContain('offset 2 is not there, it has 5 to 6');
    const gone = await runDv([...args, '--from-earliest'], { cwd });
    expect(gone.stderr).toContain('partition 0 goes on at 5, not at 2');
    expect(await rows(cwd, 't')).toEqual(['{"id":1}', '{"id":2}', '{"id":6}']);
  });

  it('reads a topic that was made anew from its beginning, when told to', async () => {
    await topics.create('anew');
    const cwd = await temporaryRepository();
    await topics.send(
      'anew',
      Array.from({ length: 5 }, (_, i) => ({ value: `{"id":${i}}` })),
    );
    const args = ['ingest', 't', '--from', from('anew'), '--key', 'id', '--once'];
    expect((await runDv(args, { cwd })).status).toBe(0);
    await topics.remove('anew');
    await topics.create('anew');
    await topics.send('anew', [{ value: '{"id":100}' }, { value: '{"id":101}' }]);
    expect((await runDv(args, { cwd })).stderr).toContain('offset 5 is not there, it has 0 to 2');
    const told = await runDv([...args, '--from-earliest'], { cwd });
    expect(told.stdout).toContain('2 rows into t');
    expect(await rows(cwd, 't')).toHaveLength(7);
    expect((await runDv(args, { cwd })).stdout).toContain('0 rows into t');
  });

  it('says so when there is no broker or no topic', async () => {
    const cwd = await temporaryRepository();
    const args = ['ingest', 't', '--key', 'id', '--retry-for', '500', '--once', '--from'];
    const nobody = await runDv([...args, 'kafka:127.0.0.1:1/none'], { cwd });
    expect(nobody.status).toBe(4);
    expect(nobody.stderr).toContain('no answer from the broker 127.0.0.1:1');
    const noTopic = await runDv([...args, from('no-such-topic')], { cwd });
    expect(noTopic.status).toBe(2);
    expect(noTopic.stderr).toContain("no topic 'no-such-topic'");
  });

  it('lives through a broker that is killed', async () => {
    await topics.create('killed', 2);
    const cwd = await temporaryRepository();
    const send = (first: number) =>
      topics.send(
        'killed',
        Array.from({ length: 500 }, (_, i) => ({
          partition: i % 2,
          value: `{"id":${first + i}}`,
        })),
      );
    await send(0);
    const { child, ended } = startDv(
      ['ingest', 't', '--from', from('killed'), '--key', 'id', '--json'],
      { cwd },
    );
    await until(async () => (await rows(cwd, 't').catch(() => [])).length === 500);
    await broker.kill();
    await broker.start();
    await send(500);
    await until(async () => (await rows(cwd, 't')).length === 1000);
    child.kill('SIGTERM');
    const { stdout, status } = await ended;
    expect(status).toBe(0);
    expect(JSON.parse(stdout.trim().split('\n').at(-1) ?? '')).toMatchObject({
      ...{ type: 'done', rows: 1000, table: 't' },
    });
  });
});
