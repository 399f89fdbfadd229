/** `dv ingest` as a process: files, pipes, formats, following, and being killed. */
import {
  appendFileSync,
  copyFileSync,
  readFileSync,
  renameSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runDv, startDv, temporaryRepository, until } from '../support/cli.ts';

async function rows(cwd: string, table = 't'): Promise<string[]> {
  const args = ['export', `HEAD:${table}`, '--format', 'ndjson'];
  const { status, stdout } = await runDv(args, { cwd });
  return status === 0 ? stdout.split('\n').filter(Boolean) : [];
}

async function done(cwd: string, args: readonly string[], input?: string | Uint8Array) {
  const result = await runDv(['ingest', ...args, '--json'], { cwd, input });
  expect(result.stderr).toBe('');
  expect(result.status).toBe(0);
  return JSON.parse(result.stdout.trim().split('\n').at(-1) ?? '');
}

describe('ingest from a pipe', () => {
  it('keeps exact numbers, nested values and what is null', async () => {
    const cwd = await temporaryRepository();
    const input =
      '{"id":1,"big":9007199254740993,"d":1.50,"e":1e5,"s":"00\\n7","j":{"b": [1, {}]},"x":null}\n' +
      '\n{"id":2,"s":""}\r\n';
    const result = await done(cwd, ['t', '--key', 'id'], input);
    expect(result).toMatchObject({ type: 'done', rows: 2, commits: 1, records: 3, dead: 0 });
    expect(await rows(cwd)).toEqual([
      '{"id":1,"big":9007199254740993,"d":1.50,"e":1e5,"s":"00\\n7","j":{"b":[1,{}]},"x":null}',
      '{"id":2,"big":null,"d":null,"e":null,"s":"","j":null,"x":null}',
    ]);
  });

  it('is the table that an import makes', async () => {
    const cwd = await temporaryRepository();
    const lines = Array.from({ length: 3000 }, (_, i) =>
      JSON.stringify({ id: (i * 7919) % 3001, name: `n${i}`, x: i / 8, on: i % 2 === 0 }),
    );
    writeFileSync(join(cwd, 'rows.ndjson'), `${lines.join('\n')}\n`);
    await done(cwd, ['t', '--key', 'id', '--from', 'rows.ndjson', '--max-rows', '700']);
    await runDv(['import', 'u', 'rows.ndjson', '--key', 'id'], { cwd });
    await runDv(['commit', '-m', 'u'], { cwd });
    const hashes = await Promise.all(
      ['t', 'u'].map((name) => runDv(['hash', `HEAD:${name}`], { cwd })),
    );
    expect(hashes[0].status).toBe(0);
    expect(hashes[0].stdout.split(' ')[0].trim()).toBe(hashes[1].stdout.split(' ')[0].trim());
  });

  it('says before the first record what would be wrong of each', async () => {
    const cwd = await temporaryRepository();
    await done(cwd, ['t', '--key', 'id'], '{"id":1,"v":"a"}\n');
    const { stdout } = await runDv(['log', '-1', '--pretty', '%s'], { cwd });
    expect(stdout).toBe('ingest 1 row into t from standard input\n');
    const cases: [args: string[], complaint: string][] = [
      [['t', '--key', 'v'], `error: 't' has the key id, not "v"\n`],
      [['a/../b'], `error: table name "a/../b" has a part '..'\n`],
      [['t', '--from', 'none.ndjson'], "error: there is no file 'none.ndjson'\n"],
    ];
    for (const [args, complaint] of cases) {
      const { stderr } = await runDv(['ingest', ...args], { cwd, input: '{"v":"b","id":2}\n' });
      expect(stderr.slice(0, complaint.length)).toBe(complaint);
    }
    expect(await rows(cwd)).toEqual(['{"id":1,"v":"a"}']);
  });

  it('reads CSV, with quotes over lines, nulls and deletes', async () => {
    const cwd = await temporaryRepository();
    const first = 'id,note,n\n1,"a, ""b""\nc",5\n2,,""\n3,x,7\n';
    await done(cwd, ['t', '--key', 'id', '--format', 'csv'], first);
    expect(await rows(cwd)).toEqual([
      '{"id":1,"note":"a, \\"b\\"\\nc","n":"5"}',
      '{"id":2,"note":null,"n":""}',
      '{"id":3,"note":"x","n":"7"}',
    ]);
    const then = 'op,id,note,n\nd,1,,\nu,2,y,1\n';
    await done(cwd, ['t', '--format', 'csv', '--op-field', 'op'], then);
    expect(await rows(cwd)).toEqual(['{"id":2,"note":"y","n":"1"}', '{"id":3,"note":"x","n":"7"}']);
  });

  it('is exact with a sequence, although the pipe begins anew', async () => {
    const cwd = await temporaryRepository();
    const line = (i: number) => `{"id":${i % 3},"n":${i},"seq":${i}}\n`;
    const args = ['t', '--key', 'id', '--sequence', 'seq'];
    await done(cwd, args, [0, 1, 2, 3].map(line).join(''));
    const again = await done(cwd, args, [2, 3, 4].map(line).join(''));
    expect(again).toMatchObject({ rows: 1, known: 2 });
    const back = await runDv(['ingest', ...args], { cwd, input: line(9) + line(7) });
    expect(back.status).toBe(3);
    expect(back.stderr).toContain('"seq" is 7 behind 9');
  });

  it('understands Debezium, wrapped and bare, and a key that changes', async () => {
    const cwd = await temporaryRepository();
    const row = (id: number, n: string) => `{"id":${id},"n":${n}}`;
    const envelope = (op: string, before: string, after: string) =>
      `{"before":${before},"after":${after},"source":{"db":"x"},"op":"${op}","ts_ms":1}`;
    const input = [
      envelope('r', 'null', row(1, '12345678901234567890')),
      `{"schema":{"type":"struct"},"payload":${envelope('c', 'null', row(2, '1.10'))}}`,
      envelope('u', row(2, '1.10'), row(5, '2.20')),
      envelope('c', 'null', row(3, 'null')),
      envelope('d', row(3, 'null'), 'null'),
    ];
    const args = ['t', '--key', 'id', '--format', 'debezium'];
    await done(cwd, args, `${input.join('\n')}\n`);
    expect(await rows(cwd)).toEqual(['{"id":1,"n":12345678901234567890}', '{"id":5,"n":2.20}']);
    // The first record of a stream moves a row, and brings a column that the old one had not.
    const moves = envelope('u', '{"id":5}', '{"id":6,"n":1,"m":2}');
    await done(cwd, args, `${moves}\n`);
    expect((await rows(cwd))[1]).toBe('{"id":6,"n":1,"m":2}');
    for (const [bad, reason] of [
      [envelope('t', 'null', 'null'), 'a truncation of the whole table'],
      ['{"id":1}', 'no Debezium envelope'],
      [envelope('u', 'null', '{"id":1,"n":"__debezium_unavailable_value"}'), 'did not have'],
      [envelope('c', 'null', 'null'), 'without "after"'],
    ]) {
      const { status, stderr } = await runDv(['ingest', ...args], { cwd, input: `${bad}\n` });
      expect(status).toBe(3);
      expect(stderr).toContain(reason);
    }
  });

  it('widens columns, or refuses', async () => {
    const cwd = await temporaryRepository();
    await done(cwd, ['t', '--key', 'id'], '{"id":1,"n":1}\n');
    const drifted = '{"id":2,"n":2}\n{"id":3,"n":2.5,"more":true}\n{"id":4,"n":4}\n';
    const refused = await runDv(['ingest', 't', '--drift', 'refuse'], { cwd, input: drifted });
    expect(refused.status).toBe(2); // unknown-column
    expect(refused.stderr).toContain('line 2: ');
    expect(await rows(cwd)).toHaveLength(2);
    await done(cwd, ['t', '--drift', 'widen'], drifted);
    expect((await rows(cwd))[2]).toBe('{"id":3,"n":2.5,"more":true}');
  });

  it('writes nothing in a dry run', async () => {
    const cwd = await temporaryRepository();
    const result = await done(cwd, ['t', '--key', 'id', '--dry-run'], '{"id":1}\n{"id":2}\n');
    expect(result).toMatchObject({ rows: 2, commits: 0, dryRun: true });
    expect((await runDv(['log'], { cwd })).status).not.toBe(0);
  });

  it.each([
    [['--tail'], '--tail follows a file'],
    [['--on-bad', 'dead-letter'], 'needs a place for bad records'],
    [['--on-bad', 'drop'], "--on-bad does not know 'drop'"],
    [['--drift', 'x'], "--drift does not know 'x'"],
    [['--max-rows', '0'], 'no whole number above 0'],
    [['--format', 'xml'], "--format does not know 'xml'"],
    [['--op-field', 'a', '--delete-field', 'b'], 'both say what a delete is'],
    [['--from', 'kafka:localhost'], 'no address of a Kafka topic'],
    [['--from', 'kafka:localhost:1/t', '--format', 'csv'], 'have no CSV header'],
  ])('refuses %j', async (args, message) => {
    const cwd = await temporaryRepository();
    const { status, stderr } = await runDv(['ingest', 't', ...args], { cwd });
    expect(status).toBe(2);
    expect(stderr).toContain(message);
  });
});

describe('bad records', () => {
  it('are put aside with reason, place and bytes; the rest is in', async () => {
    const cwd = await temporaryRepository();
    const bad = [
      Buffer.from('not json'),
      Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]),
      Buffer.from('{"n":1}'),
      Buffer.from('{"id":7} {"id":8}'),
      Buffer.from(`{"id":9,"s":"${'x'.repeat(300)}"}`),
      Buffer.from('[1]'),
      Buffer.from('{"id":1,"id":2}'),
    ];
    const good = (id: number) => Buffer.from(`{"id":${id},"s":"ok"}`);
    const lines = bad.flatMap((one, i) => [good(100 + i), one]);
    const input = Buffer.concat(lines.flatMap((line) => [line, Buffer.from('\n')]));
    const args = ['t', '--key', 'id', '--dead-letter', 'bad.ndjson', '--max-record', '200'];
    const result = await done(cwd, args, input);
    expect(result).toMatchObject({ rows: bad.length, dead: bad.length });
    expect(await rows(cwd)).toHaveLength(bad.length);
    const text = readFileSync(join(cwd, 'bad.ndjson'), 'utf8').trim();
    const letters = text.split('\n').map((line) => JSON.parse(line));
    expect(letters.map(({ line }) => line)).toEqual(bad.map((_, i) => 2 * i + 2));
    for (const [i, { record, recordBase64, offset }] of letters.entries()) {
      const kept = record === undefined ? Buffer.from(recordBase64, 'base64') : Buffer.from(record);
      expect(kept).toEqual(bad[i]);
      expect(input.subarray(offset, offset + 3)).toEqual(bad[i].subarray(0, 3));
    }
    expect(letters.map(({ code }) => code)).toEqual([
      ...['bad-json', 'invalid-utf8', 'null-key', 'bad-json'],
      ...['record-too-large', 'bad-json', 'bad-json'],
    ]);
  });
});

it('says where dead letters cannot go', async () => {
  const cwd = await temporaryRepository();
  const args = ['ingest', 't', '--key', 'id', '--dead-letter', 'no/such/folder/x'];
  const { status, stderr } = await runDv(args, { cwd, input: '{"id":1}\n' });
  expect(status).toBe(3);
  expect(stderr).toContain("no/such/folder/x'");
});

describe('ingest from a file', () => {
  it('goes on where it was, also under another name, and begins anew with another file', async () => {
    const cwd = await temporaryRepository();
    const file = join(cwd, 'a.ndjson');
    writeFileSync(file, '{"id":1}\n{"id":2}');
    const args = ['t', '--key', 'id', '--from', 'a.ndjson'];
    expect(await done(cwd, args)).toMatchObject({ rows: 2 });
    appendFileSync(file, '\n{"id":3}\n');
    expect(await done(cwd, args)).toMatchObject({ rows: 1 });
    copyFileSync(file, join(cwd, 'b.ndjson'));
    const named = ['t', '--from', 'b.ndjson', '--source', 'file:a.ndjson'];
    expect(await done(cwd, named)).toMatchObject({ rows: 0 });
    writeFileSync(file, '{"id":10}\n{"id":11}\n');
    const other = await runDv(['ingest', ...args], { cwd });
    expect(other.stderr).toContain('another file than the one read before');
    expect(await rows(cwd)).toHaveLength(5);
  });

  it('says what becomes of a file that is checked out', async () => {
    const cwd = await temporaryRepository();
    writeFileSync(join(cwd, 'in.ndjson'), '{"id":1}\n');
    const { stderr, status } = await runDv(
      ['ingest', 'out.csv', '--key', 'id', '--from', 'in.ndjson'],
      { cwd },
    );
    expect(status).toBe(0);
    expect(stderr).toContain('dv restore out.csv brings it up to date');
  });

  it('follows a file through rotation and truncation', async () => {
    const cwd = await temporaryRepository();
    const file = join(cwd, 'log');
    const { child, ended } = startDv(
      ['ingest', 't', '--key', 'id', '--from', 'log', '--tail', '--json'],
      { cwd },
    );
    writeFileSync(file, '{"id":1}\n{"id":2');
    await until(async () => (await rows(cwd)).length === 1);
    appendFileSync(file, '}\n');
    await until(async () => (await rows(cwd)).length === 2);
    // Rotated while somebody still writes the old file.
    renameSync(file, join(cwd, 'log.1'));
    appendFileSync(join(cwd, 'log.1'), '{"id":3}\n');
    writeFileSync(file, '{"id":4,"longer":"than what comes next"}\n');
    await until(async () => (await rows(cwd)).length === 4);
    truncateSync(file);
    appendFileSync(file, '{"id":5}\n');
    await until(async () => (await rows(cwd)).length === 5);
    child.kill('SIGTERM');
    const { status, stdout } = await ended;
    expect(status).toBe(0);
    expect(JSON.parse(stdout.trim().split('\n').at(-1) ?? '')).toMatchObject({ rows: 5 });
  });

  it('reads the end of a file that was rotated while nobody followed', async () => {
    const cwd = await temporaryRepository();
    const file = join(cwd, 'log');
    const follow = () =>
      startDv(['ingest', 't', '--key', 'id', '--from', 'log', '--tail'], { cwd });
    writeFileSync(file, '{"id":1}\n');
    const first = follow();
    await until(async () => (await rows(cwd)).length === 1);
    first.child.kill('SIGKILL');
    await first.ended;
    appendFileSync(file, '{"id":2}\n');
    renameSync(file, join(cwd, 'log.1'));
    writeFileSync(file, '{"id":3}\n');
    const second = follow();
    await until(async () => (await rows(cwd)).length === 3);
    second.child.kill('SIGTERM');
    await second.ended;
    const log = await runDv(['log', '--json'], { cwd });
    expect(log.stdout.trim().split('\n').length).toBeLessThanOrEqual(3);
  });

  it('has every record once after being killed many times, two at a time', async () => {
    const cwd = await temporaryRepository();
    const count = Number(process.env.DV_INGEST_RECORDS ?? 20_000);
    const lines = Array.from({ length: count }, (_, i) => `{"id":${i},"n":${i % 7}}\n`);
    writeFileSync(join(cwd, 'all.ndjson'), lines.join(''));
    const args = ['ingest', 't', '--key', 'id', '--from', 'all.ndjson', '--max-rows', '100'];
    for (let kill = 0; kill < 6; kill++) {
      const running = [startDv(args, { cwd }), startDv(args, { cwd })];
      const before = await written(cwd);
      await until(async () => (await written(cwd)) > before || isOver(running));
      for (const { child } of running) child.kill('SIGKILL');
      await Promise.all(running.map(({ ended }) => ended));
    }
    expect((await runDv(args, { cwd })).status).toBe(0);
    expect(await rows(cwd)).toEqual(lines.map((line) => line.trim()));
    expect(await written(cwd)).toBe(count);
    expect((await runDv(['fsck'], { cwd })).status).toBe(0);
  });

  const isOver = (running: readonly { child: { exitCode: number | null } }[]) =>
    running.every(({ child }) => child.exitCode !== null);

  /** Rows that the branch's commits say they took. */
  async function written(cwd: string): Promise<number> {
    const { stdout } = await runDv(['log', '--json'], { cwd });
    const messages = stdout
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line).message);
    return messages.reduce((sum, text) => sum + Number(/^ingest (\d+) rows/.exec(text)?.[1]), 0);
  }
});
