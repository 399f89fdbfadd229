/** Pushes whose process is killed, each of another head, do not stand in the way of the next. */
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { fsck } from '../../src/porcelain/maintain.ts';
import { openRepository } from '../../src/porcelain/open-repository.ts';
import { DEFAULT_LIMITS } from '../../src/sync/protocol.ts';
import { listSessions } from '../../src/sync/push-sessions.ts';
import { runDv, startDv, temporaryDirectory, until } from '../support/cli.ts';
import { startCutProxy } from '../support/cut-proxy.ts';
import { serverWorld, startServer } from '../support/server.ts';

const KILLS = DEFAULT_LIMITS.pushSessions + 2;
const KILLED = 137;

test('a push goes through after more killed ones than may be open', async () => {
  const cwd = temporaryDirectory();
  const directory = temporaryDirectory();
  const server = await startServer({ directory });
  const proxy = await startCutProxy('up', server.port, Number.POSITIVE_INFINITY);
  const run = async (...args: string[]) => {
    const result = await runDv(args, { cwd });
    expect(result).toMatchObject({ status: 0 });
    return result;
  };
  await run('init');
  await run('remote', 'add', 'origin', `${proxy.url}/data`);
  for (let kill = 0; kill < KILLS; kill++) {
    const rows = Array.from(
      { length: 60_000 },
      (_, i) => `${i},${randomBytes(90).toString('hex')}`,
    );
    writeFileSync(join(cwd, 't.csv'), `id,text\n${rows.join('\n')}\n`);
    await run('add', 't.csv');
    await run('commit', '-m', `commit ${kill}`);
    const before = proxy.bytes;
    const { child, ended } = startDv(['push', 'origin', 'main'], { cwd });
    // a segment is through, and another one under way
    await until(() => proxy.bytes - before > DEFAULT_LIMITS.segmentBytes + 100_000);
    child.kill('SIGKILL');
    expect(await ended).toMatchObject({ status: KILLED });
  }
  await run('push', 'origin', 'main');
  await server.close();
  const there = await openRepository(join(directory, 'data'), serverWorld());
  const { kept } = await listSessions(there.store, Date.now());
  const unfinished = kept.filter(({ record }) => record.answer === undefined);
  expect(unfinished).toHaveLength(DEFAULT_LIMITS.pushSessions - 1);
  const problems: unknown[] = [];
  for await (const problem of fsck(there)) problems.push(problem);
  expect(problems).toEqual([]);
  await there.close();
}, 120_000);
