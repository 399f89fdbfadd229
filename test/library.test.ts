/** The example of docs/library.md runs as it stands, on the library as it is built. */
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { DvRepository } from '../src/porcelain/bound-repository.ts';
import { runProgram, temporaryDirectory } from './support/cli.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const DOCUMENT = readFileSync(join(ROOT, 'docs/library.md'), 'utf8');
const CODE = [...DOCUMENT.matchAll(/^```js\n(.*?)^```$/gms)].map(([, code]) => code).join('\n');

test('the example prints what it says', async () => {
  const directory = temporaryDirectory();
  mkdirSync(join(directory, 'node_modules'));
  symlinkSync(ROOT, join(directory, 'node_modules', 'dv'));
  writeFileSync(join(directory, 'example.mjs'), CODE);
  const { status, stdout, stderr } = await runProgram(process.execPath, ['example.mjs'], {
    cwd: directory,
    env: { DV_AUTHOR_NAME: undefined, DV_AUTHOR_EMAIL: undefined },
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  const expected = [...CODE.matchAll(/^\s*\/\/ → (.*)$/gm)].map(([, line]) => line);
  expect(expected.length).toBeGreaterThan(10);
  expect(stdout.trimEnd().split('\n')).toEqual(expected);
});

test('every method is in the document', () => {
  const classes: object[] = [];
  for (let one = DvRepository.prototype; one !== Object.prototype; ) {
    classes.push(one);
    one = Object.getPrototypeOf(one);
  }
  const methods = classes.flatMap((one) => Object.getOwnPropertyNames(one));
  const internal = ['constructor', 'worktree', 'close'];
  const told = methods.filter((name) => !internal.includes(name));
  expect(told.length).toBeGreaterThan(20);
  for (const name of told) expect(DOCUMENT, name).toContain(`\`${name}\``);
});
