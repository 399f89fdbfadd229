/** Bodies and connections that are not what they should be: too large, too slow, cut, no HTTP. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ByteBudget } from '../../src/server/byte-budget.ts';
import { PUSH_TYPE, PushSource, rowsFrom } from '../support/push-source.ts';
import { startServer, type TestServer } from '../support/server.ts';

async function open({ port }: TestServer): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  onTestFinished(() => {
    socket.destroy();
  });
  socket.on('error', () => undefined); // a server that cuts is what is tested
  await once(socket, 'connect');
  return socket;
}

/** Everything the server says until it closes. */
async function allOf(socket: Socket): Promise<string> {
  let text = '';
  socket.setEncoding('latin1');
  socket.on('data', (piece) => {
    text += piece;
  });
  if (!socket.destroyed) await once(socket, 'close');
  return text;
}

const head = (path: string, headers: readonly string[], method = 'POST') =>
  [`${method} ${path} HTTP/1.1`, 'host: localhost', ...headers, '', ''].join('\r\n');

const PUSH = '/v1/repos/data/push';

describe('a body', () => {
  test.each([
    ['larger than it may be', 'application/json', 300_000, 413, 'limit-exceeded'],
    ['of another type', 'text/plain', 10, 415, 'bad-request'],
    ['that is no JSON', 'application/json', 10, 400, 'bad-request'],
    ['without a head', PUSH_TYPE, 3, 400, 'bad-request'],
    ['whose head is longer than it', PUSH_TYPE, 100, 400, 'bad-request'],
  ])('%s is refused', async (_, type, size, status, code) => {
    const { url, log } = await startServer();
    const body = Buffer.alloc(size, 0x7b);
    const response = await fetch(url + PUSH, {
      method: 'POST',
      body,
      headers: { 'content-type': type },
    });
    expect([response.status, await response.json()]).toMatchObject([status, { error: { code } }]);
    expect(log.filter(({ event }) => event === 'defect')).toEqual([]);
  });

  test('is refused by its declared length, before it is read', async () => {
    const server = await startServer();
    const socket = await open(server);
    const headers = ['content-type: application/json', 'content-length: 99999999999'];
    socket.write(head(PUSH, headers));
    expect(await allOf(socket)).toMatch(/^HTTP\/1.1 413 /);
  });

  test('that grows beyond the limit in chunks is refused', async () => {
    const server = await startServer({ http: { jsonBytes: 1000 } });
    const socket = await open(server);
    const headers = ['content-type: application/json', 'transfer-encoding: chunked'];
    socket.write(head('/v1/repos/data/fetch', headers));
    socket.write(`400\r\n${' '.repeat(0x400)}\r\n400\r\n${' '.repeat(0x400)}\r\n`);
    expect(await allOf(socket)).toMatch(/^HTTP\/1.1 413 /);
  });

  test('that stands still is given up, and what it held is free again', async () => {
    const server = await startServer({ http: { stallMs: 100, bodyBytesInFlight: 1000 } });
    const socket = await open(server);
    const headers = ['content-type: application/json', 'content-length: 1000'];
    socket.write(`${head('/v1/repos/data/fetch', headers)}{"wants":`);
    const said = await allOf(socket);
    expect(said).toMatch(/^HTTP\/1.1 408 |^$/);
    const next = await fetch(`${server.url}/v1/repos/data/fetch`, {
      method: 'POST',
      body: `{${' '.repeat(900)}}`,
      headers: { 'content-type': 'application/json' },
    });
    expect(next.status).toBe(200);
    await next.arrayBuffer();
    expect(server.log.filter(({ event }) => event === 'defect')).toEqual([]);
  });

  test('that ends in the middle leaves nothing', async () => {
    await using source = await PushSource.open();
    const server = await startServer();
    const body = await source.body(await source.commit(rowsFrom(0, 100)), null);
    for (const part of [0.01, 0.5, 0.99]) {
      const socket = await open(server);
      const headers = [`content-type: ${PUSH_TYPE}`, `content-length: ${body.length}`];
      socket.write(head(PUSH, headers));
      socket.end(body.subarray(0, Math.floor(body.length * part)));
      await allOf(socket);
    }
    const refs = await (await fetch(`${server.url}/v1/repos/data/refs`)).json();
    expect(refs).toMatchObject({ refs: [] });
    expect(server.log.filter(({ event }) => event === 'defect')).toEqual([]);
  });
});

describe('a reader that takes nothing', () => {
  test('is cut, and the repository goes on', async () => {
    await using source = await PushSource.open();
    const server = await startServer({ http: { stallMs: 150 } });
    const rows = rowsFrom(0, 40_000, () => randomBytes(150).toString('base64'));
    const commit = await source.commit(rows);
    await server.addCopy(source.directory, 'large'); // larger than what sockets buffer
    const socket = await open(server);
    const wants = JSON.stringify({ wants: [commit] });
    const headers = ['content-type: application/json', `content-length: ${wants.length}`];
    socket.pause();
    socket.write(head('/v1/repos/large/fetch', headers) + wants);
    const metrics = async () => (await fetch(`${server.url}/metrics`)).text();
    await expect.poll(metrics, { timeout: 20_000 }).toContain('dv_stalled_readers_total 1');
    expect((await fetch(`${server.url}/v1/repos/large/refs`)).status).toBe(200);
  });
});

describe('bytes that are no request', () => {
  test.each([
    ['nonsense', 'GARBAGE\r\n\r\n', 400],
    ['headers without end', `GET / HTTP/1.1\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`, 431],
    [
      'a long URL',
      `GET /${'a'.repeat(5000)} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n`,
      414,
    ],
    [
      'a bad escape',
      'GET /v1/repos/%zz/refs HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n',
      400,
    ],
    [
      'another host',
      'GET /v1/info HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n',
      403,
    ],
    ['no host', 'GET /v1/info HTTP/1.1\r\nconnection: close\r\n\r\n', 403],
  ])('%s', async (_, text, status) => {
    const server = await startServer();
    const socket = await open(server);
    socket.write(text);
    const said = await allOf(socket);
    expect(said).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(said).toMatch(/\{"error":\{"code":"(?:bad-request|limit-exceeded|forbidden)"/);
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
  });
});

describe('the budget of bytes', () => {
  test('lets who waits in, in order, and counts a release once', async () => {
    const budget = new ByteBudget(10);
    const order: string[] = [];
    const first = await budget.take(8);
    const second = budget.take(5).then((release) => {
      order.push('second');
      return release;
    });
    const third = budget.take(1).then((release) => {
      order.push('third');
      return release;
    });
    await Promise.resolve();
    expect(order).toEqual([]);
    first();
    first();
    await Promise.all([second, third]);
    expect(order).toEqual(['second', 'third']);
    // More than there is at all: everything, rather than never.
    (await second)();
    (await third)();
    (await budget.take(1000))();
  });
});
