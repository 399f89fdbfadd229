/** What a ref change brings, as one pack, for followers that keep the objects. */
import type { Hash } from '../hash.ts';
import type { Store } from '../store/contract.ts';
import { openSending, packOf } from '../sync/sender.ts';

/** Larger ones are fetched by whoever wants them. */
export const MOST_PACK_BYTES = 1024 * 1024;

/** undefined: more than MOST_PACK_BYTES. @throws DvError `unknown-ref`, `missing-object` */
export async function packOfChange(
  store: Store,
  old: Hash | null,
  to: Hash,
): Promise<Uint8Array | undefined> {
  const haves = old === null ? [] : [old];
  const pack = packOf(await openSending(store, { wants: [to], haves }), MOST_PACK_BYTES);
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for (;;) {
    const { done, value } = await pack.next();
    if (done) return value.complete && bytes <= MOST_PACK_BYTES ? Buffer.concat(pieces) : undefined;
    pieces.push(value);
    bytes += value.length;
  }
}
