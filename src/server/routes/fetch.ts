/** `POST .../fetch`: a pack of what the caller lacks. `GET .../chunks/HASH`: one chunk. */
import { DvError } from '../../errors.ts';
import { PACK_MEDIA_TYPE } from '../../sync/pack.ts';
import type { RegisterRoutes, ServerContext } from '../contract.ts';
import { PackMeter } from '../pack-meter.ts';
import { readJson } from '../request-body.ts';
import { parseFetchRequest, parseHashField } from '../sync-requests.ts';
import { syncOf } from '../sync-service.ts';
import { bytesOf } from './openapi.ts';

export const register: RegisterRoutes = (app, context) => {
  app.post('/v1/repos/:repo/fetch', { config: { openapi: FETCH } }, async (request, reply) => {
    const served = await context.open(request, 'read');
    const wanted = parseFetchRequest(await readJson(request, reply, context), context.limits);
    const ended = new AbortController();
    reply.raw.once('close', () => ended.abort());
    const pack = await syncOf(served, context).fetch(wanted, ended.signal);
    await context.stream(reply, PACK_MEDIA_TYPE, metered(pack, context));
    return reply;
  });

  app.get(
    '/v1/repos/:repo/chunks/:hash',
    { config: { openapi: CHUNK } },
    async (request, reply) => {
      const { repository } = await context.open(request, 'read');
      const hash = parseHashField((request.params as { hash: string }).hash);
      // Of a transfer that is not over a chunk does not count.
      const [isThere] = await repository.store.hasMany([hash]);
      const [bytes] = isThere ? await repository.store.getMany([hash]) : [];
      if (bytes === undefined) {
        throw new DvError('missing-object', `'${repository.name}' has no chunk ${hash}`);
      }
      reply.headers({
        etag: `"${hash}"`,
        'cache-control': 'private, max-age=31536000, immutable',
        'x-content-type-options': 'nosniff',
      });
      return reply.type('application/octet-stream').send(Buffer.from(bytes));
    },
  );
};

/** The pack as it is, counted. */
async function* metered(
  pack: AsyncIterable<Uint8Array>,
  context: ServerContext,
): AsyncGenerator<Uint8Array> {
  const meter = new PackMeter();
  try {
    for await (const piece of pack) {
      meter.add(piece);
      yield piece;
    }
  } finally {
    context.count('dv_packs_sent_total');
    context.count('dv_chunks_sent_total', {}, meter.chunks);
  }
}

const FETCH = {
  operationId: 'fetchPack',
  summary: 'Everything that wants and roots reach and haves do not, as a pack',
  requestBody: {
    required: true,
    content: { 'application/json': { schema: { $ref: '#/components/schemas/FetchRequest' } } },
  },
  responses: { 200: bytesOf(PACK_MEDIA_TYPE, 'The pack; without a trailer it was cut') },
};

const CHUNK = {
  operationId: 'getChunk',
  summary: 'The raw bytes of a chunk',
  responses: { 200: bytesOf('application/octet-stream', 'At most 262144 bytes') },
};
