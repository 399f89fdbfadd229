/**
 * `npm run bench:merge [-- --rows N] [--repeat R] [--daff PROGRAM] [--no-git]`: merges of two
 * branches with 1,000 edits each, whole processes, beside `git merge` of the same files and,
 * with the path of a daff, `daff merge` of a small one; and a merge where one side changed one
 * row and the other half of them.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { measure, type Task } from './measure.ts';

const ROOT = join(import.meta.dirname, '../..');
const NODE = join(ROOT, 'node_modules/.bin/node');
const DV = join(ROOT, 'bin/dv');
const EDITS = 1000;
/** Rows that daff merges in seconds. */
const SMALL = 10_000;

const { values: flags } = parseArgs({
  options: {
    rows: { type: 'string', default: '1000000' },
    repeat: { type: 'string', default: '5' },
    daff: { type: 'string' },
    git: { type: 'boolean', default: true },
  },
  allowNegative: true,
});
const rows = Number(flags.rows);
const repeat = Number(flags.repeat);
const work = mkdtempSync(join(tmpdir(), 'dv-bench-'));
const env = {
  DV_AUTHOR_NAME: 'Bench',
  DV_AUTHOR_EMAIL: 'bench@example.org',
  GIT_AUTHOR_NAME: 'Bench',
  GIT_AUTHOR_EMAIL: 'bench@example.org',
  GIT_COMMITTER_NAME: 'Bench',
  GIT_COMMITTER_EMAIL: 'bench@example.org',
};

function report(work: string, dv: string, peer = '', ratio?: number): void {
  console.log(
    `${work.padEnd(58)} ${dv.padStart(18)} ${peer.padStart(10)} ${(ratio?.toFixed(4) ?? '').padStart(8)}`,
  );
}

function table(name: string, count: number, ...more: readonly string[]): string {
  const path = join(work, name);
  const generator = join(ROOT, 'test/bench/generate.ts');
  execFileSync(NODE, [generator, String(count), path, ...more]);
  return path;
}

function run(cwd: string, script: string): void {
  execFileSync('/bin/sh', ['-ec', script], { cwd, env: { ...process.env, ...env } });
}

function folder(name: string): string {
  const path = join(work, name);
  mkdirSync(path);
  return path;
}

const task = (cwd: string, command: string, args: readonly string[], reset: string): Task => ({
  command,
  args,
  cwd,
  env,
  before: () => run(cwd, reset),
});

interface Sides {
  readonly base: string;
  readonly ours: string;
  readonly theirs: string;
}

/** Three commits of a table that has no working file; of one that has when `file`. */
function dvRepository(name: string, { base, ours, theirs }: Sides, file: boolean): string {
  const cwd = folder(name);
  const put = (path: string) =>
    file ? `cp '${path}' T.csv && '${DV}' add -q T.csv` : `'${DV}' import -q T '${path}'`;
  run(
    cwd,
    `'${DV}' init -q
     ${put(base)} && '${DV}' commit -q -m base && '${DV}' branch theirs
     ${put(ours)} && '${DV}' commit -q -m ours && '${DV}' tag ours
     '${DV}' switch -q theirs && ${put(theirs)} && '${DV}' commit -q -m theirs
     '${DV}' switch -q main`,
  );
  return cwd;
}

function gitRepository({ base, ours, theirs }: Sides): string {
  const cwd = folder('git');
  const put = (path: string) => `cp '${path}' T.csv && git add T.csv && git commit -q -m x`;
  run(
    cwd,
    `git init -q -b main && ${put(base)} && git branch theirs
     ${put(ours)} && git tag ours && git switch -q theirs && ${put(theirs)} && git switch -q main`,
  );
  return cwd;
}

const MERGE = ['merge', '-q', 'theirs'];

async function edits(sides: Sides): Promise<void> {
  const inStore = dvRepository('store', sides, false);
  const tasks = [task(inStore, DV, MERGE, `'${DV}' reset -q --hard ours`)];
  if (flags.git) {
    tasks.push(task(gitRepository(sides), 'git', MERGE, 'git reset -q --hard ours'));
  }
  const [ours, git] = await measure(tasks, repeat);
  const shown = (run?: { seconds: number }) => run && `${run.seconds.toFixed(3)} s`;
  const name = `merge, ${EDITS} edits a side, of a stored table / git merge`;
  report(name, shown(ours)!, shown(git), git && ours.seconds / git.seconds);
  report('  peak memory, MB', ours.megabytes.toFixed(0));
  const dry = task(inStore, DV, ['merge', '-q', '-n', 'theirs'], `'${DV}' reset -q --hard ours`);
  const [looked] = await measure([dry], repeat);
  report('  with --dry-run', shown(looked)!);
  const inFile = dvRepository('file', sides, true);
  const [file] = await measure([task(inFile, DV, MERGE, `'${DV}' reset -q --hard ours`)], repeat);
  const ratio = git && file.seconds / git.seconds;
  report('  of a table with a working file, which is written', shown(file)!, shown(git), ratio);
}

async function oneAgainstHalf(base: string): Promise<void> {
  const ours = table('one.csv', rows, '--edits', '1', '--half', 'first');
  const half = String(rows / 2);
  const theirs = table('half.csv', rows, '--edits', half, '--half', 'second', '--edit-seed', '2');
  const cwd = dvRepository('half', { base, ours, theirs }, false);
  const reset = `'${DV}' reset -q --hard ours`;
  const [one] = await measure([task(cwd, DV, MERGE, reset)], repeat);
  report(`merge, 1 edit here and ${half} there`, `${one.seconds.toFixed(3)} s`);
  report('  peak memory, MB', one.megabytes.toFixed(0));
}

async function besideDaff(daff: string): Promise<void> {
  const [base, ours, theirs] = sidesOf(SMALL, 'small-', '100');
  const sides = { base, ours, theirs };
  const cwd = dvRepository('small', sides, false);
  const out = join(work, 'merged.csv');
  const reset = `'${DV}' reset -q --hard ours`;
  const [mine, peer] = await measure(
    [
      task(cwd, DV, MERGE, reset),
      task(work, daff, ['merge', '--output', out, base, ours, theirs], 'true'),
    ],
    repeat,
  );
  report(
    `merge, ${SMALL} rows, 100 edits a side / daff merge`,
    `${mine.seconds.toFixed(3)} s`,
    `${peer.seconds.toFixed(3)} s`,
    mine.seconds / peer.seconds,
  );
}

function sidesOf(count: number, prefix: string, edits: string): [string, string, string] {
  return [
    table(`${prefix}base.csv`, count),
    table(`${prefix}ours.csv`, count, '--edits', edits, '--half', 'first'),
    table(`${prefix}theirs.csv`, count, '--edits', edits, '--half', 'second', '--edit-seed', '2'),
  ];
}

try {
  const [model] = cpus();
  const load = loadavg()[0].toFixed(1);
  console.log(
    `${rows.toLocaleString('en')} rows; ${cpus().length} x ${model?.model}, load ${load}; node ${process.version}`,
  );
  const [base, ours, theirs] = sidesOf(rows, '', String(EDITS));
  await edits({ base, ours, theirs });
  await oneAgainstHalf(base);
  if (flags.daff !== undefined) await besideDaff(flags.daff);
} finally {
  rmSync(work, { recursive: true, force: true });
}
