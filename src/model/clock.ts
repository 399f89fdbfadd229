/**
 * Hybrid logical clocks: their order, and how a repository keeps one.
 *
 * A stamp is (physical ms, counter within it, node). A repository's next stamp lies behind
 * every stamp it has made or taken in, whatever the wall clock says: the last one is in the
 * state `clock` ("ms counter node"), written in the transaction of the commit that has it, or
 * that brought it in. What is behind a commit in history is behind it in time; two processes
 * that commit to two branches in the same instant may make equal stamps, and nobody orders
 * those. A stamp from outside that is more than MAX_AHEAD_MS ahead of the wall clock is
 * refused: taking it in would drag this clock along.
 *
 * Who uses it: whoever makes commits (porcelain/commit.ts, live/), and whoever takes in
 * those of others (sync/).
 */
import { DvError } from '../errors.ts';
import type { Hash } from '../hash.ts';
import type { RefStore, StateUpdate } from '../store/contract.ts';
import type { Clock } from './objects.ts';

export const CLOCK_KEY = 'clock';
/** How far ahead of the wall clock a stamp from outside may be, in ms. */
export const MAX_AHEAD_MS = 60_000;

/** Negative when `a` is earlier. */
export function compareClocks(a: Clock, b: Clock): number {
  if (a.ms !== b.ms) return a.ms - b.ms;
  if (a.counter !== b.counter) return a.counter - b.counter;
  return a.node < b.node ? -1 : a.node > b.node ? 1 : 0;
}

/** The latest of them; undefined of none. */
export function latestClock(clocks: readonly (Clock | undefined)[]): Clock | undefined {
  let latest: Clock | undefined;
  for (const clock of clocks) {
    if (clock === undefined) continue;
    if (latest === undefined || compareClocks(latest, clock) < 0) latest = clock;
  }
  return latest;
}

/** The stamp behind `latest` (undefined: the first one) at the wall clock's `now`, in ms. */
export function nextClock(latest: Clock | undefined, now: number, node: string): Clock {
  if (latest === undefined || now > latest.ms) return { ms: now, counter: 0, node };
  return { ms: latest.ms, counter: latest.counter + 1, node };
}

/** The last stamp this repository made or took in. */
export async function readClock(store: RefStore): Promise<Clock | undefined> {
  const value = await store.getState(CLOCK_KEY);
  return value === undefined ? undefined : parseClock(Buffer.from(value).toString('latin1'));
}

/** Keeps a stamp as the last one; to be part of the transaction that brings it in. */
export function clockUpdate(clock: Clock): StateUpdate {
  return { key: CLOCK_KEY, value: Buffer.from(formatClock(clock), 'latin1') };
}

/** `ms.counter.node`: as it is kept, and as the header `dv-clock` carries it. */
export function formatClock({ ms, counter, node }: Clock): string {
  return `${ms}.${counter}.${node}`;
}

/** undefined: no clock. */
export function parseClock(text: string): Clock | undefined {
  const found = /^([0-9]{1,15})\.([0-9]{1,15})\.([0-9a-f]{1,16})$/.exec(text);
  if (found === null) return undefined;
  return { ms: Number(found[1]), counter: Number(found[2]), node: found[3] };
}

/** The refusal of commits whose latest stamp lies too far in the future; undefined: it does not. */
export function refuseAhead(
  latest: { readonly commit: Hash; readonly ms: number },
  now: number,
): DvError | undefined {
  const ahead = latest.ms - now;
  if (ahead <= MAX_AHEAD_MS) return undefined;
  const seconds = Math.round(ahead / 1000);
  const message = `the clock of commit ${latest.commit.slice(0, 12)} is ${seconds} s ahead`;
  return new DvError('clock-ahead', message, {
    hint: 'set the clock of the machine that made it (or of this one), and commit anew',
    data: { ...latest, ahead, limit: MAX_AHEAD_MS },
  });
}
