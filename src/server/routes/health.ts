/** `GET /healthz`: whether the server takes requests. `GET /metrics`: text for Prometheus. */
import { DvError } from '../../errors.ts';
import { authorize } from '../authorize.ts';
import type { RegisterRoutes } from '../contract.ts';
import { forbidden } from '../serve-request.ts';

export const register: RegisterRoutes = (app, context) => {
  app.get('/healthz', { config: { openapi: HEALTH } }, async () => {
    if (context.stopping.aborted) throw new DvError('unavailable', 'the server is stopping');
    return { status: 'ok' };
  });

  app.get('/metrics', { config: { openapi: METRICS } }, async (request, reply) => {
    const principal = await context.authenticate(request);
    if (!authorize(principal, 'read-metrics', {})) {
      throw forbidden(principal, 'read-metrics', 'this server');
    }
    reply.type('text/plain; version=0.0.4; charset=utf-8');
    return context.renderMetrics();
  });
};

const HEALTH = {
  operationId: 'getHealth',
  summary: 'Whether the server takes requests',
  authenticated: false,
  responses: { 200: { description: 'It does' }, 503: { description: 'It is stopping' } },
};

const METRICS = {
  operationId: 'getMetrics',
  summary: 'Counters for Prometheus; needs the role admin for every repository',
  responses: { 200: { description: 'Text', content: { 'text/plain': {} } } },
};
