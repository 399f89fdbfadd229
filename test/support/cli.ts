/** Runs bin/dv as a real process, in a folder and a home of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

export const DV = fileURLToPath(new URL('../../bin/dv', import.meta.url));

export interface RunOptions {
  readonly cwd?: string;
  readonly input?: string | Uint8Array;
  /** Added to a clean environment; undefined takes a variable away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

export interface RunResult {
  /** Exit status; of a signal 128 and its number, as in a shell. */
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

const SIGNAL_STATUS: Readonly<Record<string, number>> = { SIGINT: 130, SIGKILL: 137, SIGTERM: 143 };

/** What every dv of the tests sees: an author, no settings of whoever runs the tests. */
export function testEnvironment(
  home: string,
  extra: RunOptions['env'] = {},
): Record<string, string> {
  const variables = {
    PATH: process.env.PATH,
    HOME: home,
    DV_AUTHOR_NAME: 'Test Author',
    DV_AUTHOR_EMAIL: 'test@example.org',
    TZ: 'UTC',
    LC_ALL: 'C.UTF-8',
    ...extra,
  };
  return Object.fromEntries(
    Object.entries(variables).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

/** Runs `dv ...args` to its end. `cwd` is also its home unless `env` names another. */
export function runDv(args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  return runProgram(DV, args, options);
}

/** Runs any program likewise: a shell with dv in a pipe, another Node. */
export function runProgram(
  program: string,
  args: readonly string[],
  { cwd = tmpdir(), input = '', env }: RunOptions = {},
): Promise<RunResult> {
  const child = spawn(program, args, { cwd, env: testEnvironment(cwd, env) });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on('data', (bytes) => stdout.push(bytes));
  child.stderr.on('data', (bytes) => stderr.push(bytes));
  child.stdin.on('error', () => undefined); // a dv that does not read its input may be gone
  child.stdin.end(input);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      resolve({
        status: code ?? SIGNAL_STATUS[signal ?? ''] ?? 128,
        stdout: Buffer.concat(stdout).toString(),
        stderr: Buffer.concat(stderr).toString(),
      });
    });
  });
}

export interface StartedDv {
  readonly child: ChildProcess;
  readonly ended: Promise<RunResult>;
}

/** Starts `dv ...args` and lets it run; killed when the test ends. Its input stays empty. */
export function startDv(
  args: readonly string[],
  { cwd = tmpdir(), input, env }: RunOptions = {},
): StartedDv {
  const child = spawn(DV, args, { cwd, env: testEnvironment(cwd, env) });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on('data', (bytes) => stdout.push(bytes));
  child.stderr.on('data', (bytes) => stderr.push(bytes));
  child.stdin.on('error', () => undefined);
  if (input !== undefined) child.stdin.end(input);
  const ended = new Promise<RunResult>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) =>
      resolve({
        status: code ?? SIGNAL_STATUS[signal ?? ''] ?? 128,
        stdout: Buffer.concat(stdout).toString(),
        stderr: Buffer.concat(stderr).toString(),
      }),
    );
  });
  return { child, ended };
}

/** Resolves when the condition holds; asks again and again, for a bounded time. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  limit = 60_000,
): Promise<void> {
  const deadline = Date.now() + limit;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error('what was waited for did not come');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** An empty directory that goes with the test. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'dv-test-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** A directory with an empty repository. */
export async function temporaryRepository(): Promise<string> {
  const directory = temporaryDirectory();
  const { status, stderr } = await runDv(['init', '--quiet'], { cwd: directory });
  if (status !== 0) throw new Error(`dv init failed: ${stderr}`);
  return directory;
}
