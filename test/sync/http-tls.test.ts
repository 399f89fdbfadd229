/** A certificate that nobody vouches for ends it, unless its authority is named. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openHttpRemote } from '../../src/sync/http-remote.ts';
import { temporaryDirectory } from '../support/cli.ts';
import { startServer } from '../support/server.ts';

const hasOpenssl = spawnSync('openssl', ['version']).status === 0;

test.skipIf(!hasOpenssl)('a certificate that does not verify', async () => {
  const [key, cert] = ['key.pem', 'cert.pem'].map((name) => join(temporaryDirectory(), name));
  const args = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  const subject = [
    '-days',
    '2',
    '-subj',
    '/CN=localhost',
    '-addext',
    'subjectAltName=IP:127.0.0.1',
  ];
  const made = spawnSync('openssl', [...args, '-keyout', key, '-out', cert, ...subject]);
  expect(made.status).toBe(0);
  const ca = readFileSync(cert, 'utf8');
  const server = await startServer({ tls: { key: readFileSync(key), cert: ca } });
  const stranger = openHttpRemote(`${server.url}/data`, { software: 'test', token: 'dv_x' });
  await expect(stranger.refs()).rejects.toMatchObject({
    code: 'remote-unreachable',
    hint: expect.stringContaining('NODE_EXTRA_CA_CERTS'),
  });
  await stranger.close();
  const known = openHttpRemote(`${server.url}/data`, { software: 'test', ca });
  expect(await known.refs()).toMatchObject({ refs: [] });
  await known.close();
});
