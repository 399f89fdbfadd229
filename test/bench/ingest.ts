/**
 * `dv ingest` of NDJSON: records into an empty table, then as updates of all its rows, in the
 * order of the key and scattered, in commits of 5,000. Rows a second of wall time, and of CPU
 * time of the whole process with its threads: what one core does.
 *
 *   node test/bench/ingest.ts [--rows 1000000] [--repeat 3]
 */
import { spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { median } from './measure.ts';

const DV = fileURLToPath(new URL('../../bin/dv', import.meta.url));
const TICKS_PER_SECOND = 100;

interface Timed {
  readonly wall: number;
  readonly cpu: number;
}

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '1000000' },
    repeat: { type: 'string', default: '3' },
  },
});
const rows = Number(values.rows);
const folder = mkdtempSync(join(tmpdir(), 'dv-bench-ingest-'));
try {
  await bench();
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function bench(): Promise<void> {
  const files = {
    'into an empty table': write('first.ndjson', 0, 1),
    'updates in key order': write('again.ndjson', 1, 1),
    'updates, scattered': write('scattered.ndjson', 2, 700_001),
  };
  const runs = new Map<string, Timed[]>();
  for (let i = 0; i < Number(values.repeat); i++) {
    const repository = mkdtempSync(join(folder, 'repository-'));
    await dv(['init', '--quiet'], repository);
    for (const [what, file] of Object.entries(files)) {
      const timed = await dv(['ingest', 't', '--from', file, '--key', 'id'], repository);
      runs.set(what, [...(runs.get(what) ?? []), timed]);
    }
    rmSync(repository, { recursive: true });
  }
  console.log(
    `| ${rows.toLocaleString('en')} records of 8 columns | wall | rows/s | CPU | rows/s of CPU |`,
  );
  console.log('|---|---|---|---|---|');
  for (const [what, timed] of runs) {
    const [wall, cpu] = [median(timed.map((t) => t.wall)), median(timed.map((t) => t.cpu))];
    console.log(
      `| ${what} | ${wall.toFixed(2)} s | ${rate(wall)} | ${cpu.toFixed(2)} s | ${rate(cpu)} |`,
    );
  }
}

function rate(seconds: number): string {
  return Math.round(rows / seconds).toLocaleString('en');
}

/** Records with ids 0 to rows - 1, in steps of `stride` round the circle. */
function write(name: string, version: number, stride: number): string {
  const path = join(folder, name);
  const file = openSync(path, 'w');
  let text = '';
  for (let i = 0; i < rows; i++) {
    const id = (i * stride) % rows;
    const day = String((id % 28) + 1).padStart(2, '0');
    text +=
      `{"id":${id},"name":"person ${(id * 7919) % 1_000_003}","city":"town ${id % 997}",` +
      `"amount":${((id * 37) % 100_000) / 100 + version},"active":${id % 3 === 0},` +
      `"when":"2026-11-${day}","code":"A-${id % 5000}","score":${id % 100}}\n`;
    if (text.length < 1 << 20) continue;
    writeSync(file, text);
    text = '';
  }
  writeSync(file, text);
  closeSync(file);
  return path;
}

async function dv(args: readonly string[], cwd: string): Promise<Timed> {
  const started = process.hrtime.bigint();
  const env = { ...process.env, DV_AUTHOR_NAME: 'Bench', DV_AUTHOR_EMAIL: 'bench@example.org' };
  const child = spawn(DV, args, { cwd, env, stdio: ['ignore', 'ignore', 'inherit'] });
  let cpu = 0;
  const poll = setInterval(() => {
    cpu = Math.max(cpu, cpuSeconds(child.pid ?? 0));
  }, 5);
  const status = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  clearInterval(poll);
  if (status !== 0) throw new Error(`dv ${args.join(' ')} ended with status ${status}`);
  return { wall: Number(process.hrtime.bigint() - started) / 1e9, cpu };
}

/** User and system time so far, of all threads. */
function cpuSeconds(pid: number): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ');
    return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
  } catch {
    return 0; // it has ended, or this is no Linux
  }
}
