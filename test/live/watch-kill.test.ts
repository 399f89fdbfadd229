/**
 * `dv watch` as a process, killed, cut and paused at random while commits flow on several
 * branches: it ends on the same heads, and every commit was told once per cursor.
 *
 * DV_WATCH_COMMITS=5000 runs it in full.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream, existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Hash } from '../../src/hash.ts';
import type { CommitEvent } from '../../src/live/contract.ts';
import { commitsBetween } from '../../src/model/commits-between.ts';
import { openSqliteStore } from '../../src/store/sqlite.ts';
import { DV, runDv, temporaryRepository, testEnvironment } from '../support/cli.ts';
import { faultyProxy } from '../support/faulty-proxy.ts';
import { startServeProcess } from '../support/server.ts';

const COMMITS = Number(process.env.DV_WATCH_COMMITS ?? 300);
const A_SECOND = COMMITS > 1000 ? 150 : 120;
const BRANCHES = ['main', 'north', 'south', 'west/coast'];
const WRITER = fileURLToPath(new URL('../support/row-writer.ts', import.meta.url));
const TIMEOUT = 120_000 + COMMITS * 300;

const random = (most: number): number => Math.floor(Math.random() * most);
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** A follower that is started again whenever it ends. */
class Follower {
  readonly #cwd: string;
  readonly #args: readonly string[];
  readonly #output: string | undefined;
  #child: ChildProcess | undefined;
  starts = 0;
  stderr = '';

  constructor(cwd: string, args: readonly string[], output?: string) {
    this.#cwd = cwd;
    this.#args = args;
    this.#output = output;
    onTestFinished(() => {
      this.#child?.removeAllListeners('exit').kill('SIGKILL');
    });
    this.#start();
  }

  #start(): void {
    this.starts += 1;
    const out =
      this.#output === undefined ? undefined : createWriteStream(this.#output, { flags: 'a' });
    const child = spawn(DV, ['watch', ...this.#args], {
      cwd: this.#cwd,
      env: testEnvironment(this.#cwd),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    if (out !== undefined) child.stdout.pipe(out);
    child.stderr.on('data', (bytes) => {
      this.stderr += bytes;
    });
    child.on('exit', () => this.#start());
    this.#child = child;
  }

  kill(): void {
    this.#child?.kill('SIGKILL');
  }

  async sleep(ms: number): Promise<void> {
    const child = this.#child;
    child?.kill('SIGSTOP');
    await pause(ms);
    child?.kill('SIGCONT');
  }
}

function startWriter(store: string): Promise<number | null> {
  const args = [WRITER, store, String(COMMITS), String(A_SECOND), ...BRANCHES];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  return new Promise((resolve) => child.on('exit', (code) => resolve(code)));
}

/** All commits of each branch, oldest first. */
async function history(store: string): Promise<Map<string, Hash[]>> {
  const opened = await openSqliteStore(store, { now: Date.now });
  const commits = new Map<string, Hash[]>();
  for (const { name, hash } of await opened.listRefs('refs/heads/')) {
    const list: Hash[] = [];
    for await (const step of commitsBetween(opened, null, hash)) list.push(step.hash);
    commits.set(name, list);
  }
  await opened.close();
  return commits;
}

/** Whole lines of a file, as JSON; a line that a kill cut short is none. */
function readEvents(file: string): CommitEvent[] {
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((line) => {
      try {
        return [JSON.parse(line) as CommitEvent];
      } catch {
        return [];
      }
    });
}

async function harass(
  follower: Follower,
  ended: Promise<unknown>,
  cut: () => void,
): Promise<number> {
  let isOver = false;
  let kills = 0;
  void ended.then(() => {
    isOver = true;
  });
  while (!isOver) {
    await pause(150 + random(500));
    const what = random(3);
    if (what === 0) {
      follower.kill();
      kills += 1;
      // Long enough to get somewhere.
      await pause(400);
    } else if (what === 1) cut();
    else await follower.sleep(100 + random(400));
  }
  return kills;
}

/** What was told of each ref, each once by cursor and commit, in order. */
function toldOnce(events: readonly CommitEvent[]): { told: Map<string, Hash[]>; repeats: number } {
  const told = new Map<string, Hash[]>();
  const seen = new Set<string>();
  let repeats = 0;
  for (const { type, id, ref, new: hash } of events) {
    if (type !== 'commit') continue;
    if (seen.has(`${id} ${ref} ${hash}`)) {
      repeats += 1;
      continue;
    }
    seen.add(`${id} ${ref} ${hash}`);
    told.set(ref, [...(told.get(ref) ?? []), hash]);
  }
  return { told, repeats };
}

async function cursorNow(cwd: string): Promise<void> {
  const args = ['watch', '--since', 'time', '--once', '--cursor-file', 'cursor', '--json'];
  args[2] = '1970-01-01';
  const { status, stderr } = await runDv(args, { cwd });
  expect(stderr).toBe('');
  expect(status).toBe(0);
}

/** Waits for as long as there is progress. */
async function until(holds: () => boolean, progress: () => number, what: () => string) {
  let end = Date.now() + 60_000;
  let before = progress();
  while (!holds()) {
    await pause(100);
    const now = progress();
    if (now !== before) end = Date.now() + 60_000;
    before = now;
    if (Date.now() > end) throw new Error(`never ${what()}`);
  }
}

describe('a follower that is killed, cut and paused at random', () => {
  test.each(['local', 'served'])(
    'ends on the same heads, and is told every commit once per cursor (%s)',
    async (where) => {
      const cwd = await temporaryRepository();
      await cursorNow(cwd);
      const store = join(cwd, '.dv', 'store.db');
      const output = join(cwd, 'events');
      const proxy =
        where === 'local' ? undefined : await faultyProxy((await startServeProcess(cwd)).url);
      const name = cwd.split('/').at(-1);
      const target = proxy === undefined ? [] : [`${proxy.origin}/${name}`];
      const follower = new Follower(cwd, [...target, '--json', '--cursor-file', 'cursor'], output);
      const ended = startWriter(store);
      const kills = await harass(follower, ended, () => proxy?.cut());
      expect(await ended).toBe(0);
      const expected = await history(store);
      const count = [...expected.values()].reduce((sum, list) => sum + list.length, 0);
      // Each branch begins at the first commit of all.
      expect(count).toBe(COMMITS + BRANCHES.length);
      await until(
        () => {
          const { told } = toldOnce(readEvents(output));
          return [...expected].every(([ref, list]) => told.get(ref)?.at(-1) === list.at(-1));
        },
        () => statSync(output).size,
        () => `told of the last commits; ${follower.stderr}`,
      );
      const { told, repeats } = toldOnce(readEvents(output));
      expect(told).toEqual(expected);
      // Killed between an output and its cursor, it outputs once more: no more than that.
      expect(repeats).toBeLessThanOrEqual(kills);
      if (process.env.DV_WATCH_COMMITS !== undefined) {
        console.log(
          `${where}: ${count} commits, ${kills} kills, ${follower.starts} starts, ${repeats} repeats, ${proxy?.taken() ?? 0} connections`,
        );
      }
    },
    TIMEOUT,
  );

  test(
    'runs its command once per commit',
    async () => {
      const cwd = await temporaryRepository();
      await cursorNow(cwd);
      const store = join(cwd, '.dv', 'store.db');
      const output = join(cwd, 'runs');
      const command = 'echo "$DV_EVENT_REF $DV_EVENT_COMMIT" >> runs';
      const follower = new Follower(cwd, ['--cursor-file', 'cursor', '--exec', command]);
      const ended = startWriter(store);
      const kills = await harass(follower, ended, () => undefined);
      expect(await ended).toBe(0);
      const expected = await history(store);
      const runs = () =>
        existsSync(output) ? readFileSync(output, 'utf8').trim().split('\n') : [];
      await until(
        () => [...expected].every(([ref, list]) => runs().includes(`${ref} ${list.at(-1)}`)),
        () => runs().length,
        () => `run for the last commits; ${follower.stderr}`,
      );
      const wanted = [...expected].flatMap(([ref, list]) => list.map((hash) => `${ref} ${hash}`));
      expect([...new Set(runs())].sort()).toEqual(wanted.sort());
      // A kill while the command runs, or before its cursor is written: it runs again.
      expect(runs().length - wanted.length).toBeLessThanOrEqual(kills);
      if (process.env.DV_WATCH_COMMITS !== undefined) {
        console.log(`exec: ${wanted.length} commits, ${runs().length} runs, ${kills} kills`);
      }
    },
    TIMEOUT,
  );
});
