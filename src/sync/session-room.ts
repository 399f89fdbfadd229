/**
 * Room for pushes in pieces: a caller has so many open, and one more ends the one of them that
 * has been idle for longest, with what it brought. Whoever was killed leaves no more behind than
 * the bound, and is never in his own way. One that is receiving is not ended:
 *
 *   1. In this process that is known (`receiving`).
 *   2. One that another process received for is taken to be receiving for LIVE_MS after it was
 *      touched; receiving touches it every RENEW_MS.
 *
 * Opening is one transaction: it asserts what was counted and ends the one that gives way.
 */
import { DvError } from '../errors.ts';
import type { StateUpdate, Store } from '../store/contract.ts';
import type { Limits, PushRequest } from './protocol.ts';
import {
  endSession,
  listSessions,
  type SessionRecord,
  type StoredSession,
  sessionEnd,
  sessionUpdate,
  transferOf,
} from './push-sessions.ts';

/** Changes with every session that is opened. */
const OPENED_KEY = 'pushes-opened';
export const LIVE_MS = 10_000;
const RENEW_MS = 3000;
const TRIES = 20;

export interface SessionRoomOptions {
  readonly limits: Limits;
  readonly now: () => number;
  readonly randomId: () => string;
  /** A session was ended, so nothing of it need be remembered. */
  readonly onEnded: (id: string) => void;
}

export class SessionRoom {
  private readonly store: Store;
  private readonly options: SessionRoomOptions;
  /** By session, how many requests are sending to it here. */
  private readonly busy = new Map<string, number>();
  /** Being ended: nobody begins to send to them. */
  private readonly ending = new Set<string>();
  private ownName: string | undefined;
  private latest = 0;

  constructor(store: Store, options: SessionRoomOptions) {
    this.store = store;
    this.options = options;
  }

  /** Names this process in the sessions that it receives for. */
  get name(): string {
    this.ownName ??= this.options.randomId();
    return this.ownName;
  }

  /** The record as something has just come for it. */
  touched(record: SessionRecord): SessionRecord {
    return { ...record, touched: this.instant(), by: this.name };
  }

  /** Now, and behind every instant before. */
  private instant(): number {
    this.latest = Math.max(this.options.now(), this.latest + 1);
    return this.latest;
  }

  isEnding(id: string): boolean {
    return this.ending.has(id);
  }

  /**
   * Does what brings something for a session, which is not ended meanwhile. `touch` says so to
   * other processes: now, and again while it lasts.
   */
  async receiving<T>(id: string, touch: () => Promise<void>, work: () => Promise<T>): Promise<T> {
    this.busy.set(id, (this.busy.get(id) ?? 0) + 1);
    let touching: Promise<void> | undefined;
    const timer = setInterval(() => {
      // what becomes of it, the transaction that takes the segment finds out
      const ended = () => {
        touching = undefined;
      };
      touching ??= touch().then(ended, ended);
    }, RENEW_MS);
    try {
      await touch();
      return await work();
    } finally {
      clearInterval(timer);
      await touching;
      const others = (this.busy.get(id) ?? 1) - 1;
      if (others === 0) this.busy.delete(id);
      else this.busy.set(id, others);
    }
  }

  /** Whether `touch` has anything to write. */
  isFresh({ by, touched }: SessionRecord): boolean {
    return by === this.name && this.options.now() - touched < RENEW_MS;
  }

  /**
   * The open session of the same request: who lost its id, by a cut or a kill, goes on with it.
   * Else a new one. @throws DvError `limit-exceeded`: all of the caller's are receiving
   */
  async open(actor: string, request: PushRequest): Promise<SessionRecord> {
    const { now, randomId, limits } = this.options;
    const id = randomId() + randomId();
    for (let tries = 0; tries < TRIES; tries++) {
      const time = now();
      const before = (await this.store.getState(OPENED_KEY)) ?? null;
      const open = await this.openOf(actor, time);
      const same = open.find(({ record }) => isSame(record.request, request));
      if (same !== undefined) return same.record;
      const leaving = this.makeRoom(open, time);
      const expires = time + limits.pushSessionMs;
      const record = this.touched({ id, actor, request, next: 0, expires, touched: 0, by: '' });
      const counted: StateUpdate = { key: OPENED_KEY, value: Buffer.from(id), expect: before };
      if (await this.replace(leaving, [sessionUpdate(record, null), counted])) return record;
    }
    throw new DvError('unavailable', 'too many pushes begin at once', { hint: 'push again' });
  }

  /** The open ones, the longest idle first. What has expired is ended. */
  private async openOf(actor: string, time: number): Promise<StoredSession[]> {
    const { kept, expired } = await listSessions(this.store, time);
    for (const id of expired) {
      await endSession(this.store, id);
      this.options.onEnded(id);
    }
    return kept
      .filter(({ record }) => record.actor === actor && record.answer === undefined)
      .sort((a, b) => a.record.touched - b.record.touched);
  }

  /** Those that have to go. */
  private makeRoom(open: readonly StoredSession[], time: number): StoredSession[] {
    const limit = this.options.limits.pushSessions;
    const over = open.length + 1 - limit;
    const idle = open.filter(({ record }) => !this.isReceiving(record, time));
    if (over <= idle.length) return idle.slice(0, Math.max(0, over));
    throw new DvError('limit-exceeded', `${open.length} pushes of yours are under way, the limit`, {
      hint: 'wait until one of them is over, then push again',
      data: { open: open.length, limit, status: 429, retryAfter: LIVE_MS / 1000 },
    });
  }

  private isReceiving({ id, by, touched }: SessionRecord, time: number): boolean {
    return this.busy.has(id) || (by !== this.name && time - touched < LIVE_MS);
  }

  /** Ends sessions, unless one of them has moved on. */
  private async replace(
    leaving: readonly StoredSession[],
    state: readonly StateUpdate[],
  ): Promise<boolean> {
    const ids = leaving.map(({ record }) => record.id);
    for (const id of ids) this.ending.add(id);
    try {
      const { done } = await this.store.transact({ state: [...state, ...leaving.map(sessionEnd)] });
      if (!done) return false;
      for (const id of ids) {
        this.options.onEnded(id);
        await this.store.dropTransfer(transferOf(id));
      }
      return true;
    } finally {
      for (const id of ids) this.ending.delete(id);
    }
  }
}

const isSame = (a: PushRequest, b: PushRequest): boolean => JSON.stringify(a) === JSON.stringify(b);
