/** A server's memory does not grow with what it has sent and taken. */
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openRepository } from '../../src/porcelain/open-repository.ts';
import { temporaryDirectory, until } from '../support/cli.ts';
import { PUSH_TYPE, PushSource, rowsFrom } from '../support/push-source.ts';
import { serverWorld, startServeProcess, startServer } from '../support/server.ts';

const MB = 1024 * 1024;

test('the space for young objects stays small in a server that sends much', async () => {
  const directory = temporaryDirectory();
  const first = await startServer({ directory });
  await using source = await PushSource.open();
  const commit = await source.commit(rowsFrom(0, 20_000, () => randomBytes(16).toString('hex')));
  const body = await source.body(commit, null);
  const headers = { 'content-type': PUSH_TYPE };
  const pushed = await fetch(`${first.url}/v1/repos/data/push`, { method: 'POST', body, headers });
  expect(pushed.status).toBe(200);
  await first.close();
  const there = await openRepository(join(directory, 'data'), serverWorld());
  expect(await there.store.getRef('refs/heads/main')).toBe(commit);
  await there.close();

  // Says on a signal how large the space is.
  const told = join(directory, 'young.txt');
  const probe = join(directory, 'probe.cjs');
  writeFileSync(
    probe,
    `process.on('SIGUSR2', () => {
      const young = require('node:v8').getHeapSpaceStatistics()
        .filter((one) => one.space_name === 'new_space')[0].space_size;
      require('node:fs').writeFileSync(${JSON.stringify(told)}, String(young) + '\\n');
    });`,
  );
  const server = await startServeProcess(directory, [], { NODE_OPTIONS: `--require ${probe}` });
  const youngBytes = async (): Promise<number> => {
    writeFileSync(told, '');
    process.kill(server.pid, 'SIGUSR2');
    await until(() => readFileSync(told, 'utf8').endsWith('\n'));
    return Number(readFileSync(told, 'utf8'));
  };
  expect(await youngBytes()).toBeGreaterThan(0);
  let bytes = 0;
  const takeSome = async (): Promise<void> => {
    for (let n = 0; n < 20; n++) {
      const answer = await fetch(`${server.url}/v1/repos/data/fetch`, {
        method: 'POST',
        body: JSON.stringify({ wants: [commit] }),
        headers: { 'content-type': 'application/json' },
      });
      bytes += (await answer.arrayBuffer()).byteLength;
    }
  };
  await Promise.all(Array.from({ length: 8 }, takeSome));
  expect(bytes).toBeGreaterThan(10 * MB);
  expect(await youngBytes()).toBeLessThanOrEqual(24 * MB);
}, 60_000);
