/**
 * Whole processes, timed from outside: wall seconds and peak memory. The peak is the
 * kernel's own high-water mark, read from /proc until the process ends (0 elsewhere).
 */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';

export interface Run {
  /** Wall time in seconds. */
  readonly seconds: number;
  /** Peak resident memory in MB. */
  readonly megabytes: number;
  /** CPU time of the process in seconds, as it was a few ms before its end. */
  readonly cpu: number;
  readonly stdout: string;
}

export interface Task {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env?: Record<string, string>;
  /** Runs before each repetition, not timed. */
  readonly before?: () => void;
  /** Exit statuses that are no failure. */
  readonly allowed?: readonly number[];
}

const KEPT_OUTPUT = 1 << 20;

function peakOf(pid: number): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0) / 1024;
  } catch {
    return 0; // it has ended, or this is no Linux
  }
}

/** CPU seconds of a process so far: user and system, in ticks of 10 ms. */
export function cpuOf(pid: number): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1].split(' ');
    return (Number(fields[11]) + Number(fields[12])) / 100;
  } catch {
    return 0; // it has ended, or this is no Linux
  }
}

export async function runOnce(task: Task): Promise<Run> {
  task.before?.();
  const started = process.hrtime.bigint();
  const child = spawn(task.command, task.args, {
    cwd: task.cwd,
    env: { ...process.env, ...task.env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let stdout = '';
  child.stdout.on('data', (bytes: Buffer) => {
    if (stdout.length < KEPT_OUTPUT) stdout += bytes.toString();
  });
  let megabytes = 0;
  let cpu = 0;
  const poll = setInterval(() => {
    if (child.pid === undefined) return;
    megabytes = Math.max(megabytes, peakOf(child.pid));
    cpu = Math.max(cpu, cpuOf(child.pid));
  }, 5);
  const status = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  clearInterval(poll);
  const seconds = Number(process.hrtime.bigint() - started) / 1e9;
  if (status !== 0 && !task.allowed?.includes(status ?? -1)) {
    throw new Error(`${task.command} ${task.args.join(' ')} ended with status ${status}`);
  }
  return { seconds, megabytes, cpu, stdout };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}

/** Several tasks in turn, A B A B, so that a machine that drifts drifts under all of them. */
export async function measure(
  tasks: readonly Task[],
  repetitions: number,
): Promise<{ readonly seconds: number; readonly megabytes: number; readonly stdout: string }[]> {
  const runs: Run[][] = tasks.map(() => []);
  for (let i = 0; i < repetitions; i++) {
    for (const [t, task] of tasks.entries()) runs[t].push(await runOnce(task));
  }
  return runs.map((list) => ({
    seconds: median(list.map((run) => run.seconds)),
    megabytes: Math.max(...list.map((run) => run.megabytes)),
    stdout: list[list.length - 1].stdout,
  }));
}
