/** Tokens: their form, what a server takes, and that a change counts at once. */
import { randomBytes } from 'node:crypto';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createToken, listTokens, revokeToken, tokenFile } from '../../src/porcelain/token-file.ts';
import { FileTokenVerifier } from '../../src/porcelain/token-verifier.ts';
import {
  isToken,
  mintToken,
  redactTokens,
  TOKEN_KINDS,
  tokenId,
} from '../../src/sync/access-token.ts';
import { temporaryDirectory } from '../support/cli.ts';
import { startServer } from '../support/server.ts';

const DAY = 86_400_000;

describe('the form of a token', () => {
  test('names its kind and id, and has a checksum that every mistake breaks', () => {
    for (const kind of TOKEN_KINDS) {
      const { token, id, hash } = mintToken(kind, randomBytes);
      expect(token).toMatch(new RegExp(`^dv_${kind}_${id}_[0-9a-z]{38}$`));
      expect(tokenId(token)).toBe(id);
      expect(isToken(token, hash)).toBe(true);
      const at = fc.integer({ min: 0, max: token.length - 1 });
      fc.assert(
        fc.property(at, fc.constantFrom(...'0123abc_Z'), (i, other) => {
          fc.pre(token[i] !== other);
          const wrong = token.slice(0, i) + other + token.slice(i + 1);
          expect(tokenId(wrong)).toBeUndefined();
          expect(isToken(wrong, hash)).toBe(false);
        }),
      );
    }
  });

  test('is not to be seen in text that was redacted', () => {
    const { token, id } = mintToken('writer', randomBytes);
    const text = redactTokens(`GET /x?token=${token} and ${token.slice(0, 30)}`);
    expect(text).toContain(`dv_writer_${id}_...`);
    expect(text).not.toContain(token.slice(20, 26));
  });

  test('nobody has no token', () => {
    expect(isToken('', undefined)).toBe(false);
    expect(isToken('dv_admin_00000000_', undefined)).toBe(false);
  });
});

describe('the file of tokens', () => {
  const facts = { kind: 'reader', name: 'r', repositories: '*', expires: null } as const;

  test('holds hashes, is for its owner only, and lists what it has', () => {
    const file = tokenFile(temporaryDirectory());
    const { token, stored } = createToken(file, facts, { now: 5, random: randomBytes });
    expect(readFileSync(file, 'utf8')).not.toContain(token.slice(-38));
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(listTokens(file, 6)).toEqual([stored]);
    revokeToken(file, stored.id);
    expect(listTokens(file, 6)).toEqual([]);
    expect(() => revokeToken(file, stored.id)).toThrow(`there is no token '${stored.id}'`);
  });

  test('that cannot be read lets nobody in', async () => {
    const { url, directory, addToken, log } = await startServer();
    const token = addToken('admin');
    writeFileSync(tokenFile(directory), '{"version":1,"tokens":[{"id":1}]}');
    const headers = { authorization: `Bearer ${token}` };
    const response = await fetch(`${url}/metrics`, { headers });
    expect(response.status).toBe(500);
    expect(await response.json()).toMatchObject({ error: { code: 'server-failed' } });
    expect(log.some(({ event }) => event === 'defect')).toBe(true);
    expect((await fetch(`${url}/metrics`)).status).toBe(401);
  });

  test('has when a token was last used, to five minutes', async () => {
    const file = tokenFile(temporaryDirectory());
    const { token } = createToken(file, facts, { now: 0, random: randomBytes });
    let now = DAY;
    const verifier = new FileTokenVerifier(
      file,
      () => now,
      (error) => expect(error).toBeUndefined(),
    );
    await verifier.verify(token);
    expect(listTokens(file, now)[0].lastUsed).toBe(DAY);
    now += 1000;
    await verifier.verify(token);
    expect(listTokens(file, now)[0].lastUsed).toBe(DAY);
    now += 5 * 60_000;
    await verifier.verify(token);
    expect(listTokens(file, now)[0].lastUsed).toBe(now);
  });
});

describe('a server with tokens', () => {
  const ask = async (url: string, token?: string) => {
    const headers = token === undefined ? undefined : { authorization: `Bearer ${token}` };
    const response = await fetch(url, headers && { headers });
    const body = await response.text();
    return { status: response.status, body, challenge: response.headers.get('www-authenticate') };
  };

  test('wants one from the moment there is one, and knows new and revoked ones at once', async () => {
    const { url, directory, addToken } = await startServer();
    expect((await ask(`${url}/metrics`)).status).toBe(200);
    const admin = addToken('admin');
    expect(await ask(`${url}/metrics`)).toMatchObject({
      status: 401,
      challenge: expect.stringContaining('Bearer'),
    });
    expect((await ask(`${url}/metrics`, admin)).status).toBe(200);
    expect((await ask(`${url}/metrics`, addToken('writer'))).status).toBe(403);
    revokeToken(tokenFile(directory), tokenId(admin) as string);
    expect((await ask(`${url}/metrics`, admin)).status).toBe(401);
    expect((await ask(`${url}/v1/info`)).status).toBe(200);
  });

  test('says the same of a token it never had and of a wrong one', async () => {
    const { url, addToken } = await startServer();
    const right = addToken('admin');
    const { token: foreign } = mintToken('admin', randomBytes);
    const secret = foreign.slice(-38);
    const wrong = right.slice(0, -38) + secret;
    const answers = await Promise.all(
      [foreign, wrong, 'dv_x', 'x'].map((t) => ask(`${url}/metrics`, t)),
    );
    expect(new Set(answers.map(({ body }) => body)).size).toBe(1);
    expect(answers.map(({ status }) => status)).toEqual([401, 401, 401, 401]);
  });

  test('says of a right one that it has expired', async () => {
    const { url, directory } = await startServer();
    const facts = { kind: 'admin', name: 'a', repositories: '*', expires: Date.now() - 1 } as const;
    const { token } = createToken(tokenFile(directory), facts, { now: 0, random: randomBytes });
    const { status, body } = await ask(`${url}/metrics`, token);
    expect([status, body]).toEqual([401, expect.stringContaining('has expired')]);
  });

  test('makes who tries many wait', async () => {
    const { url, addToken } = await startServer({ http: { failedTokensPerMinute: 3 } });
    const right = addToken('admin');
    const statuses: number[] = [];
    for (let i = 0; i < 5; i++) statuses.push((await ask(`${url}/metrics`, 'guess')).status);
    expect(statuses).toEqual([401, 401, 401, 429, 429]);
    expect((await ask(`${url}/metrics`, right)).status).toBe(429);
  });

  test('is refused over its rate, with how long to wait', async () => {
    const { url } = await startServer({ http: { requestsPerSecond: 0.01, requestBurst: 2 } });
    const statuses: number[] = [];
    for (let i = 0; i < 3; i++) statuses.push((await ask(`${url}/metrics`)).status);
    expect(statuses).toEqual([200, 200, 429]);
    const response = await fetch(`${url}/metrics`);
    expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(50);
  });
});

test('a repository has its tokens in its own .dv, from any directory in it', async () => {
  const directory = temporaryDirectory();
  expect(tokenFile(directory)).toBe(join(directory, '.dv', 'tokens.json'));
});
