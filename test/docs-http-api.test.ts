/**
 * The commands of docs/http-api.md, typed one after the other into one shell against a real
 * `dv serve`: what the page shows of their output is what comes. `…` stands for any text.
 */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { runDv, runProgram, temporaryDirectory } from './support/cli.ts';
import { startServeProcess } from './support/server.ts';

const PAGE = readFileSync(
  join(fileURLToPath(new URL('..', import.meta.url)), 'docs/http-api.md'),
  'utf8',
);

interface Step {
  readonly command: string;
  readonly shown: readonly string[];
}

/** A command goes on over lines while a quote is open. */
function readSteps(text: string): Step[] {
  const blocks = [...text.matchAll(/^```console\n(.*?)^```$/gms)].map(([, block]) => block);
  return blocks.flatMap((block) =>
    block
      .split(/^\$ /m)
      .slice(1)
      .map((part): Step => {
        const lines = part.trimEnd().split('\n');
        let end = 1;
        while (lines.slice(0, end).join('\n').split("'").length % 2 === 0) end += 1;
        return { command: lines.slice(0, end).join('\n'), shown: lines.slice(end) };
      }),
  );
}

const asPattern = (shown: readonly string[]): RegExp =>
  new RegExp(
    `^${shown
      .join('\n')
      .split('…')
      .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
      .join('.*?')}$`,
    's',
  );

test('every example answers as the page shows', async () => {
  const steps = readSteps(PAGE);
  expect(steps.length).toBeGreaterThan(10);
  const directory = temporaryDirectory();
  mkdirSync(join(directory, 'shop'));
  expect((await runDv(['init', '--bare'], { cwd: join(directory, 'shop') })).status).toBe(0);
  const { url } = await startServeProcess(directory);
  const mark = '\u0001';
  const script = [
    `R=${url}/v1/repos/shop`,
    ...steps.map(({ command }) => `${command}\nprintf '${mark}'`),
  ];
  const { stdout } = await runProgram('/bin/sh', [], { cwd: directory, input: script.join('\n') });
  const outputs = stdout.split(mark);
  for (const [i, { command, shown }] of steps.entries()) {
    expect(outputs[i].trimEnd(), command).toMatch(asPattern(shown));
  }
}, 60_000);
