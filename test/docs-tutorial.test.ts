/**
 * The commands of docs/tutorial.md, typed one after the other: each succeeds, and what the
 * tutorial shows of its output is there, in order. `…` stands for any text; hashes may differ.
 */
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { DV, runProgram, temporaryDirectory } from './support/cli.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const TUTORIAL = readFileSync(join(ROOT, 'docs/tutorial.md'), 'utf8');

interface Step {
  readonly command: string;
  readonly shown: readonly string[];
}

function readSteps(text: string): Step[] {
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

test('every command does what the tutorial says', async () => {
  const steps = readSteps(TUTORIAL);
  expect(steps.length).toBeGreaterThan(40);
  const home = temporaryDirectory();
  mkdirSync(join(home, 'bin'));
  symlinkSync(DV, join(home, 'bin', 'dv'));
  const env = {
    HOME: home,
    PATH: `${join(home, 'bin')}:${process.env.PATH}`,
    DATA: join(ROOT, 'fixtures/data/crawlers'),
    DV_AUTHOR_NAME: undefined,
    DV_AUTHOR_EMAIL: undefined,
  };
  let cwd = home;
  for (const { command, shown } of steps) {
    const script = `${command}\nstatus=$?; pwd > "$HOME/.cwd"; exit $status`;
    const { status, stdout, stderr } = await runProgram('bash', ['-c', script], { cwd, env });
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
});
