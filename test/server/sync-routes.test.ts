/** Refs, packs and pushes over HTTP, as docs/protocol.md has them. */
import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { hashOf } from '../../src/hash.ts';
import { createMemoryStore } from '../../src/store/memory.ts';
import { Receiver } from '../../src/sync/receiver.ts';
import { PACK_TYPE, PUSH_TYPE, PushSource, pushBody, rowsFrom } from '../support/push-source.ts';
import { startServer } from '../support/server.ts';

interface Refs {
  readonly head: string | null;
  readonly refs: readonly { readonly name: string; readonly hash: string }[];
  readonly cursor: string;
}

async function post(url: string, body: Uint8Array, type = PUSH_TYPE, token?: string) {
  const headers = {
    'content-type': type,
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  };
  const response = await fetch(url, { method: 'POST', body: body, headers });
  return { status: response.status, said: await response.json(), headers: response.headers };
}

describe('a push in one request', () => {
  test('moves the ref, and another repository gets everything from it', async () => {
    await using source = await PushSource.open();
    const { url } = await startServer();
    const R = `${url}/v1/repos/data`;
    const first = await source.commit(rowsFrom(0, 500));
    expect((await post(`${R}/push`, await source.body(first, null))).said).toMatchObject({
      kind: 'done',
      outcomes: [{ ref: 'refs/heads/main', status: 'ok', hash: first }],
    });
    const second = await source.commit(rowsFrom(3, 1, 'new'));
    const body = await source.body(second, first);
    expect(body.length).toBeLessThan(8192);
    const { status, headers } = await post(`${R}/push`, body);
    expect([status, headers.get('dv-protocol')]).toEqual([200, '1']);

    const response = await fetch(`${R}/fetch`, {
      method: 'POST',
      body: JSON.stringify({ wants: [second] }),
      headers: { 'content-type': 'application/json' },
    });
    expect(response.headers.get('content-type')).toBe(PACK_TYPE);
    const store = createMemoryStore({ now: Date.now });
    const receiver = new Receiver(store, { transfer: 'test' });
    await receiver.expect([{ kind: 'named', hash: second }]);
    await receiver.receive([new Uint8Array(await response.arrayBuffer())]);
    expect(receiver.pendingCount).toBe(0);

    const metrics = await (await fetch(`${url}/metrics`)).text();
    const metric = (name: string) => Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(metrics)?.[1]);
    expect(metric('dv_packs_received_total')).toBe(2);
    expect(metric('dv_packs_sent_total')).toBe(1);
    // The second push brought a few, and the clone took what both had.
    expect(metric('dv_chunks_received_total')).toBe(metric('dv_chunks_sent_total'));
    expect(metric('dv_chunks_sent_total')).toBeGreaterThan(5);
    expect(metrics).toContain('dv_pushed_refs_total{status="ok"} 2');
  });

  test('that lost is answered with where the ref is', async () => {
    await using source = await PushSource.open();
    const { url } = await startServer();
    const R = `${url}/v1/repos/data`;
    const first = await source.commit(rowsFrom(0, 5));
    const second = await source.commit(rowsFrom(0, 1, 'x'));
    await post(`${R}/push`, await source.body(second, null));
    const { status, said } = await post(`${R}/push`, await source.body(first, null));
    expect(status).toBe(200);
    expect(said).toMatchObject({ outcomes: [{ status: 'refused', head: second }] });
  });

  test('that lacks something says what, and moves nothing', async () => {
    await using source = await PushSource.open();
    const { url } = await startServer();
    const commit = await source.commit(rowsFrom(0, 5));
    const updates = [{ ref: 'refs/heads/main', old: null, new: commit, strategy: 'ff-only' }];
    const head = Buffer.from(JSON.stringify({ updates, atomic: true }));
    const { said } = await post(`${url}/v1/repos/data/push`, head, 'application/json');
    expect(said).toMatchObject({ kind: 'incomplete', pending: [{ kind: 'named', hash: commit }] });
    const refs = (await (await fetch(`${url}/v1/repos/data/refs`)).json()) as Refs;
    expect(refs.refs).toEqual([]);
  });

  test('makes the repository where the caller may, and nowhere else', async () => {
    await using source = await PushSource.open();
    const { url, addToken, directory, server } = await startServer();
    const commit = await source.commit(rowsFrom(0, 5));
    const body = await source.body(commit, null);
    const admin = addToken('admin', 'team/*');
    const target = `${url}/v1/repos/team%2Fnew`;
    for (const [token, status] of [
      [addToken('writer'), 404],
      [addToken('reader'), 404],
    ] as const) {
      expect((await post(`${target}/push`, body, PUSH_TYPE, token)).status).toBe(status);
    }
    const headers = { authorization: `Bearer ${admin}` };
    const missing = await fetch(`${target}/refs`, { headers });
    expect(await missing.json()).toMatchObject({
      error: { code: 'unknown-repository', data: { creatable: true } },
    });
    expect((await post(`${target}/push`, body, PUSH_TYPE, admin)).status).toBe(200);
    expect(await server.context.directory.list()).toEqual(['data', 'team/new']);
    mkdirSync(join(directory, 'team', 'Other'));
    for (const name of ['team%2Fnew%2Finside', 'team%2FNEW', 'team%2Fother%2Fx']) {
      const refused = await post(`${url}/v1/repos/${name}/push`, body, PUSH_TYPE, admin);
      expect([name, refused.status]).toEqual([
        name,
        expect.toSatisfy((s) => s === 400 || s === 409),
      ]);
    }
    const outside = await post(`${url}/v1/repos/elsewhere/push`, body, PUSH_TYPE, admin);
    expect(outside.said).toMatchObject({ error: { code: 'unknown-repository' } });
  });
});

describe('a push in segments', () => {
  test('goes on where it was, also at another server, and commits once', async () => {
    await using source = await PushSource.open();
    const one = await startServer();
    const R = `${one.url}/v1/repos/data`;
    const commit = await source.commit(rowsFrom(0, 5000, () => randomBytes(12).toString('hex')));
    const updates = [{ ref: 'refs/heads/main', old: null, new: commit, strategy: 'ff-only' }];
    const head = Buffer.from(JSON.stringify({ updates, atomic: false, open: true }));
    const opened = await post(`${R}/push`, head, 'application/json');
    expect(opened.status).toBe(201);
    const { id, pending } = opened.said as { id: string; pending: unknown[] };
    expect(opened.headers.get('location')).toBe(`/v1/repos/data/push/${id}`);
    expect(pending).toEqual([{ kind: 'named', hash: commit }]);

    const two = await startServer({ directory: one.directory, repositories: [] });
    const put = async (url: string, number: number, pack: Uint8Array) => {
      const to = `${url}/v1/repos/data/push/${id}/segments/${number}`;
      const headers = { 'content-type': PACK_TYPE };
      const response = await fetch(to, { method: 'PUT', body: pack, headers });
      expect(response.status).toBe(200);
      return (await response.json()) as { next: number; pending: unknown[] };
    };
    const half = await source.pack({ wants: [commit], maxBytes: 8192 });
    const after = await put(one.url, 0, half);
    expect(after.next).toBe(1);
    expect(after.pending.length).toBeGreaterThan(0);
    expect(await put(one.url, 0, half)).toEqual(after);
    const seen = (await (
      await fetch(`${two.url}/v1/repos/data/push/${id}`)
    ).json()) as typeof after;
    const rest = await source.pack({ roots: seen.pending } as never);
    expect((await put(two.url, 1, rest)).pending).toEqual([]);
    const commitUrl = `${two.url}/v1/repos/data/push/${id}/commit`;
    const answers = [
      await fetch(commitUrl, { method: 'POST' }),
      await fetch(commitUrl, { method: 'POST' }),
    ];
    for (const answer of answers) {
      expect(await answer.json()).toMatchObject({ outcomes: [{ status: 'ok', hash: commit }] });
    }
    expect((await fetch(`${R}/push/${id}`, { method: 'DELETE' })).status).toBe(204);
    expect((await fetch(`${R}/push/${id}`, { method: 'DELETE' })).status).toBe(204);
    const gone = await fetch(`${R}/push/${id}`);
    expect([gone.status, await gone.json()]).toMatchObject([
      404,
      { error: { code: 'unknown-session' } },
    ]);
  });
});

describe('what a repository has', () => {
  test('refs by prefix, one ref, and 304 while nothing changes', async () => {
    await using source = await PushSource.open();
    const { url } = await startServer({ repositories: ['team/data'] });
    const R = `${url}/v1/repos/team%2Fdata`;
    const first = await source.commit(rowsFrom(0, 5));
    await post(`${R}/push`, await source.body(first, null, { ref: 'refs/heads/a/b' }));
    await post(`${R}/push`, await source.body(first, null, { ref: 'refs/tags/v1' }));
    const all = await fetch(`${R}/refs`);
    const etag = all.headers.get('etag') as string;
    expect((await all.json()) as Refs).toMatchObject({
      head: 'refs/heads/main',
      refs: [{ name: 'refs/heads/a/b' }, { name: 'refs/tags/v1' }],
    });
    const again = await fetch(`${R}/refs`, { headers: { 'if-none-match': `"x", ${etag}` } });
    expect([again.status, await again.text()]).toEqual([304, '']);
    const tags = (await (await fetch(`${R}/refs?prefix=refs/tags/`)).json()) as Refs;
    expect(tags.refs.map(({ name }) => name)).toEqual(['refs/tags/v1']);
    expect(await (await fetch(`${R}/refs/heads/a/b?consistent=1`)).json()).toMatchObject({
      hash: first,
    });
    expect(await (await fetch(`${R}/refs/heads/a`)).json()).toMatchObject({
      error: { code: 'unknown-ref' },
    });
    await post(`${R}/push`, await source.body(first, null, { ref: 'refs/heads/main' }));
    expect((await fetch(`${R}/refs`, { headers: { 'if-none-match': etag } })).status).toBe(200);
  });

  test('a chunk by its hash, and none that is not there', async () => {
    await using source = await PushSource.open();
    const { url } = await startServer();
    const R = `${url}/v1/repos/data`;
    const commit = await source.commit(rowsFrom(0, 5));
    await post(`${R}/push`, await source.body(commit, null));
    const response = await fetch(`${R}/chunks/${commit}`);
    expect(response.headers.get('cache-control')).toContain('immutable');
    expect(hashOf(new Uint8Array(await response.arrayBuffer()))).toBe(commit);
    expect((await fetch(`${R}/chunks/${'0'.repeat(64)}`)).status).toBe(404);
    expect((await fetch(`${R}/chunks/xyz`)).status).toBe(400);
  });

  test('its node, which a copy does not share', async () => {
    const { url } = await startServer({ repositories: ['a', 'b'] });
    const nodes = await Promise.all(
      ['a', 'b'].map(async (name) => {
        const info = (await (await fetch(`${url}/v1/repos/${name}/info`)).json()) as {
          node: string;
        };
        return info.node;
      }),
    );
    expect(new Set(nodes).size).toBe(2);
    expect(nodes[0]).toMatch(/^[0-9a-f]{8}$/);
  });
});

describe('who may not', () => {
  test('is told so, or nothing at all', async () => {
    await using source = await PushSource.open();
    const { url, addToken } = await startServer({ repositories: ['a', 'hidden'] });
    const commit = await source.commit(rowsFrom(0, 5));
    const body = await source.body(commit, null);
    const reader = addToken('reader', 'a');
    const push = await post(`${url}/v1/repos/a/push`, body, PUSH_TYPE, reader);
    expect([push.status, push.said]).toMatchObject([403, { error: { code: 'forbidden' } }]);
    const headers = { authorization: `Bearer ${reader}` };
    const tell = async (name: string) => {
      const response = await fetch(`${url}/v1/repos/${name}/refs`, { headers });
      return [response.status, (await response.text()).replaceAll(name, 'NAME')];
    };
    expect(await tell('hidden')).toEqual(await tell('missing'));
    expect((await fetch(`${url}/v1/repos/hidden/refs`)).status).toBe(401);
    const writer = addToken('writer');
    const tag = { ref: 'refs/tags/v1' };
    await post(`${url}/v1/repos/a/push`, await source.body(commit, null, tag), PUSH_TYPE, writer);
    const moved = await source.commit(rowsFrom(0, 1, 'y'));
    const again = await source.body(moved, commit, { ...tag, strategy: 'force' });
    const refused = await post(`${url}/v1/repos/a/push`, again, PUSH_TYPE, writer);
    expect(refused.said).toMatchObject({ outcomes: [{ status: 'refused', code: 'forbidden' }] });
    const foreign = pushBody(
      {
        updates: [{ ref: 'refs/remotes/x/y', old: null, new: commit, strategy: 'force' }],
        atomic: false,
      },
      new Uint8Array(),
    );
    const remote = await post(`${url}/v1/repos/a/push`, foreign, PUSH_TYPE, addToken('admin'));
    expect(JSON.stringify(remote.said)).toMatch(/bad-name|forbidden/);
  });
});
