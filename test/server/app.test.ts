/** What holds for every request: headers, failures, protocol version, stopping. */
import { describe, expect, test } from 'vitest';
import { startServer } from '../support/server.ts';

interface Failure {
  readonly error: { readonly code: string; readonly message: string; readonly hint?: string };
}

const failureOf = async (response: Response) => ((await response.json()) as Failure).error;

describe('every answer', () => {
  test('has a request id that the log has too, and the protocol', async () => {
    const { url, log } = await startServer();
    const response = await fetch(`${url}/v1/info`);
    expect(response.status).toBe(200);
    expect(response.headers.get('dv-protocol')).toBe('1');
    const id = response.headers.get('dv-request-id');
    expect(id).toMatch(/^[0-9a-f]{16}$/);
    await expect
      .poll(() => log.find(({ request }) => request === id))
      .toMatchObject({
        event: 'request',
        method: 'GET',
        path: '/v1/info',
        status: 200,
      });
    expect(await response.json()).toMatchObject({ protocol: [1], software: 'dv test' });
  });

  test('says what is wrong, and never where in the program', async () => {
    const { url } = await startServer();
    const response = await fetch(`${url}/v1/nothing`);
    expect(response.status).toBe(404);
    expect(await failureOf(response)).toMatchObject({ code: 'unknown-route' });
    const other = await fetch(`${url}/v2/info`);
    expect(await failureOf(other)).toMatchObject({ code: 'protocol-mismatch' });
    const header = await fetch(`${url}/v1/info`, { headers: { 'dv-protocol': '7' } });
    expect(header.status).toBe(400);
    expect(await failureOf(header)).toMatchObject({ code: 'protocol-mismatch' });
  });
});

describe('a server without tokens', () => {
  test('is for this machine under its own names, and for no web page', async () => {
    const { url } = await startServer();
    const page = await fetch(`${url}/v1/info`, { headers: { origin: 'https://evil.example' } });
    expect(page.status).toBe(403);
    expect(await failureOf(page)).toMatchObject({ code: 'forbidden' });
    expect(page.headers.get('access-control-allow-origin')).toBeNull();
  });
});

describe('web pages', () => {
  test('of an origin that is allowed may ask, of others may not', async () => {
    const { url } = await startServer({ origins: ['https://app.example'] });
    const origin = 'https://app.example';
    const preflight = await fetch(`${url}/v1/repos/data/refs`, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'GET' },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-headers')).toContain('authorization');
    const allowed = await fetch(`${url}/v1/repos/data/refs`, { headers: { origin } });
    expect([allowed.status, allowed.headers.get('access-control-allow-origin')]).toEqual([
      200,
      origin,
    ]);
    for (const other of ['https://app.example.evil', 'null', 'http://app.example']) {
      const refused = await fetch(`${url}/v1/repos/data/refs`, { headers: { origin: other } });
      expect([refused.status, refused.headers.get('access-control-allow-origin')]).toEqual([
        403,
        null,
      ]);
    }
  });
});

describe('repositories in use', () => {
  test('are closed when too many stand idle, and open again when asked', async () => {
    const names = ['a', 'b', 'c', 'd', 'e'];
    const { url, server } = await startServer({
      repositories: names,
      http: { idleRepositories: 2 },
    });
    const refsOf = async (name: string) => (await fetch(`${url}/v1/repos/${name}/refs`)).status;
    for (const name of [...names, ...names]) expect(await refsOf(name)).toBe(200);
    const open = () => /dv_open_repositories (\d+)/.exec(server.context.renderMetrics())?.[1];
    await expect.poll(open).toBe('2');
    expect(await Promise.all([...names, ...names].map(refsOf))).toEqual(
      names.concat(names).map(() => 200),
    );
  });
});

describe('/metrics', () => {
  test('counts requests and bytes', async () => {
    const { url } = await startServer();
    await (await fetch(`${url}/healthz`)).text();
    const text = await (await fetch(`${url}/metrics`)).text();
    expect(text).toContain('dv_requests_total{method="GET",route="/healthz",status="200"} 1');
    expect(Number(/^dv_sent_bytes_total (\d+)$/m.exec(text)?.[1])).toBeGreaterThan(100);
  });
});
