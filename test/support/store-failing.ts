/**
 * A store whose n-th write fails, before or after it took effect: what a full disk or a
 * kill at that instant looks like to the layers above. Try every n until nothing fails.
 */
import type { Store } from '../../src/store/contract.ts';
import { overlay } from './store-counting.ts';

export interface FailingOptions {
  /** Which `putMany` or `transact` fails, counted from 1. */
  readonly failAt: number;
  /** True: the write happens and then fails, as when the answer is lost. */
  readonly afterwards?: boolean;
  /** Every later write fails too, as when the process is gone. Default true. */
  readonly forGood?: boolean;
}

export interface FailingStore<S extends Store> {
  readonly store: S;
  /** Writes tried so far. */
  writes(): number;
  /** Whether the failure has happened. */
  failed(): boolean;
}

export class InjectedFailure extends Error {}

export function failingStore<S extends Store>(inner: S, options: FailingOptions): FailingStore<S> {
  const { failAt, afterwards = false, forGood = true } = options;
  let writes = 0;
  async function attempt<T>(write: () => Promise<T>): Promise<T> {
    writes += 1;
    if (writes < failAt || (writes > failAt && !forGood)) return write();
    if (afterwards && writes === failAt) await write();
    throw new InjectedFailure(`write ${writes} fails`);
  }
  const store = overlay(inner, {
    putMany: (chunks) => attempt(() => inner.putMany(chunks)),
    transact: (transaction, chunks) => attempt(() => inner.transact(transaction, chunks)),
  });
  return { store, writes: () => writes, failed: () => writes >= failAt };
}
