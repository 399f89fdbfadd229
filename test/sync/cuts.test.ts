/**
 * Fetch and push through a connection that is reset behind every k-th byte, more than 200
 * times: each ends by trying again, little is sent twice, nothing incomplete is ever reached
 * by a ref, also when either side starts again in between.
 */
import { randomBytes } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { DvError } from '../../src/errors.ts';
import { add } from '../../src/porcelain/add.ts';
import { commit } from '../../src/porcelain/commit.ts';
import { fsck } from '../../src/porcelain/maintain.ts';
import { openRepository } from '../../src/porcelain/open-repository.ts';
import type { Repository } from '../../src/porcelain/repository.ts';
import { fetchInto } from '../../src/sync/fetch-into.ts';
import { openHttpRemote } from '../../src/sync/http-remote.ts';
import { DEFAULT_LIMITS } from '../../src/sync/protocol.ts';
import { pushFrom } from '../../src/sync/push-from.ts';
import { temporaryDirectory } from '../support/cli.ts';
import { startCutProxy } from '../support/cut-proxy.ts';
import { temporaryRepository } from '../support/repository.ts';
import { serverWorld, startServer } from '../support/server.ts';

const MAIN = 'refs/heads/main';
const RETRY = { sleep: async () => undefined, random: () => 0.5, attempts: 30 };

/** Rows that do not compress, over three commits. */
async function fill(repo: Repository, directory: string, rows: number): Promise<void> {
  for (const part of [1, 2, 3]) {
    const lines = Array.from(
      { length: rows },
      (_, i) => `${i * 3 + part},${randomBytes(48).toString('base64')}`,
    );
    writeFileSync(join(directory, `t${part}.csv`), `id,text\n${lines.join('\n')}\n`);
    await add(repo, [`t${part}.csv`], { key: ['id'] });
    await commit(repo, { message: `Commit ${part}` });
  }
}

async function expectSound(repo: Repository): Promise<void> {
  const problems: unknown[] = [];
  for await (const problem of fsck(repo)) problems.push(problem);
  expect(problems).toEqual([]);
}

/** No ref, and nothing of the unfinished transfer, counts. */
async function expectNothingYet(
  repo: Repository,
  head: Parameters<Repository['store']['hasMany']>[0],
) {
  expect(await repo.store.getRef(MAIN)).toBeUndefined();
  expect(await repo.store.hasMany(head)).toEqual([false]);
  await expectSound(repo);
}

const reopen = async (repo: Repository): Promise<Repository> => {
  await repo.close();
  return openRepository(repo.worktree, repo.env);
};

test('a fetch', async () => {
  const directory = temporaryDirectory();
  let server = await startServer({ directory });
  let source = await openRepository(join(directory, 'data'), serverWorld());
  const files = await temporaryRepository();
  await fill(files.repo, files.directory, 30_000);
  const head = await files.repo.store.getRef(MAIN);
  if (head === undefined) throw new Error('nothing was committed');
  const whole = openHttpRemote(`${server.url}/data`, { software: 'test' });
  await pushFrom(
    whole,
    files.repo.store,
    { updates: [{ ref: MAIN, old: null, new: head, strategy: 'ff-only' }], atomic: false },
    RETRY,
  );
  let size = 0;
  for await (const piece of whole.fetch({ wants: [head] })) size += piece.length;
  await whole.close();

  const every = Math.floor(size / 240);
  const proxy = await startCutProxy('down', server.port, every);
  const target = await temporaryRepository();
  let { repo } = target;
  let restarts = 0;
  for (let fetched: Awaited<ReturnType<typeof fetchInto>> | undefined; fetched === undefined; ) {
    const remote = openHttpRemote(`${proxy.url}/data`, { software: 'test' });
    const stop = new AbortController();
    const stopAt = proxy.cuts + 60;
    const retry = {
      ...RETRY,
      signal: stop.signal,
      sleep: async () => {
        if (proxy.cuts >= stopAt) stop.abort(new DvError('locked', 'killed'));
      },
    };
    try {
      fetched = await fetchInto(remote, repo.store, { wants: [head] }, retry);
    } catch (error) {
      expect(error).toMatchObject({ code: 'locked' });
    }
    await remote.close();
    if (fetched !== undefined) {
      await fetched.commit({ refs: [{ name: MAIN, old: null, new: head }] });
      break;
    }
    // Both sides start again, and nothing that came counts yet.
    repo = await reopen(repo);
    await expectNothingYet(repo, [head]);
    await server.close();
    server = await startServer({ directory, repositories: [] });
    proxy.target = server.port;
    restarts += 1;
    expect(restarts).toBeLessThan(20);
  }
  expect(proxy.cuts).toBeGreaterThanOrEqual(200);
  expect(restarts).toBeGreaterThan(2);
  // A closed connection takes the frame that was under way, a reset what was not read yet.
  const closes = proxy.cuts - proxy.resets;
  expect(proxy.bytes).toBeLessThan(size + closes * 12_288 + proxy.resets * every);
  expect(await repo.store.getRef(MAIN)).toBe(head);
  await expectSound(repo);
  await repo.close();
  await source.close();
  source = await openRepository(join(directory, 'data'), serverWorld());
  await expectSound(source);
  await source.close();
  await files[Symbol.asyncDispose]();
  rmSync(target.directory, { recursive: true, force: true });
}, 300_000);

test('a push', async () => {
  const directory = temporaryDirectory();
  // A segment is of one chunk then, and goes through between two cuts.
  const limits = { segmentBytes: 530_000, inlinePackBytes: 530_000 };
  let server = await startServer({ directory, limits });
  const files = await temporaryRepository();
  await fill(files.repo, files.directory, 34_000);
  const head = await files.repo.store.getRef(MAIN);
  if (head === undefined) throw new Error('nothing was committed');
  const every = 24 * 1024;
  const proxy = await startCutProxy('up', server.port, every);
  const update = { ref: MAIN, old: null, new: head, strategy: 'ff-only' } as const;
  const request = { updates: [update], atomic: false };
  const sent: string[] = [];
  let restarts = 0;
  for (let done = false; !done; ) {
    const remote = openHttpRemote(`${proxy.url}/data`, { software: 'test' });
    const { putSegment } = remote;
    const stopAt = proxy.cuts + 60;
    // The connection's own tries hide most cuts from the retries of the push.
    remote.putSegment = (id, number, pack) => {
      if (proxy.cuts >= stopAt) throw new DvError('locked', 'killed');
      sent.push(`${id} ${number}`);
      return putSegment.call(remote, id, number, pack);
    };
    const retry = { ...RETRY, limits: { ...DEFAULT_LIMITS, ...limits } };
    try {
      const { outcomes } = await pushFrom(remote, files.repo.store, request, retry);
      expect(outcomes).toMatchObject([{ status: 'ok', hash: head }]);
      done = true;
    } catch (error) {
      expect(error).toMatchObject({ code: 'locked' });
    }
    await remote.close();
    if (done) break;
    await server.close();
    const there = await openRepository(join(directory, 'data'), serverWorld());
    await expectNothingYet(there, [head]);
    await there.close();
    server = await startServer({ directory, limits, repositories: [] });
    proxy.target = server.port;
    restarts += 1;
    expect(restarts).toBeLessThan(20);
  }
  expect(proxy.cuts).toBeGreaterThanOrEqual(200);
  expect(restarts).toBeGreaterThan(2);
  expect(sent.length - new Set(sent).size).toBeLessThanOrEqual(proxy.cuts);
  await server.close();
  const there = await openRepository(join(directory, 'data'), serverWorld());
  expect(await there.store.getRef(MAIN)).toBe(head);
  await expectSound(there);
  await there.close();
  await files[Symbol.asyncDispose]();
}, 300_000);
