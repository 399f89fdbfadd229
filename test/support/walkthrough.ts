/**
 * Pages that are typed: the commands of their `console` blocks, one after the other, in a shell
 * with dv. Each succeeds, and what the page shows of its output is there, in order. `…` stands
 * for any text; hashes may differ.
 */
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { DV, type RunResult, runProgram, temporaryDirectory } from './cli.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** A command that takes longer hangs: it is named, which a test that times out cannot do. */
const PATIENCE_MS = 120_000;

export interface Step {
  readonly command: string;
  readonly shown: readonly string[];
}

/** @param page below docs/ */
export function readSteps(page: string): Step[] {
  const text = readFileSync(join(ROOT, 'docs', page), 'utf8');
  const blocks = [...text.matchAll(/^```console\n(.*?)^```$/gms)].map(([, block]) => block);
  return blocks.flatMap((block) =>
    block
      .split(/^\$ /m)
      .slice(1)
      .map((part): Step => {
        const [command, ...shown] = part.trimEnd().split('\n');
        return { command, shown: shown.filter((line) => line.trim() !== '') };
      }),
  );
}

const withoutHashes = (line: string): string => line.replace(/\b[0-9a-f]{7,64}\b/g, '#');

function asPattern(line: string): RegExp {
  const parts = withoutHashes(line)
    .split('…')
    .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`);
}

/** In a home and a directory of their own; `env` comes on top. */
export async function typeSteps(
  steps: readonly Step[],
  env: Readonly<Record<string, string | undefined>> = {},
): Promise<void> {
  const home = temporaryDirectory();
  mkdirSync(join(home, 'bin'));
  mkdirSync(join(home, 'work'));
  symlinkSync(DV, join(home, 'bin', 'dv'));
  const variables = { HOME: home, PATH: `${join(home, 'bin')}:${process.env.PATH}`, ...env };
  let cwd = join(home, 'work');
  for (const { command, shown } of steps) {
    const script = `${command}\nstatus=$?; pwd > "$HOME/.cwd"; exit $status`;
    const run = runProgram('bash', ['-c', script], { cwd, env: variables });
    const { status, stdout, stderr } = await withPatience(command, run);
    cwd = readFileSync(join(home, '.cwd'), 'utf8').trim();
    expect({ command, status, stderr }).toMatchObject({ command, status: 0 });
    const lines = `${stdout}${stderr}`.split('\n').map(withoutHashes);
    for (const line of shown) {
      const pattern = asPattern(line);
      const at = lines.findIndex((actual) => pattern.test(actual));
      expect(at, `${command}\n${line}\nnot in\n${lines.join('\n')}`).toBeGreaterThanOrEqual(0);
      lines.splice(0, at + 1);
    }
  }
}

async function withPatience(command: string, run: Promise<RunResult>): Promise<RunResult> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`this hangs: ${command}`)), PATIENCE_MS);
  });
  try {
    return await Promise.race([run, late]);
  } finally {
    clearTimeout(timer);
  }
}
