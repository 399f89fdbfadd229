/**
 * `npm run bench [-- --rows N] [--repeat R] [--real] [--keep]`: the budgets of dv on one
 * machine, each measured beside its peer in the same run on the same generated table. Prints a
 * table, and with --json the figures. `--real` adds the large public data sets where they are.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { measure, type Task } from './measure.ts';

const ROOT = join(import.meta.dirname, '../..');
const NODE = join(ROOT, 'node_modules/.bin/node');
const DV = join(ROOT, 'bin/dv');

const { values: flags } = parseArgs({
  options: {
    rows: { type: 'string', default: '1000000' },
    repeat: { type: 'string', default: '3' },
    keep: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    real: { type: 'boolean', default: false },
  },
});
const rows = Number(flags.rows);
const repeat = Number(flags.repeat);

interface Figure {
  readonly work: string;
  readonly dv: string;
  readonly peer: string;
  readonly ratio: number | undefined;
  readonly budget: number | undefined;
}

const figures: Figure[] = [];
const AUTHOR = {
  DV_AUTHOR_NAME: 'Bench',
  DV_AUTHOR_EMAIL: 'bench@example.org',
  GIT_AUTHOR_NAME: 'Bench',
  GIT_AUTHOR_EMAIL: 'bench@example.org',
  GIT_COMMITTER_NAME: 'Bench',
  GIT_COMMITTER_EMAIL: 'bench@example.org',
};

function report(
  work: string,
  dv: string,
  peer: string,
  ratio: number | undefined,
  budget: number | undefined,
): void {
  figures.push({ work, dv, peer, ratio, budget });
  if (flags.json) return;
  const verdict =
    ratio === undefined || budget === undefined ? '' : ratio <= budget ? 'met' : 'MISSED';
  const shown = ratio === undefined ? '' : ratio.toFixed(3);
  console.log(
    `${work.padEnd(46)} ${dv.padStart(18)} ${peer.padStart(22)} ${shown.padStart(8)} ${String(budget ?? '').padStart(7)} ${verdict}`,
  );
}

const seconds = (value: number): string => `${value.toFixed(3)} s`;
const has = (tool: string): boolean => spawnSync('which', [tool]).status === 0;

const work = mkdtempSync(join(tmpdir(), 'dv-bench-'));
const table = join(work, 'T.csv');
const edited = join(work, 'T-edited.csv');
const generator = join(ROOT, 'test/bench/generate.ts');
execFileSync(NODE, [generator, String(rows), table]);
execFileSync(NODE, [generator, String(rows), edited, '--edits', '1000']);
const bytes = statSync(table).size;

const dv = (cwd: string, args: string[], more: Partial<Task> = {}): Task => ({
  command: DV,
  args,
  cwd,
  env: AUTHOR,
  ...more,
});
const sh = (cwd: string, script: string, more: Partial<Task> = {}): Task => ({
  command: '/bin/sh',
  args: ['-c', script],
  cwd,
  env: AUTHOR,
  ...more,
});

function fresh(name: string, file: string): string {
  const directory = join(work, name);
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory);
  cpSync(file, join(directory, 'T.csv'));
  return directory;
}

const storeBytes = (directory: string): number =>
  ['store.db', 'store.db-wal']
    .map((name) => join(directory, '.dv', name))
    .reduce((sum, path) => sum + (existsSync(path) ? statSync(path).size : 0), 0);

async function start(): Promise<void> {
  const [bare, version] = await measure(
    [{ command: NODE, args: ['-e', '0'], cwd: work }, dv(work, ['--version'])],
    15,
  );
  report(
    'start: dv --version / node -e 0',
    seconds(version.seconds),
    seconds(bare.seconds),
    version.seconds / bare.seconds,
    2,
  );
}

async function firstCommit(): Promise<void> {
  const here = join(work, 'dv');
  const script = `'${DV}' init -q . && '${DV}' add -q T.csv && '${DV}' commit -q -m first`;
  const tasks = [sh(here, script, { before: () => fresh('dv', table) })];
  const peers: string[] = [];
  if (has('sqlite3')) {
    peers.push('sqlite3 .import');
    const before = () => rmSync(join(work, 'x.db'), { force: true });
    tasks.push(sh(work, `sqlite3 x.db '.mode csv' '.import T.csv t'`, { before }));
  }
  if (has('git')) {
    peers.push('git add + commit');
    const git = 'git init -q . && git add T.csv && git commit -q -m first';
    tasks.push(sh(join(work, 'git'), git, { before: () => fresh('git', table) }));
  }
  const [ours, ...theirs] = await measure(tasks, repeat);
  theirs.forEach((peer, i) => {
    const budget = peers[i].startsWith('git') ? 0.8 : 0.45;
    report(
      `first add + commit / ${peers[i]}`,
      seconds(ours.seconds),
      seconds(peer.seconds),
      ours.seconds / peer.seconds,
      budget,
    );
  });
  const size = storeBytes(here);
  if (has('zstd')) {
    const compressed = Number(
      execFileSync('sh', ['-c', `zstd -1 -c '${table}' | wc -c`]).toString(),
    );
    report('repository / zstd -1 of the file', `${size}`, `${compressed}`, size / compressed, 1.15);
  }
  const again = join(work, 'again');
  const inside = (script: string) =>
    execFileSync('/bin/sh', ['-c', script], { cwd: again, env: { ...process.env, ...AUTHOR } });
  const empty = dv(again, ['add', '-q', 'T.csv'], {
    before: () => {
      fresh('again', table);
      inside(`'${DV}' init -q .`);
    },
  });
  const [alone] = await measure([empty], 1);
  report(
    '  peak memory of the first add, MB',
    alone.megabytes.toFixed(0),
    '',
    alone.megabytes,
    512,
  );
  const prepared = dv(again, ['add', '-q', 'T.csv'], {
    before: () => {
      fresh('again', table);
      inside(script);
      cpSync(edited, join(again, 'T.csv'));
    },
  });
  const [second] = await measure([prepared], repeat);
  const share = second.seconds / ours.seconds;
  report(
    'add again, 1,000 rows edited / first',
    seconds(second.seconds),
    seconds(ours.seconds),
    share,
    0.7,
  );
  report('  peak memory, MB', second.megabytes.toFixed(0), '', second.megabytes, 512);
}

async function secondCommit(): Promise<void> {
  const here = join(work, 'dv');
  const size = storeBytes(here);
  cpSync(edited, join(here, 'T.csv'));
  await measure([dv(here, ['commit', '-q', '-a', '-m', 'second'])], 1);
  const kilobytes = (storeBytes(here) - size) / 1000;
  report('growth for 1,000 one-cell edits, KB', kilobytes.toFixed(0), '', kilobytes, 400);
  const tasks = [dv(here, ['diff', 'HEAD~1', 'HEAD'])];
  if (has('git')) {
    const git = join(work, 'git');
    cpSync(edited, join(git, 'T.csv'));
    await measure([sh(git, 'git commit -q -a -m second')], 1);
    tasks.push(sh(git, 'git diff HEAD~1 HEAD | cat'));
  }
  const [ours, theirs] = await measure(tasks, repeat);
  report(
    'diff of the two / git diff',
    seconds(ours.seconds),
    theirs ? seconds(theirs.seconds) : '',
    theirs && ours.seconds / theirs.seconds,
    0.15,
  );
  report('  peak memory, MB', ours.megabytes.toFixed(0), '', ours.megabytes, 512);
  const [stat] = await measure([dv(here, ['diff', '--stat', 'HEAD~1', 'HEAD'])], repeat);
  report('diff --stat', seconds(stat.seconds), '', undefined, undefined);
  const [status] = await measure([dv(here, ['status'])], 9);
  report('status, clean, ms', (status.seconds * 1000).toFixed(0), '', status.seconds * 1000, 80);
  const out = {
    command: '/bin/sh',
    args: ['-c', `'${DV}' export HEAD:T.csv | cmp - T.csv`],
    cwd: here,
  };
  const [exported] = await measure([out], 1);
  report(
    'export, equal to the file byte for byte',
    seconds(exported.seconds),
    '',
    undefined,
    undefined,
  );
}

/** Two versions of a published data set, in the order they were published. */
async function realData(set: string, from: string, to: string, key: string): Promise<void> {
  const folder = join(ROOT, '../shared/data', set);
  if (!existsSync(folder)) {
    console.log(`${set}: not here, skipped`);
    return;
  }
  const [older, newer] = [from, to].map((version) => {
    const file = join(work, `${set}-${version}.csv`);
    execFileSync('/bin/sh', ['-c', `gzip -dc '${join(folder, version)}.csv.gz' > '${file}'`]);
    return file;
  });
  const here = join(work, 'real');
  const init = `'${DV}' init -q . && '${DV}' add -q --key ${key} T.csv && '${DV}' commit -q -m ${from}`;
  const peer = sh(work, `sqlite3 x.db '.mode csv' '.import ${older} t'`, {
    before: () => rmSync(join(work, 'x.db'), { force: true }),
  });
  const [ours, theirs] = await measure(
    [sh(here, init, { before: () => fresh('real', older) }), peer],
    repeat,
  );
  const ratio = ours.seconds / theirs.seconds;
  report(
    `${set}: first add + commit / .import`,
    seconds(ours.seconds),
    seconds(theirs.seconds),
    ratio,
    0.45,
  );
  const size = storeBytes(here);
  const compressed = Number(execFileSync('sh', ['-c', `zstd -1 -c '${older}' | wc -c`]).toString());
  report('  repository / zstd -1', `${size}`, `${compressed}`, size / compressed, 1.15);
  cpSync(newer, join(here, 'T.csv'));
  const again = `'${DV}' add -q T.csv && '${DV}' commit -q -m ${to}`;
  const [second] = await measure([sh(here, again)], 1);
  report(`  add + commit of the next version`, seconds(second.seconds), '', undefined, undefined);
  report('  growth, KB', ((storeBytes(here) - size) / 1000).toFixed(0), '', undefined, undefined);
  const [stat] = await measure([dv(here, ['diff', '--stat', 'HEAD~1', 'HEAD'])], repeat);
  report(`  diff --stat of the two`, seconds(stat.seconds), '', undefined, undefined);
}

try {
  if (!flags.json) {
    console.log(
      `${rows.toLocaleString('en')} rows, ${(bytes / 1e6).toFixed(0)} MB; ${cpus().length} x ${cpus()[0]?.model}; node ${process.version}`,
    );
    console.log(
      `${'work'.padEnd(46)} ${'dv'.padStart(18)} ${'peer'.padStart(22)} ${'ratio'.padStart(8)} ${'budget'.padStart(7)}`,
    );
  }
  await start();
  await firstCommit();
  await secondCommit();
  if (flags.real) {
    await realData('bcd_support', '5.4.0', '5.5.0', 'path,browser,seq');
    await realData('cldr_dates', '46.1.0', '47.0.0', 'locale,path');
  }
  if (flags.json)
    console.log(JSON.stringify({ rows, bytes, node: process.version, figures }, null, 2));
} finally {
  if (!flags.keep) rmSync(work, { recursive: true, force: true });
}
