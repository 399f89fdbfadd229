/**
 * `npm run demo`: dv in half a minute, on real data. Keeps five published versions of a list
 * of web crawlers, looks at what changed from one to the next, merges an edit made on a branch,
 * resolves the conflict, looks back, and watches a commit arrive. Every command is shown before
 * it runs; the directory goes away at the end.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { buildBundles } from './build.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const DV = join(ROOT, 'bin', 'dv');
const DATA = join(ROOT, 'fixtures', 'data', 'crawlers');
const TABLE = 'crawlers.csv';

/** Each version with the day of its newest row. */
const VERSIONS = [
  ['1.0.35', '2019-08-16'],
  ['1.0.76', '2019-12-11'],
  ['1.0.100', '2022-11-13'],
  ['1.28.0', '2026-02-11'],
  ['1.43.0', '2026-04-14'],
] as const;

const bold = process.stdout.isTTY && !process.env.NO_COLOR ? ['\x1b[1m', '\x1b[0m'] : ['', ''];

class Demo {
  #server: ChildProcess | undefined;
  readonly directory = mkdtempSync(join(tmpdir(), 'dv-demo-'));
  readonly #env: NodeJS.ProcessEnv = {
    ...process.env,
    HOME: this.directory,
    XDG_CONFIG_HOME: join(this.directory, '.config'),
    DV_AUTHOR_NAME: 'Demo',
    DV_AUTHOR_EMAIL: 'demo@example.org',
    TZ: 'UTC',
  };

  say(text: string): void {
    process.stdout.write(`\n# ${text}\n`);
  }

  /** Shows a command and runs it; what it writes goes where this program writes. */
  dv(...args: readonly string[]): void {
    this.run(args);
  }

  /** The same for a command whose answer is no: conflicts are left. */
  dvSaysNo(...args: readonly string[]): void {
    this.run(args, 1);
  }

  private run(args: readonly string[], expected = 0): void {
    const shown = args.map(quote).join(' ');
    process.stdout.write(`${bold[0]}$ dv ${shown}${bold[1]}\n`);
    const { status, error } = spawnSync(DV, args, {
      cwd: this.directory,
      env: this.#env,
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    if (error !== undefined) throw error;
    if (status !== expected) throw new Error(`dv ${shown} ended with status ${status}`);
  }

  /** A command beside the others, until it has written a line; `meanwhile` makes it. */
  async dvBeside(args: readonly string[], meanwhile: () => void): Promise<void> {
    process.stdout.write(`${bold[0]}$ dv ${args.map(quote).join(' ')} &${bold[1]}\n`);
    const child = spawn(DV, args, {
      cwd: this.directory,
      env: this.#env,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = once(child, 'close');
    try {
      meanwhile();
      const line = await Promise.race([once(child.stdout, 'data'), ended]);
      if (!(line[0] instanceof Uint8Array)) throw new Error(`dv ${args[0]} ended early`);
      process.stdout.write(line[0]);
    } finally {
      child.kill('SIGTERM');
      await ended;
    }
  }

  publish(version: string): void {
    process.stdout.write(`${bold[0]}$ cp ${version}.csv ${TABLE}${bold[1]}\n`);
    copyFileSync(join(DATA, `${version}.csv`), join(this.directory, TABLE));
  }

  edit(from: string, to: string, table = TABLE): void {
    const path = join(this.directory, table);
    const text = readFileSync(path, 'utf8');
    if (!text.includes(from)) throw new Error(`there is no ${from} to edit`);
    process.stdout.write(`${bold[0]}$ sed -i 's|${from}|${to}|' ${table}${bold[1]}\n`);
    writeFileSync(path, text.replace(from, to));
  }

  /** `dv serve` as a process of its own, on a free port; its URL. */
  async serve(): Promise<string> {
    const served = join(this.directory, 'served');
    mkdirSync(served);
    process.stdout.write(`${bold[0]}$ dv serve served &${bold[1]}\n`);
    const args = ['serve', served, '--json', '--listen', '127.0.0.1:0'];
    this.#server = spawn(DV, args, { env: this.#env, stdio: ['ignore', 'pipe', 'ignore'] });
    for await (const line of createInterface({
      input: this.#server.stdout as NodeJS.ReadableStream,
    })) {
      return (JSON.parse(line) as { listening: string }).listening;
    }
    throw new Error('the server did not start');
  }

  async end(): Promise<void> {
    const server = this.#server;
    if (server !== undefined && server.exitCode === null) {
      const ended = new Promise((resolve) => server.once('close', resolve));
      server.kill('SIGTERM');
      await ended;
    }
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** As a shell would need it. */
function quote(word: string): string {
  if (/^[\w.,:/=~^-]+$/.test(word)) return word;
  return word.includes("'") ? `"${word}"` : `'${word}'`;
}

function publishVersions(demo: Demo): void {
  for (const [index, [version, day]] of VERSIONS.entries()) {
    if (index === 0) demo.say('The first version becomes a table: dv finds its key and types.');
    if (index === 1) demo.say('Later versions, each with the date of its newest row.');
    demo.publish(version);
    if (index === 0) demo.dv('add', TABLE);
    demo.dv('commit', '-am', `Version ${version}`, '--date', day);
    demo.dv('tag', `v${version}`);
  }
  demo.say('A version without news makes no commit.');
  demo.publish('1.45.0');
  demo.dv('commit', '-am', 'Version 1.45.0', '--skip-empty');
  demo.dv('log', '--pretty', '%h %as %s', '--stat');
}

function compareVersions(demo: Demo): void {
  demo.say('What changed in a version, row by row, in the columns of interest.');
  demo.dv('diff', 'v1.0.35', 'v1.0.76', '--columns', 'addition_date,url');
  demo.say('595 rows got a description here. That a column came is told apart from that.');
  demo.dv('diff', 'v1.28.0', 'v1.43.0', '--stat');
  demo.dv('diff', 'v1.28.0', 'v1.43.0', '--schema');
}

function editOnBranch(demo: Demo): void {
  demo.say('An edit on a branch.');
  demo.dv('switch', '-c', 'https');
  demo.edit(',http://www.google.com/bot.html', ',https://www.google.com/bot.html');
  demo.dv('diff', '--columns', 'url');
  demo.dv('commit', '-am', 'Google has https');
  demo.dv('switch', 'main');
  demo.say('The branches differ by one cell; for programs, in JSON.');
  demo.dv('diff', 'main', 'https', '--json', '--columns', 'url');
}

function mergeBranch(demo: Demo): void {
  demo.say('Meanwhile on main: the same cell is edited, and another row.');
  demo.edit(',http://www.google.com/bot.html', ',https://developers.google.com/crawlers');
  demo.edit(',http://fedoraplanet.org/', ',https://fedoraplanet.org/');
  demo.dv('commit', '-am', 'Google has moved');
  demo.say('Only what both changed is asked: one cell. The rest of the row is merged.');
  demo.dvSaysNo('merge', 'https');
  demo.dvSaysNo('conflicts');
  demo.dv('resolve', '--ours', '--column', 'url');
  demo.dv('commit', '-m', 'Merge the branch https');
  demo.dv('log', '--graph', '--oneline', '-n', '4');
}

function lookBack(demo: Demo): void {
  demo.say('Every version of one row, in a column of interest: who changed it, and when.');
  demo.dv('history', TABLE, 'Googlebot\\/', '--column', 'url');
  demo.say('A look back over seven years: one row, and the whole table as it was.');
  demo.dv('diff', 'v1.0.35', 'v1.43.0', '--columns', 'url', '--where', "pattern = 'zgrab'");
  demo.dv('restore', '--source', 'v1.0.35', TABLE);
  demo.say('The file is that of 2019 again, so nothing differs; then back to the present.');
  demo.dv('diff', 'v1.0.35', '--exit-code');
  demo.dv('restore', TABLE);
  demo.dv('status');
  demo.say(`Eleven commits on ${formatKilobytes(publishedBytes())} of CSV take:`);
  demo.dv('store', 'stat');
  demo.dv('fsck');
}

async function watchArrive(demo: Demo): Promise<void> {
  demo.say('And live: a watch beside, which sees a commit the moment it is made.');
  await demo.dvBeside(['watch', '--since', 'origin/main', '--format', 'text'], () => {
    demo.edit(',https://github.com/zmap/zgrab2', ',https://zmap.io/');
    demo.dv('commit', '-am', 'A page about it');
  });
}

async function share(demo: Demo): Promise<void> {
  demo.say('Others get it from a server. A push makes the repository there.');
  const url = await demo.serve();
  demo.dv('remote', 'add', 'origin', `${url}/crawlers`);
  demo.dv('push', '-u', 'origin', 'main');
  demo.say('A colleague clones it, changes a cell and pushes.');
  demo.dv('clone', `${url}/crawlers`, 'colleague');
  demo.edit(',http://inoreader.com', ',https://inoreader.com', join('colleague', TABLE));
  demo.dv('-C', 'colleague', 'commit', '-qam', 'Inoreader has https');
  demo.dv('-C', 'colleague', 'push');
  demo.say('Meanwhile something else was changed here: a pull brings both together, row by row.');
  demo.edit(',http://www.oncrawl.com', ',https://www.oncrawl.com');
  demo.dv('commit', '-qam', 'OnCrawl has https');
  demo.dv('pull');
  demo.dv('push');
  demo.dv('diff', 'HEAD~1', 'HEAD', '--columns', 'url');
}

function publishedBytes(): number {
  return VERSIONS.reduce((sum, [name]) => sum + statSync(join(DATA, `${name}.csv`)).size, 0);
}

function formatKilobytes(bytes: number): string {
  return `${(bytes / 1000).toFixed(0)} kB`;
}

async function tell(demo: Demo): Promise<void> {
  demo.say('The data: crawler-user-agents by Martin Monperrus and contributors, MIT licence:');
  demo.say('a list of web crawlers, as it was published from 2019 to 2026.');
  demo.dv('init');
  publishVersions(demo);
  compareVersions(demo);
  editOnBranch(demo);
  mergeBranch(demo);
  await share(demo);
  lookBack(demo);
  await watchArrive(demo);
}

async function main(): Promise<void> {
  if (!existsSync(join(ROOT, 'dist', 'start.cjs'))) await buildBundles();
  const demo = new Demo();
  try {
    await tell(demo);
  } finally {
    await demo.end();
  }
}

main().catch((error: Error) => {
  console.error(`the demo failed: ${error.message}`);
  process.exitCode = 1;
});
