/** Following a server through everything that can be wrong on the way. */
import { createServer, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Hash } from '../../src/hash.ts';
import type { CommitEvent, FeedEvent } from '../../src/live/contract.ts';
import { FROM_NOW } from '../../src/live/follow-position.ts';
import { follow } from '../../src/live/follower.ts';
import type { HttpFeedSource } from '../../src/live/http-source.ts';
import {
  decodeFrames,
  encodeFrame,
  FEED_HEAD,
  MAX_FRAME_BYTES,
} from '../../src/live/wire-events.ts';
import type { Store } from '../../src/store/contract.ts';
import { createMemoryStore } from '../../src/store/memory.ts';
import { faultyProxy } from '../support/faulty-proxy.ts';
import { commitTo } from '../support/feed.ts';
import { openSource, serveStore } from '../support/watch-server.ts';

/** Commits `count` times on three branches; follows `source` until all of it was told. */
async function followAll(
  store: Store,
  source: HttpFeedSource,
  count: number,
  between: (i: number) => void,
): Promise<{ readonly told: Map<string, Hash[]>; readonly made: Map<string, Hash[]> }> {
  const abort = new AbortController();
  const told = new Map<string, Hash[]>();
  const made = new Map<string, Hash[]>();
  let heard = 0;
  let begun = false;
  for (const branch of [0, 1, 2]) await commitTo(store, `b${branch}`);
  const write = async () => {
    for (let i = 0; i < count; i++) {
      const ref = `refs/heads/b${i % 3}`;
      made.set(ref, [...(made.get(ref) ?? []), await commitTo(store, `b${i % 3}`)]);
      between(i);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  };
  const options = { from: FROM_NOW, everyCommit: true, signal: abort.signal };
  for await (const { event } of follow(source, options)) {
    if (event.type === 'bookmark' && !begun) {
      begun = true;
      void write();
    }
    if (event.type !== 'commit') continue;
    told.set(event.ref, [...(told.get(event.ref) ?? []), event.new]);
    heard += 1;
    if (heard === count) abort.abort();
  }
  return { told, made };
}

async function scene() {
  const store = createMemoryStore();
  return { store, ...(await serveStore(store)) };
}

describe('a follower of a server', () => {
  test('is told every commit once, though the connection is cut again and again', async () => {
    const { store, origin } = await scene();
    const proxy = await faultyProxy(origin);
    const source = openSource(`${proxy.origin}/data`);
    const { told, made } = await followAll(store, source, 400, (i) => {
      if (i % 40 === 20) proxy.cut();
    });
    expect(told).toEqual(made);
    expect(proxy.taken()).toBeGreaterThan(5);
  });

  test('is told every commit once, though each connection ends after some bytes', async () => {
    const { store, origin } = await scene();
    const proxy = await faultyProxy(origin);
    const source = openSource(`${proxy.origin}/data`, { jitter: () => 0 });
    const { told, made } = await followAll(store, source, 200, (i) => {
      proxy.cutAfter = 1500 + ((i * 997) % 6000);
    });
    expect(told).toEqual(made);
  });

  test('notices that nothing comes any more, and connects anew', async () => {
    const { store, origin } = await scene();
    const proxy = await faultyProxy(origin);
    const source = openSource(`${proxy.origin}/data`, { silenceMs: 1000 });
    const { told, made } = await followAll(store, source, 60, (i) => {
      if (i === 30) proxy.silence();
    });
    expect(told).toEqual(made);
    expect(proxy.taken()).toBeGreaterThan(1);
  });

  test('tries the next form when three streams in a row die young', async () => {
    const { store, origin } = await scene();
    const forms: string[] = [];
    // As a proxy that lets no stream through: it holds what comes, and gives up.
    const front = createServer((incoming, answer) => {
      const form = new URL(incoming.url ?? '', origin).searchParams.get('live') ?? '';
      forms.push(form);
      if (form !== 'poll') {
        answer.socket?.destroy();
        return;
      }
      const onward = httpRequest(origin + incoming.url, { headers: incoming.headers }, (reply) => {
        answer.writeHead(reply.statusCode ?? 500, reply.headers);
        reply.pipe(answer);
      });
      onward.on('error', () => answer.destroy());
      answer.on('close', () => onward.destroy());
      onward.end();
    });
    await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      front.closeAllConnections();
      front.close();
    });
    const url = `http://127.0.0.1:${(front.address() as AddressInfo).port}/data`;
    const { told, made } = await followAll(
      store,
      openSource(url, { jitter: () => 0 }),
      20,
      () => {},
    );
    expect(told).toEqual(made);
    expect(forms.slice(0, 7)).toEqual([
      ...Array(3).fill('frames'),
      ...Array(3).fill('sse'),
      'poll',
    ]);
  });

  test('says so at once when nobody is there, or the repository is not', async () => {
    const { origin, stop } = await scene();
    const first = async (url: string) => {
      for await (const event of openSource(url).events({ signal: new AbortController().signal })) {
        return event;
      }
    };
    await expect(first(`${origin}/other`)).rejects.toMatchObject({ code: 'unknown-repository' });
    await stop();
    await expect(first(`${origin}/data`)).rejects.toMatchObject({ code: 'remote-unreachable' });
  });
});

describe('frames', () => {
  const event = fc.record({ id: fc.string(), message: fc.string(), pack: fc.uint8Array() });
  const made = (id: string, message: string): CommitEvent =>
    ({ type: 'commit', id, message }) as CommitEvent;

  async function decode(bytes: Uint8Array, cuts: readonly number[]): Promise<FeedEvent[]> {
    async function* pieces() {
      let from = 0;
      for (const cut of [...cuts.map((c) => c % (bytes.length + 1)), bytes.length].sort(
        (a, b) => a - b,
      )) {
        yield bytes.subarray(from, cut);
        from = cut;
      }
    }
    const events: FeedEvent[] = [];
    for await (const event of decodeFrames(pieces())) events.push(event);
    return events;
  }

  test('come out as they went in, however they are cut into pieces', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(event), fc.array(fc.nat()), async (events, cuts) => {
        const frames = events.map(({ id, message, pack }) =>
          encodeFrame(JSON.stringify(made(id, message)), pack),
        );
        const decoded = await decode(Buffer.concat([FEED_HEAD, ...frames]), cuts);
        expect(decoded).toEqual(
          events.map(({ id, message, pack }) => ({
            ...made(id, message),
            ...(pack.length === 0 ? {} : { pack: Buffer.from(pack) }),
          })),
        );
      }),
    );
  });

  test('of bytes that are none are refused, without waiting for what they promise', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 64 }), async (bytes) => {
        const hostile = Buffer.concat([FEED_HEAD, bytes]);
        const result = await decode(hostile, []).catch((error: unknown) => error);
        if (!Array.isArray(result)) {
          expect(['protocol-mismatch', 'corrupt']).toContain((result as { code: string }).code);
        }
      }),
      { numRuns: 1000 },
    );
    const huge = Buffer.from([0xff, 0xff, 0xff, 0xff, 0x0f]);
    expect(MAX_FRAME_BYTES).toBeLessThan(2 ** 31);
    for (const bytes of [Buffer.concat([FEED_HEAD, huge]), Buffer.from('HTTP/1.1 200 OK')]) {
      await expect(decode(bytes, [])).rejects.toMatchObject({ code: 'protocol-mismatch' });
    }
  });
});
