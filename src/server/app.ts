/**
 * The server: an HTTP application over a directory of repositories. `createServer` puts it
 * together and opens nothing; `listen` takes connections; `stop` lets what is in flight end,
 * tells long streams by `context.stopping`, and closes the repositories.
 */
import type { AddressInfo } from 'node:net';
import type { SecureContextOptions, Server as TlsServer } from 'node:tls';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { DvError } from '../errors.ts';
import { answerBrokenRequest, countTraffic } from './connections.ts';
import { createContext } from './context.ts';
import type { HttpLimits, ServerContext, ServerOptions } from './contract.ts';
import { logDefect, sendFailure } from './http-errors.ts';
import { DEFAULT_HTTP_LIMITS } from './limits.ts';
import { OpenRepositories } from './open-repositories.ts';
import { installRequestRules } from './request-rules.ts';
import { ROUTES } from './routes.ts';

export interface DvServer {
  readonly app: FastifyInstance;
  readonly context: ServerContext;
  /** Resolves with the port. @throws DvError `bad-option` when the address cannot be had */
  listen(host: string, port: number): Promise<number>;
  /** For new connections. @throws what TLS has against them */
  replaceCertificate(tls: SecureContextOptions): void;
  /** Idempotent. */
  stop(): Promise<void>;
}

export function createServer(options: ServerOptions): DvServer {
  const stopping = new AbortController();
  const http = { ...DEFAULT_HTTP_LIMITS, ...options.http };
  const app = createApp(options, http);
  const repositories = new OpenRepositories(options.directory, http.idleRepositories, (error) =>
    logDefect(error, '', options.environment),
  );
  const context = createContext({
    options,
    http,
    stopping: stopping.signal,
    repositories,
    traffic: countTraffic(app.server),
  });
  installRequestRules(app, context, options);
  for (const register of ROUTES) register(app, context);
  let stopped: Promise<void> | undefined;
  return {
    app,
    context,
    listen: (host, port) => listen(app, host, port),
    replaceCertificate: (tls) => (app.server as unknown as TlsServer).setSecureContext(tls),
    stop() {
      stopped ??= stopServer(app, stopping, repositories, http.graceMs);
      return stopped;
    },
  };
}

function createApp({ tls, behindProxy = false, environment }: ServerOptions, http: HttpLimits) {
  // A request without a host gets an answer of dv's own (request-rules.ts).
  const parsing = { maxHeaderSize: http.headerBytes, requireHostHeader: false };
  const app = fastify({
    logger: false,
    genReqId: environment.randomId,
    requestIdHeader: false,
    trustProxy: behindProxy ? 'loopback,linklocal,uniquelocal' : false,
    requestTimeout: http.requestMs,
    keepAliveTimeout: 65_000,
    exposeHeadRoutes: false,
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    frameworkErrors: (error: Error, request: FastifyRequest, reply: FastifyReply) =>
      sendFailure(error, request, reply, environment),
    clientErrorHandler: answerBrokenRequest,
    routerOptions: { maxParamLength: http.urlBytes, caseSensitive: true },
    ...(tls === undefined
      ? { http: parsing }
      : { https: { ...tls, minVersion: 'TLSv1.2', ...parsing } }),
  } as object) as unknown as FastifyInstance;
  app.server.maxConnections = http.connections;
  return app;
}

async function listen(app: FastifyInstance, host: string, port: number): Promise<number> {
  try {
    await app.listen({ host, port, backlog: 511 });
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === undefined || !CANNOT_LISTEN.has(code)) throw cause;
    throw new DvError('bad-option', `cannot listen on '${host}:${port}': ${message}`, {
      hint: code === 'EADDRINUSE' ? 'another program does; --listen takes another port' : undefined,
      cause,
    });
  }
  return (app.server.address() as AddressInfo).port;
}

const CANNOT_LISTEN = new Set(['EADDRINUSE', 'EADDRNOTAVAIL', 'EACCES', 'ENOTFOUND', 'EAI_AGAIN']);

async function stopServer(
  app: FastifyInstance,
  stopping: AbortController,
  repositories: OpenRepositories,
  graceMs: number,
): Promise<void> {
  stopping.abort();
  const deadline = setTimeout(() => app.server.closeAllConnections(), graceMs);
  try {
    await app.close();
  } finally {
    clearTimeout(deadline);
    await repositories.close();
  }
}
