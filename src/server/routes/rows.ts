/**
 * Rows at any revision: `GET R/tables`, `GET R/tables/{table}/rows` (by key, range or page;
 * JSON or NDJSON) and `GET R/tables/{table}/count`. docs/http-api.md shows them.
 */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { DvError } from '../../errors.ts';
import type { Hash } from '../../hash.ts';
import type { OpenTable } from '../../live/open-table.ts';
import { readCommit, readSchema, readTable } from '../../model/object-reader.ts';
import { listRoot } from '../../model/root.ts';
import { countTableRows } from '../../model/table-stat.ts';
import type { OpenApiOperation, RegisterRoutes, Served, ServerContext } from '../contract.ts';
import { Query } from '../query.ts';
import { type ReadState, STATE_PARAMETERS, stateOf } from '../revision-query.ts';
import { decodePage, encodePage, findRows, type RowsWanted } from '../row-page.ts';
import { describeSchema, guardedCondition, keyOf, placesOf, tableAt } from '../served-table.ts';
import { stampAnswer } from './changes.ts';
import { queryOf } from './openapi.ts';

const ROW_PARAMETERS = [
  'key',
  'from',
  'to',
  'where',
  'columns',
  'limit',
  'cursor',
  'form',
  'format',
];
const DEFAULT_ROWS = 1000;
const MOST_ROWS = 10_000;
/** A page ends behind the row that takes it over this. */
const PAGE_BYTES = 4 * 1024 * 1024;

export const register: RegisterRoutes = (app, context) => {
  const path = '/v1/repos/:repo/tables';
  app.get(path, { config: { openapi: TABLES } }, async (request, reply) => {
    const served = await context.open(request, 'read');
    const state = await stateOf(served, new Query(request, STATE_PARAMETERS), context);
    await tellState(reply, served, state);
    return { commit: state.commit, tables: await describeTables(served, state.root) };
  });

  app.get(`${path}/:table/rows`, { config: { openapi: ROWS } }, async (request, reply) => {
    const served = await context.open(request, 'read');
    const query = new Query(request, [...STATE_PARAMETERS, ...ROW_PARAMETERS]);
    return answerRows(request, reply, { served, query, context });
  });

  app.get(`${path}/:table/count`, { config: { openapi: COUNT } }, async (request, reply) => {
    const served = await context.open(request, 'read');
    const state = await stateOf(served, new Query(request, STATE_PARAMETERS), context);
    const { table } = request.params as { table: string };
    const { hash } = await tableAt(served, state.root, table);
    await tellState(reply, served, state);
    if (notModified(request, reply, hash)) return reply.code(304).send();
    return {
      table,
      commit: state.commit,
      rows: await countTableRows(served.repository.nodes, hash),
    };
  });
};

/** `dv-commit`: what the answer shows; `dv-clock`. */
export async function tellState(
  reply: FastifyReply,
  served: Served,
  { commit }: Pick<ReadState, 'commit'>,
): Promise<void> {
  reply.header('dv-commit', commit);
  await stampAnswer(reply, served);
}

/** Sets the tag; true: the caller has this already. */
function notModified(request: FastifyRequest, reply: FastifyReply, table: Hash): boolean {
  const tag = `"${table}"`;
  reply.header('etag', tag);
  return request.headers['if-none-match']?.split(/\s*,\s*/).includes(tag) ?? false;
}

async function describeTables({ repository }: Served, root: Hash) {
  const { nodes, store } = repository;
  const tables: unknown[] = [];
  for (const { name, entry } of await listRoot(nodes, root)) {
    if (entry.kind !== 'table') continue;
    const schema = await readSchema(store, (await readTable(store, entry.table)).schema);
    tables.push({ table: name, hash: entry.table, ...describeSchema(schema) });
  }
  return tables;
}

interface Asked {
  readonly served: Served;
  readonly query: Query;
  readonly context: ServerContext;
}

interface Page extends RowsWanted {
  readonly name: string;
  readonly commit: Hash;
  readonly table: OpenTable;
  readonly limit: number | undefined;
}

async function answerRows(request: FastifyRequest, reply: FastifyReply, asked: Asked) {
  const { served, query, context } = asked;
  const { table: name } = request.params as { table: string };
  const cursor = query.text('cursor');
  const page = cursor === undefined ? undefined : decodePage(cursor);
  const state =
    page === undefined ? await stateOf(served, query, context) : await stateAt(served, page.commit);
  const table = await tableAt(served, state.root, name);
  await tellState(reply, served, state);
  if (notModified(request, reply, table.hash)) return reply.code(304).send();
  const wanted = rowsWanted(name, table, query, page?.key);
  const answer: Page = {
    ...wanted,
    name,
    table,
    commit: state.commit,
    limit: query.count('limit', 1e9),
  };
  const wantsLines =
    request.headers.accept?.includes('ndjson') ||
    query.choice('format', ['json', 'ndjson']) === 'ndjson';
  try {
    if (wantsLines) {
      await context.stream(reply, 'application/x-ndjson', rowLines(served, answer));
      return reply;
    }
    const text = await rowPage(served, answer);
    return reply.type('application/json').send(text);
  } finally {
    wanted.condition?.close();
  }
}

async function stateAt({ repository }: Served, commit: Hash): Promise<ReadState> {
  return { commit, root: (await readCommit(repository.store, commit)).root };
}

function rowsWanted(
  name: string,
  { schema }: OpenTable,
  query: Query,
  after?: Uint8Array,
): RowsWanted {
  const [key, from, to] = ['key', 'from', 'to'].map((parameter) => {
    const cells = query.list(parameter);
    return cells && keyOf(name, schema, cells);
  });
  if (key !== undefined && (from !== undefined || to !== undefined)) {
    throw new DvError('bad-request', 'a key and a range do not go together');
  }
  const columns = placesOf(
    schema,
    query.list('columns')?.flatMap((list) => list.split(',')),
  );
  const where = query.text('where');
  return {
    range: {
      ...(after === undefined ? {} : { after }),
      ...(from === undefined ? {} : { from }),
      ...(to === undefined ? {} : { to }),
      // one key: from it to what comes right behind it
      ...(key === undefined ? {} : { from: key, to: Buffer.concat([key, Buffer.from([0])]) }),
    },
    columns,
    form: query.choice('form', ['objects', 'cells']) ?? 'objects',
    condition: where === undefined ? undefined : guardedCondition(where, schema.columns),
  };
}

async function* rowLines({ repository }: Served, page: Page): AsyncGenerator<Uint8Array> {
  let left = page.limit ?? Number.POSITIVE_INFINITY;
  for await (const rows of findRows(repository.nodes, page.table.tree, page.table.schema, page)) {
    const lines: string[] = [];
    for (const { json, count } of rows) {
      for (let i = 0; i < count && left > 0; i++, left--) {
        lines.push(json, '\n');
        if (lines.length >= MOST_ROWS) yield Buffer.from(lines.splice(0).join(''));
      }
    }
    if (lines.length > 0) yield Buffer.from(lines.join(''));
    if (left <= 0) return;
  }
}

/** JSON by hand: the numbers in it are texts that no JavaScript number may touch. */
async function rowPage({ repository }: Served, page: Page): Promise<string> {
  const { name, commit, table, limit = DEFAULT_ROWS } = page;
  const most = Math.min(limit, MOST_ROWS);
  const rows: string[] = [];
  const counts: number[] = [];
  let bytes = 0;
  let last: Uint8Array | undefined;
  let next: string | null = null;
  scan: for await (const found of findRows(repository.nodes, table.tree, table.schema, page)) {
    for (const { key, json, count } of found) {
      if (rows.length >= most || bytes > PAGE_BYTES) {
        next = last === undefined ? null : encodePage(commit, last);
        break scan;
      }
      rows.push(json);
      counts.push(count);
      bytes += json.length;
      last = key;
    }
  }
  const head = JSON.stringify({ table: name, commit, schema: describeSchema(table.schema) });
  const equal = table.schema.key.length > 0 ? '' : `,"counts":${JSON.stringify(counts)}`;
  return `${head.slice(0, -1)},"rows":[${rows.join(',')}]${equal},"next":${JSON.stringify(next)}}`;
}

const AT = [
  queryOf('at', 'A revision: a branch, a tag, a hash, `main~2`, `main@{2026-11-01}`; default HEAD'),
  queryOf('min-seq', 'A feed cursor: the answer is no older'),
  queryOf('consistent', '1: a linearizable read'),
];

const TABLES: OpenApiOperation = {
  operationId: 'listTables',
  summary: 'The tables of a revision',
  parameters: AT,
  responses: { 200: { description: 'Names, schemas and hashes' } },
};

const ROWS: OpenApiOperation = {
  operationId: 'getRows',
  summary: 'Rows in the order of the key: one, a range, a page, or all as NDJSON',
  parameters: [
    ...AT,
    queryOf('key', 'The cells of one key, once for each column of it'),
    queryOf('from', 'The first key of a range'),
    queryOf('to', 'The key that ends a range, not part of it'),
    queryOf('where', 'An SQL condition over the columns of a row'),
    queryOf('columns', 'Names joined by commas'),
    queryOf('limit', 'Rows of a page: 1,000 unless said, 10,000 at most; of NDJSON: all'),
    queryOf('cursor', "The page's `next`: goes on at the same commit"),
    queryOf('form', 'objects: values by type; cells: lists of exact texts'),
    queryOf('format', 'json or ndjson; or the header accept'),
  ],
  responses: {
    200: { description: 'Rows', content: { 'application/json': {}, 'application/x-ndjson': {} } },
    304: { description: 'The table is the one of if-none-match' },
  },
};

const COUNT: OpenApiOperation = {
  operationId: 'countRows',
  summary: 'How many rows a table has',
  parameters: AT,
  responses: { 200: { description: 'The count' }, 304: { description: 'As it was' } },
};
