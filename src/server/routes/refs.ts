/** `GET .../info`, `GET .../refs`, `GET .../refs/heads/NAME`: what a repository has. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { DvError } from '../../errors.ts';
import { hashOf } from '../../hash.ts';
import type { RegisterRoutes } from '../contract.ts';
import { syncOf } from '../sync-service.ts';
import { jsonOf, queryOf } from './openapi.ts';

const MAX_PREFIX = 1024;

export const register: RegisterRoutes = (app, context) => {
  app.get('/v1/repos/:repo/info', { config: { openapi: INFO } }, async (request) => {
    const served = await context.open(request, 'read');
    return syncOf(served, context).info();
  });

  app.get('/v1/repos/:repo/refs', { config: { openapi: LIST } }, async (request, reply) => {
    const served = await context.open(request, 'read');
    const { prefix = '' } = request.query as { prefix?: unknown };
    if (typeof prefix !== 'string' || prefix.length > MAX_PREFIX) {
      throw new DvError('bad-request', "'prefix' is no text of at most 1024 characters");
    }
    return sendTagged(request, reply, await syncOf(served, context).refs(prefix));
  });

  // A read is linearizable here in any case: refs are in one database. `consistent=1` is for
  // servers to come, which keep copies.
  app.get('/v1/repos/:repo/refs/*', { config: { openapi: GET } }, async (request, reply) => {
    const served = await context.open(request, 'read');
    const { '*': rest } = request.params as { '*': string };
    const name = `refs/${rest}`;
    const { refs, cursor } = await syncOf(served, context).refs(name);
    const found = refs.find((ref) => ref.name === name);
    if (found !== undefined) return sendTagged(request, reply, { ...found, cursor });
    const { name: repository } = served.repository;
    throw new DvError('unknown-ref', `there is no ref '${name.slice(0, 200)}' in '${repository}'`, {
      hint: 'refs are named in full: refs/heads/main',
    });
  });
};

/** JSON with an `etag`, or 304 when the caller has just that. */
function sendTagged(request: FastifyRequest, reply: FastifyReply, value: object): FastifyReply {
  const body = JSON.stringify(value);
  const tag = `"${hashOf(Buffer.from(body)).slice(0, 32)}"`;
  const known = request.headers['if-none-match'] ?? '';
  reply.headers({ etag: tag, 'cache-control': 'private, no-cache' });
  if (known.split(',').some((one) => one.trim().replace(/^W\//, '') === tag)) {
    return reply.code(304).send();
  }
  return reply.type('application/json').send(body);
}

const INFO = {
  operationId: 'getRepositoryInfo',
  summary: 'Which repository this is, and what is spoken here',
  responses: { 200: jsonOf('RepositoryInfo', 'The repository') },
};

const LIST = {
  operationId: 'listRefs',
  summary: 'Branches and tags',
  parameters: [queryOf('prefix', 'only refs whose full name begins so')],
  responses: {
    200: jsonOf('Refs', 'Refs, and the feed cursor at which they were so'),
    304: { description: 'As the etag of if-none-match says' },
  },
};

const GET = {
  operationId: 'getRef',
  summary: 'One ref, by its full name behind the repository: .../refs/heads/main',
  parameters: [queryOf('consistent', '1: as of now, from no copy')],
  responses: {
    200: jsonOf('Ref', 'Where it is'),
    304: { description: 'As the etag of if-none-match says' },
  },
};
