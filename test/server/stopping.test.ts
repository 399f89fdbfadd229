/** A stop: what is in flight ends, what is new is refused, streams are told, stores close. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { PUSH_TYPE, PushSource, rowsFrom } from '../support/push-source.ts';
import { startServer } from '../support/server.ts';

test('lets a push end that has begun, and takes no other', async () => {
  await using source = await PushSource.open();
  const { url, port, server, directory, log } = await startServer();
  const commit = await source.commit(rowsFrom(0, 200));
  const body = await source.body(commit, null);
  const socket = connect(port, '127.0.0.1').setEncoding('latin1');
  const headers = [
    'host: localhost',
    `content-type: ${PUSH_TYPE}`,
    `content-length: ${body.length}`,
  ];
  socket.write(['POST /v1/repos/data/push HTTP/1.1', ...headers, '', ''].join('\r\n'));
  socket.write(body.subarray(0, 100));
  const answer = once(socket, 'data');
  const began = () => server.context.renderMetrics();
  await expect.poll(began).toContain('dv_body_bytes_received_total 100');

  const stopped = server.stop();
  expect(server.context.stopping.aborted).toBe(true);
  await expect(fetch(`${url}/v1/info`)).rejects.toThrow();
  socket.write(body.subarray(100));
  expect(String(await answer)).toMatch(/^HTTP\/1.1 200 [\s\S]*"status":"ok"/);
  await stopped;
  await server.stop();
  expect(log.filter(({ event }) => event === 'defect')).toEqual([]);

  const again = await startServer({ directory, repositories: [] });
  const { hash } = (await (await fetch(`${again.url}/v1/repos/data/refs/heads/main`)).json()) as {
    hash: string;
  };
  expect(hash).toBe(commit);
});

test('does not wait for ever: a body that never ends is cut when the grace is over', async () => {
  const { port, server } = await startServer({ http: { graceMs: 100 } });
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  const headers = ['host: localhost', `content-type: ${PUSH_TYPE}`, 'content-length: 100'];
  socket.write(['POST /v1/repos/data/push HTTP/1.1', ...headers, '', 'x'].join('\r\n'));
  await expect.poll(() => server.context.renderMetrics()).toContain('received_total 1');
  const closed = once(socket, 'close');
  await server.stop();
  await closed;
});

test('a request on a connection that is kept gets 503 and the end of it', async () => {
  const { port, server } = await startServer();
  const socket = connect(port, '127.0.0.1').setEncoding('latin1');
  const part = 'GET /healthz HTTP/1.1\r\nhost: localhost\r\n';
  socket.write(part);
  await once(socket, 'ready');
  await expect.poll(() => server.context.renderMetrics()).toContain('dv_open_connections 1');
  await expect
    .poll(() => server.context.renderMetrics())
    .toContain(`received_bytes_total ${part.length}`);
  const stopped = server.stop();
  const answer = once(socket, 'data');
  socket.write('\r\n');
  expect(String(await answer)).toMatch(/^HTTP\/1.1 503 [\s\S]*retry-after: 1/i);
  await stopped;
});
