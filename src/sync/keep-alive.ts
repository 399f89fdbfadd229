/**
 * A pack on its way out: when the next piece takes long, a keep-alive goes in its place, so
 * that a quiet transfer can be told from a dead one. An error becomes the pack's last frame.
 */
import { ByteWriter } from '../bytes.ts';
import { DvError } from '../errors.ts';
import { FRAME_TYPES, KEEP_ALIVE } from './pack.ts';

const QUIET_MS = 5000;

/** Pieces of `pack`, which consist of whole frames. */
export async function* withKeepAlive(
  pack: AsyncGenerator<Uint8Array, unknown>,
  signal?: AbortSignal,
  quietMs = QUIET_MS,
): AsyncGenerator<Uint8Array, void> {
  let begun = false;
  try {
    for (let next = pack.next(); ; ) {
      const ready = begun ? await within(next, quietMs) : await next;
      if (ready === undefined) {
        yield KEEP_ALIVE;
        continue;
      }
      if (ready.done) return;
      begun = true;
      next = pack.next();
      next.catch(() => {}); // looked at in the next turn
      yield ready.value;
    }
  } catch (error) {
    signal?.throwIfAborted();
    if (!begun || !(error instanceof DvError)) throw error;
    yield errorFrame(error);
  } finally {
    await pack.return(undefined);
  }
}

/** The value, or undefined after so long without. */
async function within<T>(value: Promise<T>, ms: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const quiet = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ms);
  });
  try {
    return await Promise.race([value, quiet]);
  } finally {
    clearTimeout(timer);
  }
}

function errorFrame(error: DvError): Uint8Array {
  const payload = Buffer.from(JSON.stringify(error.toJSON()));
  return new ByteWriter(payload.length + 8)
    .varint(1 + payload.length)
    .u8(FRAME_TYPES.error)
    .raw(payload)
    .take();
}
