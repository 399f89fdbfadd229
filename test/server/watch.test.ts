/** `GET /watch` of a real server, as dv, browsers and curl read it. */
import { get } from 'node:http';
import { connect } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Hash } from '../../src/hash.ts';
import type { CommitEvent, FeedEvent } from '../../src/live/contract.ts';
import type { StreamForm } from '../../src/live/http-source.ts';
import { editRoot } from '../../src/model/root.ts';
import { NodeStore } from '../../src/prolly/node-store.ts';
import { EMPTY_TREE } from '../../src/prolly/node-writer.ts';
import type { Store } from '../../src/store/contract.ts';
import { createMemoryStore } from '../../src/store/memory.ts';
import type { Row } from '../../src/tuple/schema.ts';
import { commitTo } from '../support/feed.ts';
import { storeTable } from '../support/stored-tables.ts';
import { openSource, serveStore } from '../support/watch-server.ts';

const SCHEMA = {
  columns: [
    { name: 'id', type: 'integer' },
    { name: 'name', type: 'text' },
  ],
  key: [0],
} as const;

/** A root with one table, `cities`. */
async function rootWith(store: Store, rows: readonly Row[]): Promise<Hash> {
  const nodes = new NodeStore(store);
  const table = await storeTable(nodes, { schema: SCHEMA, rows: [...rows] });
  const entry = { kind: 'table', table, dialect: undefined } as const;
  const root = await editRoot(nodes, EMPTY_TREE, new Map([['cities', entry]]));
  await nodes.flush();
  return root;
}

async function scene() {
  const store = createMemoryStore();
  await commitTo(store, 'main', { root: await rootWith(store, [['1', 'Ulm']]) });
  return { store, ...(await serveStore(store)) };
}

/** Reads events until `enough` says so. */
async function collect(
  events: AsyncIterable<FeedEvent>,
  abort: AbortController,
  enough: (events: readonly FeedEvent[]) => boolean,
  heard: (event: FeedEvent) => void = () => undefined,
): Promise<FeedEvent[]> {
  const collected: FeedEvent[] = [];
  for await (const event of events) {
    collected.push(event);
    heard(event);
    if (enough(collected)) abort.abort();
  }
  return collected;
}

const commitsOf = (events: readonly FeedEvent[]): CommitEvent[] =>
  events.filter((event): event is CommitEvent => event.type === 'commit');

describe('the feed', () => {
  test.each<StreamForm>(['frames', 'sse', 'poll'])('comes as %s', async (form) => {
    const { store, url } = await scene();
    const source = openSource(url, { forms: [form] });
    const abort = new AbortController();
    const made: Hash[] = [];
    const events = await collect(
      source.events({ signal: abort.signal, counts: true, patterns: ['main'] }),
      abort,
      (all) => commitsOf(all).length === 3,
      (event) => {
        // The first bookmark says that what comes from now on will be told.
        if (event.type !== 'bookmark' || made.length > 0) return;
        made.push('' as Hash);
        void (async () => {
          await commitTo(store, 'other');
          for (let i = 0; i < 3; i++) {
            const root = await rootWith(store, [
              ['1', 'Ulm'],
              ['2', `Bonn ${i}`],
            ]);
            made.push(await commitTo(store, 'main', { root }));
          }
        })();
      },
    );
    expect(events[0].type).toBe('bookmark');
    const commits = commitsOf(events);
    expect(commits.map((event) => event.new)).toEqual(made.slice(1));
    expect(commits[1]).toMatchObject({
      ref: 'refs/heads/main',
      old: made[1],
      author: { name: 'Ada', email: 'ada@example.org' },
      tables: [{ table: 'cities', added: 0, removed: 0, modified: 1 }],
      skipped: 0,
    });
  });

  test('carries rows on demand, and says where more are', async () => {
    const { store, origin } = await scene();
    const first = (await store.getRef('refs/heads/main')) as Hash;
    await commitTo(store, 'main', {
      root: await rootWith(store, [
        ['1', 'Ulm'],
        ['2', 'Bonn'],
      ]),
    });
    const many = Array.from({ length: 1200 }, (_, i): Row => [String(i), `city ${i}`]);
    const last = await commitTo(store, 'main', { root: await rootWith(store, many) });
    const watch = `${origin}/v1/repos/data/watch?live=poll&rows=1&since=commit:${first}`;
    const { events } = (await (await fetch(watch)).json()) as { events: Record<string, unknown>[] };
    expect(events[0].rows).toEqual([
      { table: 'cities', change: 'added', key: { id: 2 }, from: null, to: { id: 2, name: 'Bonn' } },
    ]);
    expect(events[1].rows).toBeUndefined();
    const lines = (await (await fetch(origin + String(events[1].rowsAt))).text())
      .trim()
      .split('\n');
    expect(JSON.parse(lines[0])).toMatchObject({ table: 'cities', from: SCHEMA, to: SCHEMA });
    expect(lines).toHaveLength(1 + 1200 + 1);
    expect(lines.at(-1)).toBe('{"end":true}');
    const filtered = `${origin}/v1/repos/data/feed/changes?from=${first}&to=${last}&where=${encodeURIComponent('id = 7')}`;
    expect((await (await fetch(filtered)).text()).split('\n')[1]).toBe('["+",["7","city 7"]]');
  });

  test('is told to browsers, who resume by Last-Event-ID', async () => {
    const { store, origin } = await scene();
    const first = await fetch(`${origin}/v1/repos/data/watch`);
    expect(first.headers.get('content-type')).toBe('text/event-stream');
    expect(first.headers.get('x-accel-buffering')).toBe('no');
    expect(first.headers.get('cache-control')).toContain('no-transform');
    const reader = (first.body as ReadableStream<Uint8Array>).getReader();
    let text = '';
    while (!text.includes('event: bookmark')) {
      text += Buffer.from((await reader.read()).value as Uint8Array).toString();
    }
    await reader.cancel();
    const id = /^id: (.*)$/m.exec(text)?.[1] as string;
    const hash = await commitTo(store, 'main');
    const again = await fetch(`${origin}/v1/repos/data/watch`, {
      headers: { 'last-event-id': id },
    });
    const body = (again.body as ReadableStream<Uint8Array>).getReader();
    let told = '';
    while (!told.includes(hash)) {
      told += Buffer.from((await body.read()).value as Uint8Array).toString();
    }
    await body.cancel();
    expect(told).toMatch(/id: .*\nevent: commit\ndata: \{.*\}\n\n/);
  });

  test('waits for min-seq, and refuses what is no request', async () => {
    const { store, origin } = await scene();
    const waiting = fetch(`${origin}/v1/repos/data/watch?live=poll&since=time:0&min-seq=2`);
    await commitTo(store, 'main');
    const { events } = (await (await waiting).json()) as { events: unknown[] };
    expect(events).toHaveLength(2);
    for (const [query, code] of [
      ['live=carrier-pigeon', 'bad-option'],
      ['since=yesterday', 'bad-cursor'],
      [`since=commit:${'0'.repeat(64)}`, 'bad-cursor'],
      ['rows=yes', 'bad-option'],
      ['live=frames&rows=1', 'bad-option'],
      [`refs=${Array(101).fill('a').join()}`, 'bad-option'],
      ['min-seq=soon', 'bad-cursor'],
    ]) {
      const answer = await fetch(`${origin}/v1/repos/data/watch?${query}`);
      expect(answer.status).toBeGreaterThanOrEqual(400);
      expect(((await answer.json()) as { error: { code: string } }).error.code).toBe(code);
    }
  });

  test('ends when the server stops, and followers of it go on with the next', async () => {
    const { store, url, stop, origin } = await scene();
    const source = openSource(url);
    const abort = new AbortController();
    let step = 0;
    const made: Hash[] = [];
    const events = await collect(
      source.events({ signal: abort.signal }),
      abort,
      (all) => commitsOf(all).length >= 2,
      (event) => {
        if (step === 0 && event.type === 'bookmark') {
          step = 1;
          void commitTo(store, 'main').then((hash) => made.push(hash));
        } else if (step === 1 && event.type === 'commit') {
          step = 2;
          void (async () => {
            await stop();
            made.push(await commitTo(store, 'main'));
            await serveStore(store, Number(new URL(origin).port));
          })();
        }
      },
    );
    expect(commitsOf(events).map((event) => event.new)).toEqual(made);
  });

  test('shows who follows, and how far behind they are', async () => {
    const { store, origin, url } = await scene();
    const source = openSource(url);
    const abort = new AbortController();
    const shown: unknown[] = [];
    const metrics: string[] = [];
    await collect(
      source.events({ signal: abort.signal, patterns: ['main'] }),
      abort,
      (all) => commitsOf(all).length === 1 && metrics.length > 0,
      (event) => {
        if (event.type !== 'bookmark' || shown.length > 0) return;
        shown.push(null);
        void (async () => {
          const answer = await fetch(`${origin}/v1/repos/data/watchers`);
          shown.push(...((await answer.json()) as { watchers: unknown[] }).watchers);
          metrics.push(await (await fetch(`${origin}/metrics`)).text());
          await commitTo(store, 'main');
        })();
      },
    );
    expect(shown[1]).toMatchObject({ form: 'frames', patterns: ['main'], sent: 1, lag: 0 });
    expect(metrics[0]).toContain('dv_watch_lag{repo="data",follower="slowest"} 0');
    expect(metrics[0]).toContain('dv_watchers{repo="data"} 1');
  });
});

describe('a reader that takes nothing', () => {
  test('is sent no more than a buffer holds, then the newest, while others are told all', async () => {
    const { store, origin, url } = await scene();
    const address = new URL(origin);
    const socket = connect(Number(address.port), address.hostname);
    onTestFinished(() => {
      socket.destroy();
    });
    await new Promise((resolve) => socket.once('connect', resolve));
    socket.write(`GET /v1/repos/data/watch?since=time:0 HTTP/1.1\r\nhost: ${address.host}\r\n\r\n`);
    await new Promise((resolve) => socket.once('readable', resolve));
    // From here on it reads nothing; what is told is far more than all buffers on the way.
    const abort = new AbortController();
    const told: string[] = [];
    const commits = 1000;
    const events = collect(
      openSource(url).events({ signal: abort.signal, since: 'time:0' }),
      abort,
      (all) => commitsOf(all).length > commits,
    );
    for (let i = 0; i < commits; i++) {
      await commitTo(store, `branch-${i % 3}`, { message: 'x'.repeat(20_000) });
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(commitsOf(await events)).toHaveLength(commits + 1);
    socket.on('data', (bytes) => told.push(String(bytes)));
    const heads = (await store.listRefs('refs/heads/')).map(({ hash }) => hash);
    await expect
      .poll(() => heads.every((hash) => told.join('').includes(`"new":"${hash}"`)), {
        timeout: 20_000,
      })
      .toBe(true);
    const metrics = await new Promise<string>((resolve) => {
      get(`${origin}/metrics`, (answer) => {
        let text = '';
        answer.on('data', (piece) => {
          text += piece;
        });
        answer.on('end', () => resolve(text));
      });
    });
    expect(metrics).toMatch(/dv_watch_conflated_total [1-9]/);
    expect(told.join('')).toMatch(/"skipped":[1-9]/);
  });
});
