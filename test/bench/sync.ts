/**
 * `npm run bench:sync -- [--rows N]`, or `npx node test/bench/sync.ts`: clone, push and fetch of the
 * generated table over HTTP between processes of this machine. Times are of whole processes,
 * CPU times the client's and the server's; requests and bytes are the server's own counters. A
 * plain copy of the server's store through the same HTTP stack is the peer of a clone.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { createReadStream, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import Database from 'better-sqlite3';
import { request } from 'undici';
import { cpuOf, runOnce } from './measure.ts';

const ROOT = join(import.meta.dirname, '../..');
const NODE = join(ROOT, 'node_modules/.bin/node');
const DV = join(ROOT, 'bin/dv');
const HASH_BYTES = 32;
const { values: flags } = parseArgs({
  options: {
    rows: { type: 'string', default: '1000000' },
    repeat: { type: 'string', default: '3' },
    /** Both ends under this heap limit, in MB. */
    heap: { type: 'string' },
    /** Only the push and the clone of the whole table. */
    short: { type: 'boolean', default: false },
  },
});
const heap: Record<string, string> =
  flags.heap === undefined ? {} : { NODE_OPTIONS: `--max-old-space-size=${flags.heap}` };
const work = mkdtempSync(join(tmpdir(), 'dv-bench-sync-'));
const env: Record<string, string> = {
  DV_AUTHOR_NAME: 'Bench',
  DV_AUTHOR_EMAIL: 'bench@example.org',
  HOME: work,
  ...heap,
};

const source = join(work, 'source');
const served = join(work, 'served');
mkdirSync(source);
mkdirSync(served);

function dv(cwd: string, ...args: string[]): void {
  const { status, stderr } = spawnSync(DV, args, { cwd, env: { ...process.env, ...env } });
  if (status !== 0) throw new Error(`dv ${args.join(' ')}: ${stderr}`);
}

function generate(...more: string[]): void {
  execFileSync(NODE, [
    join(ROOT, 'test/bench/generate.ts'),
    flags.rows,
    join(source, 'T.csv'),
    ...more,
  ]);
}

/** The server's counters, summed over their labels. */
async function counters(url: string): Promise<Map<string, number>> {
  const { body } = await request(`${url}/metrics`);
  const sums = new Map<string, number>();
  for (const line of (await body.text()).split('\n')) {
    const found = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line);
    if (found === null || found[2]?.includes('/metrics')) continue;
    sums.set(found[1], (sums.get(found[1]) ?? 0) + Number(found[3]));
  }
  return sums;
}

const peakOf = (pid: number): number =>
  Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;

const server = spawn(DV, ['serve', served, '--json', '--listen', '127.0.0.1:0'], {
  env: { ...process.env, ...env },
  stdio: ['ignore', 'pipe', 'ignore'],
});

async function listening(): Promise<string> {
  for await (const line of createInterface({ input: server.stdout })) {
    return (JSON.parse(line) as { listening: string }).listening;
  }
  throw new Error('the server did not start');
}

async function copyOverHttp(file: string): Promise<number> {
  const host = createServer((_, response) => createReadStream(file).pipe(response));
  await new Promise<void>((resolve) => host.listen(0, '127.0.0.1', resolve));
  const started = performance.now();
  const { body } = await request(`http://127.0.0.1:${(host.address() as AddressInfo).port}/`);
  let bytes = 0;
  for await (const piece of body) bytes += (piece as Uint8Array).length;
  host.close();
  if (bytes !== statSync(file).size) throw new Error('the copy is short');
  return (performance.now() - started) / 1000;
}

function say(what: string, figures: string): void {
  console.log(`${what.padEnd(44)} ${figures}`);
}

/** What the server's store keeps for the chunks behind the first `after`: its own bytes and hash. */
function storedBehind(after: number): { chunks: number; data: number; last: number } {
  const store = new Database(join(served, 'T', '.dv', 'store.db'), { readonly: true });
  try {
    const sql =
      'SELECT count(*) AS chunks, coalesce(sum(length(data)), 0) AS data, ' +
      'coalesce(max(id), 0) AS last FROM objects WHERE id > ?';
    return store.prepare(sql).get(after) as ReturnType<typeof storedBehind>;
  } finally {
    store.close();
  }
}

async function timed(
  url: string,
  what: string,
  cwd: string,
  args: string[],
): Promise<{ readonly sent: number; readonly chunks: number }> {
  const before = await counters(url);
  const cpu = cpuOf(server.pid ?? 0);
  const run = await runOnce({ command: DV, args, cwd, env });
  const after = await counters(url);
  const grown = (name: string): number => (after.get(name) ?? 0) - (before.get(name) ?? 0);
  const parts = [
    `${run.seconds.toFixed(2)} s`,
    `CPU ${run.cpu.toFixed(2)} s and ${(cpuOf(server.pid ?? 0) - cpu).toFixed(2)} s`,
    `${run.megabytes.toFixed(0)} MB`,
    `server ${peakOf(server.pid ?? 0).toFixed(0)} MB`,
    `${grown('dv_requests_total')} requests`,
    `${grown('dv_body_bytes_received_total')} B up`,
    `${grown('dv_body_bytes_sent_total')} B down`,
  ];
  say(what, parts.join(', '));
  return { sent: grown('dv_body_bytes_sent_total'), chunks: grown('dv_chunks_sent_total') };
}

try {
  const url = await listening();
  const remote = `${url}/T`;
  generate();
  dv(source, 'init');
  dv(source, 'add', 'T.csv');
  dv(source, 'commit', '-m', 'First');
  dv(source, 'remote', 'add', 'origin', remote);
  await timed(url, `push of ${flags.rows} rows`, source, ['push', '-q', '-u', 'origin', 'main']);
  for (let i = 0; i < Number(flags.repeat); i++) {
    await timed(url, 'clone, bare', work, ['clone', '-q', '--bare', remote, `bare-${i}`]);
    const copied = await copyOverHttp(join(served, 'T', '.dv', 'store.db'));
    say('copy of the store over HTTP, within a process', `${copied.toFixed(2)} s`);
    rmSync(join(work, `bare-${i}`), { recursive: true });
  }
  if (!flags.short) await edits(url, remote);
} finally {
  server.kill('SIGTERM');
  await new Promise((resolve) => server.once('close', resolve));
  rmSync(work, { recursive: true, force: true });
}

async function edits(url: string, remote: string): Promise<void> {
  await timed(url, 'clone, with the file', work, ['clone', '-q', remote, 'clone']);
  const clone = join(work, 'clone');
  generate('--edits', '1');
  dv(source, 'commit', '-am', 'One row');
  await timed(url, 'push of one row', source, ['push', '-q']);
  await timed(url, 'fetch of one row', clone, ['fetch', '-q']);
  generate('--edits', '1000');
  dv(source, 'commit', '-am', 'A thousand rows');
  const { last } = storedBehind(0);
  await timed(url, 'push of 1,000 rows', source, ['push', '-q']);
  const { sent, chunks } = await timed(url, 'fetch of 1,000 rows', clone, ['fetch', '-q']);
  const kept = storedBehind(last);
  if (kept.chunks !== chunks) throw new Error(`${chunks} were sent, ${kept.chunks} are kept`);
  const stored = kept.data + kept.chunks * HASH_BYTES;
  say(
    'bytes of that fetch, to those kept for its chunks',
    `${sent} B for ${chunks} chunks, ${kept.data} B and their hashes: ${(sent / stored).toFixed(2)}`,
  );
  await timed(url, 'fetch of nothing', clone, ['fetch', '-q']);
}
