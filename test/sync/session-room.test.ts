/**
 * How many pushes in pieces a caller has open: never more than the bound, whatever was killed;
 * the one idle for longest gives way, and never one that is receiving, in any process.
 */
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { DvError } from '../../src/errors.ts';
import { hashOf } from '../../src/hash.ts';
import type { Store } from '../../src/store/contract.ts';
import { createMemoryStore } from '../../src/store/memory.ts';
import type { Caller, PushRequest } from '../../src/sync/protocol.ts';
import { pushFrom } from '../../src/sync/push-from.ts';
import { listSessions } from '../../src/sync/push-sessions.ts';
import type { SyncService } from '../../src/sync/service.ts';
import { LIVE_MS } from '../../src/sync/session-room.ts';
import {
  counter,
  NOW,
  RETRY,
  remoteOver,
  rows,
  Scene,
  serviceOver,
} from '../support/sync-scene.ts';

const LIMIT = 3;
const CALLERS: readonly Caller[] = ['x', 'y'].map((actor) => ({ actor, allow: () => {} }));

function asked(n: number): PushRequest {
  const to = hashOf(Buffer.from(`head ${n}`));
  const update = { ref: 'refs/heads/main', old: null, new: to, strategy: 'ff-only' } as const;
  return { updates: [update], atomic: true };
}

/** What the test knows of a session. */
interface Known {
  readonly id: string;
  readonly caller: Caller;
  touched: number;
  by: number;
  /** Lets the request that is sending end. */
  end?: () => Promise<unknown>;
}

/** Two processes over one store, and the sessions as they should be. */
class World {
  time = NOW;
  readonly store: Store = createMemoryStore();
  readonly known: Known[] = [];
  readonly services: SyncService[];
  private heads = 0;

  constructor() {
    const options = { now: () => this.time, limits: { pushSessions: LIMIT } };
    const ids = counter();
    this.services = [0, 1].map(() => serviceOver(this.store, { ...options, randomId: ids }));
  }

  private busy(known: Known, at: number): boolean {
    if (known.end !== undefined) return true;
    return known.by !== at && this.time - known.touched < LIVE_MS;
  }

  async open(at: number, caller: Caller): Promise<void> {
    const open = this.known.filter((one) => one.caller === caller);
    const idle = open.filter((one) => !this.busy(one, at));
    const opening = this.services[at].openPush(caller, asked(this.heads++));
    if (open.length === LIMIT && idle.length === 0) {
      const error = await opening.catch((caught: DvError) => caught);
      expect(error).toMatchObject({ code: 'limit-exceeded', data: { status: 429 } });
      return;
    }
    const { id } = await opening;
    if (open.length === LIMIT) this.known.splice(this.known.indexOf(idle[0]), 1);
    this.known.push({ id, caller, touched: this.time, by: at });
  }

  /** The last in the list is the one that something came for last. */
  private touch(known: Known, at: number): void {
    Object.assign(known, { touched: this.time, by: at });
    this.known.splice(this.known.indexOf(known), 1);
    this.known.push(known);
  }

  async begin(at: number, known: Known): Promise<void> {
    if (known.end !== undefined) return;
    let release = (): void => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const begun = new Promise<void>((resolve, reject) => {
      const work = this.services[at].receiving(known.caller, known.id, () => {
        resolve();
        return gate;
      });
      work.catch(reject);
      known.end = () => {
        release();
        return work;
      };
    });
    await begun;
    if (known.by !== at || this.time - known.touched >= 3000) this.touch(known, at);
  }

  async end(known: Known): Promise<void> {
    await known.end?.();
    delete known.end;
  }

  async tick(seconds: number): Promise<void> {
    for (let n = 1; n <= seconds; n++) {
      this.time += 1000;
      await vi.advanceTimersByTimeAsync(1000);
    }
  }

  async check(): Promise<void> {
    const { kept } = await listSessions(this.store, this.time);
    const there = kept.map(({ record }) => record);
    expect(there.map(({ id }) => id).sort()).toEqual(this.known.map(({ id }) => id).sort());
    for (const caller of CALLERS) {
      const open = there.filter(({ actor }) => actor === caller.actor);
      expect(open.length).toBeLessThanOrEqual(LIMIT);
    }
    // what is renewed while it is received, the store knows best
    this.known.sort((a, b) => touchedOf(a) - touchedOf(b));
    for (const one of this.known) one.touched = touchedOf(one);

    function touchedOf({ id }: Known): number {
      return there.find((one) => one.id === id)?.touched ?? 0;
    }
  }
}

type Step = readonly [what: 'open' | 'begin' | 'end' | 'tick', at: number, which: number];

describe('pushes in pieces', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('are within the bound, and the one idle for longest gives way, in two processes', async () => {
    const step: fc.Arbitrary<Step> = fc.tuple(
      fc.constantFrom('open', 'open', 'begin', 'end', 'tick'),
      fc.nat(1),
      fc.nat(11),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const world = new World();
        for (const [what, at, which] of steps) {
          const one = world.known[which % Math.max(1, world.known.length)];
          if (what === 'open') await world.open(at, CALLERS[which % 2]);
          else if (what === 'tick') await world.tick(which);
          else if (one !== undefined && what === 'begin') await world.begin(at, one);
          else if (one !== undefined) await world.end(one);
          await world.check();
        }
        for (const one of world.known) await world.end(one);
        for (const { id, caller } of world.known) {
          expect(await world.services[0].getPush(caller, id)).toMatchObject({ id });
        }
      }),
      { numRuns: 150 },
    );
  });

  it('that were left by killed processes let the next one in when they are idle', async () => {
    let time = NOW + 1_000_000;
    const store = createMemoryStore();
    const now = () => time;
    const ids = counter();
    const process = () => remoteOver(store, { now, randomId: ids, limits: { pushSessions: 2 } });
    for (const n of [1, 2]) await process().openPush(asked(n));
    const scene = new Scene();
    const head = await scene.commit({ tables: { a: rows(0, 3000) } });
    const waits: number[] = [];
    const sleep = async (ms: number) => {
      waits.push(ms);
      time += ms;
    };
    const update = { ref: 'refs/heads/b', old: null, new: head, strategy: 'ff-only' } as const;
    const limits = { ...(await process().info()).limits, inlinePackBytes: 1 };
    const request = { updates: [update], atomic: true };
    const pushed = await pushFrom(process(), scene.store, request, { ...RETRY, sleep, limits });
    expect(pushed.outcomes).toMatchObject([{ status: 'ok' }]);
    expect(waits.length).toBeGreaterThan(0);
    expect(waits.reduce((sum, ms) => sum + ms, 0)).toBeLessThanOrEqual(2 * LIVE_MS);
  });

  it('are not ended by two that begin at once, more than has to be', async () => {
    const store = createMemoryStore();
    const ids = counter();
    const services = [0, 1].map(() =>
      serviceOver(store, { randomId: ids, limits: { pushSessions: 2 } }),
    );
    const opened = [0, 1, 2, 3].map((n) => services[n % 2].openPush(CALLERS[0], asked(n)));
    const results = await Promise.allSettled(opened);
    const { kept } = await listSessions(store, NOW);
    expect(kept).toHaveLength(2);
    expect(results.filter(({ status }) => status === 'fulfilled').length).toBeGreaterThanOrEqual(2);
  });
});
