/** `dv watch --follow` and `--apply`: a clone that goes along with a server. */
import { type ChildProcess, spawn } from 'node:child_process';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { DV, runDv, temporaryDirectory, testEnvironment } from '../support/cli.ts';
import { startServeProcess } from '../support/server.ts';

const WAIT = { timeout: 30_000, interval: 50 };

interface Scene {
  /** At the server. */
  readonly there: string;
  readonly here: string;
  readonly watch: ChildProcess;
  readonly ended: Promise<number | null>;
  readonly stderr: () => string;
}

async function dv(cwd: string, ...args: readonly string[]): Promise<string> {
  const { status, stdout, stderr } = await runDv(args, { cwd });
  if (status !== 0) throw new Error(`dv ${args.join(' ')}: ${stderr}`);
  return stdout.trim();
}

async function commit(cwd: string, edit: (text: string) => string, message: string): Promise<void> {
  const file = join(cwd, 'cities.csv');
  writeFileSync(file, edit(readFileSync(file, 'utf8')));
  await dv(cwd, 'add', 'cities.csv');
  await dv(cwd, 'commit', '-m', message);
}

async function scene(...flags: readonly string[]): Promise<Scene> {
  const home = temporaryDirectory();
  await dv(home, 'init', 'data');
  const there = join(home, 'data');
  writeFileSync(join(there, 'cities.csv'), 'id,name,people\n1,Ulm,100\n2,Bonn,300\n');
  await commit(there, (text) => text, 'first');
  const { url } = await startServeProcess(home);
  await dv(home, 'clone', `${url}/data`, 'here');
  const here = join(home, 'here');
  const watch = spawn(DV, ['watch', 'origin', '--format', 'json', ...flags], {
    cwd: here,
    env: testEnvironment(home),
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  onTestFinished(() => {
    watch.kill('SIGKILL');
  });
  let stderr = '';
  watch.stderr.on('data', (bytes) => {
    stderr += bytes;
  });
  const ended = new Promise<number | null>((resolve) => watch.on('exit', resolve));
  return { there, here, watch, ended, stderr: () => stderr };
}

const heads = async (cwd: string, ref: string): Promise<string> => {
  const { stdout } = await runDv(['log', '-1', '--pretty', '%H', ref], { cwd });
  return stdout.trim();
};

describe('dv watch --follow', () => {
  test('moves what follows the remote, and nothing else', async () => {
    const { there, here } = await scene('--follow');
    const own = await heads(here, 'main');
    for (let i = 3; i < 6; i++)
      await commit(there, (text) => `${text}${i},City ${i},0\n`, `city ${i}`);
    await dv(there, 'branch', 'side');
    const head = await heads(there, 'main');
    await expect.poll(() => heads(here, 'origin/main'), WAIT).toBe(head);
    await expect.poll(() => heads(here, 'origin/side'), WAIT).toBe(head);
    await dv(there, 'branch', '-d', 'side');
    await expect.poll(() => heads(here, 'origin/side'), WAIT).toBe('');
    expect(await heads(here, 'main')).toBe(own);
    expect(await dv(here, 'fsck')).toMatch(/sound$/);
    expect(await dv(here, 'remote', 'show', 'origin')).toMatch(/anonymous \(frames\): up to date/);
  });
});

describe('dv watch --apply', () => {
  test('takes the branch and its files along, merges commits of its own, and stops at a conflict', async () => {
    const { there, here, ended, stderr } = await scene('--apply');
    const file = () => readFileSync(join(here, 'cities.csv'), 'utf8');
    await commit(there, (text) => `${text}3,Kiel,200\n`, 'a city');
    await expect.poll(file, WAIT).toContain('3,Kiel,200');
    await commit(here, (text) => text.replace('Bonn,300', 'Bonn,301'), 'ours');
    await commit(there, (text) => text.replace('Ulm,100', 'Ulm,101'), 'theirs');
    await expect.poll(file, WAIT).toBe('id,name,people\n1,Ulm,101\n2,Bonn,301\n3,Kiel,200\n');
    await commit(here, (text) => text.replace('Bonn,301', 'Bonn,302'), 'ours again');
    await commit(there, (text) => text.replace('Bonn,300', 'Bonn,999'), 'theirs again');
    expect(await ended).toBe(3);
    expect(stderr()).toContain("what came into 'origin/main' conflicts with branch 'main'");
    expect((await runDv(['conflicts'], { cwd: here })).stdout).toContain('cities.csv');
  });

  test('never overwrites unsaved work', async () => {
    const { there, here, ended } = await scene('--apply');
    await commit(there, (text) => `${text}3,Kiel,200\n`, 'begin');
    await expect
      .poll(() => readFileSync(join(here, 'cities.csv'), 'utf8'), WAIT)
      .toContain('3,Kiel');
    appendFileSync(join(here, 'cities.csv'), '4,Unsaved,1\n');
    await commit(there, (text) => text.replace('Ulm,100', 'Ulm,101'), 'in the way');
    expect(await ended).toBe(3);
    expect(readFileSync(join(here, 'cities.csv'), 'utf8')).toContain('4,Unsaved,1');
  });
});
