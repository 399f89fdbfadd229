/** `dv serve` and `dv token` as processes, and bare repositories. */
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { connect } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { runDv, temporaryDirectory, temporaryRepository } from '../support/cli.ts';
import { startServeProcess } from '../support/server.ts';

const TLS = fileURLToPath(new URL('../../fixtures/tls', import.meta.url));
const REQUEST = /"event":"request".*"path":"\/v1\/info"/;

/** The common name that a server shows. */
function certificateOf(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url);
    const socket = connect({ host: hostname, port: Number(port), rejectUnauthorized: false });
    socket.once('secureConnect', () => {
      resolve(String(socket.getPeerCertificate().subject.CN));
      socket.destroy();
    });
    socket.once('error', reject);
  });
}

describe('dv serve', () => {
  test('tells the clone URL of every repository, and ends in peace when told to', async () => {
    const directory = temporaryDirectory();
    for (const name of ['one', 'team/two']) {
      await runDv(['init', '--bare', '--quiet', join(directory, name)], { cwd: directory });
    }
    const { url, repositories, stop, stderr } = await startServeProcess(directory);
    expect(repositories).toEqual([
      { name: 'one', url: `${url}/one` },
      { name: 'team/two', url: `${url}/team/two` },
    ]);
    expect(await (await fetch(`${url}/healthz`)).json()).toEqual({ status: 'ok' });
    expect((await fetch(`${url}/v1/info`)).status).toBe(200);
    await expect.poll(stderr).toMatch(REQUEST);
    expect(await stop('SIGTERM')).toBe(143);
    await expect(fetch(`${url}/healthz`)).rejects.toThrow();
  });

  test('serves one repository under the name of its directory', async () => {
    const repository = await temporaryRepository();
    const { url, repositories } = await startServeProcess(repository);
    const name = basename(repository);
    expect(repositories).toEqual([{ name, url: `${url}/${name}` }]);
  });

  test('has TLS, and takes a new certificate without a restart', async () => {
    const cwd = temporaryDirectory();
    const use = (which: string) => {
      for (const part of ['cert', 'key']) {
        copyFileSync(join(TLS, `${which}-${part}.pem`), join(cwd, `${part}.pem`));
      }
    };
    use('first');
    const args = ['--tls-cert', join(cwd, 'cert.pem'), '--tls-key', join(cwd, 'key.pem')];
    const { url, pid, stderr } = await startServeProcess(cwd, args);
    expect(url).toMatch(/^https:/);
    expect(await certificateOf(url)).toBe('dv test first');
    use('second');
    process.kill(pid, 'SIGHUP');
    await expect.poll(() => certificateOf(url)).toBe('dv test second');
    writeFileSync(join(cwd, 'cert.pem'), 'no certificate');
    process.kill(pid, 'SIGHUP');
    await expect.poll(stderr).toContain('"level":"error","event":"certificate"');
    expect(await certificateOf(url)).toBe('dv test second');
  });

  test.each([
    [['--listen', '0.0.0.0:0'], 'needs TLS'],
    [['--listen', '0.0.0.0:0', '--behind-proxy'], 'there are no tokens'],
    [['--behind-proxy'], 'there are no tokens'],
    [['--listen', ':80'], 'no address'],
    [['--listen', '127.0.0.1:70000'], 'port'],
    [['--tls-cert', 'a.pem'], 'given together'],
    [['--tls-cert', 'a.pem', '--tls-key', 'b.pem'], "cannot read 'a.pem'"],
    [['--log', 'xml'], 'form of log'],
    [['--rate', 'fast'], 'requests a second'],
  ])('refuses %j', async (args, message) => {
    const directory = temporaryDirectory();
    const { status, stderr } = await runDv(['serve', ...args], { cwd: directory });
    expect(stderr).toContain(message);
    expect(status).toBeGreaterThanOrEqual(2);
  });

  test('says that a port is taken', async () => {
    const directory = temporaryDirectory();
    const { url } = await startServeProcess(directory);
    const again = await runDv(['serve', '--listen', url.slice('http://'.length)], {
      cwd: directory,
    });
    expect(again).toMatchObject({ status: 2, stderr: expect.stringContaining('EADDRINUSE') });
  });
});

describe('dv token', () => {
  test('is created, listed and revoked; a server that runs follows', async () => {
    const cwd = temporaryDirectory();
    const { url } = await startServeProcess(cwd);
    expect((await fetch(`${url}/metrics`)).status).toBe(200);
    const created = await runDv(['token', 'create', 'admin', '--name', 'ops', '--json'], { cwd });
    const { token, id, expires, created: at } = JSON.parse(created.stdout);
    expect(expires - at).toBe(90 * 86_400_000);
    const headers = { authorization: `Bearer ${token}` };
    expect((await fetch(`${url}/metrics`)).status).toBe(401);
    expect((await fetch(`${url}/metrics`, { headers })).status).toBe(200);
    const { stdout } = await runDv(['token', 'list'], { cwd });
    expect(stdout).toMatch(new RegExp(`${id} +admin +ops +\\* +\\d{4}-`));
    expect(readFileSync(join(cwd, '.dv/tokens.json'), 'utf8')).not.toContain(token);
    expect((await runDv(['token', 'revoke', id], { cwd })).status).toBe(0);
    expect((await fetch(`${url}/metrics`, { headers })).status).toBe(401);
    // The last one is gone, and yet nobody gets in without.
    expect((await fetch(`${url}/metrics`)).status).toBe(401);
  });

  test.each([
    [['create', 'owner'], 'no kind of token'],
    [['create', 'reader', '--expires', '0'], 'no time'],
    [['create', 'reader', '--expires', 'soon'], 'no time'],
    [['create', 'reader', '--name', 'a\nb'], 'name of a token'],
    [['revoke', 'nothing'], "no token 'nothing'"],
  ])('%j is refused', async (args, message) => {
    const cwd = temporaryDirectory();
    const { status, stderr } = await runDv(['token', ...args], { cwd });
    expect([status, stderr]).toEqual([2, expect.stringContaining(message)]);
  });
});

describe('a bare repository', () => {
  test('has no working files: commands for these refuse, others work', async () => {
    const cwd = temporaryDirectory();
    await runDv(['init', '--bare', '--quiet'], { cwd });
    for (const args of [['add', 'a.csv'], ['status'], ['switch', '-c', 'x'], ['merge', 'x']]) {
      const { status, stderr } = await runDv(args, { cwd });
      expect([args, status, stderr]).toEqual([args, 2, expect.stringContaining('is bare')]);
    }
    expect((await runDv(['fsck'], { cwd })).status).toBe(0);
    expect((await runDv(['branch'], { cwd })).status).toBe(0);
  });
});
