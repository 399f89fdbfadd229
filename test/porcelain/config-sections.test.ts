/** Config files: keys with several values, sections that go or get another name. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  addConfig,
  Config,
  readConfig,
  removeConfigSection,
  renameConfigSection,
} from '../../src/porcelain/config.ts';
import { temporaryDirectory } from '../support/cli.ts';

const TEXT = `# kept
[remote "origin"]
\turl = a
\tfetch = +refs/heads/*:refs/remotes/origin/*
# of core
[core]
\tx = 1
[remote "origin"]
\ttagopt = --no-tags
`;

function fileOf(text: string): string {
  const file = join(temporaryDirectory(), 'config');
  writeFileSync(file, text);
  return file;
}

test('several values of one key, in order', () => {
  const file = fileOf(TEXT);
  addConfig(file, 'remote.origin.fetch', '+refs/tags/*:refs/tags/*');
  addConfig(file, 'remote.new.fetch', 'main');
  const config = readConfig(undefined, file);
  expect(config.getAll('remote.origin.fetch')).toEqual([
    '+refs/heads/*:refs/remotes/origin/*',
    '+refs/tags/*:refs/tags/*',
  ]);
  expect(config.getAll('remote.new.fetch')).toEqual(['main']);
  expect(config.subsections('remote')).toEqual(['origin', 'new']);
});

test('a name with dots is one name, and a key without a subsection is none', () => {
  const config = new Config(
    ['remote.a.b.url', 'remote.pushdefault', 'remotes.c.url'].map((key) => ({
      key,
      value: 'x',
      origin: 'user',
      file: 'f',
      line: 1,
    })),
  );
  expect(config.subsections('remote')).toEqual(['a.b']);
});

test('a section goes wherever it is, and leaves the rest', () => {
  const file = fileOf(TEXT);
  removeConfigSection(file, 'remote', 'origin');
  expect(readFileSync(file, 'utf8')).toBe('# kept\n# of core\n[core]\n\tx = 1\n');
  removeConfigSection(file, 'remote', 'origin');
  expect(readFileSync(file, 'utf8')).toBe('# kept\n# of core\n[core]\n\tx = 1\n');
});

test('a section gets another name wherever it is', () => {
  const file = fileOf(TEXT);
  renameConfigSection(file, 'remote', ['origin', 'up "x"']);
  const config = readConfig(undefined, file);
  expect(config.subsections('remote')).toEqual(['up "x"']);
  expect(config.get('remote.up "x".tagopt')).toBe('--no-tags');
  expect(readFileSync(file, 'utf8')).toContain('# of core\n[core]');
});
