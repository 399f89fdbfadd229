/** Processes that work on a repository until they are killed. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { expect } from 'vitest';

/**
 * Runs a worker of this folder until it is killed, `delay` ms after it first said `word`;
 * answers with what it said.
 */
export async function runAndKill(
  worker: string,
  args: readonly string[],
  word: string,
  delay: number,
): Promise<string> {
  const path = join(import.meta.dirname, worker);
  const child = spawn(process.execPath, [path, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.setEncoding('utf8');
  const ended = new Promise<string | null>((resolve) => {
    child.once('close', (_, signal) => resolve(signal));
  });
  child.stdout.on('data', (text: string) => {
    const hadSaid = output.includes(word);
    output += text;
    if (!hadSaid && output.includes(word)) setTimeout(() => child.kill('SIGKILL'), delay);
  });
  // It worked until it was killed: a worker that failed by itself ends without the signal.
  expect(await ended).toBe('SIGKILL');
  return output;
}
