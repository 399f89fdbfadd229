/**
 * Many processes push to one branch, mostly letting the server merge, while the server is killed,
 * restarted and stopped for a while. What they were told has to be what a single ref could
 * have answered (support/ref-history.ts), and every accepted commit has to be in the end.
 *
 * DV_OPERATIONS: pushes of each process, 12 unless it says otherwise; 250 take some minutes.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import type { Hash } from '../../src/hash.ts';
import { isAncestor } from '../../src/model/history.ts';
import { readCommit } from '../../src/model/object-reader.ts';
import { openSqliteStore } from '../../src/store/sqlite.ts';
import { runDv } from '../support/cli.ts';
import { PUSH_TYPE, PushSource, rowsFrom } from '../support/push-source.ts';
import { findViolations, type Head } from '../support/ref-history.ts';
import type { PusherLine } from '../support/ref-pusher.ts';
import { type ServeProcess, startServeProcess, startServer } from '../support/server.ts';

const PUSHER = fileURLToPath(new URL('../support/ref-pusher.ts', import.meta.url));
const MAIN = 'refs/heads/main';
const PUSHERS = 4;
const OPERATIONS = Number(process.env.DV_OPERATIONS ?? 12);
/** Lines of the record between two blows. */
const [FEWEST, MOST] = [8, 24];
const LONGEST_STOP_MS = 400;
const TIMEOUT_MS = 60_000 + 2000 * OPERATIONS;

const between = (low: number, high: number): number =>
  low + Math.floor(Math.random() * (high - low + 1));

/** A directory with `data`, whose `main` has a commit; and that commit. */
async function published(): Promise<{ directory: string; base: Hash }> {
  await using source = await PushSource.open();
  const rows = rowsFrom(0, 500).map((row) => ({ ...row, id: `row ${row.id}` }));
  const base = await source.commit(rows);
  const { directory, url, server } = await startServer();
  const headers = { 'content-type': PUSH_TYPE };
  const body = await source.body(base, null);
  const answer = await fetch(`${url}/v1/repos/data/push`, { method: 'POST', body, headers });
  expect(answer.status).toBe(200);
  await server.stop();
  return { directory, base };
}

/** `dv serve` at one address, killed and stopped as told. */
class ShakenServer {
  readonly #directory: string;
  #process: ServeProcess;
  kills = 0;
  stops = 0;

  private constructor(directory: string, started: ServeProcess) {
    this.#directory = directory;
    this.#process = started;
  }

  static async start(directory: string): Promise<ShakenServer> {
    return new ShakenServer(directory, await startServeProcess(directory, ['--rate', '0']));
  }

  get url(): string {
    return this.#process.url;
  }

  async shake(): Promise<void> {
    await sleep(between(0, 30));
    if (Math.random() < 0.4) await this.#pause();
    else await this.#kill();
  }

  async #pause(): Promise<void> {
    process.kill(this.#process.pid, 'SIGSTOP');
    await sleep(between(50, LONGEST_STOP_MS));
    process.kill(this.#process.pid, 'SIGCONT');
    this.stops += 1;
  }

  async #kill(): Promise<void> {
    const listen = new URL(this.url).host;
    await this.#process.stop('SIGKILL');
    this.#process = await startServeProcess(this.#directory, ['--rate', '0', '--listen', listen]);
    this.kills += 1;
  }

  end(): Promise<number> {
    return this.#process.stop();
  }
}

/** The pushers' lines as they come, to the end of all of them. */
async function record(server: ShakenServer): Promise<PusherLine[]> {
  const lines: PusherLine[] = [];
  let wait = between(FEWEST, MOST);
  let shaking: Promise<void> | undefined;
  const pushers = Array.from({ length: PUSHERS }, (_, i) => startPusher(server.url, i));
  const onLine = (line: string): void => {
    lines.push(JSON.parse(line));
    wait -= 1;
    if (wait > 0 || shaking !== undefined) return;
    wait = between(FEWEST, MOST);
    shaking = server.shake().finally(() => {
      shaking = undefined;
    });
  };
  const statuses = await Promise.all(
    pushers.map(async (pusher) => {
      if (pusher.stdout) createInterface({ input: pusher.stdout }).on('line', onLine);
      const [status] = await once(pusher, 'close');
      return status as number;
    }),
  );
  await shaking;
  expect(statuses).toEqual(statuses.map(() => 0));
  return lines;
}

function startPusher(url: string, i: number): ChildProcess {
  const args = [PUSHER, `${url}/data`, `p${i}`, String(OPERATIONS), String(between(0, 1e9))];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  return child;
}

test(
  'what pushers are told is what one ref could have answered, whatever befalls the server',
  async () => {
    const { directory, base } = await published();
    const server = await ShakenServer.start(directory);
    const lines = await record(server);
    await server.end();

    const cwd = join(directory, 'data');
    const store = await openSqliteStore(join(cwd, '.dv/store.db'), { now: Date.now });
    onTestFinished(() => store.close());
    const steps = (await store.readFeed(0, 1_000_000)).entries.filter(({ name }) => name === MAIN);
    const heads: Head[] = [];
    for (const [i, { old, new: to }] of steps.entries()) {
      expect(old).toBe(i === 0 ? null : steps[i - 1].new);
      const { parents } = await readCommit(store, to as Hash);
      const descends = old === null || (await isAncestor(store, old, to as Hash));
      heads.push({ commit: to as Hash, parents, descends });
    }
    const head = (await store.getRef(MAIN)) as Hash;
    expect(heads[0].commit).toBe(base);
    expect(heads.at(-1)?.commit).toBe(head);
    expect(findViolations({ heads, operations: lines })).toEqual([]);

    const pushes = lines.filter((line) => line.kind === 'push');
    const rows = (await runDv(['export', 't', '--format', 'csv'], { cwd })).stdout;
    const ids = new Set(rows.split('\n').map((row) => row.split(',')[0]));
    for (const { commit, outcome, ids: own } of pushes) {
      const [known] = await store.hasMany([commit as Hash]);
      const isIn = known && (await isAncestor(store, commit as Hash, head));
      if (outcome === 'accepted') expect(isIn).toBe(true);
      if (outcome === 'refused') expect(isIn).toBe(false);
      expect(own.map((id) => ids.has(id))).toEqual([isIn, isIn]);
    }
    expect((await runDv(['fsck'], { cwd })).status).toBe(0);

    const count = (outcome: string) => pushes.filter((one) => one.outcome === outcome).length;
    const told = ['accepted', 'refused', 'unknown'].map((one) => `${count(one)} ${one}`).join(', ');
    const reads = lines.length - pushes.length;
    process.stdout.write(
      `${pushes.length} pushes (${told}), ${reads} reads, ${heads.length - 1} swaps, ` +
        `${server.kills} kills, ${server.stops} stops\n`,
    );
    expect(pushes.length).toBeGreaterThanOrEqual(PUSHERS * OPERATIONS);
    expect(count('accepted')).toBeGreaterThan(pushes.length / 4);
    expect(server.kills + server.stops).toBeGreaterThan(0);
  },
  TIMEOUT_MS,
);
