/**
 * From a commit to whoever waits for the feed, in the same process and in another one.
 *
 *   npx node test/bench/feed-latency.ts [COUNT] [--waiters N]
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { hashOf } from '../../src/hash.ts';
import { openSqliteStore } from '../../src/store/sqlite.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { waiters: { type: 'string', default: '1' }, follow: { type: 'string' } },
});
const count = Number(positionals[0] ?? 300);
const { signal } = new AbortController();
/** Comparable between processes. */
const clock = (): number => performance.timeOrigin + performance.now();

if (values.follow === undefined) await measure();
else await follow(values.follow);

async function follow(path: string): Promise<void> {
  process.stdin.resume();
  const store = await openSqliteStore(path, { now: Date.now });
  process.stdout.write('0\n');
  for (let after = 0; after < count; ) {
    await store.waitForFeed(after, signal);
    const { last } = await store.readFeed(after, 1);
    process.stdout.write(`${clock()}\n`);
    after = last;
  }
  process.exit(0);
}

async function measure(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'dv-feed-'));
  const path = join(directory, 'store.db');
  const store = await openSqliteStore(path, { now: Date.now });
  const child = spawn(process.execPath, [import.meta.filename, String(count), '--follow', path], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  await lines.next();
  const own: number[] = [];
  const others: number[] = [];
  for (let i = 0; i < count; i++) {
    const waiting = Array.from({ length: Number(values.waiters) }, () =>
      store.waitForFeed(i, signal).then(clock),
    );
    await sleep(5);
    const to = hashOf(Buffer.from(`${i}`));
    await store.transact({ refs: [{ name: `refs/heads/${i}`, old: null, new: to }] });
    const done = clock();
    own.push(Math.max(...(await Promise.all(waiting))) - done);
    others.push(Number((await lines.next()).value) - done);
  }
  await store.close();
  rmSync(directory, { recursive: true, force: true });
  for (const [name, times] of [
    ['this process', own],
    ['another process', others],
  ] as const) {
    times.sort((a, b) => a - b);
    const [p50, p99] = [0.5, 0.99].map((share) => times[Math.floor(times.length * share)]);
    console.log(`${name}: p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms`);
  }
}
