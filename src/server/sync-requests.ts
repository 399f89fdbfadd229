/**
 * Requests of sync as they come in: JSON of any shape in, the types of sync/protocol.ts out,
 * within the limits that the server announced. And the body of a push in one request:
 *
 *   0   4        length of the head, unsigned, big-endian
 *   4   length   the head: JSON
 *   ..           a pack, or nothing
 */
import { DvError } from '../errors.ts';
import { type Hash, isHash } from '../hash.ts';
import type { Edge, EdgeKind } from '../model/edges.ts';
import type {
  FetchRequest,
  Limits,
  PushRequest,
  PushStrategy,
  RefCommand,
} from '../sync/protocol.ts';
import { parseJson } from './request-body.ts';

export const MAX_HEAD_BYTES = 262_144;
const MAX_UPDATES = 1000;
const MAX_REF_BYTES = 1024;
const LENGTH_BYTES = 4;

const EDGE_KINDS: readonly EdgeKind[] = ['named', 'root', 'table', 'schema', 'tree', 'end', 'blob'];
const STRATEGIES: readonly PushStrategy[] = ['ff-only', 'force', 'merge'];

type Fields = Readonly<Record<string, unknown>>;

/** @throws DvError `bad-request`, `limit-exceeded` */
export function parseFetchRequest(value: unknown, limits: Limits): FetchRequest {
  const fields = fieldsOf(value, 'the request');
  const tables = listOf(fields, 'tables', limits.roots, parseText);
  return {
    ...optional('wants', listOf(fields, 'wants', limits.wants, parseHashField)),
    ...optional('haves', listOf(fields, 'haves', limits.haves, parseHashField)),
    ...optional('roots', listOf(fields, 'roots', limits.roots, parseEdge)),
    ...optional('shallow', listOf(fields, 'shallow', limits.roots, parseHashField)),
    ...optional('tables', tables),
    ...optional('depth', parseCount(fields, 'depth')),
    ...optional('maxBytes', parseCount(fields, 'maxBytes')),
    ...optional('levels', oneOf(fields, 'levels', ['all', 'internal'] as const)),
  };
}

export interface PushHead {
  readonly request: PushRequest;
  /** The push goes on in segments. */
  readonly open: boolean;
}

/** @throws DvError `bad-request`, `limit-exceeded` */
export function parsePushHead(value: unknown): PushHead {
  const fields = fieldsOf(value, 'the head of the push');
  const updates = listOf(fields, 'updates', MAX_UPDATES, parseCommand);
  if (updates === undefined || updates.length === 0) throw bad('updates', 'names no ref to move');
  const names = new Set(updates.map(({ ref }) => ref));
  if (names.size < updates.length) throw bad('updates', 'moves one ref twice');
  return {
    request: { updates, atomic: parseFlag(fields, 'atomic') },
    open: parseFlag(fields, 'open'),
  };
}

/** @throws DvError `bad-request` */
export function splitPushBody(body: Uint8Array): { head: unknown; pack: Uint8Array } {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const length = body.length < LENGTH_BYTES ? MAX_HEAD_BYTES + 1 : view.getUint32(0);
  if (length > MAX_HEAD_BYTES || LENGTH_BYTES + length > body.length) {
    throw new DvError('bad-request', 'the body does not begin with the head of a push', {
      hint: 'four bytes of length, big-endian, then JSON, then the pack',
    });
  }
  const end = LENGTH_BYTES + length;
  return { head: parseJson(body.subarray(LENGTH_BYTES, end)), pack: body.subarray(end) };
}

/** A hash in a path. @throws DvError `bad-request` */
export function parseHashField(value: unknown, what = 'hash'): Hash {
  if (typeof value === 'string' && isHash(value)) return value;
  throw bad(what, `is no hash: ${shown(value)}`);
}

function parseCommand(value: unknown): RefCommand {
  const fields = fieldsOf(value, "an entry of 'updates'");
  const ref = parseText(fields.ref, 'ref');
  if (Buffer.byteLength(ref) > MAX_REF_BYTES) throw bad('ref', 'is too long');
  const from = parseOptionalHash(fields.old, 'old');
  const to = parseOptionalHash(fields.new, 'new');
  const strategy = oneOf(fields, 'strategy', STRATEGIES);
  if (strategy === undefined) throw bad('strategy', `lacks: ${STRATEGIES.join(', ')}`);
  return { ref, old: from, new: to, strategy };
}

function parseOptionalHash(value: unknown, what: string): Hash | null {
  return value === null ? null : parseHashField(value, what);
}

function parseEdge(value: unknown, what: string): Edge {
  const fields = fieldsOf(value, `an entry of '${what}'`);
  const kind = oneOf(fields, 'kind', EDGE_KINDS);
  if (kind === undefined) throw bad(what, 'has an entry without a kind');
  return { kind, hash: parseHashField(fields.hash) };
}

function parseText(value: unknown, what: string): string {
  if (typeof value === 'string' && value.isWellFormed()) return value;
  throw bad(what, `is no text: ${shown(value)}`);
}

function parseFlag(fields: Fields, name: string): boolean {
  const value = fields[name] ?? false;
  if (typeof value === 'boolean') return value;
  throw bad(name, `is neither true nor false: ${shown(value)}`);
}

function parseCount(fields: Fields, name: string): number | undefined {
  const value = fields[name];
  if (value === undefined) return undefined;
  if (typeof value === 'number' && Number.isSafeInteger(value) && value > 0) return value;
  throw bad(name, `is no whole number above 0: ${shown(value)}`);
}

function oneOf<T extends string>(fields: Fields, name: string, all: readonly T[]): T | undefined {
  const value = fields[name];
  if (value === undefined) return undefined;
  const found = all.find((one) => one === value);
  if (found !== undefined) return found;
  throw bad(name, `is ${shown(value)}, which is none of ${all.join(', ')}`);
}

function listOf<T>(
  fields: Fields,
  name: string,
  limit: number,
  parse: (value: unknown, what: string) => T,
): readonly T[] | undefined {
  const value = fields[name];
  if (value === undefined) return undefined;
  if (!Array.isArray(value)) throw bad(name, `is no list: ${shown(value)}`);
  if (value.length > limit) {
    throw new DvError('limit-exceeded', `'${name}' has ${value.length} entries`, {
      hint: `at most ${limit} at once`,
      data: { limit },
    });
  }
  return value.map((entry) => parse(entry, name));
}

function fieldsOf(value: unknown, what: string): Fields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields;
  throw new DvError('bad-request', `${what} is no JSON object: ${shown(value)}`);
}

function optional<K extends string, T>(name: K, value: T | undefined): { readonly [k in K]?: T } {
  return value === undefined ? {} : ({ [name]: value } as { [k in K]: T });
}

function bad(name: string, why: string): DvError {
  return new DvError('bad-request', `'${name}' ${why}`, { data: { field: name } });
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
