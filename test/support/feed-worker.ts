/**
 * A process beside the test on the same store:
 *
 *   node test/support/feed-worker.ts PATH move    moves a ref for each line it is sent
 *   node test/support/feed-worker.ts PATH follow  prints each sequence as soon as it is there
 *   node test/support/feed-worker.ts PATH idle    only waits for the feed: must end at once
 */
import { createInterface } from 'node:readline';
import { hashOf } from '../../src/hash.ts';
import { openSqliteStore } from '../../src/store/sqlite.ts';

const [path, mode] = process.argv.slice(2);
const store = await openSqliteStore(path, { now: () => Date.now() });
const { signal } = new AbortController();

if (mode === 'move') await move();
if (mode === 'follow') await follow();
if (mode === 'idle') void store.waitForFeed(1_000_000, signal);
process.stdout.write('ready\n');

async function move(): Promise<void> {
  process.stdout.write('ready\n');
  for await (const line of createInterface(process.stdin)) {
    const to = hashOf(Buffer.from(line));
    await store.transact({ refs: [{ name: `refs/heads/${line}`, old: null, new: to }] });
    process.stdout.write(`${line}\n`);
  }
}

async function follow(): Promise<void> {
  process.stdin.resume(); // waiting alone keeps no process alive
  process.stdout.write('ready\n');
  for (let after = 0; ; ) {
    await store.waitForFeed(after, signal);
    for (const { sequence, name } of (await store.readFeed(after, 100)).entries) {
      process.stdout.write(`${sequence} ${name}\n`);
      after = sequence;
    }
  }
}
