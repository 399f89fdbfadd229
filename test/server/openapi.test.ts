/** The OpenAPI document, the routes and docs/protocol.md tell of the same paths. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { startServer, type TestServer } from '../support/server.ts';

interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly security?: readonly unknown[];
  readonly parameters: readonly { readonly name: string; readonly in: string }[];
  readonly responses: Readonly<Record<string, { readonly description?: string }>>;
}

interface Document {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, unknown>> };
}

const PROTOCOL = readFileSync(new URL('../../docs/protocol.md', import.meta.url), 'utf8');

async function documentOf({ url }: TestServer): Promise<Document> {
  return (await (await fetch(`${url}/v1/openapi.json`)).json()) as Document;
}

const operationsOf = ({ paths }: Document) =>
  Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );

/** `GET /v1/repos/{}/refs` for every request that a table of docs/protocol.md begins with. */
function documented(): string[] {
  const cells = [...PROTOCOL.matchAll(/^\| (`(?:GET|POST|PUT|DELETE) [^|]+) \|/gm)];
  const requests = cells.flatMap(([, cell]) => [...cell.matchAll(/`([A-Z]+) ([^`?]+)[^`]*`/g)]);
  return requests.map(
    ([, method, path]) => `${method} ${generic(path.replace(/^R/, '/v1/repos/{repo}'))}`,
  );
}

/** Paths with every parameter alike; refs under heads and tags are one route. */
function generic(path: string): string {
  return path.replace(/\/refs\/(?:heads|tags)\/\{name\}/, '/refs/{}').replace(/\{\w+\}/g, '{}');
}

/** A feed has no end: what it says is no failure. */
async function textOf(response: Response): Promise<string> {
  if (response.ok) await response.body?.cancel();
  return response.ok ? '' : response.text();
}

describe('the OpenAPI document', () => {
  let document: Document;

  test('has exactly the paths of docs/protocol.md', async () => {
    document = await documentOf(await startServer());
    expect(document.openapi).toBe('3.1.0');
    const served = operationsOf(document).map(
      ({ path, method }) => `${method.toUpperCase()} ${generic(path)}`,
    );
    expect(new Set(served)).toEqual(new Set(documented()));
    expect(served.length).toBeGreaterThan(10);
  });

  test('has exactly the routes of the server', async () => {
    const test = await startServer();
    document = await documentOf(test);
    for (const { path, method, operation } of operationsOf(document)) {
      const address = test.url + path.replace('{repo}', 'data').replace(/\{\w+\}/g, 'x');
      const response = await fetch(address, { method: method.toUpperCase() });
      const body = await textOf(response);
      expect([operation.operationId, body]).toEqual([
        operation.operationId,
        expect.not.stringContaining('unknown-route'),
      ]);
    }
    // What the router has: each of its methods and paths is in the document.
    const methods = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS'] as const;
    const known = new Set(operationsOf(document).map(({ path, method }) => `${method} ${path}`));
    for (const path of Object.keys(document.paths)) {
      const url = path.replace('/{name}', '/*').replace(/\{(\w+)\}/g, ':$1');
      for (const method of methods) {
        const has = test.server.app.hasRoute({ url, method });
        expect([method, path, has]).toEqual([
          method,
          path,
          known.has(`${method.toLowerCase()} ${path}`),
        ]);
      }
    }
  });

  test('is whole: ids are its own, shapes are there, parameters are declared', async () => {
    document = await documentOf(await startServer());
    const operations = operationsOf(document);
    const ids = operations.map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
    const refs = [...JSON.stringify(document).matchAll(/"#\/components\/schemas\/(\w+)"/g)];
    for (const [, name] of refs) expect(document.components.schemas).toHaveProperty(name);
    for (const { path, operation } of operations) {
      const inPath = operation.parameters.filter(({ in: place }) => place === 'path');
      expect(inPath.map(({ name }) => `{${name}}`)).toEqual(path.match(/\{\w+\}/g) ?? []);
      expect(operation.responses).toHaveProperty('default');
      expect(operation.summary).not.toBe('');
    }
  });

  test('says truly where no token is needed', async () => {
    const test = await startServer();
    test.addToken('admin');
    document = await documentOf(test);
    for (const { path, method, operation } of operationsOf(document)) {
      const address = test.url + path.replace('{repo}', 'data').replace(/\{\w+\}/g, 'x');
      const response = await fetch(address, {
        method: method.toUpperCase(),
        headers: method === 'get' ? {} : { 'content-type': 'application/json' },
      });
      await response.body?.cancel();
      const { status } = response;
      const open = operation.security?.length === 0;
      expect([path, method, status !== 401]).toEqual([path, method, open]);
    }
  });
});
