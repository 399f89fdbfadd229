/**
 * The stamps that pushes and fetches bring, taken into the repository's clock (model/clock.ts) in
 * the transaction that moves the refs: whatever is committed here afterwards is stamped behind them.
 *
 * Pushes of one process never set the clock back: what one has taken, those behind it know,
 * though it be not stored yet. A push that is refused in the end may leave a stamp taken; it
 * was within MAX_AHEAD_MS, which is all a clock needs.
 */
import type { Hash } from '../hash.ts';
import { CLOCK_KEY, clockUpdate, compareClocks, latestClock, readClock } from '../model/clock.ts';
import { peelToCommit, readCommit } from '../model/object-reader.ts';
import type { Clock } from '../model/objects.ts';
import type { ObjectStore, RefStore, StateUpdate } from '../store/contract.ts';

/** The clock of a commit that comes in. */
export interface BroughtClock extends Clock {
  readonly commit: Hash;
}

/** The later of two; undefined of none. */
export function laterClock(
  a: BroughtClock | undefined,
  b: BroughtClock | undefined,
): BroughtClock | undefined {
  return a === undefined || (b !== undefined && compareClocks(b, a) > 0) ? b : a;
}

/** A larger counter is taken as the next millisecond, so that none is ever too long to keep. */
const MOST_COUNTER = 1_000_000_000;
const NODE = /^[0-9a-f]{1,16}$/;

export class TakenClocks {
  readonly #store: RefStore;
  #latest: Clock | undefined;

  constructor(store: RefStore) {
    this.#store = store;
  }

  /** `named`: commits, or tags of commits, that come in. Nothing when the clock is behind none. */
  async take(objects: ObjectStore, named: readonly Hash[]): Promise<StateUpdate[]> {
    const stored = await readClock(this.#store);
    const brought: Clock[] = [];
    for (const hash of new Set(named)) {
      const { clock } = await readCommit(objects, await peelToCommit(objects, hash));
      brought.push(keepable(clock));
    }
    const latest = latestClock([stored, this.#latest, ...brought]);
    if (latest === undefined) return [];
    this.#latest = latest;
    return stored !== undefined && compareClocks(stored, latest) >= 0 ? [] : [clockUpdate(latest)];
  }
}

/** Not earlier than `clock`, and such that the state can hold it, whoever made that. */
function keepable({ ms, counter, node }: Clock): Clock {
  const kept = NODE.test(node) ? node : '0';
  return counter > MOST_COUNTER
    ? { ms: ms + 1, counter: 0, node: kept }
    : { ms, counter, node: kept };
}

/**
 * The stamp that a fetch brings, for its transaction; that loses when the clock moves meanwhile,
 * so that nobody sets it back. Nothing when the clock is not behind it.
 */
export async function takeFetched(store: RefStore, brought: Clock): Promise<StateUpdate[]> {
  const raw = (await store.getState(CLOCK_KEY)) ?? null;
  const stored = await readClock(store);
  const latest = keepable(brought);
  if (stored !== undefined && compareClocks(stored, latest) >= 0) return [];
  return [{ ...clockUpdate(latest), expect: raw }];
}
