/** Waiting for a lock that another process holds, without stopping the event loop. */
import { setTimeout as sleep } from 'node:timers/promises';
import { isBusy } from './sqlite-errors.ts';
import { BUSY_TIMEOUT_MS } from './sqlite-open.ts';

const FIRST_PAUSE_MS = 2;
const LONGEST_PAUSE_MS = 50;
const STEP_PAUSE_MS = 3;

/** Runs `attempt` until it is not busy; throws its last failure after about `timeoutMs`. */
export async function retryWhileBusy<T>(attempt: () => T, timeoutMs: number): Promise<T> {
  let pause = FIRST_PAUSE_MS;
  for (let left = timeoutMs; ; left -= pause + BUSY_TIMEOUT_MS) {
    try {
      return attempt();
    } catch (error) {
      if (!isBusy(error) || left <= 0) throw error;
    }
    await sleep(pause);
    pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
  }
}

/**
 * Between two transactions of a long work: whoever waits for the lock looks again after a few
 * milliseconds, and would find it taken again without this.
 */
export async function letOthersWrite(): Promise<void> {
  await sleep(STEP_PAUSE_MS);
}
