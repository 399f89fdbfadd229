/**
 * `node test/bench/push-load.ts [--clients 64] [--pushes 50] [--processes 2] [--merge]`: many
 * clients push one-row commits to one repository of a real `dv serve`, each as one request.
 * Commits and packs are made before the clock starts. Beside it, in the same run: what the
 * same clients get out of the same server for `GET /healthz`, which is HTTP alone. Then every
 * accepted commit has to be in the history.
 *
 * Each client has a branch of its own; with --merge all push to `main`, and the server merges.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { parseArgs } from 'node:util';

const ROOT = join(import.meta.dirname, '../..');
const DV = join(ROOT, 'bin/dv');
const ROWS = 10_000;
const BUDGET = 300;
const TICK_MS = 10;

const { values: flags } = parseArgs({
  options: {
    clients: { type: 'string', default: '64' },
    pushes: { type: 'string', default: '50' },
    processes: { type: 'string', default: '2' },
    merge: { type: 'boolean', default: false },
  },
});
const clients = Number(flags.clients);
const pushes = Number(flags.pushes);
const processes = Number(flags.processes);
const directory = mkdtempSync(join(tmpdir(), 'dv-push-load-'));
const environment = {
  ...process.env,
  DV_AUTHOR_NAME: 'Bench',
  DV_AUTHOR_EMAIL: 'bench@example.org',
};

interface Worker {
  readonly child: ChildProcess;
  readonly lines: Interface;
}

interface Report {
  readonly accepted: number;
  readonly refused: number;
  readonly seconds: number;
  /** Of single pushes, in ms, in order. */
  readonly latencies: readonly number[];
  /** The last accepted commit of each client, by branch. */
  readonly heads: Readonly<Record<string, string>>;
}

function dv(...args: readonly string[]): string {
  return execFileSync(DV, args, { cwd: directory, env: environment, encoding: 'utf8' });
}

function makeRepository(): void {
  const rows = Array.from({ length: ROWS }, (_, i) => `${i},name ${i},${i % 97}`);
  mkdirSync(join(directory, 'data'));
  writeFileSync(join(directory, 'data/t.csv'), `id,name,value\n${rows.join('\n')}\n`);
  dv('-C', 'data', 'init', '--quiet');
  dv('-C', 'data', 'add', 't.csv', '--key', 'id');
  dv('-C', 'data', 'commit', '--quiet', '-m', 'base');
  dv('-C', 'data', 'config', 'core.bare', 'true');
}

async function startServer(): Promise<{ url: string; child: ChildProcess }> {
  const args = ['serve', directory, '--json', '--listen', '127.0.0.1:0', '--log', 'none'];
  const child = spawn(DV, [...args, '--rate', '0'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = await once(createInterface({ input: child.stdout }), 'line');
  return { url: JSON.parse(line).listening, child };
}

function startWorker(url: string, number: number): Worker {
  const own = Math.floor(clients / processes);
  const args = [url, directory, number * own, own, pushes, flags.merge ? 'merge' : 'ff-only'];
  const script = join(import.meta.dirname, 'push-load-client.ts');
  const child = spawn(process.execPath, [script, ...args.map(String)], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: environment,
  });
  return { child, lines: createInterface({ input: child.stdout }) };
}

/** One phase in all workers at once; their answers. */
async function all<T>(workers: readonly Worker[], phase: string): Promise<T[]> {
  const answers = workers.map(({ lines }) => once(lines, 'line'));
  for (const { child } of workers) child.stdin?.write(`${phase}\n`);
  return (await Promise.all(answers)).map(([line]) => JSON.parse(line) as T);
}

async function metric(url: string, name: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const lines = [...text.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'gm'))];
  return lines.reduce((sum, [, value]) => sum + Number(value), 0);
}

/** Processor time of a process so far, in ms: of all its threads. */
function processorTime(pid: number | undefined): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

/** Commits of accepted pushes that no branch reaches. */
function countLost(reports: readonly Report[]): number {
  const heads = reports.flatMap(({ heads }) => Object.entries(heads));
  const reachable = new Set(
    dv('-C', 'data', 'log', '--all', '--format', '%H').split('\n').filter(Boolean),
  );
  return heads.filter(([, head]) => !reachable.has(head)).length;
}

try {
  makeRepository();
  const { url, child } = await startServer();
  const workers = Array.from({ length: processes }, (_, i) => startWorker(url, i));
  await all(workers, 'prepare');
  const floor = await all<{ perSecond: number }>(workers, 'healthz');
  const before = [
    await metric(url, 'dv_received_bytes_total'),
    await metric(url, 'dv_requests_total'),
  ];
  const cpu = processorTime(child.pid);
  const reports = await all<Report>(workers, 'push');
  const cpuUsed = processorTime(child.pid) - cpu;
  const after = [
    await metric(url, 'dv_received_bytes_total'),
    await metric(url, 'dv_requests_total'),
  ];
  const accepted = reports.reduce((sum, report) => sum + report.accepted, 0);
  const refused = reports.reduce((sum, report) => sum + report.refused, 0);
  const perSecond = accepted / Math.max(...reports.map(({ seconds }) => seconds));
  const latencies = reports.flatMap((report) => report.latencies).sort((a, b) => a - b);
  const at = (part: number) => latencies[Math.floor((latencies.length - 1) * part)]?.toFixed(1);
  const http = floor.reduce((sum, one) => sum + one.perSecond, 0);
  child.kill('SIGTERM');
  await once(child, 'close');
  console.log(`${cpus().length} x ${cpus()[0].model}, Node ${process.versions.node}`);
  console.log(
    `${clients} clients in ${processes} processes, ${pushes} pushes each${flags.merge ? ', merged into one branch' : ''}`,
  );
  console.log(`accepted ${accepted}, refused ${refused}, lost ${countLost(reports)}`);
  console.log(
    `${perSecond.toFixed(0)} commits/s (budget ${BUDGET}), p50 ${at(0.5)} ms, p99 ${at(0.99)} ms`,
  );
  console.log(`server: ${(cpuUsed / accepted).toFixed(2)} ms of processor time a commit`);
  console.log(
    `GET /healthz by the same clients: ${http.toFixed(0)}/s; a push is ${(http / perSecond).toFixed(1)} of them`,
  );
  console.log(
    `${((after[1] - before[1]) / accepted).toFixed(2)} round trips and ${((after[0] - before[0]) / accepted).toFixed(0)} bytes received a commit`,
  );
  for (const { child } of workers) child.stdin?.end();
} finally {
  rmSync(directory, { recursive: true, force: true });
}
