/** The order of hybrid logical clocks: time, then counter, then node id. */
import type { Clock } from './objects.ts';

/** Negative when `a` is earlier. */
export function compareClocks(a: Clock, b: Clock): number {
  if (a.ms !== b.ms) return a.ms - b.ms;
  if (a.counter !== b.counter) return a.counter - b.counter;
  return a.node < b.node ? -1 : a.node > b.node ? 1 : 0;
}
