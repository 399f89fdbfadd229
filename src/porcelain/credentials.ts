/**
 * Tokens for servers: from DV_TOKEN, or from a file beside the user's settings that nobody
 * else may read, by scheme, host and port. In the file's syntax (config-text.ts):
 *
 *   [credential "https://data.example.org"]
 *     token = dv_writer_...
 *
 * DV_TOKEN goes to any server that is asked, but where DV_REMOTE names one, only there.
 */
import { chmodSync, closeSync, mkdirSync, openSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DvError } from '../errors.ts';
import { checkTokenIsSafe, isHttpUrl, parseHttpAddress } from '../sync/http-address.ts';
import { readConfig, setConfig, unsetConfig } from './config.ts';
import type { Environment } from './environment.ts';
import { fileError } from './write-file.ts';

/** @throws DvError `bad-config` when others may read the file */
export function findToken(env: Environment, url: string): string | undefined {
  const { origin } = parseHttpAddress(url);
  const { DV_TOKEN, DV_REMOTE } = env.variables;
  if (DV_TOKEN && isMeant(DV_REMOTE, origin)) return checkToken(DV_TOKEN.trim());
  const file = credentialsFile(env);
  if (file === undefined || !isPrivate(file)) return undefined;
  return readConfig(undefined, file).get(keyOf(origin));
}

function isMeant(remote: string | undefined, origin: string): boolean {
  if (!remote || !isHttpUrl(remote)) return true;
  return parseHttpAddress(remote).origin === origin;
}

/** @throws DvError `bad-option` for a token that no header can carry */
function checkToken(token: string): string {
  if (/^[\x21-\x7e]{1,512}$/.test(token)) return token;
  throw new DvError('bad-option', 'the token has characters that no token has', {
    hint: 'dv token create prints one',
  });
}

/** `dv login`. @throws DvError `bad-option`, `bad-name`, `read-only` */
export function saveToken(env: Environment, url: string, token: string): { origin: string } {
  const address = parseHttpAddress(url);
  checkTokenIsSafe(address);
  const file = requireFile(env);
  try {
    mkdirSync(dirname(file), { recursive: true });
    closeSync(openSync(file, 'a', 0o600));
    chmodSync(file, 0o600);
  } catch (cause) {
    throw fileError(cause, file);
  }
  setConfig(file, keyOf(address.origin), checkToken(token.trim()));
  return { origin: address.origin };
}

/** `dv logout`; false: there was none. */
export function forgetToken(env: Environment, url: string): { origin: string; found: boolean } {
  const { origin } = parseHttpAddress(url);
  const file = requireFile(env);
  const found = isPrivate(file) && unsetConfig(file, keyOf(origin));
  return { origin, found };
}

const keyOf = (origin: string): string => `credential.${origin}.token`;

export function credentialsFile({ userConfig }: Environment): string | undefined {
  return userConfig === undefined ? undefined : join(dirname(userConfig), 'credentials');
}

function requireFile(env: Environment): string {
  const file = credentialsFile(env);
  if (file !== undefined) return file;
  throw new DvError('bad-option', 'there is no home directory to keep a token in', {
    hint: 'DV_TOKEN=... says who you are for one command',
  });
}

/** @throws DvError `bad-config` when others may read it; false when there is none */
function isPrivate(file: string): boolean {
  const stat = statSync(file, { throwIfNoEntry: false });
  if (stat === undefined) return false;
  if ((stat.mode & 0o077) === 0) return true;
  throw new DvError('bad-config', `others may read '${file}', which holds tokens`, {
    hint: `chmod 600 ${file}; then make new tokens, these may be known`,
    data: { file },
  });
}
