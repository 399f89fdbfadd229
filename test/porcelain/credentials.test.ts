/** Tokens: where they are kept, to whom they are given. */
import { chmodSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  credentialsFile,
  findToken,
  forgetToken,
  saveToken,
} from '../../src/porcelain/credentials.ts';
import type { Environment } from '../../src/porcelain/environment.ts';
import { temporaryDirectory } from '../support/cli.ts';
import { testEnvironment } from '../support/repository.ts';

const URL = 'https://data.example.org/cities';
const refused = (code: string) => expect.objectContaining({ code });

function world(variables: Environment['variables'] = {}): Environment {
  const userConfig = join(temporaryDirectory(), 'dv', 'config');
  return { ...testEnvironment(), userConfig, variables };
}

test('a token is kept by scheme, host and port, for nobody else to read', () => {
  const env = world();
  expect(findToken(env, URL)).toBeUndefined();
  expect(saveToken(env, URL, ' dv_writer_a_b\n')).toEqual({ origin: 'https://data.example.org' });
  const file = credentialsFile(env) ?? '';
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(findToken(env, 'https://data.example.org/other')).toBe('dv_writer_a_b');
  for (const other of [
    'https://data.example.org:8443/x',
    'https://example.org/x',
    'http://data.example.org/x',
  ]) {
    expect(findToken(env, other)).toBeUndefined();
  }
  saveToken(env, URL, 'dv_writer_c_d');
  expect(statSync(file).mode & 0o777).toBe(0o600);
  chmodSync(file, 0o644);
  expect(() => findToken(env, URL)).toThrow(refused('bad-config'));
  chmodSync(file, 0o600);
  expect(forgetToken(env, URL)).toMatchObject({ found: true });
  expect(forgetToken(env, URL)).toMatchObject({ found: false });
  expect(findToken(env, URL)).toBeUndefined();
});

test('what cannot be a token, or would be read on its way, is refused', () => {
  const env = world();
  expect(() => saveToken(env, URL, 'a b')).toThrow(refused('bad-option'));
  expect(() => saveToken(env, 'http://example.org/x', 'dv_x')).toThrow(refused('bad-option'));
  expect(() => findToken(world({ DV_TOKEN: 'a\r\nb' }), URL)).toThrow(refused('bad-option'));
});

test('DV_TOKEN goes first, and where DV_REMOTE names a server, to that one only', () => {
  const env = world({ DV_TOKEN: 'dv_env', DV_REMOTE: URL });
  saveToken(env, 'https://other.example.org/x', 'dv_kept');
  expect(findToken(env, 'https://data.example.org/more')).toBe('dv_env');
  expect(findToken(env, 'https://other.example.org/x')).toBe('dv_kept');
  expect(
    findToken({ ...env, variables: { DV_TOKEN: 'dv_env' } }, 'https://any.example.org/x'),
  ).toBe('dv_env');
});
