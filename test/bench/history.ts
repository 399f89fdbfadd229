/**
 * `npm run bench:history [-- --repeat R]`: questions about long histories, whole processes.
 *
 *   - `history` of a row that 10 of 10,000 commits touched, all of which changed the table
 *   - `blame` of 100,000 rows over 1,000 commits of 10, and of 100 scattered rows each
 *   - `log -n 1` on 100,000 commits beside the same on 10
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { growHistory, type HistoryOptions } from './grow-history.ts';
import { measure } from './measure.ts';

const ROOT = join(import.meta.dirname, '../..');
const NODE = join(ROOT, 'node_modules/.bin/node');
const DV = join(ROOT, 'bin/dv');
const AUTHOR = { DV_AUTHOR_NAME: 'Bench', DV_AUTHOR_EMAIL: 'bench@example.org' };

const { values: flags } = parseArgs({ options: { repeat: { type: 'string', default: '3' } } });
const repeat = Number(flags.repeat);
const work = mkdtempSync(join(tmpdir(), 'dv-bench-'));

function report(name: string, shown: string, budget: string): void {
  console.log(`${name.padEnd(66)} ${shown.padStart(12)} ${budget.padStart(8)}`);
}

async function repository(name: string, rows: number, history: HistoryOptions): Promise<string> {
  const directory = join(work, name);
  mkdirSync(directory);
  const env = { ...process.env, ...AUTHOR };
  const run = (program: string, ...args: string[]) =>
    execFileSync(program, args, { cwd: directory, env });
  run(NODE, join(ROOT, 'test/bench/generate.ts'), String(rows), 'T.csv');
  run(DV, 'init', '-q');
  run(DV, 'add', '-q', 'T.csv');
  run(DV, 'commit', '-q', '-m', 'first');
  await growHistory(directory, 'T.csv', history);
  return directory;
}

const dv = (cwd: string, ...args: string[]) => ({ command: DV, args, cwd, env: AUTHOR });

async function historyOfARow(): Promise<void> {
  const rare = { key: 777, times: 10 };
  const cwd = await repository('row', 100_000, { commits: 10_000, rowsACommit: 1, rare });
  const [asked, bare] = await measure(
    [dv(cwd, 'history', 'T.csv', '777'), dv(cwd, '--version')],
    repeat,
  );
  const found = asked.stdout.match(/^[0-9a-f]{7} /gm)?.length;
  if (found !== 11) throw new Error(`history found ${found} versions, not 11`);
  report('history of a row, 10,000 commits, 10 touched it', `${asked.seconds.toFixed(2)} s`, '2 s');
  report('  (dv --version in turn with it)', `${bare.seconds.toFixed(3)} s`, '');
}

async function blameOfATable(rowsACommit: number): Promise<void> {
  const cwd = await repository(`blame${rowsACommit}`, 100_000, { commits: 1000, rowsACommit });
  const [asked] = await measure([dv(cwd, 'blame', 'T.csv')], repeat);
  const name = `blame of 100,000 rows, 1,000 commits of ${rowsACommit} scattered rows`;
  report(name, `${asked.seconds.toFixed(2)} s`, '5 s');
  report('  peak memory', `${asked.megabytes.toFixed(0)} MB`, '');
}

async function newestCommit(): Promise<void> {
  const few = await repository('few', 1000, { commits: 10, rowsACommit: 1 });
  const many = await repository('many', 1000, { commits: 100_000, rowsACommit: 1 });
  const tasks = [few, many].map((cwd) => dv(cwd, 'log', '-n', '1'));
  const [short, long] = await measure(tasks, 5 * repeat);
  const ratio = long.seconds / short.seconds;
  report('log -n 1: 100,000 commits / 10 commits', ratio.toFixed(2), '1.3');
  report('  on 100,000 commits', `${long.seconds.toFixed(3)} s`, '');
}

try {
  const load = loadavg()[0].toFixed(1);
  console.log(`${cpus().length} x ${cpus()[0]?.model}, load ${load}; node ${process.version}`);
  await historyOfARow();
  await blameOfATable(10);
  await blameOfATable(100);
  await newestCommit();
} finally {
  rmSync(work, { recursive: true, force: true });
}
