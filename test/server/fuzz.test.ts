/**
 * Random and mutated requests against every route of a real `dv serve` with little memory:
 * no crash, no 500, nothing stored that was not accepted, memory bounded.
 * DV_FUZZ=20000 makes many more requests.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fsck } from '../../src/porcelain/maintain.ts';
import { initRepository, openRepository } from '../../src/porcelain/open-repository.ts';
import { temporaryDirectory } from '../support/cli.ts';
import { PACK_TYPE, PUSH_TYPE, PushSource, rowsFrom } from '../support/push-source.ts';
import { type ServeProcess, serverWorld, startServeProcess } from '../support/server.ts';

const RUNS = Number(process.env.DV_FUZZ ?? 1500);
const HEAP_MB = 96;
/** Heap, code, SQLite's cache, buffers of sockets. */
const PEAK_MB = 420;
const FEED_MS = 200;

interface Ask {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

const agent = new Agent({ keepAlive: true, maxSockets: 8 });

/** status 0: the server cut the connection. */
function ask(url: string, { method, path, headers, body }: Ask): Promise<Answer> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const isFeed = path.includes('/watch');
    const sent = request({ hostname, port, method, path, headers, agent }, (response) => {
      if (isFeed && response.statusCode === 200) {
        response.destroy(); // a feed has no end
        resolve({ status: 200, text: '' });
        return;
      }
      const pieces: Buffer[] = [];
      response.on('data', (piece) => pieces.push(piece));
      const end = () =>
        resolve({
          status: response.statusCode ?? 0,
          text: Buffer.concat(pieces).toString('latin1'),
        });
      response.on('end', end);
      response.on('error', end);
    });
    if (isFeed) sent.setTimeout(FEED_MS, () => sent.destroy()); // a poll waits before it answers
    sent.on('error', () => resolve({ status: 0, text: '' }));
    sent.end(body);
  });
}

/** Sends bytes as they are, reads until the server closes or has said something. */
function sendRaw(url: string, bytes: Uint8Array): Promise<void> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname);
    socket.on('error', () => resolve());
    socket.on('close', () => resolve());
    socket.on('data', () => socket.destroy());
    socket.end(bytes);
  });
}

const NAMES = [
  'data',
  'data',
  'data',
  'team%2Fdata',
  'nowhere',
  '..%2F..%2Fetc',
  '%2e%2e',
  '.dv',
  '%00',
];
const WORDS = [
  'main',
  'x',
  '..',
  '%zz',
  '%2f',
  '\u00e9',
  'a'.repeat(300),
  '-1',
  '0',
  '1e9',
  '%F0%9F%92%A9',
];
const TYPES = ['application/json', PUSH_TYPE, PACK_TYPE, 'text/plain', 'multipart/form-data', ''];

/** Bytes that were right, with some of them changed, lost, doubled or added. */
function mutated(seeds: readonly Buffer[]): fc.Arbitrary<Buffer> {
  const step = fc.record({
    kind: fc.constantFrom('flip', 'cut', 'double', 'insert', 'zero'),
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    size: fc.integer({ min: 1, max: 40 }),
    value: fc.integer({ min: 1, max: 255 }),
  });
  return fc
    .tuple(fc.constantFrom(...seeds), fc.array(step, { minLength: 1, maxLength: 4 }))
    .map(([seed, steps]) =>
      steps.reduce((bytes: Buffer, { kind, at, size, value }) => {
        const i = Math.floor(at * bytes.length);
        const before = bytes.subarray(0, i);
        if (kind === 'cut') return Buffer.concat([before, bytes.subarray(i + size)]);
        if (kind === 'double')
          return Buffer.concat([before, bytes.subarray(i, i + size), bytes.subarray(i)]);
        if (kind === 'insert')
          return Buffer.concat([before, Buffer.alloc(size, value), bytes.subarray(i)]);
        const copy = Buffer.from(bytes);
        for (let n = i; n < Math.min(i + (kind === 'flip' ? 1 : size), copy.length); n++) {
          copy[n] = kind === 'zero' ? 0 : copy[n] ^ value;
        }
        return copy;
      }, seed),
    );
}

const rightType = (path: string): string =>
  path.endsWith('/push') ? PUSH_TYPE : path.includes('/segments/') ? PACK_TYPE : 'application/json';
const typeHeader = (type: string) => (type === '' ? {} : { 'content-type': type });

/** The usual value, and one time in eight another. */
const seldom = <T>(usual: T, others: fc.Arbitrary<T>): fc.Arbitrary<T> =>
  fc.oneof({ weight: 7, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: others });

const json = fc.json({ maxDepth: 4 }).map((text) => Buffer.from(text));

/** JSON of the right fields with values of any kind. */
function nearly(fields: readonly string[], hash: string): fc.Arbitrary<Buffer> {
  const value = fc.oneof(
    fc.constantFrom(
      hash,
      hash.toUpperCase(),
      '0'.repeat(64),
      null,
      true,
      -1,
      1.5,
      1e300,
      'merge',
      'refs/heads/main',
    ),
    fc.array(
      fc.constantFrom(
        hash,
        1,
        {},
        null,
        { kind: 'tree', hash },
        { ref: 'refs/heads/main', old: hash, new: hash, strategy: 'merge' },
      ),
      { maxLength: 5 },
    ),
    fc.jsonValue({ maxDepth: 2 }),
  );
  return fc
    .dictionary(fc.constantFrom(...fields), value)
    .map((object) => Buffer.from(JSON.stringify(object)));
}

async function routesOf(url: string): Promise<{ method: string; path: string }[]> {
  const { paths } = (await (await fetch(`${url}/v1/openapi.json`)).json()) as {
    paths: Record<string, Record<string, unknown>>;
  };
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => ({ method: method.toUpperCase(), path })),
  );
}

/** Everything that a push could have left: refs, and how many objects there are. */
async function contentsOf(directory: string) {
  const repository = await openRepository(directory, serverWorld());
  try {
    const refs = await repository.store.listRefs('');
    let objects = 0;
    for await (const batch of repository.store.scan()) objects += batch.length;
    const problems: unknown[] = [];
    for await (const problem of fsck(repository)) problems.push(problem);
    return { refs, objects, problems };
  } finally {
    await repository.close();
  }
}

function peakOf({ pid }: ServeProcess): number {
  const text = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/VmHWM:\s+(\d+) kB/.exec(text)?.[1]) / 1024;
}

test('hostile requests', { timeout: 600_000 }, async () => {
  const directory = temporaryDirectory();
  const data = join(directory, 'data');
  await using source = await PushSource.open();
  const { repository } = await initRepository(data, serverWorld(), { bare: true });
  await repository.close();
  const options = { NODE_OPTIONS: `--max-old-space-size=${HEAP_MB}` };
  const server = await startServeProcess(directory, ['--rate', '0'], options);
  const base = await source.commit(rowsFrom(0, 400));
  const headers = { 'content-type': PUSH_TYPE };
  const path = '/v1/repos/data/push';
  const first = await ask(server.url, {
    method: 'POST',
    path,
    headers,
    body: await source.body(base, null),
  });
  expect(first.text).toContain('"status":"ok"');
  const next = await source.commit(rowsFrom(10, 50, () => randomBytes(9).toString('hex')));
  const seeds = [
    await source.body(next, base),
    await source.body(next, null, { ref: 'refs/heads/other', strategy: 'merge' }),
    await source.pack({ wants: [next], haves: [base] }),
  ];
  const before = await contentsOf(data);

  const routes = await routesOf(server.url);
  const segment = fc.constantFrom(
    base,
    'f'.repeat(64),
    'heads/main',
    '0',
    '1',
    ...WORDS,
    base,
    'f'.repeat(64),
    'refs',
    'heads/main',
  );
  const fields = [
    'wants',
    'haves',
    'roots',
    'shallow',
    'tables',
    'depth',
    'levels',
    'maxBytes',
    'updates',
    'atomic',
    'open',
  ];
  const body = fc.oneof(
    mutated(seeds),
    json,
    nearly(fields, base),
    fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
    fc.constant(Buffer.alloc(0)),
    fc.constant(Buffer.alloc(400_000, 0x5b)),
  );
  const hostile: fc.Arbitrary<Ask> = fc
    .record({
      route: fc.constantFrom(...routes),
      method: seldom(
        undefined,
        fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'),
      ),
      repo: fc.constantFrom(...NAMES),
      segments: fc.array(segment, { minLength: 4, maxLength: 4 }),
      query: fc.constantFrom(
        '',
        '',
        '?prefix=refs/',
        '?prefix=a&prefix=b',
        '?consistent=1',
        '?%',
        '?since=0.0',
      ),
      type: seldom(undefined, fc.constantFrom(...TYPES)),
      extra: seldom<Record<string, string>>(
        {},
        fc.constantFrom<Record<string, string>[]>(
          { 'dv-protocol': '9' },
          { authorization: 'Bearer x' },
          { 'if-none-match': '*' },
          { origin: 'null' },
          { range: 'bytes=0-' },
        ),
      ),
      body,
    })
    .map(({ route, method, repo, segments, query, type, extra, body: bytes }) => {
      let i = 0;
      const filled = route.path.replace('{repo}', repo).replace(/\{\w+\}/g, () => segments[i++]);
      return {
        method: method ?? route.method,
        path: encodeURI(filled).replace(/%25/g, '%') + query,
        headers: { ...typeHeader(type ?? rightType(route.path)), ...extra } as Record<
          string,
          string
        >,
        body: route.method === 'GET' && method === undefined ? Buffer.alloc(0) : bytes,
      };
    });
  const seen = new Map<number, number>();
  let accepted = 0;
  // Not the shapes a push of its own right could have: those come as mutations of real ones.
  await fc.assert(
    fc.asyncProperty(hostile, async (one) => {
      const { status, text } = await ask(server.url, one);
      seen.set(status, (seen.get(status) ?? 0) + 1);
      if (/"status":"(?:ok|merged)"/.test(text)) accepted++;
      expect(status, `${one.method} ${one.path} ${text}`).not.toBe(500);
      if (status >= 400 && status !== 431) expect(text).toMatch(/^\{"error":\{"code":"[a-z0-9-]+"/);
    }),
    { numRuns: RUNS },
  );
  const heads = [
    'GET /v1/repos/data/refs HTTP/1.1\r\nhost: localhost\r\ncontent-length: 5\r\n\r\nabc',
    `POST ${path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: ${PUSH_TYPE}\r\ntransfer-encoding: chunked\r\n\r\n5\r\nab`,
  ];
  await fc.assert(
    fc.asyncProperty(mutated(heads.map((text) => Buffer.from(text))), (bytes) =>
      sendRaw(server.url, bytes),
    ),
    { numRuns: Math.ceil(RUNS / 10) },
  );
  if (process.env.DV_FUZZ) console.log(seen, { accepted, peak: peakOf(server) });
  agent.destroy();

  expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
  expect(peakOf(server)).toBeLessThan(PEAK_MB);
  expect(server.stderr()).not.toContain('"event":"defect"');
  // The fuzz got in: more than one kind of answer, and also good ones.
  expect([...seen.keys()]).toEqual(expect.arrayContaining([200, 400, 404, 415]));
  expect(await server.stop()).toBe(143);
  const after = await contentsOf(data);
  expect(after.problems).toEqual([]);
  if (accepted === 0) expect(after).toEqual(before);
  expect(after.refs.length).toBeLessThanOrEqual(before.refs.length + accepted);
});
