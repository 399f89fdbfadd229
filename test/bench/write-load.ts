/**
 * One-row commits: over HTTP into a real `dv serve`, from many connections, and in process.
 *
 *   node test/bench/write-load.ts [--rows n] [--seconds n] [--connections n] [--profile DIR]
 *
 * The table is the one of generate.ts. Each request patches one cell of a random row and is
 * answered when its commit is durable; at the end the branch's generation must have grown by
 * exactly the requests that were answered. `serverMsACommit` is processor time, and means
 * something on a busy machine too. `npm run build` first.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { Pool } from 'undici';
import { createRowWriter } from '../../src/live/writer.ts';
import { readCommit } from '../../src/model/object-reader.ts';
import { openSqliteStore } from '../../src/store/sqlite.ts';
import { generateTable } from './generate.ts';
import { runOnce } from './measure.ts';

const DV = resolve(import.meta.dirname, '../../dist/start.cjs');
const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '1000000' },
    seconds: { type: 'string', default: '10' },
    connections: { type: 'string', default: '32' },
    profile: { type: 'string' },
  },
});
const [rows, seconds, connections] = [values.rows, values.seconds, values.connections].map(Number);

const directory = mkdtempSync(join(tmpdir(), 'dv-write-load-'));

async function main(): Promise<void> {
  const repository = join(directory, 'data');
  mkdirSync(repository);
  const file = join(directory, 't.csv');
  writeFileSync(file, '');
  for (const piece of generateTable({ rows })) writeFileSync(file, piece, { flag: 'a' });
  await dv(repository, 'init');
  await dv(repository, 'import', 't', file);
  await dv(repository, 'commit', '-m', 'first');
  await dv(repository, 'branch', 'live');
  const store = join(repository, '.dv/store.db');
  await inProcess(store);
  await overHttp(store);
}

function dv(cwd: string, ...args: string[]) {
  const env = { DV_AUTHOR_NAME: 'Bench', DV_AUTHOR_EMAIL: 'bench@example.org' };
  return runOnce({ command: process.execPath, args: [DV, ...args], cwd, env });
}

const randomRow = () => 1 + Math.floor(Math.random() * rows);
const randomCount = () => Math.floor(Math.random() * 1e9);

async function inProcess(path: string): Promise<void> {
  const store = await openSqliteStore(path, { now: Date.now });
  const writer = createRowWriter(store, { now: Date.now, randomId: () => '0123456789abcdef' });
  const before = sizeOf(path);
  const times: number[] = [];
  for (let i = 0; i < 2000; i++) {
    const start = performance.now();
    await writer.write({
      branch: 'live',
      message: 'one row',
      author: { name: 'Bench', email: '' },
      tables: [
        {
          table: 't',
          writes: [{ op: 'patch', cells: { id: `${randomRow()}`, count: `${randomCount()}` } }],
        },
      ],
    });
    times.push(performance.now() - start);
  }
  await writer.close();
  await store.close();
  const kept = (sizeOf(path) - before) / times.length;
  report('in process, one after the other', times, { bytesACommit: Math.round(kept) });
}

async function overHttp(path: string): Promise<void> {
  const from = await generationOf(path);
  const profile =
    values.profile === undefined ? [] : ['--cpu-prof', '--cpu-prof-dir', values.profile];
  const args = [...profile, DV, 'serve', directory, '--json', '--listen', '127.0.0.1:0'];
  const server = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'] });
  const [line] = (await once(createInterface({ input: server.stdout }), 'line')) as [string];
  const { listening } = JSON.parse(line) as { listening: string };
  const pid = server.pid ?? 0;
  const idle = processorTime(pid);
  const times = await load(listening);
  const busy = processorTime(pid) - idle;
  server.kill('SIGTERM');
  await once(server, 'close');
  const made = (await generationOf(path)) - from;
  report(`HTTP, ${connections} connections`, times, {
    answered: times.length,
    inHistory: made,
    perSecond: Math.round(times.length / seconds),
    serverMsACommit: Number(((busy * 1000) / times.length).toFixed(3)),
    serverShare: Number((busy / seconds).toFixed(2)),
  });
  if (made !== times.length) throw new Error(`${times.length} were answered, ${made} are there`);
}

async function load(url: string): Promise<number[]> {
  const pool = new Pool(url, { connections, pipelining: 1 });
  const times: number[] = [];
  const end = performance.now() + seconds * 1000;
  const one = async (): Promise<void> => {
    while (performance.now() < end) {
      const start = performance.now();
      const { statusCode, body } = await pool.request({
        path: '/v1/repos/data/branches/live/changes?table=t&op=patch',
        method: 'POST',
        headers: { 'content-type': 'application/x-ndjson' },
        body: `{"id":${randomRow()},"count":${randomCount()}}`,
      });
      const text = await body.text();
      if (statusCode !== 200) throw new Error(text);
      times.push(performance.now() - start);
    }
  };
  await Promise.all(Array.from({ length: connections }, one));
  await pool.close();
  return times;
}

async function generationOf(path: string): Promise<number> {
  const store = await openSqliteStore(path, { now: Date.now });
  const head = await store.getRef('refs/heads/live');
  if (head === undefined) throw new Error('no branch');
  const { generation } = await readCommit(store, head);
  await store.close();
  return generation;
}

const sizeOf = (path: string) =>
  statSync(path).size + (statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0);

function report(what: string, times: number[], facts: Record<string, number>): void {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number) => Number(sorted[Math.floor(sorted.length * share)].toFixed(2));
  console.log(JSON.stringify({ what, rows, p50: at(0.5), p99: at(0.99), ...facts }));
}

/** Seconds of processor time that a process has had; 0 where there is no /proc. */
function processorTime(pid: number): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
    return (Number(fields[11]) + Number(fields[12])) / 100;
  } catch {
    return 0;
  }
}

try {
  await main();
} finally {
  rmSync(directory, { recursive: true, force: true });
}
