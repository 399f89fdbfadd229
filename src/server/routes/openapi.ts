/** `GET /v1/openapi.json`, and how routes name the shapes in it. */
import type { RegisterRoutes } from '../contract.ts';
import { collectOperations } from '../openapi.ts';
import { refTo } from '../openapi-schemas.ts';

/** A JSON answer of a shape of openapi-schemas.ts. */
export function jsonOf(schema: string, description: string): Record<string, unknown> {
  return { description, content: { 'application/json': { schema: refTo(schema) } } };
}

/** Bytes of a type of their own. */
export function bytesOf(type: string, description: string): Record<string, unknown> {
  return { description, content: { [type]: {} } };
}

/** A parameter behind `?`. */
export function queryOf(name: string, description: string): Record<string, unknown> {
  return { name, in: 'query', description, schema: { type: 'string' } };
}

/** Registered first: it hears of every route that comes after. */
export const register: RegisterRoutes = (app) => {
  const document = collectOperations(app);
  app.get('/v1/openapi.json', { config: { openapi: OPENAPI } }, async () => document());
};

const OPENAPI = {
  operationId: 'getOpenApi',
  summary: 'This document',
  authenticated: false,
  responses: { 200: { description: 'OpenAPI 3.1', content: { 'application/json': {} } } },
};
