/**
 * The live feed, with real processes on loopback:
 *
 *   node test/bench/watch.ts follow [SECONDS]   a server, a writer of 100 commits a second, a
 *                                               follower (`dv watch --follow`): ms from the
 *                                               request, and from the ref's change, to the
 *                                               follower's line, written when its ref is applied
 *   node test/bench/watch.ts crowd [SECONDS]    1,000 watchers at 20 commits a second; the same
 *                                               with one of them reading 1 KB a second
 *
 * Durations are of one machine and one clock. With DV_BENCH_PROFILE=DIR the server and the
 * follower write profiles there. Needs `npm run build` before.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Agent, request } from 'undici';

const DV = fileURLToPath(new URL('../../bin/dv', import.meta.url));
const CROWD = fileURLToPath(new URL('./watch-crowd.ts', import.meta.url));
const [what = 'follow', seconds = '15'] = process.argv.slice(2);
const home = mkdtempSync(join(tmpdir(), 'dv-bench-watch-'));
const env = {
  ...process.env,
  HOME: home,
  DV_AUTHOR_NAME: 'Bench',
  DV_AUTHOR_EMAIL: 'bench@example.org',
};
const children: ChildProcess[] = [];
const START = fileURLToPath(new URL('../../dist/start.cjs', import.meta.url));
const profiles = process.env.DV_BENCH_PROFILE;

/** A dv whose profile is written, if one is wanted. */
function startDv(name: string, args: readonly string[], cwd: string): [ChildProcess, Interface] {
  if (profiles === undefined) return start(DV, args, cwd);
  const flags = ['--cpu-prof', '--cpu-prof-dir', join(profiles, name)];
  return start(process.execPath, [...flags, START, ...args], cwd);
}

/** Profiles are written at a proper end. */
async function end(): Promise<void> {
  for (const child of profiles === undefined ? [] : children) {
    if (child.exitCode !== null || !child.kill('SIGTERM')) continue;
    await once(child, 'close');
  }
  for (const child of children) child.kill('SIGKILL');
}

function start(command: string, args: readonly string[], cwd: string): [ChildProcess, Interface] {
  const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  return [child, createInterface({ input: child.stdout as NodeJS.ReadableStream })];
}

async function run(args: readonly string[], cwd: string): Promise<void> {
  const child = spawn(DV, args, { cwd, env, stdio: ['ignore', 'ignore', 'inherit'] });
  const [status] = await once(child, 'close');
  if (status !== 0) throw new Error(`dv ${args.join(' ')} ended with ${status}`);
}

function quantiles(values: readonly number[]): string {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (part: number) =>
    (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN).toFixed(
      1,
    );
  return `p50 ${at(0.5)}  p99 ${at(0.99)}  max ${at(1)}  (${sorted.length})`;
}

function memoryOf(pid: number, field: 'VmRSS' | 'VmHWM'): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(status)?.[1] ?? 0) / 1024;
}

/** Seconds on a processor so far: what load of the machine does not change. */
function cpuOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** A server with one repository that has a branch, and a table of 1,000 rows in it. */
async function serve(place: string): Promise<{
  url: string;
  pid: number;
  post: (i: number) => Promise<string>;
}> {
  const data = join(home, place, 'data');
  mkdirSync(data, { recursive: true });
  await run(['init', '--quiet', '--bare'], data);
  const [child, lines] = startDv(
    'server',
    ['serve', join(home, place), '--json', '--listen', '127.0.0.1:0', '--log', 'none'],
    home,
  );
  const [line] = (await once(lines, 'line')) as [string];
  const url = (JSON.parse(line) as { listening: string }).listening;
  const agent = new Agent({ connections: 8, pipelining: 1 });
  const path = `${url}/v1/repos/data/branches/main/changes?table=rows`;
  const send = async (body: string): Promise<string> => {
    const headers = { 'content-type': 'application/x-ndjson' };
    const answer = await request(path, { method: 'POST', headers, body, dispatcher: agent });
    const text = await answer.body.text();
    if (answer.statusCode !== 200) throw new Error(text);
    return String(answer.headers['dv-commit']);
  };
  const rows = Array.from({ length: 1000 }, (_, id) => JSON.stringify({ id, at: 0 })).join('\n');
  await send(`${rows}\n`);
  const post = (i: number) => send(`${JSON.stringify({ id: i % 1000, at: i + 1 })}\n`);
  return { url: `${url}/data`, pid: child.pid as number, post };
}

/** Calls `act` so often a second, whether the one before has ended or not. */
async function pace(perSecond: number, forSeconds: number, act: (i: number) => Promise<void>) {
  const begin = performance.now();
  const all: Promise<void>[] = [];
  for (let i = 0; i < perSecond * forSeconds; i++) {
    const wait = begin + (i * 1000) / perSecond - performance.now();
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    all.push(act(i));
  }
  await Promise.all(all);
}

async function follow(): Promise<void> {
  const { url, pid, post } = await serve('served');
  await run(['clone', '--quiet', url, 'mine'], home);
  const mine = join(home, 'mine');
  const [follower, lines] = startDv('follower', ['watch', 'origin', '--follow', '--json'], mine);
  const sent = new Map<string, number>();
  const heard = new Map<string, { readonly at: number; readonly time: number }>();
  lines.on('line', (line) => {
    const event = JSON.parse(line) as { new: string; time: number };
    heard.set(event.new, { at: performance.timeOrigin + performance.now(), time: event.time });
  });
  // Warm, and sure that the follower has begun.
  for (let i = 0; heard.size < 50; i++) {
    await post(1_000_000 + i);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  heard.clear();
  const answered: number[] = [];
  const cpus = [pid, follower.pid as number].map((of) => [of, cpuOf(of)] as const);
  await pace(Number(process.env.DV_BENCH_RATE ?? 100), Number(seconds), async (i) => {
    const at = performance.timeOrigin + performance.now();
    const commit = await post(i);
    answered.push(performance.timeOrigin + performance.now() - at);
    sent.set(commit, at);
  });
  for (let i = 0; i < 100 && heard.size < sent.size; i++) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const fromRequest: number[] = [];
  const fromRef: number[] = [];
  for (const [commit, at] of sent) {
    const event = heard.get(commit);
    if (event === undefined) continue;
    fromRequest.push(event.at - at);
    fromRef.push(event.at - event.time);
  }
  console.log(`request to answer (durable)          ${quantiles(answered)}`);
  console.log(`ref changed to follower's ref applied ${quantiles(fromRef)}`);
  console.log(`request to follower's ref applied    ${quantiles(fromRequest)}`);
  const used = cpus.map(([of, before]) => ((cpuOf(of) - before) * 1000) / sent.size);
  console.log(`ms of CPU a commit: server ${used[0].toFixed(1)}, follower ${used[1].toFixed(1)}`);
  console.log(
    `memory, MB: server ${memoryOf(pid, 'VmHWM').toFixed(0)}, follower ${memoryOf(follower.pid as number, 'VmHWM').toFixed(0)}`,
  );
}

async function crowd(): Promise<void> {
  for (const slow of [0, 1]) {
    // A server of its own each time: what the first crowd left is not the second's.
    const { url, pid, post } = await serve(`crowd-${slow}`);
    const before = memoryOf(pid, 'VmRSS');
    const [child, lines] = start(process.execPath, [CROWD, url, '1000', String(slow)], home);
    await once(lines, 'line');
    const connected = memoryOf(pid, 'VmRSS');
    const cpu = cpuOf(pid);
    await pace(20, Number(seconds), async (i) => {
      await post(i);
    });
    await new Promise((resolve) => setTimeout(resolve, 1000));
    const after = memoryOf(pid, 'VmRSS');
    child.kill('SIGTERM');
    const [line] = (await once(lines, 'line')) as [string];
    const { events, p50, p99, max } = JSON.parse(line) as Record<string, number>;
    console.log(
      `1,000 watchers, ${slow} at 1 KB/s: p50 ${p50}  p99 ${p99}  max ${max} ms, ${events} events; ` +
        `server MB: ${before.toFixed(0)} before, ${connected.toFixed(0)} connected, ${after.toFixed(0)} after, ` +
        `${memoryOf(pid, 'VmHWM').toFixed(0)} peak; ` +
        `${(((cpuOf(pid) - cpu) * 1000) / (20 * Number(seconds))).toFixed(1)} ms of CPU a commit`,
    );
    await once(child, 'close');
  }
}

try {
  await (what === 'crowd' ? crowd() : follow());
} finally {
  await end();
  rmSync(home, { recursive: true, force: true });
}
