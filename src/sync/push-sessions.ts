/**
 * Pushes in pieces, as they survive a restart: in the state `push:<id>` what was asked and how
 * many segments were taken, in the store the chunks that came, under the transfer of the same
 * name. What is pending follows from those (receiver.ts) and is kept in memory meanwhile.
 */
import { DvError } from '../errors.ts';
import type { Hash } from '../hash.ts';
import type { StateUpdate, Store } from '../store/contract.ts';
import type { Limits, PushAnswer, PushRequest } from './protocol.ts';

const PREFIX = 'push:';

export interface SessionRecord {
  readonly id: string;
  readonly actor: string;
  readonly request: PushRequest;
  /** Number of the next segment. */
  readonly next: number;
  /** ms since the epoch. */
  readonly expires: number;
  /** The latest clock of a commit that came. */
  readonly latest?: { readonly commit: Hash; readonly ms: number };
  /** Of a push that is done: asked again, it is answered again. */
  readonly answer?: PushAnswer;
}

export interface StoredSession {
  readonly record: SessionRecord;
  /** As the store holds it: the `expect` of an update. */
  readonly raw: Uint8Array;
}

export const transferOf = (id: string): string => PREFIX + id;

export function sessionUpdate(record: SessionRecord, expect: Uint8Array | null): StateUpdate {
  return { key: PREFIX + record.id, value: Buffer.from(JSON.stringify(record)), expect };
}

/** Undefined when unknown, expired, or of somebody else. */
export async function findSession(
  store: Store,
  id: string,
  actor: string,
  now: number,
): Promise<StoredSession | undefined> {
  const raw = await store.getState(PREFIX + id);
  const record = raw && parse(raw);
  if (raw === undefined || record === undefined) return undefined;
  return record.actor !== actor || record.expires <= now ? undefined : { record, raw };
}

function parse(raw: Uint8Array): SessionRecord | undefined {
  try {
    return JSON.parse(Buffer.from(raw).toString('utf8')) as SessionRecord;
  } catch {
    return undefined; // nobody can go on with it: it is as if it had expired
  }
}

/** An open one for the same request: who lost its id, by a cut or a kill, goes on with it. */
export async function findOpenSession(
  store: Store,
  actor: string,
  request: PushRequest,
  now: number,
): Promise<SessionRecord | undefined> {
  const wanted = JSON.stringify(request);
  for (const { value } of await store.listState(PREFIX)) {
    const record = parse(value);
    if (record === undefined || record.actor !== actor || record.expires <= now) continue;
    if (record.answer === undefined && JSON.stringify(record.request) === wanted) return record;
  }
  return undefined;
}

/** Removes what has expired, and what is left of such. @throws DvError `limit-exceeded` */
export async function makeRoom(
  store: Store,
  actor: string,
  now: number,
  { pushSessions }: Limits,
): Promise<void> {
  let open = 0;
  for (const { key, value } of await store.listState(PREFIX)) {
    const record = parse(value);
    if (record === undefined || record.expires <= now) {
      await endSession(store, key.slice(PREFIX.length));
    } else if (record.actor === actor && record.answer === undefined) open += 1;
  }
  if (open < pushSessions) return;
  throw new DvError('limit-exceeded', `${open} pushes of yours are open, the limit`, {
    hint: 'finish or abandon one, or wait until it expires',
    data: { open, limit: pushSessions },
  });
}

export async function endSession(store: Store, id: string): Promise<void> {
  await store.transact({ state: [{ key: PREFIX + id, value: null }] });
  await store.dropTransfer(transferOf(id));
}
