/**
 * The OpenAPI 3.1 document: put together from what each route says of itself when it is
 * registered, so that a route without an operation cannot be. Shapes are in
 * openapi-schemas.ts.
 */
import type { FastifyInstance, RouteOptions } from 'fastify';
import { bug } from '../errors.ts';
import type { OpenApiOperation } from './contract.ts';
import { SCHEMAS } from './openapi-schemas.ts';

type Paths = Record<string, Record<string, unknown>>;

/** Collects operations from now on; the result makes the document. */
export function collectOperations(app: FastifyInstance): () => Record<string, unknown> {
  const paths: Paths = {};
  app.addHook('onRoute', (route) => addOperation(paths, route));
  return () => ({
    openapi: '3.1.0',
    info: {
      title: 'dv server',
      version: '1',
      description: 'docs/protocol.md is normative; this lists every path.',
    },
    security: [{ token: [] }],
    paths,
    components: {
      securitySchemes: { token: { type: 'http', scheme: 'bearer', bearerFormat: 'dv_...' } },
      schemas: SCHEMAS,
      responses: { Failure: failure('The request was refused; the code says why') },
    },
  });
}

function addOperation(paths: Paths, route: RouteOptions): void {
  const operation = route.config?.openapi;
  const methods = [route.method].flat();
  if (operation === undefined) throw bug(`route ${methods} ${route.url} has no OpenAPI operation`);
  const path = toOpenApiPath(route.url);
  for (const method of methods) {
    paths[path] = { ...paths[path], [method.toLowerCase()]: complete(operation, path) };
  }
}

/** `/v1/repos/:repo/refs/*` is `/v1/repos/{repo}/refs/{name}`. */
export function toOpenApiPath(url: string): string {
  return url.replace(/:(\w+)/g, '{$1}').replace(/\*$/, '{name}');
}

function complete(operation: OpenApiOperation, path: string): Record<string, unknown> {
  const { authenticated = true, parameters = [], responses, ...rest } = operation;
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));
  return {
    ...rest,
    ...(authenticated ? {} : { security: [] }),
    parameters: [...inPath, ...parameters],
    responses: { ...responses, default: { $ref: '#/components/responses/Failure' } },
  };
}

function failure(description: string): Record<string, unknown> {
  return {
    description,
    content: { 'application/json': { schema: { $ref: '#/components/schemas/Failure' } } },
  };
}
