/** `dv snapshot`: what a pipeline runs, against a real server, twice and at the same time. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runProgram, temporaryDirectory } from '../support/cli.ts';
import type { Shell } from '../support/everyday.ts';
import { expectSound, failing, RemoteScene, ROWS } from '../support/remote-scene.ts';
import { type ServeProcess, startServeProcess } from '../support/server.ts';

interface Snapshot {
  readonly outcome: string;
  readonly commit: string;
  readonly bytes: number;
  readonly tables: readonly unknown[];
}

async function open(): Promise<{
  scene: RemoteScene;
  server: ServeProcess;
  url: string;
  job: Shell;
}> {
  const scene = new RemoteScene();
  const server = await startServeProcess(temporaryDirectory());
  return { scene, server, url: `${server.url}/data`, job: scene.shell('job') };
}

const take = (job: Shell, url: string, ...args: string[]): Promise<Snapshot> =>
  job.json('snapshot', '--remote', url, ...args) as Promise<Snapshot>;

describe('a snapshot', () => {
  test('is pushed when something changed, and says so when not', async () => {
    const { scene, url, job } = await open();
    job.write('x.csv', ROWS);
    const one = await take(job, url, 'x.csv', '--key', 'id', '-m', 'Nightly');
    expect(one).toMatchObject({ outcome: 'pushed', tables: [{ table: 'x.csv', added: 3 }] });
    const again = await take(job, url, 'x.csv');
    expect(again).toMatchObject({ outcome: 'unchanged', commit: one.commit, tables: [] });
    expect(await job.ok('snapshot', '--remote', url, 'x.csv')).toMatch(/^unchanged: main of /);
    job.write('x.csv', 'id,name\n1,A\n2,b\n4,d\n');
    expect(await take(job, url, 'x.csv')).toMatchObject({
      outcome: 'pushed',
      tables: [{ table: 'x.csv', added: 1, removed: 1, modified: 1 }],
    });
    expect(readdirSync(job.directory)).toEqual(['x.csv']);
    const clone = await scene.clone(url, 'clone');
    expect(readFileSync(join(clone.directory, 'x.csv'), 'utf8')).toBe('id,name\n1,A\n2,b\n4,d\n');
    expect(await clone.ok('log', '--pretty', '%s')).toBe('Snapshot of x.csv\nNightly\n');
    await expectSound(clone);
  });

  test('takes files from elsewhere, each as the table of its name', async () => {
    const { scene, url, job } = await open();
    const elsewhere = scene.shell('elsewhere');
    elsewhere.write('x.csv', ROWS);
    mkdirSync(join(elsewhere.directory, 'sub'));
    elsewhere.write(join('sub', 'y.csv'), ROWS);
    expect(await take(job, url, join('..', 'elsewhere', 'x.csv'))).toMatchObject({
      tables: [{ table: 'x.csv', added: 3 }],
    });
    const both = ['x.csv', join('sub', 'y.csv')].map((name) => join(elsewhere.directory, name));
    expect(await take(job, url, ...both)).toMatchObject({ tables: [{ table: 'sub/y.csv' }] });
    expect(readdirSync(elsewhere.directory).sort()).toEqual(['sub', 'x.csv']);
  });

  test('leaves other tables alone, and fetches little of its own', async () => {
    const { scene, url, job } = await open();
    const author = scene.shell('author');
    await author.ok('init', '--quiet');
    const rows = Array.from({ length: 20_000 }, (_, i) => `${i},value ${(i * 7919) % 10_007}`);
    author.write('big.csv', `id,text\n${rows.join('\n')}\n`);
    author.write('x.csv', ROWS);
    await author.ok('add', '.');
    await author.ok('commit', '-m', 'Both');
    await author.ok('push', url, 'main');
    const whole = (await scene.shell('.').json('clone', url, 'all')) as { bytes: number };
    rows[10_000] = '10000,changed';
    job.write('big.csv', `id,text\n${rows.join('\n')}\n`);
    const taken = await take(job, url, 'big.csv');
    expect(taken).toMatchObject({ outcome: 'pushed', tables: [{ modified: 1, added: 0 }] });
    expect(taken.bytes).toBeLessThan(whole.bytes / 4);
    const clone = await scene.clone(url, 'clone');
    expect(await clone.ok('ls-tree')).toContain('x.csv');
    expect(await clone.ok('diff', 'HEAD~1', 'HEAD', '--stat')).not.toContain('x.csv');
    await expectSound(clone);
  });

  test('taken by many at once is in the history once each', async () => {
    const { scene, url, job } = await open();
    job.write('x.csv', ROWS);
    await take(job, url, 'x.csv');
    const jobs = Array.from({ length: 4 }, (_, i) => scene.shell(`job-${i}`));
    for (const [i, one] of jobs.entries()) one.write(`t${i}.csv`, `id,name\n1,${i}\n`);
    const taken = await Promise.all(jobs.map((one, i) => take(one, url, `t${i}.csv`)));
    expect(taken.map(({ outcome }) => outcome)).toEqual(jobs.map(() => 'pushed'));
    const same = await Promise.all(
      jobs.map((one) => {
        one.write('x.csv', 'id,name\n1,z\n');
        return take(one, url, 'x.csv');
      }),
    );
    expect(same.filter(({ outcome }) => outcome === 'pushed')).toHaveLength(1);
    const clone = await scene.clone(url, 'clone');
    expect((await clone.lines('log')).length).toBe(6);
    for (const i of jobs.keys()) expect(existsSync(join(clone.directory, `t${i}.csv`))).toBe(true);
    await expectSound(clone);
  });

  test('that is refused tells why, and changes nothing', async () => {
    const { url, job } = await open();
    const none = await failing(job, 'snapshot', 'x.csv', '--remote', url);
    expect(none).toMatchObject({ status: 3, error: { code: 'file-missing' } });
    job.write('x.csv', 'id,name\n1,a\n1,b\n');
    const twice = await failing(job, 'snapshot', 'x.csv', '--remote', url, '--key', 'id');
    expect(twice.error.code).toBe('duplicate-key');
    job.write('x.csv', ROWS);
    expect((await failing(job, 'snapshot', 'x.csv')).error.code).toBe('bad-option');
    const away = await failing(job, 'snapshot', 'x.csv', '--remote', 'http://127.0.0.1:1/x');
    expect(away).toMatchObject({ status: 4, error: { code: 'remote-unreachable' } });
    const wrong = await failing(job, 'ls-remote', url);
    expect(wrong.error.code).toBe('unknown-repository');
  });
});

/** The script that docs/ci.md shows. */
function scriptOfPage(): string {
  const page = readFileSync(join(import.meta.dirname, '../../docs/ci.md'), 'utf8');
  const [, script] = /```sh script\n([\s\S]*?)```/.exec(page) ?? [];
  return script ?? '';
}

test('the script of the page for pipelines works, with a token', async () => {
  const scene = new RemoteScene();
  const served = temporaryDirectory();
  const home = scene.shell('.');
  await home.ok('-C', served, 'init', '--quiet', '--bare', 'cities');
  const made = await home.run(['-C', served, 'token', 'create', '--json', 'writer']);
  const { token } = JSON.parse(made.stdout) as { token: string };
  const server = await startServeProcess(served);
  const job = scene.shell('job');
  const bin = join(scene.directory, 'bin');
  mkdirSync(bin);
  const dv = join(import.meta.dirname, '../../bin/dv');
  writeFileSync(join(bin, 'dv'), `#!/bin/sh\nexec ${dv} "$@"\n`, { mode: 0o755 });
  const env = {
    PATH: `${bin}:${process.env.PATH}`,
    DV_REMOTE: `${server.url}/cities`,
    DV_TOKEN: token,
    DV_AUTHOR_NAME: undefined,
    DV_AUTHOR_EMAIL: undefined,
  };
  const script = scriptOfPage();
  expect(script).toContain('dv snapshot');
  job.write('export.csv', ROWS);
  job.write('script.sh', script);
  const run = () => runProgram('sh', ['script.sh'], { cwd: job.directory, env });
  const first = await run();
  expect(`${first.status} ${first.stderr}`).toBe('0 ');
  expect(first.stdout).toContain('pushed');
  expect((await run()).stdout).toContain('unchanged');
  const wrong = await runProgram('sh', ['script.sh'], {
    cwd: job.directory,
    env: { ...env, DV_TOKEN: `${token.slice(0, -6)}aaaaaa` },
  });
  expect(wrong.status).toBe(4);
  expect(wrong.stderr + wrong.stdout).not.toContain(token.slice(0, -6));
});
