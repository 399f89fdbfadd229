/**
 * What the README shows is what happens: its commands run as they stand. And every page's links
 * and the sources it names are there.
 */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { DV, runProgram, temporaryDirectory } from './support/cli.ts';

const ROOT = join(import.meta.dirname, '..');
const README = readFileSync(join(ROOT, 'README.md'), 'utf8');

/** The fenced blocks of one language, under one heading. */
function blocks(heading: string, language: string): string[] {
  const section = README.split(/^## /m).find((text) => text.startsWith(`${heading}\n`)) ?? '';
  const fence = new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, 'gms');
  return [...section.matchAll(fence)].map(([, text]) => text);
}

test('the ten commands work as they stand, and print what the README says', async () => {
  const [script] = blocks('Ten commands', 'sh');
  const [printed] = blocks('Ten commands', 'text');
  const home = temporaryDirectory();
  const { status, stdout, stderr } = await runProgram('sh', ['-eu', '-c', script], {
    cwd: ROOT,
    env: {
      HOME: home,
      TMPDIR: home,
      PATH: `${dirname(DV)}${delimiter}${process.env.PATH}`,
      DV_AUTHOR_NAME: undefined,
      DV_AUTHOR_EMAIL: undefined,
    },
  });
  // The status alone would not tell of a failure in front of `&&` or of a pipe.
  expect({ status, errors: stderr.match(/^error:.*/gm) }).toEqual({ status: 0, errors: null });
  expect(stdout).toContain(printed);
  expect(stdout).toContain('tzdb 6.183.0');
});

test('they are ten, and different ones', () => {
  const [script] = blocks('Ten commands', 'sh');
  const verbs = new Set([...script.matchAll(/(?:^|&& )dv ([a-z]+)/gm)].map(([, verb]) => verb));
  expect(verbs.size).toBe(10);
});

test('the README fits on a screen or so', () => {
  expect(README.split('\n').length).toBeLessThan(70);
});

test('what the README tells npm to run is there', () => {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const [setUp] = blocks('Try it', 'sh');
  const named = [...setUp.matchAll(/npm (?:run )?(?!ci)(\w+)/g)].map(([, script]) => script);
  expect(named).toEqual(['demo', 'test']);
  expect(Object.keys(scripts)).toEqual(expect.arrayContaining(named));
});

const PAGES = globSync(['README.md', 'docs/**/*.md'], { cwd: ROOT }).sort();

describe.each(PAGES)('%s', (page) => {
  const text = readFileSync(join(ROOT, page), 'utf8');
  const prose = text.replace(/^```.*?^```/gms, '');

  test('links lead somewhere', () => {
    const targets = [...prose.matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g)].map(([, target]) => target);
    const inside = targets.filter((target) => !/^[a-z]+:/.test(target));
    const folder = dirname(join(ROOT, page));
    expect(inside.filter((target) => !existsSync(join(folder, target)))).toEqual([]);
  });

  test('sources it names by their whole path are there', () => {
    const named = [...prose.matchAll(/`((?:src|test|fixtures|bin)\/[\w./-]+)`/g)];
    const paths = named.map(([, path]) => path).filter((path) => !/[A-Z]{4}/.test(path));
    expect(paths.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  });
});
