/**
 * Cursors into a feed: `<epoch>.<sequence>`. The epoch names one unbroken log of ref changes;
 * it is made once, kept in the state `feed-epoch`, and a new one says that sequences of the
 * old mean nothing any more. The sync service and the live feed share this.
 */
import { DvError } from '../errors.ts';
import type { RefStore } from '../store/contract.ts';

export const EPOCH_KEY = 'feed-epoch';

export interface Cursor {
  /** 16 hex digits. */
  readonly epoch: string;
  /** The last sequence seen; 0: none. */
  readonly sequence: number;
}

/** The store's epoch, made with `randomId` (16 hex digits) when there is none yet. */
export async function feedEpoch(store: RefStore, randomId: () => string): Promise<string> {
  for (;;) {
    const known = await store.getState(EPOCH_KEY);
    if (known !== undefined) return Buffer.from(known).toString('latin1');
    const value = Buffer.from(randomId(), 'latin1');
    await store.transact({ state: [{ key: EPOCH_KEY, value, expect: null }] });
  }
}

export function formatCursor({ epoch, sequence }: Cursor): string {
  return `${epoch}.${sequence}`;
}

/** @throws DvError `bad-cursor` */
export function parseCursor(text: string): Cursor {
  const found = /^([0-9a-f]{16})\.(0|[1-9][0-9]{0,14})$/.exec(text);
  if (found === null) {
    throw new DvError('bad-cursor', `'${text.slice(0, 80)}' is no cursor`, {
      hint: 'a cursor is the id of an event: 16 hex digits, a point, a number',
    });
  }
  return { epoch: found[1], sequence: Number(found[2]) };
}
