/** Waiting for what other processes do to a store, with real processes. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { hashOf, parseHash } from '../../src/hash.ts';
import { read } from '../suites/store-suite.ts';
import { type SqlitePlace, sqlitePlace } from '../support/store-places.ts';

const worker = (name: string) => fileURLToPath(new URL(`../support/${name}`, import.meta.url));
const NEVER = new AbortController().signal;

let place: SqlitePlace;
const children: Worker[] = [];
beforeEach(() => {
  place = sqlitePlace();
});
afterEach(async () => {
  for (const child of children.splice(0)) await child.kill();
  place.remove();
});

/** A child process whose lines can be awaited one by one. */
class Worker {
  readonly process: ChildProcess;
  readonly ended: Promise<unknown>;
  private readonly lines: AsyncIterator<string>;

  constructor(file: string, ...args: string[]) {
    this.process = spawn(process.execPath, [worker(file), place.path, ...args], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.ended = once(this.process, 'close');
    this.lines = linesOf(this.process);
    children.push(this);
  }

  async line(): Promise<string | undefined> {
    const { value, done } = await this.lines.next();
    return done ? undefined : value;
  }

  send(line: string): void {
    this.process.stdin?.write(`${line}\n`);
  }

  async kill(): Promise<void> {
    this.process.kill('SIGKILL');
    await this.ended;
  }
}

async function* linesOf(child: ChildProcess): AsyncGenerator<string> {
  let text = '';
  for await (const part of child.stdout ?? []) {
    const pieces = (text + part).split('\n');
    text = pieces.pop() ?? '';
    yield* pieces;
  }
}

describe('the feed', () => {
  it('wakes whoever waits when another process has moved a ref', async () => {
    const store = await place.open();
    const mover = new Worker('feed-worker.ts', 'move');
    expect(await mover.line()).toBe('ready');
    for (let i = 1; i <= 20; i++) {
      const waiting = store.waitForFeed(i - 1, NEVER);
      mover.send(`${i}`);
      await waiting;
      const { entries } = await store.readFeed(i - 1, 10);
      expect(entries).toMatchObject([{ sequence: i, name: `refs/heads/${i}` }]);
      expect(await mover.line()).toBe(`${i}`);
    }
    await store.close();
  });

  it('wakes another process for what this one does', async () => {
    const store = await place.open();
    const followers = [1, 2].map(() => new Worker('feed-worker.ts', 'follow'));
    for (const follower of followers) expect(await follower.line()).toBe('ready');
    for (let i = 1; i <= 10; i++) {
      const to = hashOf(Buffer.from(`${i}`));
      await store.transact({ refs: [{ name: `refs/heads/${i}`, old: null, new: to }] });
      for (const follower of followers) expect(await follower.line()).toBe(`${i} refs/heads/${i}`);
    }
    await store.close();
  });

  it('keeps no process alive that only waits for it', async () => {
    const idle = new Worker('feed-worker.ts', 'idle');
    expect(await idle.line()).toBe('ready');
    await idle.ended;
    expect(idle.process.signalCode).toBeNull();
  });

  it.skipIf(!existsSync('/proc/self/fdinfo'))('is watched once, however many wait', async () => {
    const store = await place.open();
    const before = watches();
    const controller = new AbortController();
    const waiting = Array.from({ length: 1000 }, () => store.waitForFeed(0, controller.signal));
    expect(watches()).toBe(before + 1);
    controller.abort();
    await Promise.all(waiting);
    const more = Array.from({ length: 10 }, () => store.waitForFeed(0, NEVER));
    expect(watches()).toBe(before + 1);
    await store.transact({
      refs: [{ name: 'refs/heads/a', old: null, new: hashOf(Buffer.from('a')) }],
    });
    await Promise.all(more);
    await store.close();
    expect(watches()).toBe(before);
  });

  /** What this process has the system watch. */
  function watches(): number {
    let count = 0;
    for (const name of readdirSync('/proc/self/fdinfo')) {
      const file = `/proc/self/fdinfo/${name}`;
      if (existsSync(file)) count += readFileSync(file, 'latin1').split('inotify wd:').length - 1;
    }
    return count;
  }
});

describe('a process that is killed while it receives', () => {
  it('leaves complete what it said was, and the rest incomplete', async () => {
    for (const lines of [0, 1, 12]) {
      const receiver = new Worker('transfer-worker.ts');
      for (let i = 0; i < lines; i++) await receiver.line();
      await receiver.kill();
      const store = await place.open();
      const log = await store.readLog('refs/heads/main', 10_000);
      expect(log.length).toBeGreaterThanOrEqual(lines);
      for (const { new: root } of log) {
        const text = (await read(store, root ?? parseHash(''))).toString();
        const hashes = [root ?? parseHash(''), ...text.split('\n').map(parseHash)];
        expect(new Set(await store.presence(hashes))).toEqual(new Set(['complete']));
        for (const hash of hashes) expect(hashOf(await read(store, hash))).toBe(hash);
      }
      for (const transfer of await store.listTransfers()) await store.dropTransfer(transfer);
      for await (const batch of store.scan()) {
        const found = await store.presence(batch.map(({ hash }) => hash));
        expect(new Set(found)).toEqual(new Set(['complete']));
      }
      expect(await store.check()).toEqual([]);
      await store.close();
    }
  });
});
