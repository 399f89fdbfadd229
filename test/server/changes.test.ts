/** Rows over HTTP: written, read at any revision, compared; against a real server. */
import { describe, expect, test } from 'vitest';
import { startServer, type TestServer } from '../support/server.ts';

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: answers of many shapes
  readonly json: any;
}

async function call(url: string, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(url, init);
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.startsWith('application/json');
  const json = isJson && text !== '' ? JSON.parse(text) : undefined;
  return { status: response.status, headers: response.headers, text, json };
}

const repository = ({ url }: TestServer) => `${url}/v1/repos/data`;

function post(
  server: TestServer,
  query: string,
  body: string,
  headers: Record<string, string> = {},
) {
  return call(`${repository(server)}/branches/main/changes?${query}`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson', ...headers },
    body,
  });
}

const get = (server: TestServer, path: string, headers: Record<string, string> = {}) =>
  call(`${repository(server)}/${path}`, { headers });

const CITIES = `{"id": 1, "name": "Z\\u00fcrich", "people": 415367, "area": 87.880, "big": true}
{"id": 2, "name": "Bern", "people": 12345678901234567890123, "area": 1e2, "big": null}

{"id": 3, "name": "Basel", "tags": { "river" : "Rhein Fluss", "n": [1, 2.50] }}
`;

async function started(): Promise<{ server: TestServer; first: string }> {
  const server = await startServer();
  const answer = await post(server, 'table=cities&key=id&drift=widen', CITIES);
  expect(answer.json).toMatchObject({
    changed: true,
    tables: [{ table: 'cities', added: 3, removed: 0, modified: 0 }],
  });
  expect(answer.json.cursor).toMatch(/^[0-9a-f]{16}\.1$/);
  return { server, first: answer.json.commit };
}

describe('writing', () => {
  test('keeps every cell as it was written', async () => {
    const { server } = await started();
    const cells = await get(server, 'tables/cities/rows?form=cells&format=ndjson');
    expect(cells.headers.get('content-type')).toBe('application/x-ndjson');
    expect(
      cells.text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual([
      ['1', 'Zürich', '415367', '87.880', 'true', null],
      ['2', 'Bern', '12345678901234567890123', '1e2', null, null],
      ['3', 'Basel', null, null, null, '{"river":"Rhein Fluss","n":[1,2.50]}'],
    ]);
    const objects = await get(server, 'tables/cities/rows');
    expect(objects.text).toContain('"people":12345678901234567890123,"area":1e2');
    expect(objects.text).toContain('"tags":{"river":"Rhein Fluss","n":[1,2.50]}');
  });

  test('takes arrays, envelopes of several tables, and ops by many names', async () => {
    const { server } = await started();
    const array = await call(`${repository(server)}/branches/main/changes?table=cities&op=patch`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '[{"id":1,"people":1}, {"id":2,"name":"Berne"}]',
    });
    expect(array.json.tables).toEqual([{ table: 'cities', added: 0, removed: 0, modified: 2 }]);
    const mixed = await post(
      server,
      'table=cities&op-field=_op',
      '{"_op":"d","id":3}\n{"id":4,"name":"Genf","_op":"c"}\n{"id":1,"people":2,"_op":"update"}',
    );
    expect(mixed.json.tables).toEqual([{ table: 'cities', added: 1, removed: 1, modified: 1 }]);
    const envelopes = await post(
      server,
      'message=two%20tables&author=Ada%20%3Cada%40example.org%3E',
      '{"table":"a","row":{"id":1}}\n{"table":"b","op":"upsert","row":{"id":1}}\n{"table":"a","row":{"id":2}}',
    );
    expect(envelopes.json.tables).toEqual([
      { table: 'a', added: 2, removed: 0, modified: 0 },
      { table: 'b', added: 1, removed: 0, modified: 0 },
    ]);
    const log = await get(server, 'log?limit=1');
    expect(log.json.commits[0]).toMatchObject({
      message: 'two tables',
      author: { name: 'Ada', email: 'ada@example.org' },
      generation: 4,
    });
    expect(log.json.complete).toBe(false);
    expect(log.headers.get('dv-clock')).toMatch(/^\d+\.\d+\.[0-9a-f]{8}$/);
    expect(log.headers.get('dv-commit')).toBe(envelopes.json.commit);
  });

  test('a row from an older commit is merged by cell, or 409 tells base, ours and theirs', async () => {
    const { server, first } = await started();
    await post(server, 'table=cities&op=patch', '{"id":1,"people":400000}');
    const other = await post(
      server,
      `table=cities&op=patch&base=${first}`,
      '{"id":1,"name":"Turicum"}',
    );
    expect(other.status).toBe(200);
    const row = await get(server, 'tables/cities/rows?key=1');
    expect(row.json.rows).toEqual([
      { id: 1, name: 'Turicum', people: 400000, area: 87.88, big: true, tags: null },
    ]);
    const clash = await post(server, `table=cities&op=patch&base=${first}`, '{"id":1,"people":7}');
    expect(clash.status).toBe(409);
    expect(clash.json.error).toMatchObject({
      code: 'conflicts-left',
      data: {
        rows: [
          {
            table: 'cities',
            key: { id: '1' },
            base: { people: '415367' },
            ours: { people: '400000' },
            theirs: { people: '7' },
          },
        ],
      },
    });
    const exact = await post(server, `table=cities&exact=1&base=${first}`, '{"id":9}');
    expect([exact.status, exact.json.error.code]).toEqual([409, 'ref-moved']);
  });

  test('under an idempotency key a request counts once', async () => {
    const { server } = await started();
    const headers = { 'idempotency-key': 'k-1' };
    const body = '{"id":5,"name":"Chur"}';
    const [one, two] = [
      await post(server, 'table=cities', body, headers),
      await post(server, 'table=cities', body, headers),
    ];
    expect(two.json).toEqual(one.json);
    const other = await post(server, 'table=cities', '{"id":6}', headers);
    expect([other.status, other.json.error.code]).toEqual([409, 'already-exists']);
  });

  test('offsets of a stream move with the rows', async () => {
    const { server } = await started();
    const source = (offset: string, expect_: unknown) => ({
      'dv-source': JSON.stringify({ name: 's', offsets: { 0: offset }, expect: expect_ }),
    });
    const write = (offset: string, expect_: unknown) =>
      post(server, 'table=cities', `{"id":${offset}}`, source(offset, expect_));
    expect((await write('10', null)).status).toBe(200);
    expect((await write('11', null)).json.error.code).toBe('offsets-moved');
    expect((await write('12', { 0: '10' })).status).toBe(200);
    const offsets = await get(server, 'branches/main/offsets?source=s');
    expect(offsets.json).toEqual({ branch: 'main', source: 's', offsets: { 0: '12' } });
  });

  test.each([
    ['table=cities', '{"id":1,"people":"many"}', 409, 'type-mismatch'],
    ['table=cities', '{"id":1,"colour":"red"}', 400, 'unknown-column'],
    ['table=cities', '{"name":"no key"}', 409, 'null-key'],
    ['table=cities', '{"id":1', 409, 'bad-json'],
    ['table=cities', '{"id":1,"id":2}', 409, 'bad-json'],
    ['table=cities', '{"id":01}', 409, 'bad-json'],
    ['table=cities', '{"id":1,"tags":[1,]}', 409, 'bad-json'],
    ['table=cities', '{"id":1,"name":"\\ud800"}', 409, 'invalid-utf8'],
    ['table=cities', '[{"id":1}]', 409, 'bad-json'],
    ['table=cities&op=explode', '{"id":1}', 400, 'bad-option'],
    ['table=cities&op=patch', '{"id":77,"name":"x"}', 404, 'unknown-row'],
    ['table=cities&base=abc', '{"id":1}', 400, 'bad-request'],
    ['table=cities&tabel=x', '{"id":1}', 400, 'bad-request'],
    ['table=cities&drift=maybe', '{"id":1}', 400, 'bad-request'],
    ['', '{"id":1}', 400, 'bad-request'],
    ['table=..%2Fx', '{"id":1}', 400, 'bad-name'],
  ])('refuses %s with %s', async (query, body, status, code) => {
    const { server, first } = await started();
    const answer = await post(server, query, body);
    expect([answer.status, answer.json.error.code]).toEqual([status, code]);
    expect(
      (await get(server, 'log')).json.commits.map((c: { commit: string }) => c.commit),
    ).toEqual([first]);
  });

  test('refuses what is no text, too large, of another type, or for another branch', async () => {
    const { server } = await started();
    const bytes = await call(`${repository(server)}/branches/main/changes?table=cities`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson' },
      body: new Uint8Array([0x7b, 0xff, 0x7d]),
    });
    expect(bytes.json.error.code).toBe('invalid-utf8');
    const large = await post(server, 'table=cities', 'x'.repeat(5 * 1024 * 1024)).catch(() => null);
    if (large !== null) expect(large.status).toBe(413);
    const type = await post(server, 'table=cities', '{}', { 'content-type': 'text/csv' });
    expect(type.status).toBe(415);
    const branch = await call(`${repository(server)}/branches/other/changes?table=cities`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson' },
      body: '{"id":1}',
    });
    expect([branch.status, branch.json.error.code]).toEqual([404, 'unknown-ref']);
  });

  test('is for writers', async () => {
    const server = await startServer();
    const [reader, writer] = [server.addToken('reader'), server.addToken('writer')];
    const as = (token: string) => ({ authorization: `Bearer ${token}` });
    const refused = await post(server, 'table=t&key=id', '{"id":1}', as(reader));
    expect([refused.status, refused.json.error.code]).toEqual([403, 'forbidden']);
    expect((await post(server, 'table=t&key=id', '{"id":1}')).status).toBe(401);
    expect((await post(server, 'table=t&key=id', '{"id":1}', as(writer))).status).toBe(200);
    expect((await get(server, 'tables/t/rows', as(reader))).json.rows).toEqual([{ id: 1 }]);
    expect((await get(server, 'tables/t/rows')).status).toBe(401);
  });
});

describe('reading', () => {
  test('at any revision, with a tag of the table', async () => {
    const { server, first } = await started();
    await post(server, 'table=cities&op=delete', '{"id":3}');
    const now = await get(server, 'tables/cities/count');
    expect(now.json.rows).toBe(2);
    const before = await get(server, `tables/cities/count?at=${first}`);
    expect(before.json).toEqual({ table: 'cities', commit: first, rows: 3 });
    expect((await get(server, 'tables/cities/count?at=main~1')).json.rows).toBe(3);
    const tag = now.headers.get('etag')!;
    const same = await get(server, 'tables/cities/rows', { 'if-none-match': tag });
    expect([same.status, same.text]).toEqual([304, '']);
    const other = await get(server, `tables/cities/rows?at=${first}`, { 'if-none-match': tag });
    expect(other.status).toBe(200);
    const tables = await get(server, 'tables');
    expect(tables.json.tables).toMatchObject([
      { table: 'cities', hash: tag.slice(1, -1), key: ['id'] },
    ]);
  });

  test('in pages that stay at their commit, in ranges, by condition, some columns', async () => {
    const server = await startServer();
    const lines = Array.from({ length: 2500 }, (_, i) => `{"id":${i},"v":${i % 7}}`).join('\n');
    await post(server, 'table=t&key=id', lines);
    const ids: number[] = [];
    let path: string | undefined = 'tables/t/rows?limit=700&columns=id';
    for (let page = 0; path !== undefined && page < 10; page++) {
      const { json } = await get(server, path);
      ids.push(...json.rows.map((row: { id: number }) => row.id));
      await post(server, 'table=t&op=delete', `{"id":${2499 - page}}`);
      path =
        json.next === null ? undefined : `tables/t/rows?limit=700&columns=id&cursor=${json.next}`;
    }
    expect(ids).toEqual(Array.from({ length: 2500 }, (_, i) => i));
    const range = await get(server, 'tables/t/rows?from=5&to=8&columns=v,id');
    expect(range.json.rows).toEqual([
      { v: 5, id: 5 },
      { v: 6, id: 6 },
      { v: 0, id: 7 },
    ]);
    const some = await get(
      server,
      `tables/t/rows?where=${encodeURIComponent('v = 3 and (abs(id) in (1, 2) or id < 30)')}`,
    );
    expect(some.json.rows.map((row: { id: number }) => row.id)).toEqual([3, 10, 17, 24]);
    expect((await get(server, 'tables/t/rows?key=99999')).json.rows).toEqual([]);
    const all = await get(server, 'tables/t/rows', { accept: 'application/x-ndjson' });
    expect(all.text.trim().split('\n')).toHaveLength(2500 - 4);
  });

  test.each([
    ['tables/none/rows', 404, 'unknown-table'],
    ['tables/cities/rows?key=x', 409, 'type-mismatch'],
    ['tables/cities/rows?key=1&key=2', 400, 'bad-option'],
    ['tables/cities/rows?columns=none', 400, 'unknown-column'],
    ['tables/cities/rows?where=1%20%2B', 400, 'bad-condition'],
    ['tables/cities/rows?where=(select%201)', 400, 'bad-condition'],
    ['tables/cities/rows?where=length(randomblob(9))', 400, 'bad-condition'],
    ['tables/cities/rows?where=hex%20%20(hex(name))', 400, 'bad-condition'],
    ['tables/cities/rows?where=%22hex%22/**/(name)', 400, 'bad-condition'],
    ['tables/cities/rows?cursor=!', 409, 'bad-cursor'],
    ['tables/cities/rows?limit=-1', 400, 'bad-request'],
    ['tables/cities/rows?at=none', 400, 'bad-revision'],
    ['tables/cities/rows?min-seq=0000000000000000.1', 409, 'bad-cursor'],
    ['tables/cities/history?key=77', 404, 'unknown-row'],
    ['diff?to=main', 400, 'bad-request'],
    ['log?limit=5000', 400, 'bad-request'],
  ])('refuses %s', async (path, status, code) => {
    const { server } = await started();
    const answer = await get(server, path);
    expect([answer.status, answer.json.error.code]).toEqual([status, code]);
  });

  test('the history of a row', async () => {
    const { server, first } = await started();
    const second = await post(server, 'table=cities&op=patch', '{"id":1,"people":7}');
    await post(server, 'table=cities&op=patch', '{"id":2,"name":"x"}');
    const third = await post(server, 'table=cities&op=delete', '{"id":1}');
    const { json } = await get(server, 'tables/cities/history?key=1&at=main~1');
    expect(json.versions.map((v: Record<string, unknown>) => [v.commit, v.change])).toEqual([
      [second.json.commit, 'modified'],
      [first, 'added'],
    ]);
    expect(json.versions[0]).toMatchObject({ from: { people: 415367 }, to: { people: 7 } });
    expect(third.status).toBe(200);
  });

  test('the difference of two revisions, enough to make one from the other', async () => {
    const { server, first } = await started();
    const changes =
      '{"id":1,"people":7,"_op":"patch"}\n{"id":2,"_op":"delete"}\n{"id":9,"more":"m"}';
    await post(server, 'table=cities&op-field=_op&drift=widen', changes);
    await post(server, 'table=other&key=id', '{"id":1}');
    const { text } = await get(server, `diff?from=${first}&to=main`);
    const lines = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines[0]).toMatchObject({
      table: 'cities',
      from: { key: ['id'], columns: expect.any(Array) },
      schema: [{ kind: 'column-added', column: 'more', type: 'text' }],
    });
    expect(lines.slice(1, 4)).toEqual([
      {
        change: 'modified',
        from: ['1', 'Zürich', '415367', '87.880', 'true', null],
        to: ['1', 'Zürich', '7', '87.880', 'true', null, null],
      },
      {
        change: 'removed',
        from: ['2', 'Bern', '12345678901234567890123', '1e2', null, null],
        to: null,
      },
      { change: 'added', from: null, to: ['9', null, null, null, null, null, 'm'] },
    ]);
    expect(lines.slice(4)).toMatchObject([
      { table: 'other', from: null },
      { change: 'added', to: ['1'] },
      { end: true, from: first, complete: true },
    ]);
    const some = async (query: string) =>
      (await get(server, `diff?from=${first}&${query}`)).text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line))
        .filter(({ change }) => change !== undefined);
    expect(await some('table=other')).toHaveLength(1);
    expect(
      await some(`table=cities&where=${encodeURIComponent('from_people > to_people')}`),
    ).toHaveLength(1);
    expect(await some('table=cities&columns=people&form=objects')).toHaveLength(3);
    expect(await some('table=cities&limit=2')).toHaveLength(2);
    const whole = await get(server, 'diff?from=none&table=cities&form=objects');
    expect(whole.text.trim().split('\n')).toHaveLength(5);
  });

  test('min-seq waits for a commit that another process is to make', async () => {
    const { server } = await started();
    const { json } = await post(server, 'table=cities', '{"id":40}');
    const [epoch, sequence] = json.cursor.split('.');
    const waiting = get(server, `tables/cities/count?min-seq=${epoch}.${Number(sequence) + 1}`);
    await post(server, 'table=cities', '{"id":41}');
    expect((await waiting).json.rows).toBe(5);
  });
});
