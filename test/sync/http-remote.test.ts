/**
 * The way to a server: what a client makes of servers that are none, that fail, redirect, fall
 * silent or speak another version. The servers are real ones on free ports.
 */
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { DvError } from '../../src/errors.ts';
import {
  checkTokenIsSafe,
  isLoopback,
  parseHttpAddress,
  redactTokens,
  redactUrl,
} from '../../src/sync/http-address.ts';
import { openHttpRemote, PACK_TYPE } from '../../src/sync/http-remote.ts';
import type { Remote } from '../../src/sync/protocol.ts';

const TOKEN = 'dv_writer_abcd_0123456789abcdef';
const REFS = { head: 'refs/heads/main', refs: [], cursor: '0123456789abcdef.0' };

async function listen(answer: RequestListener): Promise<string> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function open(url: string, options: { token?: string; stallMs?: number } = {}): Remote {
  const remote = openHttpRemote(url, { software: 'dv test', ...options });
  onTestFinished(() => remote.close());
  return remote;
}

function answerJson(response: ServerResponse, value: unknown, status = 200, headers = {}): void {
  response.writeHead(status, {
    'content-type': 'application/json',
    'dv-protocol': '1',
    ...headers,
  });
  response.end(JSON.stringify(value));
}

async function drain(pieces: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const _ of pieces);
}

async function failure(work: Promise<unknown>): Promise<DvError> {
  const thrown = await work.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(thrown).toBeInstanceOf(DvError);
  return thrown as DvError;
}

describe('addresses', () => {
  test('a name with a slash is one segment', () => {
    expect(parseHttpAddress('https://h:1/team/data/')).toEqual({
      url: 'https://h:1/team/data',
      origin: 'https://h:1',
      name: 'team/data',
      base: '/v1/repos/team%2Fdata',
    });
  });

  test.each([
    'http://',
    'https://h',
    'https://h/',
    'https://h/x?y=1',
    'https://h/x#y',
    'https://h/%',
  ])('refuses %s', (text) => {
    expect(() => parseHttpAddress(text)).toThrow(expect.objectContaining({ code: 'bad-name' }));
  });

  test('no secret of a URL is repeated', () => {
    const secret = fc.stringMatching(/^[A-Z0-9]{8,12}$/);
    fc.assert(
      fc.property(
        secret,
        fc.constantFrom('https://u:S@h/x', 'https://S@h/x', 'http://h/x?t=S', 'https://S@/'),
        (s, form) => {
          const text = form.replace('S', s);
          let told = '';
          try {
            parseHttpAddress(text);
          } catch (error) {
            told = JSON.stringify(error) + String(error);
          }
          expect(told).not.toBe('');
          expect(told + redactUrl(text)).not.toContain(s);
        },
      ),
    );
    expect(redactTokens(`bad token ${TOKEN}!`)).toBe('bad token dv_…!');
  });

  test('a token goes over plain HTTP to this machine only', () => {
    for (const host of ['localhost', '127.0.0.1', '127.1.2.3', '[::1]']) {
      expect(isLoopback(host)).toBe(true);
      checkTokenIsSafe(parseHttpAddress(`http://${host}:1/x`));
    }
    for (const host of [
      'example.org',
      '127.0.0.1.example.org',
      'localhost.example.org',
      '10.0.0.1',
    ]) {
      expect(isLoopback(host)).toBe(false);
      const refused = expect.objectContaining({ code: 'bad-option' });
      expect(() => openHttpRemote(`http://${host}/x`, { software: 'dv', token: TOKEN })).toThrow(
        refused,
      );
      checkTokenIsSafe(parseHttpAddress(`https://${host}/x`));
    }
  });
});

test('a request says who asks, and what it speaks', async () => {
  const seen: IncomingMessage[] = [];
  const url = await listen((request, response) => {
    seen.push(request);
    answerJson(response, REFS);
  });
  expect(await open(`${url}/team/data`, { token: TOKEN }).refs('refs/heads/')).toEqual(REFS);
  expect(seen[0].url).toBe('/v1/repos/team%2Fdata/refs?prefix=refs%2Fheads%2F');
  expect(seen[0].headers).toMatchObject({
    authorization: `Bearer ${TOKEN}`,
    'dv-protocol': '1',
    'user-agent': 'dv test',
  });
  await open(`${url}/data`).refs();
  expect(seen[1].headers.authorization).toBeUndefined();
});

test("the server's error comes through as it is", async () => {
  const error = {
    code: 'push-refused',
    message: "branch 'main' is protected",
    hint: 'push to another',
    data: { ref: 'refs/heads/main' },
  };
  const url = await listen((_, response) => answerJson(response, { error }, 409));
  expect((await failure(open(`${url}/x`).refs())).toJSON()).toEqual(error);
  const pack = open(`${url}/x`).fetch({ wants: [] });
  expect((await failure(drain(pack))).toJSON()).toEqual(error);
});

test('an error of a newer dv keeps its text, and no token is repeated', async () => {
  const error = { code: 'moon-phase', message: `not now, ${TOKEN}`, data: { phase: 3 } };
  const url = await listen((_, response) => answerJson(response, { error }, 409));
  const told = await failure(open(`${url}/x`).refs());
  expect(told.toJSON()).toEqual({
    code: 'server-failed',
    message: 'not now, dv_…',
    data: { phase: 3, code: 'moon-phase', status: 409 },
  });
});

describe('what is no dv', () => {
  const answers: readonly [name: string, answer: (response: ServerResponse) => void][] = [
    ['a page', (r) => r.end('<html>hello</html>')],
    ['not found', (r) => r.writeHead(404, { 'content-type': 'text/html' }).end('gone')],
    [
      'JSON of something else',
      (r) => r.setHeader('content-type', 'application/json').end('{"refs":[],"cursor":""}'),
    ],
    ['dv that sends no JSON', (r) => r.setHeader('dv-protocol', '1').end('hello')],
    ['dv with other fields', (r) => answerJson(r, { references: [] })],
    ['a redirect in circles', (r) => r.writeHead(302, { location: '/v1/repos/x/refs' }).end()],
  ];
  test.each(answers)('%s', async (_, answer) => {
    const url = await listen((_request, response) => answer(response));
    expect(await failure(open(`${url}/x`).refs())).toMatchObject({ code: 'not-dv' });
  });

  test('a pack of another media type', async () => {
    const url = await listen((_, response) => answerJson(response, {}));
    const pack = open(`${url}/x`).fetch({ wants: [] });
    expect(await failure(drain(pack))).toMatchObject({ code: 'not-dv' });
  });

  test('a proxy whose server is down', async () => {
    const url = await listen((_, response) => response.writeHead(502).end('bad gateway'));
    expect(await failure(open(`${url}/x`).refs())).toMatchObject({ code: 'server-failed' });
  });
});

test('another version of the protocol', async () => {
  const url = await listen((_, response) =>
    answerJson(response, REFS, 200, { 'dv-protocol': '9' }),
  );
  expect(await failure(open(`${url}/x`).refs())).toMatchObject({ code: 'protocol-mismatch' });
  const newer = await listen((_, response) =>
    answerJson(response, { protocol: [8, 9], node: 'n', limits: {}, clock: {}, software: 'dv 9' }),
  );
  expect(await failure(open(`${newer}/x`).info())).toMatchObject({ code: 'protocol-mismatch' });
});

describe('redirects', () => {
  test('to another path of the same server', async () => {
    const url = await listen((request, response) => {
      if (request.url === '/moved') answerJson(response, REFS);
      else response.writeHead(308, { location: '/moved' }).end();
    });
    expect(await open(`${url}/x`, { token: TOKEN }).refs()).toEqual(REFS);
  });

  test('to another host: nothing is sent there', async () => {
    let asked = 0;
    const other = await listen((_, response) => {
      asked += 1;
      answerJson(response, REFS);
    });
    const url = await listen((_, response) =>
      response.writeHead(307, { location: `${other}/v1/repos/x/refs?secret=1` }).end(),
    );
    const error = await failure(open(`${url}/x`, { token: TOKEN }).refs());
    expect(error).toMatchObject({ code: 'remote-unreachable', data: { location: other } });
    expect(asked).toBe(0);
  });

  test('a push is not made again as something else', async () => {
    const url = await listen((_, response) =>
      response.writeHead(302, { location: '/moved' }).end(),
    );
    const push = open(`${url}/x`).push({ updates: [], atomic: false });
    expect(await failure(push)).toMatchObject({ code: 'not-dv' });
  });
});

describe('connections', () => {
  test('nobody is there', async () => {
    const url = await listen(() => undefined);
    const closed = createServer();
    await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve));
    const { port } = closed.address() as AddressInfo;
    await new Promise((resolve) => closed.close(resolve));
    const gone = url.replace(/\d+$/, String(port));
    expect(await failure(open(`${gone}/x`).refs())).toMatchObject({ code: 'remote-unreachable' });
  });

  test('what may be asked twice is asked again', async () => {
    let asked = 0;
    const url = await listen((request, response) => {
      asked += 1;
      if (asked < 3) request.socket.destroy();
      else answerJson(response, REFS);
    });
    expect(await open(`${url}/x`).refs()).toEqual(REFS);
    expect(asked).toBe(3);
  });

  test('a push is sent once', async () => {
    let asked = 0;
    const url = await listen((request) => {
      asked += 1;
      request.socket.destroy();
    });
    const push = open(`${url}/x`).push({ updates: [], atomic: false });
    expect(await failure(push)).toMatchObject({ code: 'connection-lost' });
    expect(asked).toBe(1);
  });

  test('a pack that is cut throws behind what came', async () => {
    const url = await listen((_, response) => {
      response.writeHead(200, { 'content-type': PACK_TYPE, 'dv-protocol': '1' });
      response.write('some', () => response.destroy());
    });
    let got = '';
    const read = async () => {
      for await (const piece of open(`${url}/x`).fetch({ wants: [] })) got += Buffer.from(piece);
    };
    expect(await failure(read())).toMatchObject({ code: 'connection-lost' });
    expect(got).toBe('some');
  });

  test('silence in a pack is a lost connection', async () => {
    const url = await listen((_, response) => {
      response.writeHead(200, { 'content-type': PACK_TYPE, 'dv-protocol': '1' });
      response.write('some');
    });
    const pack = open(`${url}/x`, { stallMs: 300 }).fetch({ wants: [] });
    const error = await failure(drain(pack));
    expect(error).toMatchObject({ code: 'connection-lost' });
    expect(error.message).toContain('went silent');
  });

  test('a segment that nobody takes is a lost connection', async () => {
    const url = await listen((request) => request.pause());
    const push = open(`${url}/x`, { stallMs: 300 }).push(
      { updates: [], atomic: false },
      new Uint8Array(64 * 1024 * 1024),
    );
    expect(await failure(push)).toMatchObject({ code: 'connection-lost' });
  });

  test('whoever gives up is told why', async () => {
    const url = await listen(() => undefined);
    const control = new AbortController();
    const pack = open(`${url}/x`).fetch({ wants: [] }, control.signal);
    const reading = drain(pack);
    control.abort(new DvError('locked', 'enough'));
    expect(await failure(reading)).toMatchObject({ code: 'locked' });
  });
});
