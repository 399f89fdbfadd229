/** Shapes of JSON bodies, for the OpenAPI document; the types are in src/sync/protocol.ts. */

export type JsonSchema = Readonly<Record<string, unknown>>;

const hash: JsonSchema = { type: 'string', pattern: '^[0-9a-f]{64}$' };
const text: JsonSchema = { type: 'string' };
const count: JsonSchema = { type: 'integer', minimum: 0 };
const orNull = (schema: JsonSchema): JsonSchema => ({ anyOf: [schema, { type: 'null' }] });
const listOf = (items: JsonSchema): JsonSchema => ({ type: 'array', items });

/** An object with these properties; names that end in `?` may be left out. */
export function objectOf(fields: Readonly<Record<string, JsonSchema>>): JsonSchema {
  const names = Object.keys(fields);
  return {
    type: 'object',
    properties: Object.fromEntries(names.map((name) => [name.replace(/\?$/, ''), fields[name]])),
    required: names.filter((name) => !name.endsWith('?')),
  };
}

export const refTo = (name: string): JsonSchema => ({ $ref: `#/components/schemas/${name}` });

const limits = objectOf({
  wants: count,
  haves: count,
  roots: count,
  inlinePackBytes: count,
  segmentBytes: count,
  pushSessions: count,
  pushSessionMs: count,
  chunkBytes: count,
});

const edge = objectOf({
  kind: { enum: ['named', 'root', 'table', 'schema', 'tree', 'end', 'blob'] },
  hash,
});

const serverInfo = {
  protocol: listOf(count),
  software: text,
  features: listOf(text),
  limits: refTo('Limits'),
};

export const SCHEMAS: Readonly<Record<string, JsonSchema>> = {
  Failure: objectOf({
    error: objectOf({ code: text, message: text, 'hint?': text, 'data?': { type: 'object' } }),
  }),
  Limits: limits,
  Edge: edge,
  ServerInfo: objectOf(serverInfo),
  RepositoryInfo: objectOf({
    ...serverInfo,
    node: text,
    clock: objectOf({ ms: count, counter: count, node: text }),
  }),
  Refs: objectOf({
    head: orNull(text),
    refs: listOf(objectOf({ name: text, hash, 'peeled?': hash })),
    cursor: text,
  }),
  Ref: objectOf({ name: text, hash, 'peeled?': hash, cursor: text }),
  FetchRequest: objectOf({
    'wants?': listOf(hash),
    'haves?': listOf(hash),
    'roots?': listOf(refTo('Edge')),
    'depth?': count,
    'shallow?': listOf(hash),
    'tables?': listOf(text),
    'levels?': { enum: ['all', 'internal'] },
    'maxBytes?': count,
  }),
  PushRequest: objectOf({
    updates: listOf(
      objectOf({
        ref: text,
        old: orNull(hash),
        new: orNull(hash),
        strategy: { enum: ['ff-only', 'force', 'merge'] },
      }),
    ),
    atomic: { type: 'boolean' },
    'open?': { type: 'boolean' },
  }),
  PushAnswer: {
    oneOf: [
      objectOf({
        kind: { const: 'done' },
        outcomes: listOf(refTo('RefOutcome')),
        cursor: text,
      }),
      objectOf({ kind: { const: 'incomplete' }, pending: listOf(refTo('Edge')) }),
    ],
  },
  RefOutcome: objectOf({
    ref: text,
    status: { enum: ['ok', 'merged', 'refused'] },
    'hash?': orNull(hash),
    'code?': text,
    'message?': text,
    'hint?': text,
    'data?': { type: 'object' },
    'head?': orNull(hash),
  }),
  WriteAnswer: objectOf({
    commit: hash,
    changed: { type: 'boolean' },
    tables: listOf(objectOf({ table: text, added: count, removed: count, modified: count })),
    cursor: text,
  }),
  PushSession: objectOf({ id: text, next: count, pending: listOf(refTo('Edge')) }),
};
