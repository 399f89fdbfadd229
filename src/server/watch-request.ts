/** What a request for the feed asks for: its query, and the header browsers resume with. */
import type { FastifyRequest } from 'fastify';
import { DvError } from '../errors.ts';
import { type Hash, isHash } from '../hash.ts';
import { parseCursor } from '../model/cursor.ts';

export const LIVE_FORMS = ['frames', 'sse', 'poll'] as const;
export type LiveForm = (typeof LIVE_FORMS)[number];

export interface WatchRequest {
  readonly patterns: readonly string[];
  readonly tables: readonly string[];
  readonly since: string | undefined;
  readonly form: LiveForm;
  /** Changed rows with each event, as JSON; not in frames. */
  readonly rows: boolean;
  readonly where: string | undefined;
  readonly counts: boolean;
  /** Frames carry packs. */
  readonly packs: boolean;
  readonly least: number | undefined;
}

type Query = Readonly<Record<string, string | readonly string[] | undefined>>;

const MOST_NAMES = 100;

/** @throws DvError `bad-option`, `bad-cursor` */
export function readWatchRequest(request: FastifyRequest): WatchRequest {
  const query = request.query as Query;
  const resumed = request.headers['last-event-id'];
  const form = readForm(query);
  const rows = readFlag(query, 'rows');
  if (rows && form === 'frames') throw bad('rows', '1', 'rows come with live=sse and live=poll');
  return {
    patterns: readNames(query, 'refs'),
    tables: readNames(query, 'tables'),
    since: typeof resumed === 'string' && resumed !== '' ? resumed : readOne(query, 'since'),
    form,
    rows,
    where: readOne(query, 'where'),
    counts: readFlag(query, 'counts'),
    packs: readFlag(query, 'packs'),
    least: readLeast(query),
  };
}

/** `from` (left out: nothing) and `to`. @throws DvError `bad-option` */
export function readEnds(request: FastifyRequest): {
  readonly from: Hash | null;
  readonly to: Hash;
} {
  const query = request.query as Query;
  const from = readOne(query, 'from');
  const to = readOne(query, 'to') ?? '';
  if (!isHash(to)) throw bad('to', to, 'the hash of a commit in full');
  if (from !== undefined && !isHash(from)) throw bad('from', from, 'the hash of a commit in full');
  return { from: from ?? null, to };
}

export function readChoice(request: FastifyRequest): {
  readonly tables: readonly string[];
  readonly where?: string;
} {
  const query = request.query as Query;
  const where = readOne(query, 'where');
  return { tables: readNames(query, 'tables'), ...(where === undefined ? {} : { where }) };
}

export function wantsCounts(request: FastifyRequest): boolean {
  return readFlag(request.query as Query, 'counts');
}

/** Given several times, or with commas. */
function readNames(query: Query, name: string): string[] {
  const given = [query[name] ?? []].flat();
  const names = given.flatMap((text) => text.split(',')).filter((text) => text !== '');
  if (names.length <= MOST_NAMES) return names;
  throw bad(name, `${names.length} names`, `at most ${MOST_NAMES}`);
}

function readOne(query: Query, name: string): string | undefined {
  const [value, ...more] = [query[name] ?? []].flat();
  if (more.length > 0) throw bad(name, more.join(), 'give it once');
  return value === '' ? undefined : value;
}

function readFlag(query: Query, name: string): boolean {
  const value = readOne(query, name);
  if (value === undefined || value === '0') return false;
  if (value === '1') return true;
  throw bad(name, value, '0 or 1');
}

/** The first form of the list that this server speaks, which are all; `sse` without one. */
function readForm(query: Query): LiveForm {
  const names = readNames(query, 'live');
  if (names.length === 0) return 'sse';
  const known = names.find((name): name is LiveForm => LIVE_FORMS.includes(name as LiveForm));
  if (known === undefined) throw bad('live', names.join(), LIVE_FORMS.join(', '));
  return known;
}

/** `min-seq`: a cursor or a sequence. */
function readLeast(query: Query): number | undefined {
  const text = readOne(query, 'min-seq');
  if (text === undefined) return undefined;
  if (/^\d{1,15}$/.test(text)) return Number(text);
  return parseCursor(text).sequence;
}

function bad(name: string, value: string, hint: string): DvError {
  const shown = value.slice(0, 80);
  return new DvError('bad-option', `'${shown}' will not do for '${name}'`, {
    hint,
    data: { name, value: shown },
  });
}
