/**
 * `POST .../push`: refs moved, with what they need in one body, or a session opened for more.
 * `PUT .../push/ID/segments/N`, `GET`, `POST .../commit`, `DELETE`: the session.
 */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { DvError } from '../../errors.ts';
import { PACK_MEDIA_TYPE } from '../../sync/pack.ts';
import type { PushAnswer, PushSession, RefOutcome } from '../../sync/protocol.ts';
import type { RegisterRoutes, Served, ServerContext } from '../contract.ts';
import { PackMeter } from '../pack-meter.ts';
import { checkContentType, parseJson, readBody } from '../request-body.ts';
import { MAX_HEAD_BYTES, parsePushHead, splitPushBody } from '../sync-requests.ts';
import { syncOf } from '../sync-service.ts';
import { jsonOf } from './openapi.ts';

export const PUSH_MEDIA_TYPE = 'application/vnd.dv.push';
const JSON_TYPE = 'application/json';
/** The four bytes of length included, and some air. */
const HEAD_ROOM = MAX_HEAD_BYTES + 1024;
const SESSION = '/v1/repos/:repo/push/:id';

export const register: RegisterRoutes = (app, context) => {
  app.post('/v1/repos/:repo/push', { config: { openapi: PUSH } }, async (request, reply) => {
    checkContentType(request, [PUSH_MEDIA_TYPE, JSON_TYPE]);
    const served = await context.open(request, 'push', { create: true });
    const { head, pack } = await readPush(request, reply, context);
    const { request: wanted, open } = parsePushHead(head);
    const sync = syncOf(served, context);
    if (open) {
      const session = await sync.openPush(served.caller, wanted);
      reply.header('location', `${request.url}/${session.id}`);
      return reply.code(201).send(session);
    }
    if (pack.length > context.limits.inlinePackBytes) throw packTooLarge(context);
    countPack(pack, context);
    const answer = await sync.push(served.caller, wanted, pack.length === 0 ? undefined : pack);
    return finish(served, answer, context);
  });

  const segment = { config: { openapi: SEGMENT } };
  app.put(`${SESSION}/segments/:number`, segment, async (request, reply) => {
    const { served, id, sync } = await openSession(request, context);
    const { number } = request.params as { number: string };
    if (!/^\d{1,9}$/.test(number)) {
      throw new DvError('bad-request', `'${number.slice(0, 40)}' is no number of a segment`);
    }
    const options = { types: [PACK_MEDIA_TYPE], limit: context.limits.segmentBytes };
    return sync.receiving(served.caller, id, async () => {
      const pack = await readBody(request, reply, context, options);
      countPack(pack, context);
      return sync.putSegment(served.caller, id, Number(number), pack);
    });
  });

  app.get(SESSION, { config: { openapi: GET } }, async (request): Promise<PushSession> => {
    const { served, id, sync } = await openSession(request, context);
    const session = await sync.getPush(served.caller, id);
    if (session !== undefined) return session;
    throw new DvError('unknown-session', `there is no push '${id.slice(0, 80)}'`, {
      hint: 'it has ended or expired: push again',
    });
  });

  app.post(`${SESSION}/commit`, { config: { openapi: COMMIT } }, async (request) => {
    const { served, id, sync } = await openSession(request, context);
    return finish(served, await sync.commitPush(served.caller, id), context);
  });

  app.delete(SESSION, { config: { openapi: ABANDON } }, async (request, reply) => {
    const { served, id, sync } = await openSession(request, context);
    await sync.abandonPush(served.caller, id);
    return reply.code(204).send();
  });
};

async function openSession(request: FastifyRequest, context: ServerContext) {
  const served = await context.open(request, 'push');
  const { id } = request.params as { id: string };
  return { served, id, sync: syncOf(served, context) };
}

async function readPush(
  request: FastifyRequest,
  reply: FastifyReply,
  context: ServerContext,
): Promise<{ head: unknown; pack: Uint8Array }> {
  const type = checkContentType(request, [PUSH_MEDIA_TYPE, JSON_TYPE]);
  if (type === JSON_TYPE) {
    const options = { types: [type], limit: MAX_HEAD_BYTES };
    const body = await readBody(request, reply, context, options);
    return { head: parseJson(body), pack: new Uint8Array() };
  }
  const limit = HEAD_ROOM + context.limits.inlinePackBytes;
  return splitPushBody(await readBody(request, reply, context, { types: [type], limit }));
}

/** Counts what became of each ref, and tells the repository which ones moved. */
async function finish(
  served: Served,
  answer: PushAnswer,
  context: ServerContext,
): Promise<PushAnswer> {
  if (answer.kind !== 'done') return answer;
  for (const { status } of answer.outcomes) context.count('dv_pushed_refs_total', { status });
  const moved = answer.outcomes.filter(({ status }) => status !== 'refused');
  if (moved.length > 0) await tellMoved(served, moved, context);
  return answer;
}

/** The refs have moved: what fails from now on is no failure of the push. */
async function tellMoved(
  { repository }: Served,
  outcomes: readonly RefOutcome[],
  { environment }: ServerContext,
): Promise<void> {
  try {
    await repository.moved?.(outcomes.map(({ ref }) => ref));
  } catch (error) {
    const { message } = error as Error;
    environment.log({
      level: 'error',
      event: 'working-files',
      repository: repository.name,
      message,
    });
  }
}

function countPack(pack: Uint8Array, context: ServerContext): void {
  if (pack.length === 0) return;
  const meter = new PackMeter();
  meter.add(pack);
  context.count('dv_packs_received_total');
  context.count('dv_chunks_received_total', {}, meter.chunks);
}

function packTooLarge({ limits }: ServerContext): DvError {
  return new DvError('limit-exceeded', `the pack is larger than ${limits.inlinePackBytes} bytes`, {
    hint: 'open a push session and send it in segments',
    data: { limit: limits.inlinePackBytes, status: 413 },
  });
}

const head = { schema: { $ref: '#/components/schemas/PushRequest' } };

const PUSH = {
  operationId: 'push',
  summary: 'Moves refs; makes the repository when there is none and the caller may',
  requestBody: {
    required: true,
    content: { [PUSH_MEDIA_TYPE]: {}, [JSON_TYPE]: head },
  },
  responses: {
    200: jsonOf('PushAnswer', 'What became of each ref, or what is still wanted'),
    201: jsonOf('PushSession', 'The push goes on in segments'),
  },
};

const SEGMENT = {
  operationId: 'putPushSegment',
  summary: 'A piece of a push: a whole pack; idempotent',
  requestBody: { required: true, content: { [PACK_MEDIA_TYPE]: {} } },
  responses: { 200: jsonOf('PushSession', 'What is still wanted') },
};

const GET = {
  operationId: 'getPush',
  summary: 'What a push in segments still wants',
  responses: { 200: jsonOf('PushSession', 'The session') },
};

const COMMIT = {
  operationId: 'commitPush',
  summary: 'Moves the refs of a push in segments',
  responses: { 200: jsonOf('PushAnswer', 'What became of each ref, or what is still wanted') },
};

const ABANDON = {
  operationId: 'abandonPush',
  summary: 'Gives a push up',
  responses: { 204: { description: 'There is no such push any more' } },
};
