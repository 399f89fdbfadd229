/**
 * Who still works at a transfer: the state `transfer:<name>` holds when it last stored
 * something, ms since the epoch. A transfer that nobody has worked at for a day is given up by
 * whoever comes next; its end asserts the lease, so that it cannot complete after that.
 */
import type { StateUpdate, Store } from '../store/contract.ts';

const PREFIX = 'transfer:';
/** A lease is written anew when it is older than this. */
const RENEW_MS = 60 * 60 * 1000;
const STALE_MS = 24 * RENEW_MS;

/** Whether that is the state of a lease: a transaction that lost it completes another's transfer. */
export const isLease = (key: string): boolean => key.startsWith(PREFIX);

export class TransferLease {
  private readonly store: Store;
  private readonly key: string;
  private readonly now: () => number;
  private held: Uint8Array | undefined;
  private renewed = Number.NEGATIVE_INFINITY;

  constructor(store: Store, transfer: string, now: () => number) {
    this.store = store;
    this.key = PREFIX + transfer;
    this.now = now;
  }

  /** Before chunks are stored. */
  async renew(): Promise<void> {
    const time = this.now();
    if (time - this.renewed < RENEW_MS) return;
    this.held = Buffer.from(String(time), 'latin1');
    this.renewed = time;
    await this.store.transact({ state: [{ key: this.key, value: this.held }] });
  }

  /** Goes into the transaction that completes the transfer. */
  end(): StateUpdate[] {
    return this.held === undefined ? [] : [{ key: this.key, value: null, expect: this.held }];
  }
}

/** Gives up the transfers of that kind that nobody works at. */
export async function dropStaleTransfers(
  store: Store,
  kind: string,
  now: number,
): Promise<readonly string[]> {
  const dropped: string[] = [];
  for (const name of await store.listTransfers()) {
    if (!name.startsWith(kind)) continue;
    const key = PREFIX + name;
    const lease = await store.getState(key);
    const time = lease === undefined ? 0 : Number(Buffer.from(lease).toString('latin1'));
    if (now - time < STALE_MS) continue;
    const { done } = await store.transact({ state: [{ key, value: null, expect: lease ?? null }] });
    if (!done) continue;
    await store.dropTransfer(name);
    dropped.push(name);
  }
  return dropped;
}
