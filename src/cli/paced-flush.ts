/**
 * Output that streams: the first result is seen at once, the others not much later, and
 * without a system call each.
 */
import type { Context } from './context.ts';

const PACE_MS = 50;

/** Hands what is written to the reader, if that has not been done a moment ago. */
export function pacedFlush({ out, environment }: Context): () => Promise<void> {
  let next = 0;
  return async () => {
    const now = environment.now();
    if (now < next) return;
    await out.flush();
    next = now + PACE_MS;
  };
}
