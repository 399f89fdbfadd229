/**
 * Pushes in pieces, as they survive a restart: in the state `push:<id>` what was asked and how
 * many segments were taken, in the store the chunks that came, under the transfer of the same
 * name. What is pending follows from those (receiver.ts) and is kept in memory meanwhile.
 */
import type { StateUpdate, Store } from '../store/contract.ts';
import type { PushAnswer, PushRequest } from './protocol.ts';
import type { BroughtClock } from './taken-clocks.ts';

const PREFIX = 'push:';

export interface SessionRecord {
  readonly id: string;
  readonly actor: string;
  readonly request: PushRequest;
  /** Number of the next segment. */
  readonly next: number;
  /** ms since the epoch. */
  readonly expires: number;
  /** When something last came for it, in ms since the epoch, and which process took it. */
  readonly touched: number;
  readonly by: string;
  /** The latest clock of a commit that came. */
  readonly latest?: BroughtClock;
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
    const record = JSON.parse(Buffer.from(raw).toString('utf8')) as SessionRecord;
    // one of an earlier dv has neither
    return { ...record, touched: record.touched ?? 0, by: record.by ?? '' };
  } catch {
    return undefined; // nobody can go on with it: it is as if it had expired
  }
}

/** All of them; of the expired, which can no longer be read included, the ids. */
export async function listSessions(
  store: Store,
  now: number,
): Promise<{ readonly kept: StoredSession[]; readonly expired: string[] }> {
  const kept: StoredSession[] = [];
  const expired: string[] = [];
  for (const { key, value: raw } of await store.listState(PREFIX)) {
    const record = parse(raw);
    if (record === undefined || record.expires <= now) expired.push(key.slice(PREFIX.length));
    else kept.push({ record, raw });
  }
  return { kept, expired };
}

/** To be part of a transaction; what the session brought is dropped behind it. */
export function sessionEnd({ record, raw }: StoredSession): StateUpdate {
  return { key: PREFIX + record.id, value: null, expect: raw };
}

export async function endSession(store: Store, id: string): Promise<void> {
  await store.transact({ state: [{ key: PREFIX + id, value: null }] });
  await store.dropTransfer(transferOf(id));
}
