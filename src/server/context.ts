/** What routes get (`ServerContext`), put together from its parts. */
import { DEFAULT_LIMITS } from '../sync/protocol.ts';
import { createAuthentication } from './authenticate.ts';
import { ByteBudget } from './byte-budget.ts';
import type { Traffic } from './connections.ts';
import type { HttpLimits, ServerContext, ServerOptions } from './contract.ts';
import { Metrics } from './metrics.ts';
import type { OpenRepositories } from './open-repositories.ts';
import { atEndOf } from './request-rules.ts';
import { serveRequest } from './serve-request.ts';
import { streamAnswer } from './stream-answer.ts';

export interface ContextParts {
  readonly options: ServerOptions;
  readonly http: HttpLimits;
  readonly stopping: AbortSignal;
  readonly repositories: OpenRepositories;
  readonly traffic: Traffic;
}

export function createContext(parts: ContextParts): ServerContext {
  const { options, http, stopping, repositories, traffic } = parts;
  const { directory, environment } = options;
  const metrics = new Metrics();
  const { authenticate, callerOf } = createAuthentication({ ...options, limits: http });
  const serving = { authenticate, directory, repositories, atEnd: atEndOf };
  const context: ServerContext = {
    environment,
    limits: { ...DEFAULT_LIMITS, ...options.limits },
    http,
    directory,
    stopping,
    bodies: new ByteBudget(http.bodyBytesInFlight),
    authenticate,
    callerOf,
    open: (request, action, open = {}) => serveRequest(request, action, open, serving),
    stream: (reply, type, bytes) => streamAnswer(reply, type, bytes, context),
    count: (name, labels, by) => metrics.count(name, labels, by),
    gauge: (name, labels, value) => metrics.gauge(name, labels, value),
    dropGauge: (name, labels) => metrics.drop(name, labels),
    observe: (name, labels, seconds) => metrics.observe(name, labels, seconds),
    renderMetrics() {
      metrics.gauge('dv_open_repositories', {}, repositories.size);
      metrics.gauge('dv_open_connections', {}, traffic.connections());
      metrics.total('dv_received_bytes_total', traffic.received());
      metrics.total('dv_sent_bytes_total', traffic.sent());
      return metrics.render();
    },
  };
  return context;
}
