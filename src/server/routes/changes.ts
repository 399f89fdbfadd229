/**
 * `POST /v1/repos/{repo}/branches/{branch}/changes`: rows into a commit, and
 * `GET .../branches/{branch}/offsets`: how far a stream was taken. docs/http-api.md has both.
 */
import type { FastifyRequest } from 'fastify';
import { DvError } from '../../errors.ts';
import { isHash } from '../../hash.ts';
import type { SourceOffsets, WriteRequest, WriteResult } from '../../live/contract.ts';
import { formatClock, readClock } from '../../model/clock.ts';
import { BRANCH_PREFIX } from '../../model/names.ts';
import { COLUMN_TYPES, type ColumnType } from '../../tuple/schema.ts';
import { decodeBody, parseChanges, parseOp } from '../changes-body.ts';
import type { RegisterRoutes, Served } from '../contract.ts';
import { Query } from '../query.ts';
import { checkContentType, readBody } from '../request-body.ts';
import { rowWriterOf } from '../row-writer.ts';
import { jsonOf, queryOf } from './openapi.ts';

const NDJSON_TYPES = ['application/x-ndjson', 'application/jsonl', 'application/ndjson'];
const PARAMETERS = [
  'table',
  'op',
  'op-field',
  'key',
  'type',
  'base',
  'exact',
  'drift',
  'message',
  'author',
];

export const register: RegisterRoutes = (app, context) => {
  const path = '/v1/repos/:repo/branches/:branch';
  app.post(`${path}/changes`, { config: { openapi: CHANGES } }, async (request, reply) => {
    const served = await context.open(request, 'write-rows');
    const branch = allowedBranch(request, served);
    const query = new Query(request, PARAMETERS);
    const isArray =
      checkContentType(request, ['application/json', ...NDJSON_TYPES]) === 'application/json';
    const body = await readBody(request, reply, context, {
      types: ['application/json', ...NDJSON_TYPES],
      limit: context.limits.segmentBytes,
    });
    const write = writeRequest(request, query, served, branch, decodeBody(body), isArray);
    const result = await rowWriterOf(served, context).write(write);
    context.count('dv_commits_written_total', {}, result.changed ? 1 : 0);
    reply.header('dv-commit', result.commit);
    if (result.clock !== undefined) reply.header('dv-clock', formatClock(result.clock));
    return answerOf(result);
  });

  app.get(`${path}/offsets`, { config: { openapi: OFFSETS } }, async (request, reply) => {
    const served = await context.open(request, 'read');
    const query = new Query(request, ['source']);
    const { branch } = request.params as { branch: string };
    const source = query.text('source');
    if (source === undefined) throw new DvError('bad-request', "the parameter 'source' is missing");
    await stampAnswer(reply, served);
    const offsets = await rowWriterOf(served, context).readOffsets(branch, source);
    return { branch, source, offsets };
  });
};

/** The header `dv-clock`: this repository's hybrid logical clock. */
export async function stampAnswer(
  reply: { header(name: string, value: string): unknown },
  { repository }: Served,
): Promise<void> {
  const clock = await readClock(repository.store);
  if (clock !== undefined) reply.header('dv-clock', formatClock(clock));
}

function allowedBranch(request: FastifyRequest, served: Served): string {
  const { branch } = request.params as { branch: string };
  served.require('write-rows', BRANCH_PREFIX + branch);
  return branch;
}

function writeRequest(
  request: FastifyRequest,
  query: Query,
  { principal }: Served,
  branch: string,
  text: string,
  isArray: boolean,
): WriteRequest {
  const types = typesOf(query.list('type') ?? []);
  const tables = parseChanges(text, isArray, {
    table: query.text('table'),
    op: parseOp(query.text('op') ?? 'upsert'),
    opField: query.text('op-field'),
    key: query.list('key')?.filter((name) => name !== ''),
  });
  const base = query.text('base');
  if (base !== undefined && !isHash(base)) {
    throw new DvError('bad-request', `'${base.slice(0, 80)}' is no hash of a commit`, {
      hint: "base takes the 64 digits of an answer's commit or of the header dv-commit",
    });
  }
  const key = request.headers['idempotency-key'];
  const source = sourceOf(request.headers['dv-source']);
  return {
    branch,
    tables: types === undefined ? tables : tables.map((table) => ({ ...table, types })),
    message: query.text('message') ?? 'Write rows',
    author: authorOf(query.text('author'), principal.name),
    actor: principal.name,
    exact: query.flag('exact'),
    drift: query.choice('drift', ['widen', 'refuse'] as const) ?? 'refuse',
    ...(base === undefined ? {} : { base }),
    ...(typeof key === 'string' ? { key } : {}),
    ...(source === undefined ? {} : { source }),
  };
}

/** `Name <email>`; default: whom the token names. @throws DvError `bad-option` */
function authorOf(text: string | undefined, name: string): { name: string; email: string } {
  if (text === undefined) return { name, email: '' };
  const found = /^\s*([^<>\n]{1,200}?)\s*<([^<>\n]{0,200})>\s*$/.exec(text);
  if (found !== null) return { name: found[1], email: found[2] };
  throw new DvError('bad-option', `"${text.slice(0, 80)}" is not an author`, {
    hint: 'Ada Lovelace <ada@example.org>',
  });
}

/** `column:type` each. @throws DvError `bad-request` */
function typesOf(list: readonly string[]): Record<string, ColumnType> | undefined {
  if (list.length === 0) return undefined;
  return Object.fromEntries(
    list.map((text) => {
      const at = text.lastIndexOf(':');
      const type = COLUMN_TYPES.find((known) => known === text.slice(at + 1));
      if (at > 0 && type !== undefined) return [text.slice(0, at), type];
      throw new DvError('bad-request', `'${text.slice(0, 80)}' is no column with a type`, {
        hint: `type=id:integer; types are ${COLUMN_TYPES.join(', ')}`,
      });
    }),
  );
}

/** The header `dv-source`: {"name", "offsets", "expect"} as JSON. @throws DvError `bad-request` */
function sourceOf(header: string | string[] | undefined): WriteRequest['source'] {
  if (header === undefined) return undefined;
  try {
    const { name, offsets, expect } = JSON.parse(String(header)) as Record<string, unknown>;
    const isWhole = typeof name === 'string' && isOffsets(offsets);
    if (isWhole && (expect === null || isOffsets(expect))) return { name, offsets, expect };
  } catch {
    // told below
  }
  throw new DvError('bad-request', 'the header dv-source does not say name, offsets and expect', {
    hint: '{"name": "orders", "offsets": {"0": "42"}, "expect": null}, in ASCII',
  });
}

const isOffsets = (value: unknown): value is SourceOffsets =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  Object.values(value).every((offset) => typeof offset === 'string');

const answerOf = ({ commit, changed, tables, cursor }: WriteResult) => ({
  commit,
  changed,
  tables,
  cursor,
});

const CHANGES = {
  operationId: 'writeRows',
  summary: 'Upserts, patches and deletes rows; answers with the commit that holds them',
  parameters: [
    queryOf('table', 'The table the rows are of; without it each record names its own'),
    queryOf('op', 'What to do with each row: upsert (default), patch or delete'),
    queryOf('op-field', 'The member of each record that says what to do with it'),
    queryOf('key', 'For a new table: a key column; once for each column'),
    queryOf('type', 'For new columns: `column:type`; once for each'),
    queryOf('base', 'The commit the rows come from: merged by cell from there'),
    queryOf('exact', '1: refused unless the branch is at the base'),
    queryOf('drift', 'widen: columns are added and types widened as needed; refuse (default)'),
    queryOf('message', 'Of the commit'),
    queryOf('author', 'Of the commit: `Name <email>`'),
    { name: 'idempotency-key', in: 'header', schema: { type: 'string' } },
    { name: 'dv-source', in: 'header', schema: { type: 'string' } },
  ],
  requestBody: {
    required: true,
    content: { 'application/x-ndjson': {}, 'application/json': { schema: { type: 'array' } } },
  },
  responses: { 200: jsonOf('WriteAnswer', 'What was written') },
};

const OFFSETS = {
  operationId: 'getOffsets',
  summary: 'How far a stream was taken into the branch',
  parameters: [queryOf('source', 'The name of the stream')],
  responses: { 200: { description: 'Offsets by partition; null: none' } },
};
